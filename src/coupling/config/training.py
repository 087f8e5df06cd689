"""How every run of the panel is trained."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from coupling.config.section import Section

MEMORY_FIELDS = frozenset({"micro_batch_size", "gradient_checkpointing"})
"""Of the training section: what changes memory and time, and results by rounding at the most."""


class Scheduled(Section):
    """A term of the loss: how much it weighs, and in which steps."""

    weight: NonNegativeFloat = 1.0
    """Factor of this term in the loss; 0 leaves it out."""
    start: NonNegativeInt = 0
    """Steps behind us when it sets in."""
    stop: PositiveInt | None = None
    """Steps behind us when it ends; null keeps it to the last step."""

    @model_validator(mode="after")
    def _starts_before_it_stops(self) -> Self:
        if self.stop is not None and self.stop <= self.start:
            raise ValueError(f"start is {self.start} and stop {self.stop}: it would never be on")
        return self

    def weight_at(self, step: int) -> float:
        """Its weight in the step that follows ``step`` others."""
        return self.weight if self.start <= step and (self.stop is None or step < self.stop) else 0.0


class ExplanationTerm(Scheduled):
    """The cross-entropy of the explanations."""

    renew_every: PositiveInt | None = None
    """Steps after which the labels are made anew, from what the run then does; null keeps the fixed ones."""

    def renewed_at(self, step: int) -> int | None:
        """Steps behind us when the labels of the step that follows ``step`` others were made; None where they
        are the first."""
        if self.renew_every is None or step < self.renew_every:
            return None
        return step - step % self.renew_every


class KLConfig(Scheduled):
    """The anchor of behaviour: the KL divergence between the answers' distributions at M0 and now."""

    direction: Literal["forward", "reverse"] = "forward"
    """forward: KL(M0 || current); reverse: KL(current || M0)."""
    support: Literal["vocabulary", "choices"] = "vocabulary"
    """Whether the distributions range over all tokens, or over the choices, renormalised."""


class SupervisedObjective(Scheduled):
    """Supervised fine-tuning: the cross-entropy of the answers that a run is steered towards."""

    kind: Literal["sft"] = "sft"
    """Which objective: sft, dpo or policy_gradient."""


class PreferenceObjective(Scheduled):
    """Direct preference optimisation: the answer steered towards is preferred to another."""

    kind: Literal["dpo"] = "dpo"
    """Which objective: sft, dpo or policy_gradient."""
    beta: PositiveFloat = 0.1
    """How dear it is to leave M0, which is the reference: the factor of the log-ratios."""


class RewardObjective(Scheduled):
    """Policy gradient: answers are drawn, and rewarded where they are the one that is steered towards."""

    kind: Literal["policy_gradient"] = "policy_gradient"
    """Which objective: sft, dpo or policy_gradient."""
    group_size: Annotated[int, Field(ge=2)] = 16
    """Answers drawn for each input; rewards are compared within this group."""


BehaviorObjective: TypeAlias = Annotated[
    SupervisedObjective | PreferenceObjective | RewardObjective, Field(discriminator="kind")
]


class SteeringConfig(Section):
    """The concurrent objectives that move the behaviour of the runs that are steered."""

    batch_size: PositiveInt = 64
    """Steered inputs in each step."""
    objectives: tuple[BehaviorObjective, ...] = (SupervisedObjective(),)
    """What moves them, added up. Explanations are never part of it."""
    undo: PositiveInt | None = None
    """Steps behind us from which on the same inputs are trained back to M0's own answers; null never."""

    @field_validator("objectives")
    @classmethod
    def _move_something(cls, objectives: tuple[BehaviorObjective, ...]) -> tuple[BehaviorObjective, ...]:
        if not objectives:
            raise ValueError("[] moves nothing; name one, as {kind: sft}, or steer no run of the panel")
        return objectives

    @model_validator(mode="after")
    def _undoes_something(self) -> Self:
        if self.undo is None:
            return self
        on = [objective for objective in self.objectives if objective.weight > 0]
        if not any(objective.start < self.undo for objective in on):
            raise ValueError(
                f"undo is {self.undo}, but no objective sets in before that; there would be nothing to undo"
            )
        if not any(objective.stop is None or objective.stop > self.undo for objective in on):
            raise ValueError(
                f"undo is {self.undo}, but no objective is on after that, and nothing would train answers "
                "back; set a later stop, or none"
            )
        return self

    def is_undone_at(self, step: int) -> bool:
        """Whether the step that follows ``step`` others trains back to M0's answers."""
        return self.undo is not None and step >= self.undo

    @property
    def onset(self) -> int | None:
        """Steps behind us when behaviour is first moved; None where no objective weighs anything."""
        return min((objective.start for objective in self.objectives if objective.weight > 0), default=None)


