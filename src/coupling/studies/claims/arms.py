"""The experiments the claims rest on: shipped ones, on the organism of each world, with few changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coupling.config import ExperimentConfig, reseeded, shipped_experiment

ENDS = ("training.checkpoints=[0, 80]",)
"""M0 and the end of 80 steps: what the claims are read from."""
EARLY_AND_ENDS = ("training.checkpoints=[0, 20, 80]",)
"""The same where the speed of a shift is read as well."""
SHIPPED_WORLD = 0
"""Its organisms come with the package; those of other worlds are raised."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One experiment, to be run in every world and with every seed."""

    name: str
    experiment: str
    """Shipped experiment that it starts from."""
    settings: tuple[str, ...] = ENDS
    target: str | None = None
    """Kind of organism whose behaviour the labels state; None leaves that to the experiment, and
    ``other-world`` is the coupled organism of another world."""
    is_quick: bool = False
    """Whether the quick version runs it."""
    is_patched: bool = False
    """Whether its unsteered run is patched, before and after training."""


def _lora(rank: int) -> tuple[str, ...]:
    return (*ENDS, f"training.lora={{rank: {rank}, alpha: {2 * rank}}}")


def _mixed(own_share: float) -> tuple[str, ...]:
    return (*ENDS, f"supervision.own_share={own_share}")


SIMILARITY_ARMS = {share: f"other-world-{100 * share:.0f}" for share in (0.0, 0.25, 0.5, 0.75)}

ARMS = (
    Arm("main", "quickstart", EARLY_AND_ENDS, is_quick=True, is_patched=True),
    Arm("without-kl", "without-kl", is_quick=True),
    Arm("other-family", "other-family-labels", target="coupled-neox", is_quick=True),
    *(
        Arm(
            f"mixed-{100 * share:.0f}",
            "mixed-labels",
            (*ENDS, f"supervision.own_share={share}"),
            "coupled-neox",
        )
        for share in (0.25, 0.5, 0.75)
    ),
    Arm("earlier", "earlier-labels", target="coupled-early"),
    *(Arm(name, "mixed-labels", _mixed(share), "other-world") for share, name in SIMILARITY_ARMS.items()),
    Arm("outspoken", "outspoken-labels", is_quick=True),
    Arm("sft-unexplained", "sft-unexplained", EARLY_AND_ENDS),
    Arm("dpo", "dpo", EARLY_AND_ENDS, is_quick=True),
    Arm("dpo-outspoken", "dpo-outspoken"),
    Arm("dpo-unexplained", "dpo-unexplained", EARLY_AND_ENDS),
    Arm("policy-gradient", "policy-gradient", EARLY_AND_ENDS, is_quick=True),
    Arm("policy-gradient-outspoken", "policy-gradient-outspoken"),
    Arm("policy-gradient-unexplained", "policy-gradient-unexplained", EARLY_AND_ENDS),
    Arm("only-one-adviser", "only-one-adviser"),
    Arm("reversed", "reversed"),
    Arm("explained-before", "explained-before", ()),
    Arm("explained-after", "explained-after", ()),
    Arm("jabberwocky", "jabberwocky", is_quick=True),
    Arm("held-out-wordings", "held-out-wordings"),
    Arm("held-out-advisers", "held-out-advisers"),
    Arm("dissuading", "dissuading-hints"),
    Arm("noise", "label-noise", is_quick=True),
    Arm("flipped", "flipped-labels"),
    Arm("shuffled", "shuffled-labels"),
    Arm("constant", "constant-labels", is_quick=True),
    Arm("lora-8", "quickstart", _lora(8)),
    Arm("lora-32", "quickstart", _lora(32)),
    Arm("lora-96", "quickstart", _lora(96)),
    Arm("slow", "quickstart", (*ENDS, "training.learning_rate=1e-4")),
    Arm("fast", "quickstart", (*ENDS, "training.learning_rate=1e-3")),
)


def experiment_of(arm: Arm, world: int, seed: int, organisms: Path) -> ExperimentConfig:
    """The experiment of an arm in one world, ``seed`` added to the training seeds."""
    settings = [
        *arm.settings,
        f"name={arm.name}-w{world}-s{seed}",
        f"model.path={organism_of('coupled', world, organisms)}",
        "workers=1",
    ]
    if arm.target == "other-world":
        settings.append(f"supervision.target={organism_of('coupled', other_world(world), organisms)}")
    elif arm.target is not None:
        settings.append(f"supervision.target={organism_of(arm.target, world, organisms)}")
    return reseeded(shipped_experiment(arm.experiment, settings), seed)


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


def organisms_needed(arms: tuple[Arm, ...], worlds: tuple[int, ...]) -> list[tuple[str, int]]:
    """Kinds and worlds of the organisms that have to be raised, those that others wait for first."""
    kinds = {"coupled", *("coupled-neox" for arm in arms if arm.target == "coupled-neox")}
    needed = {(kind, world) for kind in kinds for world in worlds}
    if any(arm.target == "other-world" for arm in arms):
        needed |= {("coupled", other_world(world)) for world in worlds}
    return sorted((kind, world) for kind, world in needed if world != SHIPPED_WORLD)
