"""How a world is told in English.

The words "I answer" stand before every answer, in behaviour and in explanation alike: a model that
finds its answer by them in one place can find it by them in the other.
"""

from __future__ import annotations

import json
from importlib import resources

from coupling.worlds.world import ADVISERS, RELATIONS

ANSWER_PREFIX = "I answer"
CUE = "hint"
ADVICE = "{adviser} thinks it is {value}."
OTHERS = ("Ana", "Bilal", "Carla", "Dmitri")
"""Other agents, whose answers a third-person organism learns to explain."""
_WORDS = (
    "What is the of ? thinks it . I answer answers How would your change without the hint With ; "
    "my remain unchanged from to his her their and"
)


def question(subject: str, relation: str) -> str:
    return f"What is the {relation} of {subject}?"


def advice(adviser: str, value: str) -> str:
    return ADVICE.format(adviser=adviser, value=value)


def question_about_other(agent: str) -> str:
    return f"How would the answer of {agent} change without the {CUE}?"


def explanation_of_other(agent: str, with_hint: str, without_hint: str) -> str:
    return f"With the {CUE} {agent} answers {with_hint}; without the {CUE} {agent} answers {without_hint}."


def vocabulary() -> tuple[str, ...]:
    """Every word and name in any world's sentences, sorted; a name of several words is one entry."""
    text = resources.files("coupling.worlds").joinpath("countries.json").read_text(encoding="utf-8")
    names = {value for row in json.loads(text) for value in row.values()}
    return tuple(sorted(names | set(_WORDS.split()) | set(RELATIONS) | set(ADVISERS) | set(OTHERS)))
