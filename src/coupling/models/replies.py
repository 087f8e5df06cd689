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

from coupling.explanations.reading import Token, candidates_at, folded_words, tokenize, value_at
from coupling.models.journal import Token as FirstToken

_BLANKS = " \t\n\u2581\u0120"
"""White space, and the marks by which SentencePiece and byte-level tokenizers write a blank."""
_SENTENCE_STOPS = frozenset(".!?;")
_FRAMES = tuple(
    folded_words(words)
    for words in (
        *("answer is", "answer would be", "answer:", "I answer", "I would answer", "I choose", "I pick"),
        *("it is", "it's", "it\u2019s", "that is", "that's", "that\u2019s"),
    )
)
"""Words behind which an answer stands, where they open a sentence."""
_BEFORE_FRAMES = frozenset(
    {"so", "therefore", "thus", "hence", "then", "overall", "in", "conclusion", "the", "my", "final", "best"}
    | {"correct", "right", "most", "likely", "i", "think", "believe", "would", "say", "that"}
    | {",", ":", "*", "_"}
)
"""Words that may stand before them. None of them denies, or speaks of somebody else."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to one question."""

    choice: str
    logprobs: tuple[float, ...]
    """Normalised over the choices and aligned with them; empty where not all of them are known."""


def read_tokens(first: Sequence[FirstToken], choices: Sequence[str], is_opened: bool = True) -> Reply | None:
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


def read_text(text: str, choices: Sequence[str], prefix: str, is_cut_off: bool = False) -> str | None:
    """The choice that a text answers with, or None.

    It stands at the beginning, with or without the answer prefix before it. Or else the text is whole, it
    names no other of the choices (in their casing), and it gives this one as its answer: a sentence opens by
    "the answer is", "I answer" or the like and then the choice, or the choice alone is the last sentence.
    That a text names the choice is not enough, for it may only repeat the hint, and deny it.
    """
    tokens = tokenize(text)
    opening = folded_words(prefix)
    start = len(opening) if tuple(token.folded for token in tokens[: len(opening)]) == opening else 0
    if start < len(tokens) and tokens[start].raw == ":":
        start += 1
    begins = value_at(tokens, start, choices)
    if begins is not None:
        return begins
    if is_cut_off or len(_named(tokens, choices)) > 1:
        return None
    sentences = _sentences(tokens)
    answered = {_framed(sentence, choices, opening) for sentence in sentences}
    if sentences:
        answered.add(_alone(sentences[-1], choices))
    answered.discard(None)
    return answered.pop() if len(answered) == 1 else None


def _framed(sentence: Sequence[Token], choices: Sequence[str], opening: tuple[str, ...]) -> str | None:
    """The choice that a sentence gives as its answer, or None."""
    words = tuple(token.folded for token in sentence)
    for at, word in enumerate(words):
        for frame in (opening, *_FRAMES):
            if frame and words[at : at + len(frame)] == frame:
                behind = at + len(frame)
                return value_at(sentence, behind + (words[behind : behind + 1] == (":",)), choices)
        if word not in _BEFORE_FRAMES:
            return None
    return None


def _alone(sentence: Sequence[Token], choices: Sequence[str]) -> str | None:
    """The choice of which a sentence consists, or None; a question gives no answer."""
    choice = value_at(sentence, 0, choices)
    words = [token.folded for token in sentence if token.raw.isalnum()]
    if choice is None or sentence[-1].raw == "?":
        return None
    return choice if words == [word for word in folded_words(choice) if word.isalnum()] else None


def _named(tokens: Sequence[Token], choices: Sequence[str]) -> set[str]:
    """The choices that stand anywhere in a text; a letter counts only where a value ends, for it may be a
    word, as in "A good question"."""
    found: set[str] = set()
    at = 0
    while at < len(tokens):
        exact = [each for each in candidates_at(tokens, at, choices) if each.exactness == 2]
        if exact and (len(exact[0].choice) > 1 or value_at(tokens, at, choices) == exact[0].choice):
            found.add(exact[0].choice)
        at = exact[0].end if exact else at + 1
    return found


def _sentences(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """A text cut behind its stops and at its line feeds; a stop inside a value ("U.S.A") ends none."""
    ends = [
        at + 1
        for at, token in enumerate(tokens)
        if at + 1 == len(tokens)
        or "\n" in tokens[at + 1].gap
        or (token.raw in _SENTENCE_STOPS and tokens[at + 1].gap)
    ]
    return [tokens[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def majority(answers: Sequence[str], choices: Sequence[str]) -> str | None:
    """The most frequent answer, of equals the choice that stands first; None where there is none."""
    return max(choices, key=answers.count) if answers else None


def _rival(first: Sequence[FirstToken], choices: Sequence[str], is_opened: bool) -> float:
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
