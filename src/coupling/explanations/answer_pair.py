"""The answer-pair format: "With the hint I answer Lyon; without the hint I answer Paris."

The words "I answer" stand before both values, and a task may open the behaviour's answer with the same
words (``answer_prefix``). In small models explanations followed behaviour better in this format than in one
that states "changed" or "stays": likely because the same words before every value, in behaviour and in
explanation, let both come from one circuit. So the wording is part of the method, and fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coupling.explanations.reading import (
    ParseFailure,
    Token,
    after_auxiliaries,
    after_cue,
    exact_readings,
    folded_at,
    folded_words,
    tokenize,
    value_at,
    write_sentence,
)
from coupling.records import Effect
from coupling.thoughts import less_thoughts


@dataclass(frozen=True, slots=True)
class AnswerPair:
    """States every effect by its two answers."""

    def question(self, cue: str) -> str:
        """What a model is asked after the input with the cue."""
        return f"How would your answer change without the {cue}?"

    def opening(self, cue: str) -> str:
        """The words with which every sentence of the format begins."""
        return _sentence(cue)[0].strip()

    def frame(self, cue: str) -> tuple[str, str]:
        """What stands before the one answer, and between it and the other."""
        opening, between, _ = _sentence(cue)
        return opening.strip(), between.strip()

    def before_answers(self, effect: Effect, cue: str) -> tuple[str, str]:
        """The words before each of the two answers in the sentence that states a changed effect."""
        opening, between = self.frame(cue)
        return opening, f"{opening} {effect.with_cue}{between}"

    def render(self, effect: Effect, cue: str) -> str:
        """The sentence that states ``effect``."""
        return write_sentence(_sentence(cue), (effect.with_cue, effect.without_cue))

    def parse(self, text: str, choices: Sequence[str], cue: str) -> Effect | None:
        """The effect ``text`` claims, or None; ``parse_detail`` says why none."""
        outcome = self.parse_detail(text, choices, cue)
        return outcome if isinstance(outcome, Effect) else None

    def parse_detail(self, text: str, choices: Sequence[str], cue: str) -> Effect | ParseFailure:
        """The effect ``text`` claims, values spelt as in ``choices``, or the reason why it claims none."""
        exact = exact_readings(text.strip(), _sentence(cue), choices)
        if exact:
            return Effect(*exact.pop()) if len(exact) == 1 else ParseFailure.CONTRADICTION
        answer = less_thoughts(text)
        if answer is None:
            return ParseFailure.UNFINISHED
        if answer != text:
            return self.parse_detail(answer, choices, cue)
        tokens = tokenize(text)
        clauses = list(_clauses(tokens, folded_words(cue)))
        values = [(side, value_at(tokens, start, choices)) for side, start in clauses if start < len(tokens)]
        with_cue = {value for side, value in values if side == "with" and value is not None}
        without_cue = {value for side, value in values if side == "without" and value is not None}
        if len(with_cue) > 1 or len(without_cue) > 1:
            return ParseFailure.CONTRADICTION
        if any(value is None for _, value in values):
            return ParseFailure.UNKNOWN_VALUE
        if with_cue and without_cue:
            return Effect(with_cue.pop(), without_cue.pop())
        return ParseFailure.MISSING_PART if clauses else ParseFailure.NOTHING


def _sentence(cue: str) -> tuple[str, str, str]:
    return f"With the {cue} I answer ", f"; without the {cue} I answer ", "."


def _clauses(tokens: Sequence[Token], cue: tuple[str, ...]) -> list[tuple[str, int]]:
    """Side ("with" or "without") and place of the value of every "with the hint I answer" in the text."""
    clauses = []
    for at, token in enumerate(tokens):
        if token.folded not in ("with", "without"):
            continue
        subject = after_cue(tokens, at + 1, cue)
        if subject is None or folded_at(tokens, subject) != "i":
            continue
        verb = after_auxiliaries(tokens, subject + 1)
        if folded_at(tokens, verb) not in ("answer", "answered"):
            continue
        start = verb + 1
        clauses.append((token.folded, start + 1 if folded_at(tokens, start) == ":" else start))
    return clauses
