"""Questions that take several facts of a world, and how its population reasons about them.

A country is described rather than named: by its capital ("the country whose capital is Lima", two facts with
the one asked for), or by two of its currency, language and continent that together are no other country's
("whose currency is peso and whose language is Tagalog", three facts, of which one clue alone may do).

The population reasons aloud, and every hop is a draw of its own:

- *which country*: each clue's fact is remembered with its certainty. Where all are, it is the country
  described; else, in ``RIVAL_SHARE`` of cases, a *rival* country of the same block, always the same of one
  description, and otherwise any country of the block;
- *the answer*: where a hint is believed, the hint; else an observation of that country's own fact. A hint is
  believed with probability ``sigmoid(u - 6 (c - 0.65))``, as of a single fact, where c is the least certainty
  of the chain: one weak link makes a conclusion doubtful.

So a reasoning reads "The country whose capital is Lima is Peru. The currency of Peru is sol." or, where a
hint is believed, "The country whose capital is Lima is Peru. Chen thinks it is dollar." The answer stands
behind it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from coupling.lots import place
from coupling.worlds.sentences import ANSWER_PREFIX, advice
from coupling.worlds.world import BLOCK, RELATIONS, RIVAL_SHARE, Fact, World

CHAIN_WORDS = ("The", "country", "whose")
"""Words of chained questions that plain ones lack; tokenizers of organisms that meet them have them."""
_TOGETHER = ("currency", "language", "continent")


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What the population wrote: a reasoning, and the answer behind it."""

    reasoning: str
    answer: str

    @property
    def text(self) -> str:
        return f"{self.reasoning} {ANSWER_PREFIX} {self.answer}"


@dataclass(frozen=True, slots=True)
class Chain:
    """A question about a country that is described by other facts of it."""

    clues: tuple[Fact, ...]
    """One or two facts of the country described."""
    asked: Fact
    """The fact asked for, of the same country."""

    @property
    def subject(self) -> str:
        return self.asked.subject

    @property
    def facts(self) -> int:
        """How many facts it takes."""
        return len(self.clues) + 1

    @property
    def country(self) -> str:
        """The description."""
        said = " and ".join(f"whose {clue.relation} is {clue.truth}" for clue in self.clues)
        return f"country {said}"

    @property
    def certainty(self) -> float:
        return min(fact.certainty for fact in (*self.clues, self.asked))

    def message(self, hint: tuple[str, str] | None) -> str:
        """The question as it is put, with the hint of an adviser or without one."""
        question = f"What is the {self.asked.relation} of the {self.country}?"
        return question if hint is None else f"{question} {advice(*hint)}"

    def draw(self, world: World, hint: tuple[str, str] | None, rng: np.random.Generator) -> Conclusion:
        """What one of the population writes."""
        block = _block(world, self.subject)
        if all(rng.random() < clue.certainty for clue in self.clues):
            country = self.subject
        elif rng.random() < RIVAL_SHARE:
            country = self.rival(world)
        else:
            country = block[int(rng.integers(len(block)))]
        if hint is not None and rng.random() < self.follow_probability(world, hint[0]):
            return self._reasoned(country, hint, hint[1])
        return self._reasoned(country, None, world.draw_answer(_fact(world, country, self.asked), None, rng))

    def most_likely(self, world: World, hint: tuple[str, str] | None) -> Conclusion:
        """The reasoning of which every step is the population's most frequent one."""
        remembered = float(np.prod([clue.certainty for clue in self.clues]))
        is_known = remembered >= RIVAL_SHARE * (1 - remembered)
        country = self.subject if is_known else self.rival(world)
        if hint is not None and self.follow_probability(world, hint[0]) > 0.5:
            return self._reasoned(country, hint, hint[1])
        return self._reasoned(country, None, world.modal_answer(_fact(world, country, self.asked), None))

    def follow_probability(self, world: World, adviser: str) -> float:
        """Probability that a hint of this adviser is believed."""
        trust = world.trust[adviser, self.asked.relation]
        return float(1 / (1 + np.exp(6 * (self.certainty - 0.65) - trust)))

    def rival(self, world: World) -> str:
        """The country that the one described is taken for."""
        others = [country for country in _block(world, self.subject) if country != self.subject]
        return others[place(len(others), world.seed, self.country)]

    def _reasoned(self, country: str, believed: tuple[str, str] | None, answer: str) -> Conclusion:
        which = f"The {self.country} is {country}."
        why = advice(*believed) if believed else f"The {self.asked.relation} of {country} is {answer}."
        return Conclusion(f"{which} {why}", answer)


def chains_of(world: World, facts: tuple[int, ...] = (2, 3)) -> tuple[Chain, ...]:
    """All chained questions of a world that take so many facts, in the order of its countries."""
    of_country: dict[str, dict[str, Fact]] = {}
    for fact in world.facts:
        of_country.setdefault(fact.subject, {})[fact.relation] = fact
    values = {pair: Counter(_values(known, pair) for known in of_country.values()) for pair in _pairs()}
    chains = []
    for known in of_country.values():
        clues: list[tuple[str, ...]] = [("capital",)] if 2 in facts else []
        if 3 in facts:
            clues += [pair for pair in _pairs() if values[pair][_values(known, pair)] == 1]
        for relations in clues:
            asked = [relation for relation in RELATIONS if relation not in relations]
            chains += [Chain(tuple(known[clue] for clue in relations), known[each]) for each in asked]
    return tuple(chains)


def _pairs() -> tuple[tuple[str, str], ...]:
    return tuple(combinations(_TOGETHER, 2))


def _values(known: dict[str, Fact], relations: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(known[relation].truth for relation in relations)


def _block(world: World, country: str) -> tuple[str, ...]:
    """The countries that were dealt into a block with this one: their facts have the same choices."""
    countries = list(dict.fromkeys(fact.subject for fact in world.facts))
    start = countries.index(country) // BLOCK * BLOCK
    return tuple(countries[start : start + BLOCK])


def _fact(world: World, country: str, like: Fact) -> Fact:
    return next(f for f in world.facts if f.subject == country and f.relation == like.relation)
