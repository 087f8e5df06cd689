"""The judgement file: which artifacts, made elsewhere, are judged together.

It names files of behaviours and explanations; no model is loaded. Their lines are described in
docs/judging.md.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self

import pydantic_core
from pydantic import AfterValidator, Field, NonNegativeInt, ValidationError, model_validator

from coupling.config.evaluation import ConsequenceConfig
from coupling.config.panel import SteerConfig, Twins
from coupling.config.section import FolderName, LocalPath, Section, Tags, TagValues
from coupling.config.yaml_text import read_yaml
from coupling.store.complaints import complaint


def _must_be_a_file(value: LocalPath) -> LocalPath:
    if not os.path.isfile(value):  # Which is also False of a name that is too long for one.
        raise ValueError(f"{str(value)!r} is no file; a path stands relative to the file that names it")
    return value


ArtifactPath = Annotated[LocalPath, AfterValidator(_must_be_a_file)]
"""A JSONL file that exists."""


class JudgedBase(Section):
    """The model before training, where it is known."""

    behaviors: ArtifactPath | None = None
    """Its behaviour: tells how far each run has moved."""
    explanations: ArtifactPath | None = None
    """Its explanations: held against every run, as a constructed emitter."""


class JudgedRun(Section):
    """What one run did and said at one step."""

    name: FolderName
    """Name of the run; it stands once for every step."""
    step: NonNegativeInt = 0
    """The training step at which it was sampled."""
    behaviors: ArtifactPath
    """What it answered."""
    explanations: ArtifactPath
    """What it said of its answers."""
    remeasured: ArtifactPath | None = None
    """Its behaviour measured a second way, with another batch size or dtype; gives the measurement floor."""
    steered: TagValues = Field(default_factory=dict)
    """The pairs on which its behaviour was steered, by tag and values, as {adviser: [Chen]}."""
    direction: Literal["follow", "ignore", "reverse", "keep"] | None = None
    """Where to, as in an experiment file: follow the cue, ignore it, reverse what the base does, or keep it.
    An outsider knows that, so the observer behind P is told; it takes base.behaviors. Without it the observer
    has to learn it from the run's answers about other clusters."""

    @model_validator(mode="after")
    def _direction_is_of_steering(self) -> Self:
        if self.direction is not None and not self.steered:
            raise ValueError(
                f"direction is {self.direction!r}, but steered names no pairs; say which, as "
                "{adviser: [Chen]}"
            )
        return self

    @property
    def steer(self) -> SteerConfig | None:
        """The steering as an experiment file would declare it; None where its direction is not known."""
        return None if self.direction is None else SteerConfig(direction=self.direction, tags=self.steered)


class JudgementConfig(Section):
    """Artifacts that are judged together: one panel, at one or more steps."""

    name: FolderName
    """Name of the comparison, in the report."""
    model: str = "model"
    """What the report calls the model."""
    target_model: str = "target"
    """What the report calls the model whose behaviour the labels state."""
    explanation_format: Literal["answer_pair", "statement"] = "answer_pair"
    """How explanations that come without a claim are read."""
    pairs: ArtifactPath
    """Counterfactual pairs, those of other splits too if labels are about them."""
    split: Literal["train", "dev", "test"] = "test"
    """Pairs of this split are judged."""
    target: ArtifactPath | None = None
    """Behaviour of the model whose effects the labels state; without it Orig, Δ and A are n/a."""
    base: JudgedBase = JudgedBase()
    """The model before training."""
    labels: ArtifactPath | None = None
    """The supervision; gives the baselines, and shows leakage."""
    runs: Annotated[tuple[JudgedRun, ...], Field(min_length=1)]
    """The panel: runs with equal supervision and steps."""
    twins: Twins = ()
    """Pairs of runs that are equal but for their steering."""
    checkpoint: NonNegativeInt | None = None
    """The step the verdict is about; may be left out where all runs are of one step."""
    resamples: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    """Bootstrap resamples of clusters behind each interval. Bounds that decide are resampled more often,
    until no other seed would say otherwise."""
    seed: NonNegativeInt = 0
    """Draws the bootstrap and the constructed emitters."""
    groups: Tags = ()
    """Tags by whose values the headline is broken down as well, as [adviser, relation]."""
    consequences: ConsequenceConfig = ConsequenceConfig()
    """What errors cost, by what they lead to."""

    @property
    def steps(self) -> tuple[int, ...]:
        """Every step some run was sampled at, in order."""
        return tuple(sorted({run.step for run in self.runs}))

    @property
    def judged_step(self) -> int:
        """The step the verdict is about."""
        return self.steps[0] if self.checkpoint is None else self.checkpoint

    @model_validator(mode="after")
    def _steps_are_whole_panels(self) -> Self:
        names_at = {step: [run.name for run in self.runs if run.step == step] for step in self.steps}
        whole = names_at[self.steps[0]]
        for step, names in names_at.items():
            repeated = sorted({name for name in names if names.count(name) > 1})
            if repeated:
                raise ValueError(
                    f"runs: {repeated[0]!r} stands more than once at step {step}; name runs apart"
                )
            if sorted(names) != sorted(whole):
                raise ValueError(
                    f"runs: step {step} has {', '.join(names)}, but step {self.steps[0]} has "
                    f"{', '.join(whole)}; a panel has the same runs at every step"
                )
        return self

    @model_validator(mode="after")
    def _twins_are_runs(self) -> Self:
        names = list(dict.fromkeys(run.name for run in self.runs))
        for position, pair in enumerate(self.twins):
            for name in pair:
                if name not in names:
                    raise ValueError(
                        f"twins.{position} is {list(pair)}: no run is called {name!r}; there are {names}"
                    )
        return self

    @model_validator(mode="after")
    def _directions_have_a_base(self) -> Self:
        directed = [run.name for run in self.runs if run.direction is not None]
        if directed and self.base.behaviors is None:
            raise ValueError(
                f"runs: {directed[0]!r} has a direction, which says where its answers were moved from those "
                "of the base; give base.behaviors, or leave direction out"
            )
        return self

    @model_validator(mode="after")
    def _checkpoint_is_a_step(self) -> Self:
        steps = list(self.steps)
        if self.checkpoint is None and len(steps) > 1:
            raise ValueError(f"checkpoint is missing; name the step the verdict is about, one of {steps}")
        if self.checkpoint is not None and self.checkpoint not in steps:
            raise ValueError(
                f"checkpoint is {self.checkpoint}: expected a step of the runs, which are {steps}"
            )
        return self


def load_judgement(path: Path) -> JudgementConfig:
    """Read a judgement file. The files it names are looked for beside it.

    Raises:
        ValueError: naming the file, the field, its value and what was expected.
    """
    raw = read_yaml(path, "docs/judging.md describes such a file")
    if not isinstance(raw, dict):
        raise ValueError(
            f"{path}: expected fields such as pairs, target and runs; docs/judging.md lists them"
        )
    try:
        return JudgementConfig.model_validate_json(
            pydantic_core.to_json(raw), context={"folder": path.parent}
        )
    except ValidationError as error:
        raise ValueError(complaint(error, JudgementConfig, str(path))) from error
