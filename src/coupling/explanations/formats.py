"""The formats by name.

``render(effect, cue)`` and ``parse(text, choices, cue)`` are inverse on every effect a format can state: all
but those whose sentence is, character for character, also the sentence of another effect over the same
choices ("5", "5 to 10" and "10 to 5" collide in the statement format). ``render_checked`` refuses those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from coupling.explanations.answer_pair import AnswerPair
from coupling.explanations.reading import ParseFailure, whole_words
from coupling.explanations.statement import Statement
from coupling.records import CounterfactualPair, Effect, Explanation

NAMES = ("answer_pair", "statement")


class ExplanationFormat(Protocol):
    """A way to put effects into words."""

    def question(self, cue: str) -> str:
        """What a model is asked after the input with the cue; it never contains the model's answer."""

    def opening(self, cue: str) -> str:
        """The words with which every sentence of the format begins, whatever effect it states."""

    def frame(self, cue: str) -> tuple[str, str] | None:
        """What stands before the one answer, and between it and the other; None where that depends on the
        effect."""

    def before_answers(self, effect: Effect, cue: str) -> tuple[str, str]:
        """The words before each of the two answers in the sentence that states a changed effect."""

    def render(self, effect: Effect, cue: str) -> str:
        """The sentence that states ``effect``; ``cue`` is what it calls the cue ("hint")."""

    def parse(self, text: str, choices: Sequence[str], cue: str) -> Effect | None:
        """The effect ``text`` claims, values spelt as in ``choices``, or None.

        Never raises, and takes time linear in the text, whatever the text.
        """

    def parse_detail(self, text: str, choices: Sequence[str], cue: str) -> Effect | ParseFailure:
        """As ``parse``, with the reason where the text claims no effect."""


def get(name: str) -> ExplanationFormat:
    """The format called ``name``; ValueError when there is none."""
    match name:
        case "answer_pair":
            return AnswerPair()
        case "statement":
            return Statement()
        case _:
            raise ValueError(f"explanation format {name!r} is not known: choose one of {', '.join(NAMES)}")


def read_explanation(
    form: ExplanationFormat, pair: CounterfactualPair, text: str, is_cut_off: bool = False
) -> Explanation:
    """What ``text`` claims of a pair, or why it claims nothing.

    Of a text that was cut off the last word is not read, which need not be whole.
    """
    read = form.parse_detail(whole_words(text) if is_cut_off else text, pair.choices, pair.cue)
    if isinstance(read, Effect):
        return Explanation(pair.id, text, read)
    return Explanation(pair.id, text, None, str(read))


def render_checked(form: ExplanationFormat, effect: Effect, choices: Sequence[str], cue: str) -> str:
    """``form.render(effect, cue)``, made sure to be read back as ``effect``.

    Raises ValueError naming the values when it is not: then the choices must be renamed.
    """
    text = form.render(effect, cue)
    read = form.parse_detail(text, choices, cue)
    if read != effect:
        raise ValueError(
            f"the sentence {text!r} does not state one effect over the choices "
            f"{', '.join(map(repr, choices))} (read as: {read}): rename choices that hold "
            "words of the format around another"
        )
    return text
