"""What an endpoint's reply says of a pair's choices, from the log-probabilities of its first token or its
text.

Tokens count for a choice when they read as it, with or without the blank before it: " A" and "A" are one
answer, and their probabilities are added. A token that only begins a choice ("New" of "New Zealand") is not
that choice yet, but it may become one that is more probable than any that can be seen whole; then nothing is
read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from coupling.explanations.reading import candidates_at, folded_words, tokenize, value_at
from coupling.models.journal import Token

_BLANKS = " \t\n\u2581\u0120"
"""White space, and the marks by which SentencePiece and byte-level tokenizers write a blank."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to one question."""

    choice: str
    logprobs: tuple[float, ...]
    """Normalised over the choices and aligned with them; empty where not all of them are known."""


def read_tokens(first: Sequence[Token], choices: Sequence[str], is_opened: bool = True) -> Reply | None:
    """The answer that the first token's log-probabilities show; None where they show none.

    Args:
        is_opened: whether a choice is what comes next, as behind "I answer" or where no such words are
            wanted. Else the model may have begun otherwise ("I"), and the choices it did not begin with tell
            nothing: a choice must then be the most probable token of all.

    A choice that is missing among the most probable tokens is less probable than each of them, so the best
    that is present is the answer; but its log-probability over the choices is then not known.
    """
    mass = [
        _log_sum([token.logprob for token in first if token.text.strip(_BLANKS) == choice])
        for choice in choices
    ]
    best = max(range(len(choices)), key=mass.__getitem__)
    if mass[best] == -math.inf or _rival(first, choices, is_opened) > mass[best]:
        return None
    if -math.inf in mass:
        return Reply(choices[best], ())
    total = _log_sum(mass)
    return Reply(choices[best], tuple(each - total for each in mass))


def read_text(text: str, choices: Sequence[str], prefix: str) -> str | None:
    """The choice that a text answers with, or None.

    It stands at the beginning, with or without the answer prefix before it; or it is the only one of the
    choices in the whole text, in the casing of the choice.
    """
    tokens = tokenize(text)
    opening = folded_words(prefix)
    start = len(opening) if tuple(token.folded for token in tokens[: len(opening)]) == opening else 0
    if start < len(tokens) and tokens[start].raw == ":":
        start += 1
    begins = value_at(tokens, start, choices)
    if begins is not None:
        return begins
    found: set[str] = set()
    ended: set[str] = set()
    at = 0
    while at < len(tokens):
        exact = [each for each in candidates_at(tokens, at, choices) if each.exactness == 2]
        if exact:
            found.add(exact[0].choice)
            if value_at(tokens, at, choices) == exact[0].choice:
                ended.add(exact[0].choice)
        at = exact[0].end if exact else at + 1
    if len(found) != 1:
        return None
    (only,) = found
    # A letter may be a word of the sentence, as in "A good question".
    return only if len(only) > 1 or only in ended else None


def majority(answers: Sequence[str], choices: Sequence[str]) -> str | None:
    """The most frequent answer, of equals the choice that stands first; None where there is none."""
    return max(choices, key=answers.count) if answers else None


def _rival(first: Sequence[Token], choices: Sequence[str], is_opened: bool) -> float:
    """The largest log-probability of a token that is no choice; where one comes next, that begins one."""

    def may_win(text: str) -> bool:
        return not is_opened or (text != "" and any(choice.startswith(text) for choice in choices))

    texts = [(token.text.strip(_BLANKS), token.logprob) for token in first]
    return max(
        (logprob for text, logprob in texts if text not in choices and may_win(text)), default=-math.inf
    )


def _log_sum(logs: Sequence[float]) -> float:
    """log Σ exp, of nothing -inf."""
    largest = max(logs, default=-math.inf)
    if largest == -math.inf:
        return largest
    return largest + math.log(sum(math.exp(each - largest) for each in logs))
