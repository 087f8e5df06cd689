"""The fixed dataset of explanations that the model is trained on."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from coupling.config.section import BASE, LocalPath, Section, TagValues


class NoiseConfig(Section):
    """Labels made wrong on purpose; the clean effect stays on record."""

    kind: Literal["none", "uniform", "shuffled"] = "none"
    """uniform: another effect drawn from the choices; shuffled: the effect of another pair of the dataset."""
    rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the labels made wrong."""

    @model_validator(mode="after")
    def _needs_a_kind(self) -> Self:
        if self.kind == "none" and self.rate > 0:
            raise ValueError(f"rate is {self.rate:g} but kind is 'none'; set kind to uniform or shuffled")
        return self


class SupervisionConfig(Section):
    """The fixed dataset of explanations, computed once from the behaviour of the target."""

    target: LocalPath = BASE
    """Whose behaviour the labels state: base (the model before training), or a model as in model.path."""
    labels: PositiveInt = 2000
    """Explanations in the dataset, all of them about training clusters."""
    silent_on: TagValues = Field(default_factory=dict)
    """Tags and values that no label speaks of, as {adviser: [Chen]}.

    Labels about a steered cue contradict the shift: they state what the behaviour was before it.
    """
    noise: NoiseConfig = NoiseConfig()
    """Labels made wrong on purpose."""
    seed: NonNegativeInt = 0
    """Draws the labelled pairs and the noise."""
