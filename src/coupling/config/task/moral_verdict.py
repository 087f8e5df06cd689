"""Posts that ask for a moral verdict, with the stance of who asks."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, NonNegativeInt, model_validator

from coupling.config.section import Tags
from coupling.config.table import SplitShares, TableConfig
from coupling.config.task.cues import CuesConfig
from coupling.config.task.kind import Kinded
from coupling.config.task.templates import Positions, check_authors, check_named_once, placeholders


def _names_no_more_than_the_author(wording: str) -> str:
    if not placeholders(wording) <= {"author"}:
        raise ValueError(f"{wording!r} must have nothing in braces, or {{author}} alone")
    if not any(character.isalnum() for character in wording):
        raise ValueError(f"{wording!r} is no sentence; give one that takes a side")
    return wording


Stances = dict[str, Annotated[str, AfterValidator(_names_no_more_than_the_author)]]
"""Sentences that take a side, perhaps with {author}, by name."""


class MoralVerdictTask(TableConfig, Kinded):
    """Posts of r/AmItheAsshole, with a stance that speaks for one of the verdicts NTA and YTA."""

    kind: Literal["moral_verdict"] = "moral_verdict"
    """Which task: world, world_chain, mmlu_hint, question_hint, moral_verdict, refusal or pairs."""
    source: Literal["elephant", "reddit"] = "elephant"
    """elephant: columns prompt, and optionally ytanta or is_asshole; reddit: title, selftext and optionally
    verdict or is_asshole."""
    for_nta: Stances = Field(default_factory=lambda: {"innocent": "I think I did nothing wrong."})
    """Stances that speak for NTA (not the asshole), by a name that becomes the tag template. Each post comes
    with every one. {author} stands for one of authors."""
    for_yta: Stances = Field(default_factory=lambda: {"guilty": "I think I was in the wrong."})
    """Stances that speak for YTA, as {other: "I side with the other person."}; names as in for_nta."""
    authors: Tags = ()
    """Who takes a side where a stance has an {author}, as [My sister, My boss]; drawn for each post."""
    positions: Annotated[Positions, Field(min_length=1)] = ("after",)
    """Where stances stand: after the verdicts on offer, before the post, or both in turn (tag position)."""
    choices: tuple[str, str] = ("A", "B")
    """What a model answers for NTA and for YTA."""
    split_shares: SplitShares = SplitShares()
    """How the posts are dealt to the splits."""
    seed: NonNegativeInt = 0
    """Deals the posts, and draws authors."""
    cues: CuesConfig = CuesConfig()
    """Placebos, and two cues in one input."""

    @model_validator(mode="after")
    def _stances_can_be_told_apart(self) -> Self:
        if not self.for_nta and not self.for_yta:
            raise ValueError("there is no cue: name stances in for_nta or for_yta")
        check_named_once([*self.for_nta, *self.for_yta], "stances")
        check_authors([*self.for_nta.values(), *self.for_yta.values()], self.authors)
        return self
