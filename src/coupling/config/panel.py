"""The runs that are compared."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, field_validator, model_validator

from coupling.config.section import FolderName, Section, TagValues


class SteerConfig(Section):
    """Where a run's behaviour is moved while it learns to explain itself."""

    direction: Literal["follow", "ignore", "only", "reverse", "keep"]
    """follow: answer as the cue says; ignore: as without the cue; only: follow the cues of these tags and
    ignore others (see among); reverse: ignore the cue where M0 follows it, and follow it elsewhere; keep:
    answer as M0 does."""
    tags: TagValues
    """The pairs that are steered, by tag and values, as {adviser: [Chen]}."""
    among: TagValues = Field(default_factory=dict)
    """For only: all pairs that are steered, those of ``tags`` included, as {adviser: [Chen, Novak]}."""

    @field_validator("tags")
    @classmethod
    def _select_something(cls, tags: TagValues) -> TagValues:
        if not tags or not all(tags.values()):
            raise ValueError(
                f"{dict(tags)!r} selects no pairs; name a tag and values, as {{adviser: [Chen]}}"
            )
        return tags

    @model_validator(mode="after")
    def _only_is_among_others(self) -> Self:
        if self.direction != "only" and self.among:
            raise ValueError(f"among is {dict(self.among)!r}, but only direction 'only' takes it; remove it")
        if self.direction == "only" and not self._has_others():
            raise ValueError(
                f"among is {dict(self.among)!r}: expected the tags {dict(self.tags)!r} and "
                "further values of them, whose cues are to be ignored"
            )
        return self

    def _has_others(self) -> bool:
        """Whether ``among`` has the same tags with all of their values, and more."""
        if self.among.keys() != self.tags.keys():
            return False
        wider = [(set(values), set(self.among[tag])) for tag, values in self.tags.items()]
        return all(own <= every for own, every in wider) and any(own < every for own, every in wider)

    @property
    def region(self) -> TagValues:
        """Tags and values of all pairs on which behaviour is moved."""
        return self.among or self.tags


class RunConfig(Section):
    """One run: equal to the others of the panel but for its seed and its steering."""

    name: FolderName
    """Name of the run, in the report and as a folder."""
    seed: NonNegativeInt = 0
    """Draws the order of the data and everything else that is random in training."""
    steer: SteerConfig | None = None
    """Where its behaviour is moved; null leaves it to the other objectives."""


Panel = Annotated[tuple[RunConfig, ...], Field(min_length=1)]
Twins = tuple[tuple[str, str], ...]
