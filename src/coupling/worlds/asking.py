"""Questions as they are put to a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coupling.worlds.sentences import advice, question
from coupling.worlds.world import ADVISERS, Fact, World


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is put: about a fact, with the hint of an adviser or without one."""

    fact: Fact
    hint: tuple[str, str] | None

    @property
    def message(self) -> str:
        asked = question(self.fact.subject, self.fact.relation)
        return asked if self.hint is None else f"{asked} {advice(*self.hint)}"


def draw_asked(
    world: World, facts: tuple[Fact, ...], rng: np.random.Generator, advisers: tuple[str, ...] = ADVISERS
) -> Asked:
    """A hinted question about one of the facts."""
    fact = facts[int(rng.integers(len(facts)))]
    adviser = advisers[int(rng.integers(len(advisers)))]
    return Asked(fact, (adviser, world.draw_hint(fact, rng)))
