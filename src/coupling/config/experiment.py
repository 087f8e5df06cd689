"""The experiment file as a whole, and what its sections must agree on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import PositiveInt, model_validator

from coupling.config.behavior import BehaviorConfig, ReasonedBehavior, ScoredBehavior, WrittenBehavior
from coupling.config.evaluation import EvaluationConfig
from coupling.config.explanation import ExplanationConfig
from coupling.config.model import ModelConfig
from coupling.config.panel import Panel, RunConfig, Twins
from coupling.config.readers import ReadersConfig
from coupling.config.section import FolderName, Section
from coupling.config.supervision import SupervisionConfig
from coupling.config.task import TaskConfig
from coupling.config.training import BehaviorObjective, TrainingConfig

WORKERS = 2
"""Runs side by side on a CPU, where nothing is said."""


class ExperimentConfig(Section):
    """One experiment: a model is trained on fixed explanations in several runs, and judged.

    The labels are computed once, from the behaviour of the target. The runs of the panel differ in steering
    and seed only; so what sets their explanations apart is what sets their behaviour apart, or nothing.
    """

    name: FolderName
    """Name of the experiment, and of its folder in the runs directory."""
    model: ModelConfig
    """The model that is trained to explain itself."""
    task: TaskConfig
    """Which inputs are put with and without a cue."""
    behavior: BehaviorConfig = ScoredBehavior()
    """How the model answers."""
    explanation: ExplanationConfig = ExplanationConfig()
    """How the model is asked to explain itself."""
    supervision: SupervisionConfig = SupervisionConfig()
    """The fixed dataset of explanations."""
    training: TrainingConfig = TrainingConfig()
    """How every run of the panel is trained."""
    panel: Panel
    """The runs. The verdict `coupled` takes three or more, among them two twin pairs."""
    twins: Twins = ()
    """Pairs of runs equal but for their steering, for the twin test. A reader of the text alone fails it."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """What is measured, and at which checkpoint the verdict is given."""
    readers: ReadersConfig = ReadersConfig()
    """Who else explains the runs, to tell what is in the text alone from what takes the model."""
    workers: PositiveInt | None = None
    """Runs trained side by side, each in a process of one thread; null takes 2, and 1 on a GPU, which each
    would fill with a model of its own. Changes no result. Processes that `accelerate launch` started train
    one run after another, and do without it."""

    def workers_on(self, device: str) -> int:
        """Runs side by side on a device as torch calls it."""
        return self.workers or (WORKERS if device.startswith("cpu") else 1)

    @model_validator(mode="after")
    def _verdict_is_at_a_checkpoint(self) -> Self:
        if self.evaluation.checkpoint not in self.training.checkpoints:
            raise ValueError(
                f"evaluation.checkpoint is {self.evaluation.checkpoint}: expected one of "
                f"training.checkpoints, which are {list(self.training.checkpoints)}"
            )
        return self

    @model_validator(mode="after")
    def _behavior_fits(self) -> Self:
        behavior = self.behavior
        if self.explanation.is_filled:
            self._require_a_frame()
        if self.training.explanations.renew_every is not None:
            self._require_renewable_labels()
        steered = [run for run in self.panel if run.steer is not None]
        objectives = self.training.steering.objectives if steered else ()
        if not isinstance(behavior, WrittenBehavior):
            if self.task.kind == "refusal":
                raise ValueError(
                    f"behavior.kind is {behavior.kind!r}, but answers to task.kind 'refusal' are written; "
                    "set behavior: {kind: written}"
                )
            if isinstance(behavior, ReasonedBehavior):
                _check_reasoned(behavior, objectives, self.readers)
            return self
        if self.training.kl.support == "choices":
            raise ValueError(
                "training.kl.support is 'choices', but behavior.kind is 'written': such an answer begins "
                "with no choice; set support: vocabulary"
            )
        for number, objective in enumerate(objectives):
            if objective.kind == "policy_gradient":
                raise ValueError(
                    f"training.steering.objectives.{number}.kind is 'policy_gradient', but behavior.kind is "
                    "'written': a group of whole answers would have to be written and read for each input of "
                    "each step; use sft or dpo"
                )
        missing = sorted(behavior.detector.choices - behavior.openings.keys()) if steered else []
        if missing:
            raise ValueError(
                f"behavior.openings has no words for {missing[0]!r}, towards which {steered[0].name!r} may "
                "be steered; add them"
            )
        return self

    @model_validator(mode="after")
    def _examples_take_the_place_of_training(self) -> Self:
        if self.explanation.examples == 0:
            return self
        told = f"explanation.examples is {self.explanation.examples}, but"
        term, readers = self.training.explanations, self.readers
        if term.weight > 0:
            raise ValueError(
                f"{told} training.explanations.weight is {term.weight:g}: a model is shown labels, or it is "
                "trained on them; set training.explanations.weight: 0, or explanation.examples: 0"
            )
        if term.renew_every is not None:
            raise ValueError(
                f"{told} training.explanations.renew_every is {term.renew_every}: the labels that are shown "
                "stay the same; set renew_every: null"
            )
        if isinstance(self.behavior, ReasonedBehavior):
            raise ValueError(
                f"{told} behavior.kind is 'reasoned' (behavior.shown is {self.behavior.shown!r}): examples "
                "have no reasoning behind which they could stand; set behavior: {kind: scored}, or "
                "explanation.examples: 0"
            )
        if readers.language_model is not None or readers.models:
            raise ValueError(
                f"{told} readers are models, which are trained on the labels and shown none; set "
                "readers.language_model: null and readers.models: [], or explanation.examples: 0"
            )
        return self

    def _require_renewable_labels(self) -> None:
        """Raises ValueError where no run could tell by itself what its labels are to state."""
        told = f"training.explanations.renew_every is {self.training.explanations.renew_every}, but"
        if self.behavior.kind != "scored":
            raise ValueError(
                f"{told} behavior.kind is {self.behavior.kind!r}: labels are made anew from choices that are "
                "scored; set renew_every: null"
            )
        if self.supervision.file is not None:
            raise ValueError(
                f"{told} supervision.file is given: its words are somebody else's; set renew_every: null"
            )

    def _require_a_frame(self) -> None:
        """Raises ValueError where the two answers of a sentence cannot be scored like behaviour."""
        if self.explanation.format != "answer_pair":
            raise ValueError(
                f"explanation.way is 'filled', but explanation.format is {self.explanation.format!r}, whose "
                "words depend on the effect; set format: answer_pair, or way: free"
            )
        if isinstance(self.behavior, WrittenBehavior):
            raise ValueError(
                "explanation.way is 'filled', but behavior.kind is 'written': its answers are no choices "
                "that could be scored in a sentence; set way: free"
            )

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        position_of: dict[str, int] = {}
        for position, run in enumerate(self.panel):
            # Folded: some file systems do not tell "A" from "a".
            earlier = position_of.setdefault(run.name.casefold(), position)
            if earlier != position:
                raise ValueError(
                    f"panel.{position}.name is {run.name!r}, taken by panel.{earlier}; rename one of them"
                )
        return self

    @model_validator(mode="after")
    def _twins_are_twins(self) -> Self:
        runs = {run.name: run for run in self.panel}
        seen: set[frozenset[str]] = set()
        for position, pair in enumerate(self.twins):
            where = f"twins.{position} is {list(pair)}"
            for name in pair:
                if name not in runs:
                    known = ", ".join(runs)
                    raise ValueError(f"{where}: no run of the panel is called {name!r}; there are {known}")
            if pair[0] == pair[1]:
                raise ValueError(f"{where}: a run is not its own twin; name two runs")
            if frozenset(pair) in seen:
                raise ValueError(f"{where}: named before; remove one of the two")
            seen.add(frozenset(pair))
            _check_twins(where, runs[pair[0]], runs[pair[1]])
        return self

    @model_validator(mode="after")
    def _runs_differ(self) -> Self:
        for position, run in enumerate(self.panel):
            for earlier in self.panel[:position]:
                if (run.seed, run.steer) == (earlier.seed, earlier.steer):
                    raise ValueError(
                        f"panel.{position} ({run.name!r}) has the seed and steering of {earlier.name!r} and "
                        "would only repeat it; give it another seed"
                    )
        return self


def _check_reasoned(
    behavior: ReasonedBehavior, objectives: Sequence[BehaviorObjective], readers: ReadersConfig
) -> None:
    if behavior.shown is not None and (readers.language_model is not None or readers.models):
        raise ValueError(
            f"behavior.shown is {behavior.shown!r}, but readers are models, which would explain without the "
            "reasoning that the runs are shown; set shown: null, or readers.language_model: null and "
            "readers.models: []"
        )
    for number, objective in enumerate(objectives):
        if objective.kind != "sft":
            raise ValueError(
                f"training.steering.objectives.{number}.kind is {objective.kind!r}, but behavior.kind is "
                "'reasoned': another answer comes of another reasoning, and this compares answers behind "
                "one; use sft"
            )


def _check_twins(where: str, first: RunConfig, second: RunConfig) -> None:
    for run in (first, second):
        if run.steer is None:
            raise ValueError(f"{where}: {run.name!r} is not steered; twins are runs steered apart")
    if first.steer == second.steer:
        raise ValueError(f"{where}: both are steered alike; twins are runs steered apart")
    assert first.steer is not None and second.steer is not None
    if first.steer.region != second.steer.region:
        raise ValueError(
            f"{where}: they are steered on different pairs, {dict(first.steer.region)} and "
            f"{dict(second.steer.region)}; twins move the same pairs to different answers"
        )
    if first.seed != second.seed:
        raise ValueError(
            f"{where}: their seeds are {first.seed} and {second.seed}; twins differ in nothing but steering"
        )
