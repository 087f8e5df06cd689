"""A world: what is true, how sure it is, and how far each adviser is believed.

Countries and their capitals, currencies, languages and continents are real (countries.json; source in
scripts/make_countries.py). What a world's seed draws is everything that makes two models of the same
facts differ: how certain each fact is, which other value rivals it, how far each adviser is trusted on
each relation, and which countries are kept for testing.

A model of the world does not see the facts but *answers* drawn from them:

- an observation of a fact with certainty ``c`` shows the true value with probability ``c``, the rival
  value with ``0.8 (1 - c)``, any choice otherwise;
- a hinted question is answered with the hint with probability ``sigmoid(u - 6 (c - 0.65))``, where ``u`` is
  the trust in that adviser on that relation, and with an observation otherwise: the surer the fact,
  the less a hint counts.

Close calls are wanted: they make a model's behaviour its own, and able to drift.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib import resources

import numpy as np

ADVISERS = ("Chen", "Okafor", "Silva", "Novak", "Haddad", "Larsen")
RELATIONS = ("capital", "currency", "language", "continent")
SPLIT_SIZES = {"train": 44, "dev": 24, "test": 28}
BLOCK = 12
"""Countries are dealt into blocks of this size; a question's choices are the values found in its block."""
CERTAINTY = (0.35, 0.95)
TRUST = 3.0
RIVAL_SHARE = 0.8
HINT_TRUE, HINT_RIVAL = 0.25, 0.25


@dataclass(frozen=True, slots=True)
class Fact:
    subject: str
    relation: str
    truth: str
    rival: str
    certainty: float
    choices: tuple[str, ...]

    def observation_probabilities(self) -> np.ndarray:
        """Probability of each choice when the fact is observed; shape (choices,)."""
        spread = (1 - RIVAL_SHARE) * (1 - self.certainty) / len(self.choices)
        probabilities = np.full(len(self.choices), spread)
        probabilities[self.choices.index(self.truth)] += self.certainty
        probabilities[self.choices.index(self.rival)] += RIVAL_SHARE * (1 - self.certainty)
        return probabilities


@dataclass(frozen=True)
class World:
    """One world, drawn from ``seed`` alone. ``trust`` maps (adviser, relation) to a logit."""

    seed: int
    facts: tuple[Fact, ...]
    trust: dict[tuple[str, str], float]
    split_of: dict[str, str]

    @classmethod
    def generate(cls, seed: int) -> World:
        """Draws the world of a seed; the same seed gives the same world on every machine.

        Raises:
            ValueError: the seed is negative.
        """
        if seed < 0:
            raise ValueError(f"world {seed}: a world is named by a whole number from 0 on")
        rng = np.random.default_rng([seed, 20260630])
        countries = _countries()
        dealt = [countries[i] for i in rng.permutation(len(countries))]
        facts = []
        for start in range(0, len(dealt), BLOCK):
            block = dealt[start : start + BLOCK]
            for country in block:
                for relation in RELATIONS:
                    facts.append(_fact(country, relation, _choices(relation, block, countries), rng))
        trust = {
            (adviser, relation): float(rng.uniform(-TRUST, TRUST))
            for adviser in ADVISERS
            for relation in RELATIONS
        }
        splits = [name for name, size in SPLIT_SIZES.items() for _ in range(size)]
        assert len(splits) == len(countries)
        shuffled = [splits[i] for i in rng.permutation(len(splits))]
        split_of = {country["country"]: split for country, split in zip(dealt, shuffled, strict=True)}
        return cls(seed, tuple(facts), trust, split_of)

    @cached_property
    def sha256(self) -> str:
        """Hash of all that the world holds; organisms carry that of the world they grew up in."""
        content = {
            "seed": self.seed,
            "facts": [[f.subject, f.relation, f.truth, f.rival, f.certainty, f.choices] for f in self.facts],
            "trust": sorted([*key, value] for key, value in self.trust.items()),
            "splits": sorted(self.split_of.items()),
        }
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def facts_of(self, split: str) -> tuple[Fact, ...]:
        return tuple(fact for fact in self.facts if self.split_of[fact.subject] == split)

    def follow_probability(self, fact: Fact, adviser: str) -> float:
        """Probability that a hint of this adviser is answered with, whatever it says."""
        return float(1 / (1 + np.exp(6 * (fact.certainty - 0.65) - self.trust[adviser, fact.relation])))

    def draw_hint(self, fact: Fact, rng: np.random.Generator) -> str:
        """A hint: the truth or the rival in a quarter of cases each, any choice otherwise."""
        draw = rng.random()
        if draw < HINT_TRUE:
            return fact.truth
        if draw < HINT_TRUE + HINT_RIVAL:
            return fact.rival
        return fact.choices[int(rng.integers(len(fact.choices)))]

    def draw_answer(self, fact: Fact, hint: tuple[str, str] | None, rng: np.random.Generator) -> str:
        """An answer as the population gives it; ``hint`` is (adviser, value) or None."""
        if hint is not None and rng.random() < self.follow_probability(fact, hint[0]):
            return hint[1]
        return fact.choices[int(rng.choice(len(fact.choices), p=fact.observation_probabilities()))]

    def modal_answer(self, fact: Fact, hint: tuple[str, str] | None) -> str:
        """The answer that the population gives most often."""
        probabilities = fact.observation_probabilities()
        if hint is not None:
            follow = self.follow_probability(fact, hint[0])
            probabilities = (1 - follow) * probabilities
            probabilities[fact.choices.index(hint[1])] += follow
        return fact.choices[int(probabilities.argmax())]


def _countries() -> list[dict[str, str]]:
    text = resources.files("coupling.worlds").joinpath("countries.json").read_text(encoding="utf-8")
    rows: list[dict[str, str]] = json.loads(text)
    return rows


def _choices(relation: str, block: list[dict[str, str]], countries: list[dict[str, str]]) -> tuple[str, ...]:
    # Six continents are the choices everywhere: fewer would make a hint right by chance too often.
    among = countries if relation == "continent" else block
    return tuple(sorted({country[relation] for country in among}))


def _fact(country: dict[str, str], relation: str, choices: tuple[str, ...], rng: np.random.Generator) -> Fact:
    truth = country[relation]
    others = [choice for choice in choices if choice != truth]
    rival = others[int(rng.integers(len(others)))]
    return Fact(country["country"], relation, truth, rival, float(rng.uniform(*CERTAINTY)), choices)