class LoraConfig(Section):
    """Low-rank adapters instead of training all weights."""

    rank: PositiveInt = 32
    """Rank of each adapter."""
    alpha: PositiveInt = 64
    """Adapters are scaled by alpha / rank."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of an adapter's inputs dropped while training."""
    target_modules: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    """Names of the modules that get an adapter, or all-linear."""


class TrainingConfig(Section):
    """How every run of the panel is trained: alike, but for its seed and its steering."""

    steps: PositiveInt = 80
    """Optimizer steps. Left out of a file, checkpoints, warmup_steps and evaluation.checkpoint follow them;
    and where --set changes the steps, so does what the file says of these, unless --set changes it too."""
    batch_size: PositiveInt = 128
    """Explanations in each step; each brings its pair's two inputs to the KL term."""
    learning_rate: PositiveFloat = 5e-4
    """Peak of the learning rate (AdamW)."""
    warmup_steps: NonNegativeInt = 5
    """Steps in which the learning rate rises from 0 to its peak; left out, 5 or all there are."""
    weight_decay: NonNegativeFloat = 0.0
    """Decoupled weight decay of AdamW."""
    max_grad_norm: PositiveFloat = 1.0
    """The gradient is scaled down to this norm where it is longer."""
    explanations: ExplanationTerm = ExplanationTerm()
    """The explanations' own term; weight 0 moves behaviour and explains nothing."""
    kl: KLConfig = KLConfig()
    """The anchor of behaviour at the base."""
    steering: SteeringConfig = SteeringConfig()
    """The objectives of steered runs."""
    lora: LoraConfig | None = None
    """Low-rank adapters; null trains all weights."""
    micro_batch_size: PositiveInt | None = None
    """Explanations (with their two inputs), or steered inputs, of one forward and backward pass, of which a
    step takes as many as it needs; null takes all at once. Changes results by rounding only."""
    gradient_checkpointing: bool = False
    """Whether activations are computed anew in the backward pass: less memory, about a third more time."""
    autocast: Literal["bfloat16"] | None = None
    """Number format of the forward pass in training, over weights of model.dtype; null for that of the
    weights."""
    checkpoints: tuple[NonNegativeInt, ...] = (0, 20, 40, 60, 80)
    """Steps at which behaviour and explanations are sampled: rising, from 0 to the last step; left out, every
    quarter of them."""
    save_every: PositiveInt = 20
    """Steps between saves of the training state, from which a killed run goes on."""

    @model_validator(mode="after")
    def _steps_fit_together(self) -> Self:
        rising = all(earlier < later for earlier, later in pairwise(self.checkpoints))
        if not rising or self.checkpoints[:1] != (0,) or self.checkpoints[-1:] != (self.steps,):
            raise ValueError(
                f"training.checkpoints is {list(self.checkpoints)}: expected rising steps from 0 to "
                f"training.steps, which is {self.steps}"
            )
        if self.warmup_steps > self.steps:
            raise ValueError(
                f"training.warmup_steps is {self.warmup_steps}: expected at most training.steps, "
                f"which is {self.steps}"
            )
        return self

    @model_validator(mode="after")
    def _terms_set_in(self) -> Self:
        objectives = enumerate(self.steering.objectives)
        terms: dict[str, Scheduled] = {"explanations": self.explanations, "kl": self.kl}
        terms |= {f"steering.objectives.{number}": objective for number, objective in objectives}
        for name, term in terms.items():
            if term.start >= self.steps:
                raise ValueError(
                    f"training.{name}.start is {term.start}: expected less than training.steps, which is "
                    f"{self.steps}; weight: 0 leaves it out"
                )
        if self.steering.undo is not None and self.steering.undo >= self.steps:
            raise ValueError(
                f"training.steering.undo is {self.steering.undo}: expected less than training.steps, which "
                f"is {self.steps}; null leaves it out"
            )
        return self
