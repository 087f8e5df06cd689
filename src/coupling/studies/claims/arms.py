"""The experiments that organisms' claims rest on: shipped ones, on each world's organism, with few changes.

Two kinds. What the paper says of explanation training alone is asked of panels of three unsteered seeds. What
it says of concurrent objectives is asked of the quickstart's panel: two pairs of twins and an unsteered run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from coupling.config import ExperimentConfig, reseeded, shipped_experiment
from coupling.config.yaml_text import dump_inline
from coupling.studies.claims.cases import SEED_STRIDE, Arm, Case

UNSTEERED = (
    "training.checkpoints=[0, 80]",
    "panel=[{name: seed-0, seed: 0}, {name: seed-1, seed: 1}, {name: seed-2, seed: 2}]",
    "twins=[]",
    "supervision.silent_on={}",
    "evaluation.pairs=null",
)
EARLY = 20
"""The step at which the speed of shifts is compared: later they are complete."""
STEERED = ("training.checkpoints=[0, 80]",)
SPEED = (f"training.checkpoints=[0, {EARLY}, 80]",)
SHIPPED_WORLD = 0
"""Its organisms come with the package; those of other worlds are raised."""
OTHER_WORLD = "other-world"
"""As a target: the coupled organism of another world."""
COUPLED = "coupled"
"""The kind that is trained where an arm names no other."""


SIMILARITY_ARMS = {share: f"other-world-{100 * share:.0f}" for share in (0.0, 0.25, 0.5, 0.75)}
MIXED_ARMS = {share: f"mixed-{100 * share:.0f}" for share in (0.25, 0.5, 0.75)}


def _mixed(own_share: float) -> tuple[str, ...]:
    return (*UNSTEERED, f"supervision.own_share={own_share}")


def _lora(rank: int) -> tuple[str, ...]:
    return (*UNSTEERED, f"training.lora={{rank: {rank}, alpha: {2 * rank}}}")


ARMS = (
    Arm("unsteered", "quickstart", UNSTEERED, is_quick=True, is_patched=True),
    Arm("without-kl", "without-kl", UNSTEERED, is_quick=True),
    Arm("other-family", "other-family-labels", UNSTEERED, "coupled-neox", is_quick=True),
    Arm("noise", "label-noise", UNSTEERED, is_quick=True),
    Arm("constant", "constant-labels", UNSTEERED),
    Arm("main", "quickstart", SPEED, is_quick=True),
    Arm("plain-unsteered", "quickstart", UNSTEERED, model="plain"),
    Arm("plain-steered", "quickstart", STEERED, model="plain"),
    Arm("third-person", "quickstart", UNSTEERED, model="third-person", is_patched=True),
    Arm("sft-unexplained", "sft-unexplained", SPEED, is_quick=True),
    Arm("outspoken", "outspoken-labels", STEERED, is_quick=True),
    Arm("dpo", "dpo", SPEED),
    Arm("policy-gradient", "policy-gradient", SPEED),
    Arm("jabberwocky", "jabberwocky", STEERED, is_quick=True),
    Arm("dpo-unexplained", "dpo-unexplained", SPEED),
    Arm("policy-gradient-unexplained", "policy-gradient-unexplained", SPEED),
    Arm("dpo-outspoken", "dpo-outspoken", STEERED),
    Arm("policy-gradient-outspoken", "policy-gradient-outspoken", STEERED),
    Arm("only-one-adviser", "only-one-adviser", STEERED),
    Arm("reversed", "reversed", STEERED),
    Arm("explained-before", "explained-before", ()),
    Arm("explained-after", "explained-after", ()),
    Arm("shuffled", "shuffled-labels", STEERED),
    Arm("held-out-wordings", "held-out-wordings", STEERED),
    Arm("held-out-advisers", "held-out-advisers", STEERED),
    Arm("dissuading", "dissuading-hints", STEERED),
    *(Arm(name, "mixed-labels", _mixed(share), OTHER_WORLD) for share, name in SIMILARITY_ARMS.items()),
    *(Arm(name, "mixed-labels", _mixed(share), "coupled-neox") for share, name in MIXED_ARMS.items()),
    Arm("earlier", "earlier-labels", UNSTEERED, "coupled-early"),
    Arm("flipped", "flipped-labels", UNSTEERED),
    Arm("lora-8", "quickstart", _lora(8)),
    Arm("lora-32", "quickstart", _lora(32)),
    Arm("lora-96", "quickstart", _lora(96)),
    Arm("slow", "quickstart", (*UNSTEERED, "training.learning_rate=1e-4")),
    Arm("fast", "quickstart", (*UNSTEERED, "training.learning_rate=1e-3")),
)


def experiment_of(arm: Arm, world: int, seed: int, organisms: Path) -> ExperimentConfig:
    """The experiment of an arm in one world; ``seed`` counts the cases of the claims."""
    settings = [
        *arm.settings,
        f"name={arm.experiment_name(Case(world, seed))}",
        f"model.path={dump_inline(organism_of(arm.model or COUPLED, world, organisms))}",
        "workers=1",
    ]
    if arm.target is not None:
        kind, where = (COUPLED, other_world(world)) if arm.target == OTHER_WORLD else (arm.target, world)
        settings.append(f"supervision.target={dump_inline(organism_of(kind, where, organisms))}")
    return reseeded(shipped_experiment(arm.experiment, settings), SEED_STRIDE * seed)


def other_world(world: int) -> int:
    """A world in which other values rival the facts and others are trusted; never the shipped one."""
    return 2 if world == 1 else 1


def organism_of(kind: str, world: int, organisms: Path) -> str:
    """Where an organism lies, as ``model.path`` spells it."""
    if world == SHIPPED_WORLD:
        return f"organism:{kind}"
    if kind == "coupled-early":
        return str(organisms / f"coupled-w{world}-s0-early")
    return str(organisms / f"{kind}-w{world}-s0")


def organisms_needed(arms: Sequence[Arm], worlds: Sequence[int]) -> list[tuple[str, int]]:
    """Kinds and worlds of the organisms that have to be raised."""
    kinds = {arm.model or COUPLED for arm in arms}
    kinds |= {"coupled-neox" for arm in arms if arm.target == "coupled-neox"}
    needed = {(kind, world) for kind in kinds for world in worlds}
    if any(arm.target == OTHER_WORLD for arm in arms):
        needed |= {(COUPLED, other_world(world)) for world in worlds}
    return sorted((kind, world) for kind, world in needed if world != SHIPPED_WORLD)
