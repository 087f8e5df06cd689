"""Training in several processes: started by ``test_shared_training.py`` in each of them.

Every case leaves its losses, its first gradient and a checkpoint; the tests hold them against one process.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import miniature
import torch
from safetensors.torch import save_file

from coupling import ranks
from coupling.config import LoraConfig, SteerConfig
from coupling.training.checkpoints import add_adapter, checkpoint_activations, save_checkpoint
from coupling.training.loop import StepLosses
from coupling.training.sharding import whole, whole_state
from tiny_models import tiny_model, world_renderer

FOLLOW = SteerConfig(direction="follow", tags={"adviser": ("Chen",)})
OBJECTIVES = ({"kind": "sft"}, {"kind": "dpo"}, {"kind": "policy_gradient", "group_size": 8})
STEPS = 4


@dataclass(frozen=True)
class Case:
    name: str
    sharded: bool = False
    lora: LoraConfig | None = None
    micro: int | None = None
    recomputed: bool = False
    autocast: str | None = None
    killed_after: int | None = None
    """Steps after which it is killed, and then begun again."""


LORA = LoraConfig(rank=2, alpha=4)
CASES = (
    Case("data-parallel"),
    Case("data-parallel-lora-in-parts", lora=LORA, micro=1),
    Case("data-parallel-dropout", lora=LoraConfig(rank=2, alpha=4, dropout=0.2)),
    Case("data-parallel-dropout-resumed", lora=LoraConfig(rank=2, alpha=4, dropout=0.2), killed_after=3),
    Case("sharded", sharded=True),
    Case("sharded-resumed", sharded=True, killed_after=3),
    Case("sharded-lora-in-parts", sharded=True, lora=LORA, micro=1, recomputed=True),
    Case("sharded-bfloat16", sharded=True, autocast="bfloat16"),
)


class Killed(Exception):
    pass


def train_case(case: Case, folder: Path, here: None) -> None:
    """Leaves ``NAME.json``, ``NAME.gradient.safetensors`` and the checkpoint ``NAME`` in the folder."""
    os.environ["ACCELERATE_USE_FSDP"] = str(case.sharded)
    renderer, pairs = world_renderer(), miniature.training_pairs()
    model = begun(case)
    data = miniature.training_data(tiny_model("llama"), renderer, pairs, FOLLOW, precision=case.autocast)
    gradients: dict[str, torch.Tensor] = {}
    losses: list[StepLosses] = []

    def note(step: StepLosses) -> None:
        losses.append(step)
        for name, parameter in model.named_parameters():
            if step.step == 1 and parameter.grad is not None:
                gradients[name] = whole(parameter.grad).clone()
        if step.step == case.killed_after and len(losses) == step.step:
            raise Killed

    config = settings(case)
    state = folder / f"{case.name}-state"
    try:
        miniature.run(model, data, config, state, after_step=note)
    except Killed:
        model = begun(case)
        miniature.run(model, data, config, state, after_step=note)
    weights = whole_state(model) if case.sharded else None
    if ranks.leads():
        save_file(gradients, folder / f"{case.name}.gradient.safetensors")
        save_checkpoint(folder / case.name, model, renderer.tokenizer, STEPS, weights)
        text = json.dumps([asdict(step) for step in losses])
        (folder / f"{case.name}.json").write_text(text, encoding="utf-8")


def begun(case: Case) -> torch.nn.Module:
    model = tiny_model("llama")
    if case.recomputed:
        checkpoint_activations(model)
    return add_adapter(model, case.lora, seed=0) if case.lora else model


def settings(case: Case) -> miniature.TrainingConfig:
    # A long gradient is scaled down by its norm, which has to be that of all processes.
    return miniature.training_config(
        STEPS,
        batch_size=5,
        max_grad_norm=0.1,
        micro_batch_size=case.micro,
        autocast=case.autocast,
        steering={"batch_size": 3, "objectives": list(OBJECTIVES)},
    )


if __name__ == "__main__":
    with ranks.led() as leads:
        if leads:
            for each in CASES:
                ranks.together(train_case, (each, Path(sys.argv[1])), None, None)
