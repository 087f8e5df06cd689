"""The choice that a text answers with.

What it says counts before where it says so: "A. Oder\\nB. Alps … The answer is B." answers B. A choice that
only stands at the beginning, or alone at the end, counts where no other one stands so. That a text names a
choice is not enough, for it may only repeat the hint, and deny it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from coupling.explanations.reading import (
    Candidate,
    Token,
    candidates_at,
    folded_at,
    folded_words,
    tokenize,
    value_at,
)
from coupling.thoughts import less_thoughts

_Words = tuple[str, ...]

_NOUNS = frozenset({"answer", "option", "choice", "letter"})
_FRAMES = (
    *(folded_words(f"{noun} {is_}") for noun in sorted(_NOUNS) for is_ in ("is", "would be", "must be", ":")),
    *(folded_words(f"I {verb}") for verb in ("answer", "would answer", "choose", "pick", "select", "say")),
    *(folded_words(words) for words in ("I'd say", "I would say", "I think", "I believe", "go with")),
    *(folded_words(words) for words in ("it is", "it's", "that is", "that's")),
)
"""Words behind which an answer stands, where they open a sentence."""
_BEFORE_FRAMES = frozenset(
    {"so", "therefore", "thus", "hence", "then", "overall", "in", "conclusion", "the", "my", "final", "best"}
    | {
        "correct",
        "right",
        "most",
        "likely",
        "i",
        "think",
        "believe",
        "would",
        "say",
        "that",
        "d",
        "ll",
        "will",
    }
    | {"yes", "no", "ok", "okay", "sure", "well", "indeed", "agree", "agreed", ",", ":", "'"}
)
_PHRASES_BEFORE_FRAMES = tuple(
    folded_words(words)
    for words in ("agree with you", "agree with the hint", "you are right", "you're right")
)
"""Words that may stand before them. None of them denies, or speaks of what somebody else says."""
_SURE = frozenset({"the", "most", "likely", "probably", "definitely", "clearly", "indeed", "my", "also"})
_RIGHT = frozenset({"correct", "right", "true", "best", "answer"})
_LONGEST_CHOICE = 40
"""Tokens of what a lettered choice says, before "is correct"."""
_MARKS = "*#$_\\"
"""Of Markdown and LaTeX, as in ``**Answer**: B`` and ``\\(B\\)``."""
_BOXED = re.compile(r"\\boxed\s{0,3}\{\s{0,3}(?:\\\w{1,12}\s{0,3}\{)?([^{}\n]{1,200})\}{1,2}")
_SENTENCE_STOPS = frozenset(".!?;")
_FOLLOWED_BY_MORE = frozenset({"yes", "no"})
"""Choices that answer at the beginning of a sentence that goes on: "Yes, I would." """


def read_text(text: str, choices: Sequence[str], prefix: str, is_cut_off: bool = False) -> str | None:
    """The choice that a text answers with, or None.

    It is the one that sentences give as the answer: "The answer is B", "I answer B" (``prefix``), "B is
    correct". Where none does, it is the one that stands at the beginning or, alone, at the end. Two are none,
    and so is what was cut off, for the rest may have given another.
    """
    answer = less_thoughts(text)
    if answer is None or is_cut_off:
        return None
    opening = folded_words(prefix)
    sentences = _sentences(tokenize(_in_words(answer, (*choices, prefix))))
    telling = [sentence for sentence in sentences if sentence[-1].raw != "?"]
    given = {
        _framed(sentence, choices, opening) or _called_right(sentence, choices) for sentence in telling
    } - {None}
    if given:
        return given.pop() if len(given) == 1 else None
    begun = [_begun(sentence, choices) for sentence in telling]
    standing = set(begun) - {None}
    if len(standing) == 1 and (begun[0] is not None or _is_alone(telling[-1], choices)):
        return standing.pop()
    return None


def _in_words(text: str, kept: Sequence[str]) -> str:
    r"""Without marks, ``\boxed{B}`` as a sentence; marks that stand in one of ``kept`` stay."""
    stated = _BOXED.sub(r"\nThe answer is \1.\n", text)
    return stated.translate({ord(mark): None for mark in _MARKS if not any(mark in each for each in kept)})


def _framed(sentence: Sequence[Token], choices: Sequence[str], opening: _Words) -> str | None:
    """The choice that stands behind words like "the answer is", or None."""
    words = tuple(token.folded for token in sentence)
    at = 0
    while at < len(words):
        for frame in (opening, *_FRAMES):
            if frame and words[at : at + len(frame)] == frame:
                choice = value_at(sentence, _behind_noun(sentence, at + len(frame)), choices)
                if choice is not None:
                    return choice
        behind = _behind_opening_words(words, at)
        if behind == at:
            return None
        at = behind
    return None


def _called_right(sentence: Sequence[Token], choices: Sequence[str]) -> str | None:
    """The choice of a sentence like "B is correct" or "B) Alps is the right answer", or None."""
    words = tuple(token.folded for token in sentence)
    at = 0
    while True:
        start = _behind_noun(sentence, at)
        for candidate in candidates_at(sentence, start, choices):
            verb = _verb_behind(sentence, candidate)
            if verb is not None and _is_right(words, verb + 1):
                return candidate.choice
        behind = _behind_opening_words(words, at)
        if behind == at:
            return None
        at = behind


def _verb_behind(sentence: Sequence[Token], candidate: Candidate) -> int | None:
    """Where "is" stands behind a choice, or behind what a choice in brackets says."""
    says_more = sentence[candidate.end - 1].raw == ")" or folded_at(sentence, candidate.end) in (
        ")",
        ".",
        ":",
    )
    last = candidate.end + (_LONGEST_CHOICE if says_more else 0)
    return next((at for at in range(candidate.end, last + 1) if folded_at(sentence, at) == "is"), None)


def _is_right(words: _Words, at: int) -> bool:
    while at < len(words) and words[at] in _SURE:
        at += 1
    return at < len(words) and words[at] in _RIGHT


def _begun(sentence: Sequence[Token], choices: Sequence[str]) -> str | None:
    """The choice with which a sentence begins, or None."""
    words = tuple(token.folded for token in sentence)
    at = 0
    while True:
        start = _behind_noun(sentence, at)
        choice = value_at(sentence, start, choices)
        if choice is not None:
            return choice
        for candidate in candidates_at(sentence, start, choices):
            if candidate.choice.casefold() in _FOLLOWED_BY_MORE and folded_at(sentence, candidate.end) == ",":
                return candidate.choice
        behind = _behind_opening_words(words, at)
        if behind == at:
            return None
        at = behind


def _is_alone(sentence: Sequence[Token], choices: Sequence[str]) -> bool:
    """Whether a sentence consists of a choice."""
    choice = value_at(sentence, _behind_noun(sentence, 0), choices)
    words = [token.folded for token in sentence if token.raw.isalnum() and token.folded not in _NOUNS]
    return choice is not None and words == [word for word in folded_words(choice) if word.isalnum()]


def _behind_opening_words(words: _Words, at: int) -> int:
    """The place behind a word or phrase that may stand before an answer; ``at`` where none stands there."""
    for phrase in _PHRASES_BEFORE_FRAMES:
        if words[at : at + len(phrase)] == phrase:
            return at + len(phrase)
    return at + 1 if words[at : at + 1] and words[at] in _BEFORE_FRAMES else at


def _behind_noun(sentence: Sequence[Token], at: int) -> int:
    """The place behind "option", ":" or both, where a choice may stand."""
    for words in (frozenset({":"}), _NOUNS, frozenset({":"})):
        at += folded_at(sentence, at) in words
    return at


def _sentences(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """A text cut behind its stops and at its line feeds; a stop inside a value ("U.S.A") ends none, nor does
    a line feed behind a colon."""
    ends = [
        at + 1
        for at, token in enumerate(tokens)
        if at + 1 == len(tokens)
        or ("\n" in tokens[at + 1].gap and token.raw != ":")
        or (token.raw in _SENTENCE_STOPS and tokens[at + 1].gap)
    ]
    return [tokens[start:end] for start, end in zip([0, *ends], ends, strict=False)]
