"""How the model is asked to explain itself."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeInt, PositiveInt

from coupling.config.section import Section


class ExplanationConfig(Section):
    """How the model is asked to explain itself, and how it answers."""

    format: Literal["answer_pair", "statement"] = "answer_pair"
    """answer_pair: "With the hint I answer X; without it Y"; statement: unchanged from X, or from X to Y."""
    way: Literal["free", "filled"] = "free"
    """free: written by the model. filled: all words of the format's sentence are given but for its two
    answers, which are scored over the choices as behaviour is; for questions whose choices the prompt does
    not list. What the model writes freely then stands beside it."""
    max_new_tokens: PositiveInt = 32
    """Tokens after which an explanation is cut off."""
    examples: NonNegativeInt = 0
    """Labels shown before the question, as examples; 0 shows none."""
    examples_seed: NonNegativeInt = 0
    """Draws the labels that are shown."""

    @property
    def is_filled(self) -> bool:
        """Whether the answers of a given sentence are scored, rather than an explanation written."""
        return self.way == "filled"
