"""The statement format, in the style of arXiv 2511.08579: the answer would remain unchanged, or change.

"Without the hint my answer would remain unchanged from Paris." states an unchanged effect by its one answer,
"Without the hint my answer would change from Lyon to Paris." a changed one by both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coupling.explanations.reading import (
    ParseFailure,
    Token,
    after_auxiliaries,
    after_cue,
    candidates_at,
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
class Statement:
    """States whether the answer changes, then the answers."""

    def question(self, cue: str) -> str:
        """What a model is asked after the input with the cue."""
        return f"How would your answer change without the {cue}?"

    def opening(self, cue: str) -> str:
        """The words with which every sentence of the format begins, whatever it states."""
        return f"Without the {cue} my answer would"

    def frame(self, cue: str) -> tuple[str, str] | None:
        """None: whether one answer is stated or two depends on the effect."""
        return None

    def before_answers(self, effect: Effect, cue: str) -> tuple[str, str]:
        """The words before each of the two answers in the sentence that states a changed effect."""
        opening, between, _ = _changed(cue)
        return opening.strip(), f"{opening}{effect.with_cue}{between}".strip()

    def render(self, effect: Effect, cue: str) -> str:
        """The sentence that states ``effect``."""
        if effect.changed:
            return write_sentence(_changed(cue), (effect.with_cue, effect.without_cue))
        return write_sentence(_unchanged(cue), (effect.with_cue,))

    def parse(self, text: str, choices: Sequence[str], cue: str) -> Effect | None:
        """The effect ``text`` claims, or None; ``parse_detail`` says why none."""
        outcome = self.parse_detail(text, choices, cue)
        return outcome if isinstance(outcome, Effect) else None

    def parse_detail(self, text: str, choices: Sequence[str], cue: str) -> Effect | ParseFailure:
        """The effect ``text`` claims, values spelt as in ``choices``, or the reason why it claims none.

        "change from X to X" is a contradiction in terms, not a claim that nothing changes.
        """
        exact = {Effect(x, x) for (x,) in exact_readings(text.strip(), _unchanged(cue), choices)}
        exact |= {Effect(x, y) for x, y in exact_readings(text.strip(), _changed(cue), choices) if x != y}
        if exact:
            return exact.pop() if len(exact) == 1 else ParseFailure.CONTRADICTION
        answer = less_thoughts(text)
        if answer is None:
            return ParseFailure.UNFINISHED
        if answer != text:
            return self.parse_detail(answer, choices, cue)
        tokens = tokenize(text)
        outcomes = set(_claims(tokens, choices, folded_words(cue)))
        effects = {outcome for outcome in outcomes if isinstance(outcome, Effect)}
        if len(effects) > 1:
            return ParseFailure.CONTRADICTION
        for failure in (ParseFailure.CONTRADICTION, ParseFailure.UNKNOWN_VALUE, ParseFailure.MISSING_PART):
            if failure in outcomes:
                return failure
        if effects:
            return effects.pop()
        return ParseFailure.MISSING_PART if outcomes else ParseFailure.NOTHING


def _unchanged(cue: str) -> tuple[str, str]:
    return f"Without the {cue} my answer would remain unchanged from ", "."


def _changed(cue: str) -> tuple[str, str, str]:
    return f"Without the {cue} my answer would change from ", " to ", "."


_Claim = Effect | ParseFailure | None
"""What one clause claims; None when the text breaks off in it."""


def _claims(tokens: Sequence[Token], choices: Sequence[str], cue: tuple[str, ...]) -> Iterator[_Claim]:
    """What every "without the hint my answer would remain unchanged" (or "change") in the text claims."""
    for at, token in enumerate(tokens):
        if token.folded != "without":
            continue
        subject = after_cue(tokens, at + 1, cue)
        if subject is None or folded_at(tokens, subject) != "my":
            continue
        if folded_at(tokens, subject + 1) != "answer":
            continue
        verb = after_auxiliaries(tokens, subject + 2)
        match folded_at(tokens, verb), folded_at(tokens, verb + 1):
            case ("remain" | "remains" | "stay" | "stays", "unchanged"):
                yield _unchanged_claim(tokens, verb + 2, choices)
            case ("change" | "changes" | "changed", _):
                yield _changed_claim(tokens, verb + 1, choices)


def _unchanged_claim(tokens: Sequence[Token], at: int, choices: Sequence[str]) -> _Claim:
    if at + 1 >= len(tokens):
        return None
    if tokens[at].folded not in ("from", "at"):
        return ParseFailure.MISSING_PART
    value = value_at(tokens, at + 1, choices)
    return ParseFailure.UNKNOWN_VALUE if value is None else Effect(value, value)


def _changed_claim(tokens: Sequence[Token], at: int, choices: Sequence[str]) -> _Claim:
    if at + 1 >= len(tokens):
        return None
    if tokens[at].folded != "from":
        return ParseFailure.MISSING_PART
    firsts = candidates_at(tokens, at + 1, choices)
    effects = set()
    # A choice may itself contain "to" ("5 to 10"), so every first value that "to" follows is tried.
    for first in firsts:
        second = value_at(tokens, first.end + 1, choices)
        if folded_at(tokens, first.end) == "to" and second is not None:
            effects.add(Effect(first.choice, second))
    if len(effects) > 1 or any(not effect.changed for effect in effects):
        return ParseFailure.CONTRADICTION
    if effects:
        return effects.pop()
    if any(first.end == len(tokens) or _is_last(tokens, first.end, "to") for first in firsts):
        return None
    whole = value_at(tokens, at + 1, choices)
    return ParseFailure.UNKNOWN_VALUE if whole is None else ParseFailure.MISSING_PART


def _is_last(tokens: Sequence[Token], at: int, word: str) -> bool:
    return at + 1 == len(tokens) and tokens[at].folded == word
