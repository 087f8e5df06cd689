"""M0's behaviour on the labelled pairs, which the KL term compares every run with: asked once for all runs.

    base/reference-0-of-2.safetensors    log-probabilities at the answer position, by batches of prompts

Each worker asks a part. Over a large vocabulary these are the largest files of an experiment, so they are
removed once every run is trained. Processes that were launched together ask M0 in memory instead.
"""

from __future__ import annotations

import torch
from safetensors.torch import load_file, save_file

from coupling.config import ExperimentConfig, ReasonedBehavior
from coupling.experiment.artifacts import BASE, LABELS, MODEL, PAIRS, behaviors_of, reasoning_of
from coupling.store import RunDir, json_sha256


def part_name(number: int, count: int) -> str:
    """The artifact of part ``number`` of ``count``."""
    return f"{BASE}/reference-{number}-of-{count}.safetensors"


def reference_from(config: ExperimentConfig, run: RunDir) -> dict[str, str]:
    """The hashes of all that M0's behaviour on the labelled pairs follows from."""
    made_from = {
        "base": run.sha(MODEL),
        "pairs": run.sha(PAIRS),
        "labels": run.sha(LABELS),
        "support": config.training.kl.support,
        "batch_size": str(config.evaluation.batch_size),
        "autocast": str(config.training.autocast),
        "normalization": config.behavior.normalization,
    }
    if isinstance(config.behavior, ReasonedBehavior):
        made_from["behavior"] = json_sha256(config.behavior.model_dump(mode="json"))
        made_from["reasoning"] = run.sha(reasoning_of(behaviors_of(BASE)))
    return made_from


def keep_part(
    config: ExperimentConfig, run: RunDir, number: int, count: int, found: dict[int, torch.Tensor]
) -> None:
    """Keeps a part: first prompt of a batch → its log-probabilities."""
    tensors = {str(start): logprobs.contiguous() for start, logprobs in found.items()}
    run.make(
        part_name(number, count), reference_from(config, run), lambda path: save_file(tensors, str(path))
    )


def read_reference(config: ExperimentConfig, run: RunDir) -> torch.Tensor | None:
    """All parts in order, shape (prompts, size of the support), in nats; None where one is missing."""
    made_from = reference_from(config, run)
    for first in sorted(run.file(BASE).glob("reference-0-of-*.safetensors")):
        count = int(first.stem.rpartition("-")[2])
        names = [part_name(number, count) for number in range(count)]
        if all(run.is_done(name, made_from) for name in names):
            found: dict[int, torch.Tensor] = {}
            for name in names:
                found |= {int(start): tensor for start, tensor in load_file(run.file(name)).items()}
            return torch.cat([found[start] for start in sorted(found)])
    return None


def remove_reference(run: RunDir) -> None:
    """Removes every part, and what stands beside it."""
    for file in run.file(BASE).glob("reference-*"):
        file.unlink()
