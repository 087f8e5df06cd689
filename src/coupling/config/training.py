"""How every run of the panel is trained."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from coupling.config.section import Section


class KLConfig(Section):
    """The anchor of behaviour: the KL divergence between the answers' distributions at M0 and now."""

    weight: NonNegativeFloat = 1.0
    """Weight beside the explanations' cross-entropy; 0 trains without the anchor."""
    direction: Literal["forward", "reverse"] = "forward"
    """forward: KL(M0 || current); reverse: KL(current || M0)."""
    support: Literal["vocabulary", "choices"] = "vocabulary"
    """Whether the distributions range over all tokens, or over the choices, renormalised."""


class SteeringConfig(Section):
    """The concurrent objective that moves the behaviour of the runs that are steered."""

    weight: NonNegativeFloat = 1.0
    """Weight of its cross-entropy beside that of the explanations."""
    batch_size: PositiveInt = 64
    """Steered inputs in each step."""


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
    """Optimizer steps."""
    batch_size: PositiveInt = 128
    """Explanations in each step; each brings its pair's two inputs to the KL term."""
    learning_rate: PositiveFloat = 5e-4
    """Peak of the learning rate (AdamW)."""
    warmup_steps: NonNegativeInt = 5
    """Steps in which the learning rate rises from 0 to its peak."""
    weight_decay: NonNegativeFloat = 0.0
    """Decoupled weight decay of AdamW."""
    max_grad_norm: PositiveFloat = 1.0
    """The gradient is scaled down to this norm where it is longer."""
    kl: KLConfig = KLConfig()
    """The anchor of behaviour at the base."""
    steering: SteeringConfig = SteeringConfig()
    """The objective of steered runs."""
    lora: LoraConfig | None = None
    """Low-rank adapters; null trains all weights."""
    checkpoints: tuple[NonNegativeInt, ...] = (0, 20, 40, 60, 80)
    """Steps at which behaviour and explanations are sampled: rising, from 0 to the last step."""
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
