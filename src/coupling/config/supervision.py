"""The fixed dataset of explanations that the model is trained on."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from coupling.config.section import BASE, LocalPath, Section, TagValues


class NoiseConfig(Section):
    """Labels made wrong on purpose; the clean effect stays on record."""

    kind: Literal["none", "uniform", "flipped", "shuffled", "constant"] = "none"
    """uniform: another effect drawn from the choices; flipped: changed as unchanged, and the reverse.

    shuffled: the effect of another pair with the same choices; constant: the most frequent effect of those.
    """
    rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the labels made wrong."""
    seed: NonNegativeInt = 0
    """Draws the noise anew while the labelled pairs stay the same."""

    @model_validator(mode="after")
    def _needs_a_kind(self) -> Self:
        if self.kind == "none" and self.rate > 0:
            raise ValueError(
                f"rate is {self.rate:g} but kind is 'none'; set kind to uniform, flipped, shuffled or "
                "constant"
            )
        return self


class SupervisionConfig(Section):
    """The fixed dataset of explanations, computed once from a target's behaviour or read from a file."""

    target: LocalPath = BASE
    """Whose behaviour the labels state: base (the model before training), or a model as in model.path."""
    own_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of questions whose labels state the base's own effects; the others state the target's."""
    file: LocalPath | None = None
    """Labels made elsewhere, in place of a target: JSONL with pair_id, text and optionally source."""
    effects: LocalPath | None = None
    """With a file: what its author answers to held-out pairs (JSONL); without it Orig and Δ are n/a."""
    labels: PositiveInt = 2000
    """Explanations in the dataset, all of them about training clusters; of a file, at most so many."""
    silent_on: TagValues = Field(default_factory=dict)
    """Tags and values that no label speaks of, as {adviser: [Chen]}.

    Labels about a steered cue contradict the shift: they state what the behaviour was before it.
    """
    noise: NoiseConfig = NoiseConfig()
    """Labels made wrong on purpose."""
    seed: NonNegativeInt = 0
    """Draws the labelled pairs, the questions of own_share and the noise."""

    @model_validator(mode="after")
    def _sources_agree(self) -> Self:
        if self.file is not None:
            for field, value, default in (("target", self.target, BASE), ("own_share", self.own_share, 0)):
                if value != default:
                    raise ValueError(
                        f"file is {str(self.file)!r} and {field} is {str(value)!r}: labels come from a file "
                        "or from a target; remove one of the two"
                    )
        elif self.effects is not None:
            raise ValueError(
                f"effects is {str(self.effects)!r}, but no file is given: they are what the author of a file "
                "answers; give supervision.file, or remove effects"
            )
        if self.target == BASE and self.own_share > 0:
            raise ValueError(
                f"own_share is {self.own_share:g}, but target is 'base', so all labels are the base's own; "
                "name another target, or remove own_share"
            )
        return self
