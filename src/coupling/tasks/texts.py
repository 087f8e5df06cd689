"""Texts by what they are known by, and what is dealt to them by lot."""

from __future__ import annotations

from collections.abc import Sequence

from coupling.config import SplitShares
from coupling.config.task.templates import placeholders
from coupling.lots import sha256, uniform
from coupling.spelling import spelled


def split_of(seed: int, cluster: str, shares: SplitShares) -> str:
    """The split to which a cluster is dealt."""
    drawn = uniform(seed, "split", cluster)
    if drawn < shares.train:
        return "train"
    return "dev" if drawn < shares.train + shares.dev else "test"


def draw_author(wording: str, authors: Sequence[str], seed: int, item: str) -> str | None:
    """One of the authors where the wording has an {author}: the same for an item in every wording."""
    if "author" not in placeholders(wording):
        return None
    return authors[int(uniform(seed, "author", item) * len(authors))]


def draw_choices(choices: Sequence[str], count: int, seed: int, purpose: str, item: str) -> list[str]:
    """``count`` different choices, each as likely as any other; the first stays when more are drawn."""
    first = choices[int(uniform(seed, purpose, item) * len(choices))]
    others = [choice for choice in choices if choice != first]
    others.sort(key=lambda choice: uniform(seed, f"{purpose} {choice}", item))
    return [first, *others][:count]


def text_id(text: str) -> str:
    """Sixteen hexadecimal digits that stand for a text."""
    return sha256(text)[:16]


def cluster_id(text: str) -> str:
    """The same for a text whose casing, spacing and typography are no matter."""
    return text_id(plain(text))


def plain(text: str) -> str:
    return as_read(text).casefold()


def as_read(text: str) -> str:
    """What two texts share that look the same: "cafe\u0301" and "caf\xe9", "don\u2019t" and "don't"."""
    return spaced_once(spelled(text))


def choice_meant(value: str, choices: Sequence[str]) -> str:
    """The choice that reads as ``value`` does; ``value`` itself where none does."""
    return next((choice for choice in choices if as_read(choice) == as_read(value)), value)


def spaced_once(text: str) -> str:
    return " ".join(text.split())
