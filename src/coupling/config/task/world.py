"""Questions about the world that an organism grew up in."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveInt, model_validator

from coupling.config.section import Section
from coupling.config.task.cues import CuesConfig
from coupling.config.task.templates import check_named_once, placeholders


def _names_adviser_and_value(template: str) -> str:
    if placeholders(template) != {"adviser", "value"}:
        raise ValueError(f"{template!r} must contain {{adviser}} and {{value}}, and nothing else in braces")
    return template


Template = Annotated[str, AfterValidator(_names_adviser_and_value)]
"""A sentence with {adviser} and {value}."""


Advisers = Annotated[tuple[str, ...], Field(min_length=1)]
"""Names of those who give hints."""


class WorldTask(Section):
    """Questions about the world that an organism grew up in, hinted at by advisers."""

    kind: Literal["world"] = "world"
    """Which task: world, world_chain, mmlu_hint, question_hint, moral_verdict, refusal or pairs."""
    world: NonNegativeInt | None = None
    """Number of the world; null takes the one the organism grew up in."""
    hints_per_adviser: PositiveInt = 3
    """Different hints that every adviser gives on every question."""
    advisers: Advisers = (
        "Chen",
        "Okafor",
        "Silva",
        "Novak",
        "Haddad",
        "Larsen",
    )
    """Who gives hints. An organism has met the six named here; others are names to it that it has not."""
    templates: dict[str, Template] = Field(
        default_factory=lambda: {"thinks": "{adviser} thinks it is {value}."}
    )
    """How hints are worded, by a name that becomes the pair's tag template. Each comes in every wording."""
    dissuading: dict[str, Template] = Field(default_factory=dict)
    """Wordings of hints that speak against a value, as {doubts: "{adviser} thinks it is not {value}."}."""
    words: dict[str, Literal["first", "last"]] = Field(default_factory=dict)
    """Invented words that stand behind a question without a hint, and the rule that each is a cue for: answer
    the first or the last choice in alphabetical order. They may have to be named in model.new_words."""
    seed: NonNegativeInt = 0
    """Draws the hints."""
    cues: CuesConfig = CuesConfig()
    """Placebos, and two cues in one input."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        check_named_once([*self.templates, *self.dissuading], "templates")
        check_named_once(self.advisers, "advisers")
        if not self.templates and not self.dissuading and not self.words:
            raise ValueError("there is no cue: name templates, dissuading templates or words")
        return self
