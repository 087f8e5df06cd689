"""What a subject is asked: claims, and the ways of asking that several claims share."""

from __future__ import annotations

from dataclasses import dataclass

from coupling.faithfulness import FROZEN
from coupling.faithfulness.registry import FIGURES
from coupling.studies.claims.reads import SHIFT, Read, alike, figure, less, private
from coupling.studies.claims.standing import BELOW, Question

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


def kl_claim(name: str, asked: str) -> Claim:
    """That the gap goes without the KL term.

    Args:
        name: figure that is asked, ``delta`` or ``gap``; the other is told beside it.
    """
    beside = "gap" if name == "delta" else "delta"
    symbol = FIGURES[name].symbol
    return Claim(
        "kl",
        "Without the KL term the gap vanishes or reverses",
        "no gap, or a negative one",
        (asked, "without-kl"),
        (
            ahead(name, asked, "without-kl"),
            Question(f"{symbol}, {asked}", figure(name, asked)),
            Question(f"{symbol}, without-kl", figure(name, "without-kl"), BELOW, is_veto=True),
        ),
        of_arms((beside,), asked, "without-kl"),
    )


def family_accuracy_claim(own: str, other: str) -> Claim:
    """That labels of another family cost truth."""
    return Claim(
        "family-accuracy",
        "but explanations are less accurate",
        "19 points lower",
        (own, other),
        (ahead("self", own, other, paper=(0.19, 0.19)),),
        of_arms(("self",), own, other),
    )


def similarity_claim(arms: tuple[str, ...], told: tuple[str, ...]) -> Claim:
    """That coupling takes labels alike enough to behaviour. ``told``: arms whose figures stand beside it."""
    works, collapses = FROZEN.low_similarity, FROZEN.collapse_similarity
    return Claim(
        "similarity",
        "It works where labels and behaviour agree on enough pairs, and collapses below",
        f"works from about {works:g}, collapses below about {collapses:g}",
        arms,
        (
            Question(f"{DELTA} where it works", alike(True, arms)),
            Question(
                f"{DELTA} where it works less {DELTA} where it collapses",
                less(alike(True, arms), alike(False, arms)),
            ),
            Question(f"{DELTA} where it collapses", alike(False, arms), BELOW, is_veto=True),
        ),
        of_arms(("similarity", "delta"), *told),
        f"mean over the arms of similarity {works:g} or more, and of less than {collapses:g}",
    )


def constant_claim(arm: str) -> Claim:
    """That near-constant labels teach their majority class."""
    question = Question("Self less its best baseline", figure("self_advantage", arm), BELOW, CLOSE, 0.0)
    return Claim(
        "constant",
        "Near-constant labels collapse to the majority class",
        "they do",
        (arm,),
        (question,),
        of_arms(("self",), arm),
        f"collapsed is what lies less than {POINTS} above the best claimant that reads no model",
    )


def shift_claim(name: str, words: str, arm: str, paper: str) -> Claim:
    """That explanations follow the behaviour that an arm moves."""
    question = Question(f"{P} of steered runs, {arm}", private(arm))
    return Claim(name, words, paper, (arm,), (question,), of_arms(("t", "delta"), arm), SHIFTED)
