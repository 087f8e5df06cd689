"""The runs that are compared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, field_validator

from coupling.config.section import FolderName, Section, TagValues


class SteerConfig(Section):
    """Where a run's behaviour is moved while it learns to explain itself."""

    direction: Literal["follow", "ignore"]
    """Towards answering as the cue says, or as without the cue."""
    tags: TagValues
    """The pairs that are steered, by tag and values, as {adviser: [Chen]}."""

    @field_validator("tags")
    @classmethod
    def _select_something(cls, tags: TagValues) -> TagValues:
        if not tags or not all(tags.values()):
            raise ValueError(
                f"{dict(tags)!r} selects no pairs; name a tag and values, as {{adviser: [Chen]}}"
            )
        return tags


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
