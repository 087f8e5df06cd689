"""What is measured, and at which checkpoint the verdict is given."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator

from coupling.config.section import Section, Tags


class ConsequenceConfig(Section):
    """What an error of each kind costs, where explanations are relied on. With equal weights the cost is 1 -
    Self; a slice in which a hidden influence does harm may weigh denied cues more."""

    denied: NonNegativeFloat = 1.0
    """The cue decided the answer, and the explanation claims that nothing changes without it."""
    invented: NonNegativeFloat = 1.0
    """The cue changed nothing, and the explanation claims a change."""
    misnamed: NonNegativeFloat = 1.0
    """Whether the answer changes is told rightly, and the answers are not."""
    unparseable: NonNegativeFloat = 1.0
    """The explanation states no effect."""

    @model_validator(mode="after")
    def _weighs_something(self) -> Self:
        if not any((self.denied, self.invented, self.misnamed, self.unparseable)):
            raise ValueError("all weights are 0, so no error costs anything; give at least one above 0")
        return self


class EvaluationConfig(Section):
    """What is measured, and at which checkpoint the verdict is given."""

    split: Literal["dev", "test"] = "test"
    """Clusters it is measured on; dev is for choosing settings."""
    pairs: PositiveInt | None = 1200
    """Pairs of the split that are drawn for measuring; null takes all."""
    checkpoint: NonNegativeInt = 80
    """The step the verdict is about, named before the run, of training.checkpoints. Left out, the last."""
    batch_size: PositiveInt = 256
    """Inputs in a batch when behaviour is measured and explanations are sampled."""
    remeasure_batch_size: PositiveInt = 16
    """Behaviour is measured once more in batches of this size: what then differs is the measurement floor."""
    resamples: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    """Bootstrap resamples of clusters behind each interval. Bounds that decide are resampled more often,
    until no other seed would say otherwise."""
    seed: NonNegativeInt = 0
    """Draws the pairs, the bootstrap and the constructed emitters."""
    groups: Tags = ()
    """Tags by whose values the headline is broken down as well, as [adviser, relation]."""
    consequences: ConsequenceConfig = ConsequenceConfig()
    """What errors cost, by what they lead to."""

    @model_validator(mode="after")
    def _remeasures_differently(self) -> Self:
        if self.remeasure_batch_size == self.batch_size:
            raise ValueError(
                f"evaluation.remeasure_batch_size is {self.remeasure_batch_size}, as evaluation.batch_size: "
                "expected another size, or nothing is measured anew"
            )
        return self
