"""Memory: what lies there all the time, and the most that comes on top of it.

Training, on each device:

    weights + gradients + two moments of AdamW + working

where ``working`` is the most that one term of the loss holds at once in its forward and backward pass:
activations kept for the backward pass, logits, and what comes and goes (``tracing``). Explanations and their
KL term are read in one pass, or kept together for one; other terms are run one after the other, and micro
batches too.

Sampling, on each device:

    weights, and those of M0 where it stays beside another model + working

where ``working`` are one batch's keys and values, intermediate results and logits.

On a CPU ``working`` is taken times ``HEAP_…``: the C library's heap is full of holes when tensors of many
sizes come and go. A reference cached for the KL term lies in the machine's memory. Sharding (FSDP2) divides
weights, gradients and moments by the number of processes, but for one layer, which is whole while it is
computed.
"""

from __future__ import annotations

from dataclasses import dataclass

from coupling.planning.tracing import Shape

HEAP_IN_TRAINING, HEAP_IN_SAMPLING = 2.2, 1.2
"""What a process grows by over what its tensors hold at once: 2.2 to 2.4 and 1.2 with 50 million parameters
and glibc. With MALLOC_MMAP_THRESHOLD_=1048576 in the environment it is 0.9 in training, at two thirds of the
speed."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on one device, by what they are for."""

    weights: int
    gradients: int
    moments: int
    working: int

    @property
    def total(self) -> int:
        return self.weights + self.gradients + self.moments + self.working


def training_memory(shape: Shape, working: int, on_cpu: bool, shards: int = 1) -> Memory:
    """The most that training holds.

    Args:
        working: the most that one term of the loss takes.
        shards: processes that share weights, gradients and moments.
    """
    trained = shape.trained_bytes
    return Memory(
        weights=_sharded(shape.parameter_bytes, shape.layers, shards),
        gradients=_sharded(trained, shape.layers, shards),
        moments=2 * trained // shards,
        working=round(HEAP_IN_TRAINING * working) if on_cpu else working,
    )


def sampling_memory(shape: Shape, working: int, on_cpu: bool, beside: int = 0) -> Memory:
    """The most that sampling holds.

    Args:
        working: the most that one batch takes.
        beside: bytes of another model that is in memory.
    """
    held = round(HEAP_IN_SAMPLING * working) if on_cpu else working
    return Memory(shape.parameter_bytes + beside, 0, 0, held)


def _sharded(size: int, layers: int, shards: int) -> int:
    return size if shards == 1 else size // shards + size // layers
