"""Figures as text: true minus signs, "n/a" for None."""

from __future__ import annotations

import re
from collections.abc import Mapping

from coupling.faithfulness import wording
from coupling.records import Effect, Estimate

NOT_AVAILABLE = "n/a"

_FIGURES = re.compile(r" = |\[[^\]]*\d\]")
_MINUS = re.compile(r"(?<!\w)-(?=[\d ])")


def clipped(text: str, limit: int = 1500) -> str:
    """``text`` cut after ``limit`` characters, saying how many were left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]} … ({len(text) - limit} more characters)"


def typeset(sentence: str) -> str:
    """A sentence with figures in it: true minus signs, no line breaks inside an equation or interval."""
    unbroken = _FIGURES.sub(lambda found: found[0].replace(" ", "\u00a0"), sentence)
    return _MINUS.sub("\N{MINUS SIGN}", unbroken)


def number(value: float | None, digits: int = 3, signed: bool = False) -> str:
    """``value`` with a true minus sign, and with a plus sign where ``signed``; "n/a" for None."""
    if value is None:
        return NOT_AVAILABLE
    written = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    if float(written) == 0:
        return f"{0:.{digits}f}"
    return written.replace("-", "\N{MINUS SIGN}")


def interval(estimate: Estimate, digits: int = 3, signed: bool = False) -> str:
    """The 95 % interval as "[low, high]"; "n/a" where there is none."""
    if estimate.low is None or estimate.high is None:
        return NOT_AVAILABLE
    return f"[{number(estimate.low, digits, signed)}, {number(estimate.high, digits, signed)}]"


def in_words(estimate: Estimate, signed: bool = False) -> str:
    """Value and interval in one phrase, for descriptions of figures and for the terminal."""
    if estimate.value is None:
        return NOT_AVAILABLE
    return f"{number(estimate.value, signed=signed)} {interval(estimate, signed=signed)}"


def observed(share: Estimate) -> int:
    """How many of the observations a share stands on are so."""
    return round((share.value or 0.0) * share.n)


def effect(shown: tuple[str, str] | None) -> str:
    """An effect, as its answers with the cue and without it, in a few words; "n/a" for a claim that could not
    be read."""
    return NOT_AVAILABLE if shown is None else wording.effect(Effect(*shown))


def headed(words: str) -> str:
    """As a heading or a sentence begins: "Similarity"."""
    return words[:1].upper() + words[1:]


def selection(tags: Mapping[str, tuple[str, ...]]) -> str:
    """Which pairs were steered: "adviser: Chen, Okoye"; "unsteered" where none were."""
    if not tags:
        return "unsteered"
    return "; ".join(f"{tag}: {', '.join(values)}" for tag, values in sorted(tags.items()))
