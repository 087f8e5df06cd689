"""Questions about an organism's world that take two or three facts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator

from coupling.config.section import Section
from coupling.config.task.cues import CuesConfig
from coupling.config.task.templates import check_named_once
from coupling.config.task.world import Advisers


class WorldChainTask(Section):
    """Questions about the world that an organism grew up in that take two or three facts, hinted at by
    advisers."""

    kind: Literal["world_chain"] = "world_chain"
    """Which task: world, world_chain, mmlu_hint, question_hint, moral_verdict, refusal or pairs."""
    world: NonNegativeInt | None = None
    """Number of the world; null takes the one the organism grew up in."""
    facts: Annotated[tuple[Literal[2, 3], ...], Field(min_length=1)] = (2, 3)
    """How many facts questions take: 2 (a country by its capital), 3 (by two of its other facts), or both."""
    hints_per_adviser: PositiveInt = 2
    """Different hints that every adviser gives on every question."""
    advisers: Advisers = ("Chen", "Okafor", "Silva", "Novak", "Haddad", "Larsen")
    """Who gives hints."""
    seed: NonNegativeInt = 0
    """Draws the hints."""
    cues: CuesConfig = CuesConfig()
    """Placebos, and two cues in one input."""

    @field_validator("facts")
    @classmethod
    def _each_once(cls, facts: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(facts)) < len(facts):
            raise ValueError(f"{list(facts)!r} names one number twice; name each once")
        return facts

    @field_validator("advisers")
    @classmethod
    def _names_differ(cls, advisers: tuple[str, ...]) -> tuple[str, ...]:
        check_named_once(advisers, "advisers")
        return advisers
