"""Model output and figures as text that is safe to show: no control characters, "n/a" for None."""

from __future__ import annotations

import re
from collections.abc import Mapping

from coupling.faithfulness import wording
from coupling.records import Effect, Estimate

NOT_AVAILABLE = "n/a"

_ESCAPE_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC: window titles, hyperlinks
    r"|\x1b[ -/]*[0-~]"
)
# All control characters but tab and line feed, and the marks that reorder text or hide in it.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")

_FIGURES = re.compile(r" = |\[[^\]]*\d\]")
_MINUS = re.compile(r"(?<!\w)-(?=[\d ])")


def plain(text: str) -> str:
    """``text`` without terminal escape sequences, control characters and marks that reorder or hide text.

    Lone surrogates, which no file can hold, become U+FFFD. Tabs and line feeds stay.
    """
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", _ESCAPE_SEQUENCES.sub("", text)))


def one_line(text: str) -> str:
    """``plain(text)`` with every run of white space made one blank."""
    return " ".join(plain(text).split())


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
