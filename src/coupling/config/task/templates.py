"""Wordings with names in braces."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator


def _each_once(positions: tuple[str, ...]) -> tuple[str, ...]:
    check_named_once(positions, "positions")
    return positions


Positions = Annotated[tuple[Literal["before", "after"], ...], AfterValidator(_each_once)]
"""Where a cue stands: in front of the question or post, or behind all of it."""


def placeholders(template: str) -> set[str]:
    """What stands in braces. Raises ValueError for braces around anything but a name."""
    try:
        parts = [part[1:] for part in Formatter().parse(template) if part[1] is not None]
    except ValueError as error:
        raise ValueError(f"{template!r}: {error}; braces stand around names alone") from error
    if any(spec or conversion for _, spec, conversion in parts):
        raise ValueError(f"{template!r}: braces stand around names alone, without ':' or '!'")
    return {str(name) for name, _, _ in parts}


def check_authors(templates: Iterable[str], authors: Collection[str]) -> None:
    """Raises ValueError for a wording with an author where none is named."""
    for template in templates:
        if "author" in placeholders(template) and not authors:
            raise ValueError(f"{template!r} has an {{author}}, but authors is empty; name one or more")


def check_named_once(names: Collection[str], of: str) -> None:
    """Raises ValueError, saying ``of`` what, for a name that stands twice."""
    listed = list(names)
    for name in listed:
        if listed.count(name) > 1:
            raise ValueError(f"{name!r} stands twice among its {of}; rename or remove one of them")
