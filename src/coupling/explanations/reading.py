"""How model text is read: as words and marks, never by a pattern over the whole text.

Text is split once into tokens and walked from left to right. Each step looks at a bounded number of tokens,
so the time grows linearly with the text, whatever a model writes. A format reads in two ways:

1. ``exact_readings``: the text is, character for character, a sentence the format writes. This makes
   ``parse`` the inverse of ``render`` whatever characters the choices contain.
2. ``tokenize``, ``after_cue`` and ``value_at``: a claim somewhere in free text, in any casing, with spaces
   before marks (word-level tokenizers decode to "Paris ; without"), with values in quotes, brackets or bold.

A value counts only where it ends: "Guinea-Bissau" does not claim "Guinea", nor "Paris or Lyon" "Paris".

Thoughts that are left in a text are no part of it (``coupling.thoughts``), and all that is compared is in one
spelling (``coupling.spelling``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from coupling.spelling import spelled


class ParseFailure(StrEnum):
    """Why a text states no effect."""

    NOTHING = "nothing"
    """No clause of the format stands in the text."""
    MISSING_PART = "missing part"
    """A clause stands there, but one of the two answers does not."""
    UNKNOWN_VALUE = "unknown value"
    """What stands in the place of an answer is not one of the choices."""
    CONTRADICTION = "contradiction"
    """The text claims more than one effect, or a change from an answer to itself."""
    UNFINISHED = "unfinished thought"
    """A thought stands in the text that never ends."""


def write_sentence(literals: Sequence[str], values: Sequence[str]) -> str:
    """Put ``values`` between the ``literals`` of a sentence: one literal more than values."""
    opening, *rest = literals
    return opening + "".join(value + literal for value, literal in zip(values, rest, strict=True))


def exact_readings(text: str, literals: Sequence[str], choices: Sequence[str]) -> set[tuple[str, ...]]:
    """Every way in which ``text`` is ``write_sentence(literals, values)`` with values among the choices."""
    opening, *rest = literals
    readings: list[tuple[int, tuple[str, ...]]] = [(len(opening), ())] if text.startswith(opening) else []
    for literal in rest:
        readings = [
            (at + len(choice) + len(literal), (*values, choice))
            for at, values in readings
            for choice in choices
            if text.startswith(choice + literal, at)
        ]
    return {values for at, values in readings if at == len(text)}


class Token(NamedTuple):
    """A run of letters and digits, or one other character that is no space."""

    raw: str
    folded: str
    """``raw`` without its casing."""
    gap: str
    """The white space before it."""


_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")
_WORD_AT_END = re.compile(r"(?<!\w)\w+\Z")


def tokenize(text: str) -> list[Token]:
    text = spelled(text)
    tokens = []
    end = 0
    for match in _TOKEN.finditer(text):
        raw = match.group()
        tokens.append(Token(raw, raw.casefold(), text[end : match.start()]))
        end = match.end()
    return tokens


def whole_words(text: str) -> str:
    """``text``, which was cut off, without the word at its end: "New" may have become "New York"."""
    return _WORD_AT_END.sub("", text)


def folded_words(text: str) -> tuple[str, ...]:
    return tuple(token.folded for token in tokenize(text))


_ARTICLES = frozenset({"the", "this", "that"})
_AUXILIARIES = frozenset({"would", "will", "have", "then", "still", "d", "ve", "ll", "'"})
_MOST_AUXILIARIES = 4


def folded_at(tokens: Sequence[Token], at: int) -> str:
    """The folded token at ``at``, empty beyond the end of the text."""
    return tokens[at].folded if at < len(tokens) else ""


def after_cue(tokens: Sequence[Token], at: int, cue: tuple[str, ...]) -> int | None:
    """The place behind "the hint", "it" or "the hint," when one stands at ``at``."""
    if folded_at(tokens, at) == "it":
        at += 1
    else:
        if folded_at(tokens, at) in _ARTICLES and folded_at(tokens, at) not in cue[:1]:
            at += 1
        if tuple(token.folded for token in tokens[at : at + len(cue)]) != cue:
            return None
        at += len(cue)
    return at + 1 if folded_at(tokens, at) == "," else at


def after_auxiliaries(tokens: Sequence[Token], at: int) -> int:
    """The place behind "would", "would have", "'d still" and the like; no negation is among them."""
    for _ in range(_MOST_AUXILIARIES):
        if folded_at(tokens, at) not in _AUXILIARIES:
            break
        at += 1
    return at


_OPENERS = frozenset("([{\"'`*_\u201c\u00ab")
_CLOSERS = frozenset(")]}\"'`*_\u201d\u00bb")
_MOST_MARKS = 6
"""Marks around a value that are passed over: ``**"(`` is four."""
_STOPS = frozenset(".;:!?")
_JOINERS = frozenset({",", ".", ";", "-", "\u2013", "\u2014", "and", "but", "while", "whereas"})
_MOST_JOINERS = 3
_FOLLOWERS = frozenset({"with", "without", "because", "since", "instead", "rather", "not"})
_VERBS = frozenset({"is", "isn", "are", "was", "wasn", "seems", "may", "might", "can", "cannot", "could"})
_BETWEEN_VALUES = {"or": 3, "nor": 3, "and": 3, "/": 1, "&": 1, ",": 1}
"""Words between two values, and within how many tokens the second stands: "or perhaps B"."""
_LONGEST_REPETITION = 40
"""Tokens of what a lettered choice says."""


