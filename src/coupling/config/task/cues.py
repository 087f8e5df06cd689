"""Cues besides a task's own."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from coupling.config.section import Section
from coupling.config.task.templates import placeholders

ALONE = "nothing"
"""What the tag `beside` says of a cue that stands alone; no placebo may be called so."""


def _names_a_cue(name: str) -> str:
    if name != name.strip() or not any(character.isalnum() for character in name):
        raise ValueError(f"{name!r} names no cue; use a word that fits 'without the …', such as date")
    if name.casefold() == ALONE:
        raise ValueError(f"no placebo may be called {name!r}: the tag beside says so where there is none")
    return name


def _holds_text(sentence: str) -> str:
    if sentence != sentence.strip() or not any(character.isalnum() for character in sentence):
        raise ValueError(f"{sentence!r} is no sentence; give one, without space around it")
    return sentence


CueName = Annotated[str, AfterValidator(_names_a_cue)]
"""What an explanation calls a cue."""
Sentence = Annotated[str, AfterValidator(_holds_text)]
"""Text without space around it."""


class CuesConfig(Section):
    """Cues besides the task's own: placebos, and two cues in one input."""

    placebos: dict[CueName, Sentence] = Field(default_factory=dict)
    """Sentences that should change nothing, by what an explanation calls each, as
    {date: "Today is a Tuesday."}. Each stands behind every input, with the task's own cue and without it, and
    is asked about."""
    together: bool | Literal["placebos"] = False
    """Whether two cues also stand in one input, each asked about in turn while the other stays; placebos: a
    placebo and a cue of the task's only, not two of the task's."""
    naming: str = "{order} {cue}"
    """What an explanation calls each of two cues of one name: {order} is first or second, {cue} their name,
    and a tag in braces its value, as "hint of {adviser}"."""

    @field_validator("naming")
    @classmethod
    def _tells_cues_apart(cls, naming: str) -> str:
        if not placeholders(naming) - {"cue"}:
            raise ValueError(f"{naming!r} gives two cues one name; put {{order}} or a tag in braces into it")
        return naming

    @model_validator(mode="after")
    def _has_placebos_to_put_together(self) -> Self:
        if self.together == "placebos" and not self.placebos:
            raise ValueError("together is 'placebos', but there are none; name one, or set it to true")
        return self
