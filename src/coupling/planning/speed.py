"""Time: operations over what the device does, and what it moves.

A call's time is ``operations / (peak · utilisation)``. The peak is that of a large matrix product, measured
on the device in a second, or given. A token that is generated takes at least the time in which the weights
and the cache are read once: ``bytes / bandwidth``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from coupling.config import ModelConfig
from coupling.models.loading import DTYPES, device_named

UTILISATION = 0.4
"""Share of a matrix product's speed that training and scoring reach; docs/scale.md has what was measured."""
SIDE = 2048
MOVED = 256 * 2**20
REPEATS = 3


@dataclass(frozen=True, slots=True)
class Speed:
    """What a device does."""

    flops: float
    """Floating point operations a second, of a large matrix product."""
    bandwidth: float
    """Bytes a second, read."""

    def computing(self, operations: float) -> float:
        """Seconds that many operations take."""
        return operations / (self.flops * UTILISATION)

    def generating(self, operations: float, read: float) -> float:
        """Seconds one token of a batch takes: whichever is slower, to compute or to read."""
        return max(self.computing(operations), read / self.bandwidth)


def measure_speed(model: ModelConfig) -> Speed:
    """A matrix product and a sum, each the best of three, on one thread of a CPU or on a GPU.

    Raises:
        ValueError: there is no device of that name.
    """
    device, dtype = device_named(model.device), DTYPES[model.dtype]
    if not isinstance(dtype, torch.dtype):
        dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    side = SIDE if device.startswith("cuda") else SIDE // 4
    first, second = (torch.ones((side, side), dtype=dtype, device=device) for _ in range(2))
    product = _best(lambda: first @ second, device)
    moved = torch.ones(MOVED // 4, device=device)
    summed = _best(moved.sum, device)
    torch.set_num_threads(threads)
    return Speed(2 * side**3 / product, MOVED / summed)


def _best(call: Callable[[], object], device: str) -> float:
    taken = []
    for _ in range(REPEATS + 1):
        _wait(device)
        begun = time.perf_counter()
        call()
        _wait(device)
        taken.append(time.perf_counter() - begun)
    return min(taken[1:])


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
