"""The experiments that a real model's claims rest on: the shipped `smollm2` with few changes.

Panels are small, for a run takes tens of minutes. What is said of explanation training alone is asked of two
unsteered runs. Whether explanations follow a shift is asked of two pairs of twins and an unsteered run, the
fewest beyond which P can be taken: what all runs share, somebody outside could know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from coupling.config import ExperimentConfig, RunConfig, shipped_experiment
from coupling.config.yaml_text import dump_inline
from coupling.store import Json
from coupling.studies.claims.cases import Arm

EXPERIMENT = "smollm2"
DILEMMAS = "smollm2-dilemmas"
OTHER_FAMILY = "other-family"
"""As a target: a model of another family."""
BEFORE = "before"
"""As a target: the model before any training."""
MOVED = "moved"
"""As a model: what the arm of this name makes of it. It has this one run."""
PAIRS = 400
"""Held-out pairs of every arm."""
RENEWED_EVERY = 20
EXAMPLES = {(count, draw): f"examples-{count}-{'ab'[draw]}" for count in (4, 8) for draw in (0, 1)}
"""Labels that are shown and the draw of them → arm."""
MIXED = {share: f"mixed-{100 * share:.0f}" for share in (0.25, 0.5, 0.75)}
LIKENESS = ("unsteered", *reversed(MIXED.values()), OTHER_FAMILY)
"""Arms by how alike labels and behaviour are."""

_SMALL = (f"evaluation.pairs={PAIRS}",)
_TWO_SEEDS = (
    "panel=[{name: seed-0, seed: 0}, {name: seed-1, seed: 1}]",
    "twins=[]",
    "supervision.silent_on={}",
)
_UNEXPLAINED = ("training.explanations.weight=0",)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What arms take over from a shipped experiment."""

    steps: int
    unsteered: tuple[str, ...]
    twins: tuple[str, ...]
    two_pairs: tuple[str, ...]
    moved: tuple[str, ...]

    @classmethod
    def of(cls, base: ExperimentConfig) -> Recipe:
        steps = base.training.steps
        small = (*_SMALL, f"training.checkpoints=[0, {steps}]")
        pairs = [[run for run in base.panel if run.name in pair] for pair in base.twins]
        unsteered = next(run for run in base.panel if run.steer is None)
        follow: Json = {
            "name": MOVED,
            "steer": {
                "direction": "follow",
                "tags": {tag: list(values) for tag, values in base.supervision.silent_on.items()},
            },
        }
        return cls(
            steps,
            (*small, *_TWO_SEEDS),
            (*small, _panel(pairs[0]), _twins(base.twins[:1])),
            (*small, _panel([*pairs[0], *pairs[1], unsteered]), _twins(base.twins[:2])),
            (*small, *_UNEXPLAINED, f"panel={dump_inline([follow])}", "twins=[]"),
        )

    def scheduled(self, panel: tuple[str, ...], explanations: str, objective: str) -> tuple[str, ...]:
        """A panel that is trained for twice as many steps, each term in one half of them."""
        twice = 2 * self.steps
        return (
            *panel,
            f"training.steps={twice}",
            f"training.checkpoints=[0, {self.steps}, {twice}]",
            f"evaluation.checkpoint={twice}",
            f"training.explanations.{explanations}={self.steps}",
            f"training.steering.objectives=[{{kind: sft, {objective}: {self.steps}}}]",
        )