class Candidate(NamedTuple):
    """A choice that may stand at a place in the text."""

    size: int
    """Tokens of the choice found there."""
    exactness: int
    """2: the same characters; 1: but for casing; 0: but for marks around the choice."""
    choice: str
    end: int
    """The place behind it and the marks that close after it."""


class _Choice(NamedTuple):
    text: str
    raw: tuple[str, ...]
    folded: tuple[str, ...]
    bare: tuple[str, ...]


@lru_cache(maxsize=1024)
def _prepare(choices: tuple[str, ...]) -> tuple[_Choice, ...]:
    prepared = []
    for choice in choices:
        tokens = tokenize(choice)
        folded = tuple(token.folded for token in tokens)
        first, last = 0, len(folded)
        while first < last and folded[first] in _OPENERS:
            first += 1
        while first < last and folded[last - 1] in _CLOSERS | _STOPS:
            last -= 1
        prepared.append(_Choice(choice, tuple(token.raw for token in tokens), folded, folded[first:last]))
    return tuple(prepared)


def candidates_at(tokens: Sequence[Token], start: int, choices: Sequence[str]) -> tuple[Candidate, ...]:
    """The choices that stand at ``start`` or behind the marks that open there, the longest first.

    Of several choices equally long, the most exact ("a" rather than "A"); none when two are equally exact.
    """
    by_size: dict[int, list[Candidate]] = {}
    for candidate in _matches(tokens, start, choices):
        by_size.setdefault(candidate.size, []).append(candidate)
    best = []
    for size in sorted(by_size, reverse=True):
        exactness = max(candidate.exactness for candidate in by_size[size])
        finest = {candidate for candidate in by_size[size] if candidate.exactness == exactness}
        if len(finest) == 1:
            best.append(finest.pop())
    return tuple(best)


def _matches(tokens: Sequence[Token], start: int, choices: Sequence[str]) -> Iterator[Candidate]:
    for at in range(start, start + _MOST_MARKS + 1):
        for choice in _prepare(tuple(choices)):
            size, exactness = _match(tokens, at, choice)
            if size:
                end = at + size
                while end < at + size + _MOST_MARKS and folded_at(tokens, end) in _CLOSERS:
                    end += 1
                yield Candidate(size, exactness, choice.text, end)
        if folded_at(tokens, at) not in _OPENERS:
            return


def _match(tokens: Sequence[Token], at: int, choice: _Choice) -> tuple[int, int]:
    """Tokens of the choice that stand at ``at`` (0: it does not), and how exactly they do."""
    here = tokens[at : at + len(choice.raw)]
    folded = tuple(token.folded for token in here)
    if folded == choice.folded:
        return len(here), 2 if tuple(token.raw for token in here) == choice.raw else 1
    if folded[: len(choice.bare)] == choice.bare:
        return len(choice.bare), 0
    return 0, 0


def value_at(tokens: Sequence[Token], start: int, choices: Sequence[str]) -> str | None:
    """The longest choice that stands at ``start`` and ends there ("New Zealand", not "New"), or None."""
    for candidate in candidates_at(tokens, start, choices):
        if _ends(tokens, candidate, choices):
            return candidate.choice
    return None


def _ends(tokens: Sequence[Token], candidate: Candidate, choices: Sequence[str]) -> bool:
    """Whether the value is over where the candidate ends, and not the beginning of a longer one."""
    at = candidate.end
    if at >= len(tokens) or "\n" in tokens[at].gap:
        return True
    # "(B) Paris", "B) Paris" and "B (Paris)" name a lettered choice and repeat what it says.
    repeated = tokens[at - 1].raw == ")" or (tokens[at].raw == "(" and tokens[at].gap != "")
    if len(candidate.choice) == 1 and repeated:
        return not _is_taken_back(tokens, at, choices)
    # A stop inside a value has no space behind it: "U.S.A", "3.5", "12:30".
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    if tokens[at].raw in _STOPS and (following is None or following.gap or not following.raw[0].isalnum()):
        return True
    for _ in range(_MOST_JOINERS):
        if folded_at(tokens, at) not in _JOINERS:
            break
        at += 1
    return folded_at(tokens, at) in _FOLLOWERS


def _begins_sentence(tokens: Sequence[Token], at: int) -> bool:
    return "\n" in tokens[at].gap or (tokens[at - 1].raw in _STOPS and tokens[at].gap != "")


def _is_taken_back(tokens: Sequence[Token], start: int, choices: Sequence[str]) -> bool:
    """Whether what follows a lettered choice says something of it ("(A) is wrong"), or names another choice
    beside it: "(A) or (B)", "A (or B)"."""
    if folded_at(tokens, start) in _VERBS:
        return True
    joined_until = -1
    for at in range(start, min(start + _LONGEST_REPETITION, len(tokens))):
        token = tokens[at]
        if token.folded in _FOLLOWERS or (at > start and _begins_sentence(tokens, at)):
            return False
        may_name = token.raw == "(" or at <= joined_until
        if may_name and any(each.exactness == 2 for each in candidates_at(tokens, at, choices)):
            return True
        if token.folded in _BETWEEN_VALUES:
            joined_until = at + _BETWEEN_VALUES[token.folded]
    return False
