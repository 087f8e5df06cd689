"""How the model is asked to explain itself."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt

from coupling.config.section import Section


class ExplanationConfig(Section):
    """How the model is asked to explain itself, and how it answers."""

    format: Literal["answer_pair", "statement"] = "answer_pair"
    """answer_pair: "With the hint I answer X; without it Y"; statement: unchanged from X, or from X to Y."""
    max_new_tokens: PositiveInt = 32
    """Tokens after which an explanation is cut off."""
