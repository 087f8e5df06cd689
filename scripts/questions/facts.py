"""Facts that can be asked about, and which texts are fit to stand beside each other as choices."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_CHOICE = 24
MOST_WORDS = 3


@dataclass(frozen=True)
class Fact:
    kind: str
    about: str
    named: str
    """What the question calls it."""
    answer: str
    near: tuple[tuple[str, ...], ...]
    """Wrong answers to draw from, the nearest first."""


def is_short(text: str) -> bool:
    return len(text) <= LONGEST_CHOICE and len(text.split()) <= MOST_WORDS


def begins(one: str, other: str) -> bool:
    one, other = one.casefold(), other.casefold()
    return one.startswith(other) or other.startswith(one)


def gives_away(named: str, answer: str) -> bool:
    """Whether a word of the answer stands in the question, as in Mexico and Mexico City."""
    return bool(set(named.casefold().split()) & set(answer.casefold().replace("-", " ").split()))
