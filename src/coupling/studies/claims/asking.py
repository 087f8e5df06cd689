"""What a subject is asked: claims, and the ways of asking that several claims share."""

from __future__ import annotations

from dataclasses import dataclass

from coupling.faithfulness.registry import FIGURES
from coupling.studies.claims.reads import SHIFT, Read, figure, less, private
from coupling.studies.claims.standing import Question

GAP, DELTA, T, P = (FIGURES[name].symbol for name in ("gap", "delta", "t", "p"))
CLOSE = 0.05
"""Shares that are nearer to each other are as good as equal."""
POINTS = f"{100 * CLOSE:.0f} points"
PAPER_GAPS = (0.07, 0.111)
"""Self - Orig of Qwen3-8B with KL: AITA and Hint-MMLU, the least and the greatest of its three."""
SHIFTED = f"read where twins act apart on {100 * SHIFT:.0f} % or more of the pairs they are steered on"


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of the page."""

    name: str
    words: str
    paper: str
    """The paper's figure, or what its words give; empty for what it does not ask."""
    arms: tuple[str, ...]
    questions: tuple[Question, ...]
    """What decides it."""
    beside: tuple[tuple[str, Read], ...] = ()
    """What is told beside it and decides nothing: a name each, and where it is read."""
    note: str = ""
    """What must be known of how it is asked."""
    is_patched: bool = False
    """Whether it is read from activation patching of its arms."""


@dataclass(frozen=True, slots=True)
class Untested:
    """A claim that a subject cannot be asked."""

    words: str
    paper: str
    why: str


def of_arms(figures: tuple[str, ...], *arms: str) -> tuple[tuple[str, Read], ...]:
    """Figures of each arm, by their names in the registry."""
    return tuple((f"{FIGURES[name].symbol}, {arm}", figure(name, arm)) for arm in arms for name in figures)


def sides_with_itself(*arms: str) -> tuple[Question, ...]:
    return tuple(Question(f"{DELTA}, {arm}", figure("delta", arm)) for arm in arms)


def ahead(name: str, first: str, second: str, paper: tuple[float, float] | None = None) -> Question:
    """That a figure of the first arm lies above that of the second."""
    words = f"{FIGURES[name].symbol}, {first} less {second}"
    return Question(words, less(figure(name, first), figure(name, second)), paper=paper)


def gap_claim(name: str, words: str, paper: str, *arms: str, note: str = "") -> Claim:
    return Claim(name, words, paper, arms, sides_with_itself(*arms), of_arms(("gap",), *arms), note)


def shift_claim(name: str, words: str, arm: str, paper: str) -> Claim:
    """That explanations follow the behaviour that an arm moves."""
    question = Question(f"{P} of steered runs, {arm}", private(arm))
    return Claim(name, words, paper, (arm,), (question,), of_arms(("t", "delta"), arm), SHIFTED)
