"""What an endpoint's reply says of a pair's choices, from the log-probabilities of its first token.

Tokens count for a choice when they read as it, with or without the blank before it: " A" and "A" are one
answer, and their probabilities are added. A token that only begins a choice ("New" of "New Zealand") is not
that choice yet, but it may become one that is more probable than any that can be seen whole; then nothing is
read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from coupling.models.journal import Token
from coupling.spelling import spelled

_BLANKS = " \t\n\u2581\u0120"
"""White space, and the marks by which SentencePiece and byte-level tokenizers write a blank."""
_LEAST_SHARE = 0.1
"""Of the first token's probability that falls to the choices; where less does, an answer begins otherwise."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to one question."""

    choice: str
    logprobs: tuple[float, ...]
    """Normalised over the choices and aligned with them; empty where not all of them are known."""


def read_tokens(first: Sequence[Token], choices: Sequence[str], is_opened: bool = True) -> Reply | None:
    """The answer that the first token's log-probabilities show; None where they show none.

    Args:
        is_opened: whether a choice is what comes next, behind words that are given, such as "I answer". Else
            the model may have begun otherwise ("I", "The"), and the choices it did not begin with tell
            nothing: a choice must then be the most probable token of all, and the choices together must have
            a share of 0.1.

    A choice that is missing among the most probable tokens is less probable than each of them, so the best
    that is present is the answer; but its log-probability over the choices is then not known.
    """
    texts = [(spelled(token.text.strip(_BLANKS)), token.logprob) for token in first]
    spelt = [spelled(choice) for choice in choices]
    mass = [_log_sum([logprob for text, logprob in texts if text == choice]) for choice in spelt]
    best = max(range(len(choices)), key=mass.__getitem__)
    if mass[best] == -math.inf or _rival(texts, spelt, is_opened) > mass[best]:
        return None
    if not is_opened and math.exp(_log_sum(mass)) < _LEAST_SHARE:
        return None
    if -math.inf in mass:
        return Reply(choices[best], ())
    total = _log_sum(mass)
    return Reply(choices[best], tuple(each - total for each in mass))


def majority(answers: Sequence[str], choices: Sequence[str]) -> str | None:
    """The most frequent answer, of equals the choice that stands first; None where there is none."""
    return max(choices, key=answers.count) if answers else None


def _rival(texts: Sequence[tuple[str, float]], choices: Sequence[str], is_opened: bool) -> float:
    """The largest log-probability of a token that is no choice; where one comes next, that begins one."""

    def may_win(text: str) -> bool:
        return not is_opened or (text != "" and any(choice.startswith(text) for choice in choices))

    return max(
        (logprob for text, logprob in texts if text not in choices and may_win(text)), default=-math.inf
    )


def _log_sum(logs: Sequence[float]) -> float:
    """log Σ exp, of nothing -inf."""
    largest = max(logs, default=-math.inf)
    if largest == -math.inf:
        return largest
    return largest + math.log(sum(math.exp(each - largest) for each in logs))