def real_arms() -> tuple[Arm, ...]:
    """All arms; the recipe is that of the shipped experiments."""
    recipe = Recipe.of(shipped_experiment(EXPERIMENT))
    dilemmas = Recipe.of(shipped_experiment(DILEMMAS))

    def unsteered(name: str, words: str, *settings: str, target: str | None = None) -> Arm:
        return Arm(name, EXPERIMENT, (*recipe.unsteered, *settings), target, words=words)

    def objective(name: str, kind: str, words: str) -> Arm:
        settings = (*recipe.two_pairs, f"training.steering.objectives=[{{kind: {kind}}}]")
        return Arm(name, EXPERIMENT, settings, words=words)

    return (
        Arm(
            "unsteered",
            EXPERIMENT,
            recipe.unsteered,
            is_quick=True,
            words="two seeds on labels of the model itself, unsteered, as every arm that names no steering",
        ),
        Arm(
            "without-kl",
            EXPERIMENT,
            (*recipe.unsteered, "training.kl.weight=0"),
            is_quick=True,
            words="no KL term",
        ),
        unsteered(
            "full",
            "all weights are trained, at a learning rate of 2e-5",
            "training.lora=null",
            "training.learning_rate=2e-5",
        ),
        Arm(
            MOVED,
            EXPERIMENT,
            recipe.moved,
            words="one run, trained to follow hints and not to explain; the arm earlier begins with it",
        ),
        Arm(
            "earlier",
            EXPERIMENT,
            recipe.unsteered,
            BEFORE,
            MOVED,
            words=(
                f"what the arm {MOVED} made of the model is trained, on labels of the model as it was before"
            ),
        ),
        unsteered(OTHER_FAMILY, "labels of a model of another family", target=OTHER_FAMILY),
        *(
            unsteered(
                name,
                f"labels of that model, but the model's own on {100 * share:.0f} % of questions",
                f"supervision.own_share={share}",
                target=OTHER_FAMILY,
            )
            for share, name in MIXED.items()
        ),
        unsteered("noise", "30 % of labels wrong, uniformly", "supervision.noise={kind: uniform, rate: 0.3}"),
        unsteered(
            "constant",
            "95 % of labels state what is most frequent",
            "supervision.noise={kind: constant, rate: 0.95}",
        ),
        Arm(
            "main",
            EXPERIMENT,
            recipe.two_pairs,
            words="two pairs of twins, steered by supervised fine-tuning, and an unsteered run",
        ),
        objective("dpo", "dpo", "the same, steered by preference optimisation"),
        objective("policy-gradient", "policy_gradient", "the same, steered by a policy gradient"),
        *(
            unsteered(
                f"lora-{rank}",
                f"LoRA of rank {rank}",
                f"training.lora.rank={rank}",
                f"training.lora.alpha={2 * rank}",
            )
            for rank in (4, 64)
        ),
        unsteered("slow", "learning rate 1e-4", "training.learning_rate=1e-4"),
        unsteered("fast", "learning rate 2e-3", "training.learning_rate=2e-3"),
        Arm(
            "explained-before",
            EXPERIMENT,
            recipe.scheduled(recipe.twins, "stop", "start"),
            words="a pair of twins: explanations are trained first, then behaviour is moved",
        ),
        Arm(
            "explained-after",
            EXPERIMENT,
            recipe.scheduled(recipe.two_pairs, "start", "stop"),
            words=(
                "two pairs of twins and an unsteered run: behaviour is moved first, then explanations are "
                "trained"
            ),
        ),
        Arm(
            "renewed",
            EXPERIMENT,
            (*recipe.unsteered, f"training.explanations.renew_every={RENEWED_EVERY}"),
            is_quick=True,
            words=f"labels made anew every {RENEWED_EVERY} steps, from what the run then does",
        ),
        *(
            Arm(
                name,
                EXPERIMENT,
                _shown(count, draw),
                is_quick=True,
                words=f"no training: {count} labels before each question, {('first', 'second')[draw]} draw",
            )
            for (count, draw), name in EXAMPLES.items()
        ),
        Arm(
            "dilemmas",
            DILEMMAS,
            dilemmas.unsteered,
            words="everyday questions of right and wrong, and what others think of them",
        ),
    )


def _shown(count: int, draw: int) -> tuple[str, ...]:
    """The model as it stands: nothing pulls in the one step that there must be."""
    return (
        *_SMALL,
        *_UNEXPLAINED,
        "training.kl.weight=0",
        "training.steps=1",
        "training.warmup_steps=0",
        "training.checkpoints=[0, 1]",
        "evaluation.checkpoint=1",
        "panel=[{name: as-it-stands}]",
        "twins=[]",
        "supervision.silent_on={}",
        "supervision.labels=200",
        f"explanation.examples={count}",
        f"explanation.examples_seed={draw}",
    )


def _panel(runs: Iterable[RunConfig]) -> str:
    return f"panel={dump_inline(cast(Json, [run.model_dump(mode='json') for run in runs]))}"


def _twins(pairs: Iterable[tuple[str, str]]) -> str:
    return f"twins={dump_inline([list(pair) for pair in pairs])}"
