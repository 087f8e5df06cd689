"""The resumable state of a training run: weights, optimizer, step and torch's generators.

Rows and learning rate are functions of the step, so nothing else needs to be kept. Of several processes the
leader writes, and what it writes is whole tensors: as many or as few others may go on from it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from coupling import ranks
from coupling.store import atomic_directory, read_complete
from coupling.store.complaints import first_line
from coupling.training.sharding import load_optimizer, slices_like, whole, whole_optimizer

TENSORS = "state.pt"


def save_state(
    folder: Path,
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    step: int,
    made_from: dict[str, str],
) -> None:
    """Replaces the state in ``folder``, whole or not at all; called by every process."""
    state = {
        "model": {name: whole(p) for name, p in model.named_parameters() if p.requires_grad},
        "optimizer": whole_optimizer(optimizer),
        "generator": torch.get_rng_state(),
        "cuda_generators": torch.cuda.get_rng_state_all(),
    }
    if not ranks.leads():
        return
    with atomic_directory(folder, {"step": str(step), **made_from}) as staging:
        try:
            torch.save(state, staging / TENSORS)
        except RuntimeError as error:
            # As torch says that the disk is full.
            raise OSError(first_line(error)) from error


def load_state(
    folder: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer, made_from: dict[str, str]
) -> int:
    """Restores a saved state and returns the number of steps done; 0 where there is none.

    Raises:
        ValueError: the state was made from another base, other labels or another configuration; or not all
            processes see the same.
    """
    manifest = read_complete(folder)
    ranks.require_agreement(str(folder), 0 if manifest is None else int(manifest.metadata["step"]))
    if manifest is None:
        return 0
    saved = {name: value for name, value in manifest.metadata.items() if name != "step"}
    if saved != made_from:
        differing = sorted(
            name for name in saved.keys() | made_from.keys() if saved.get(name) != made_from.get(name)
        )
        raise ValueError(
            f"{folder}: was saved by a training run with another {', '.join(differing)}; "
            "remove it to train anew"
        )
    # Of sharded weights a process takes its slices only, and need not hold all the others.
    mapped = ranks.shards_weights()
    state = torch.load(folder / TENSORS, map_location="cpu", weights_only=True, mmap=mapped)
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert parameters.keys() == state["model"].keys()
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(slices_like(parameter, state["model"][name]))
    load_optimizer(optimizer, state["optimizer"])
    torch.set_rng_state(state["generator"])
    if len(state["cuda_generators"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda_generators"])
    return int(manifest.metadata["step"])


def remove_state(folder: Path) -> None:
    """Removes the state of a run that has ended."""
    shutil.rmtree(folder, ignore_errors=True)
