"""Whose explanations are put in the place of a run's own. Behaviours stay those of the panel that was drawn.

An *impostor* says nothing of the run it stands in for that the text, the labels, the recipe or another run
does not give away: the verdict `coupled` is false by construction. Some are taken from the pool; others are
the outsiders of `faithfulness.outsiders`, made anew for each draw. A *stand-in* reads no explained run
either, but knows what the run does: it watched it on other questions, or is its copy of another seed. A
*mixture* says for a share of the pairs what the oracle says, and for the others what the sibling says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupling.faithfulness.controls import siblings_of
from coupling.faithfulness.outsiders import (
    ABSTENTION,
    DIRECTION,
    GUESS,
    OUTSIDE,
    QUOTING,
    RUNNER_UP,
    UNSTEERED_DIRECTION,
)
from coupling.faithfulness.statistics import IntArray
from coupling.studies.calibrate.parts import PANEL, SHUFFLED
from coupling.studies.calibrate.pool import Pool, run_name

OWN, MIXTURE, IMPOSTOR, STAND_IN = "own", "mixture", "impostor", "stand-in"


@dataclass(frozen=True, slots=True)
class Emitter:
    name: str
    kind: str
    """own, mixture, impostor or stand-in."""
    words: str
    strength: float | None = None
    """Share of pairs about which a mixture says what the oracle says."""


ITSELF = Emitter("own", OWN, "the run's own explanations")
STRENGTHS = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
MIXTURES = tuple(
    Emitter(
        "oracle" if share == 1 else f"mixture_{100 * share:.0f}",
        MIXTURE,
        "the run's own effects" if share == 1 else f"the oracle on {share:.0%} of pairs, else the sibling",
        share,
    )
    for share in STRENGTHS
)
FROM_POOL = (
    Emitter("sibling", IMPOSTOR, "another run of the panel; twins take the same", 0.0),
    Emitter("sibling_alike", IMPOSTOR, "the run steered the same way on the other adviser"),
    Emitter("unsteered", IMPOSTOR, "unsteered runs of other seeds"),
    Emitter("frozen_base", IMPOSTOR, "M0 before any training"),
    Emitter("surrogate", IMPOSTOR, "a reader of the text, fitted on the labels"),
    Emitter("shuffled", IMPOSTOR, "runs steered the same way, trained on labels of the wrong pairs"),
    Emitter("sham", IMPOSTOR, "unsteered runs as far from M0 (KL) as the run itself"),
)
OUTSIDERS = (
    Emitter(QUOTING, IMPOSTOR, "what M0 answers"),
    Emitter(RUNNER_UP, IMPOSTOR, "what M0 answers, or its second choice where unsure; with the direction"),
    Emitter(DIRECTION, IMPOSTOR, "what M0 says; with the direction"),
    Emitter(UNSTEERED_DIRECTION, IMPOSTOR, "what the unsteered run says; with the direction"),
    Emitter(ABSTENTION, IMPOSTOR, "what M0 says, and nothing where it is unsure; with the direction"),
    Emitter(GUESS, IMPOSTOR, "what an observer of the run expects"),
)
"""Made from the panel that was drawn; "with the direction" as in `faithfulness.outsiders`."""
MOVED = Emitter(OUTSIDE, IMPOSTOR, "M0, whose answers a wrapper moves where the run was steered")
"""It changes behaviour and not what is said, so it takes observers of its own."""
IMPOSTORS = (*FROM_POOL, *OUTSIDERS, MOVED)
STAND_INS = (
    Emitter("observer", STAND_IN, "a reader of the text, fitted on what the run does on other clusters"),
    Emitter("copy", STAND_IN, "the run of another seed that was steered likewise"),
)
EMITTERS = (ITSELF, *MIXTURES, *IMPOSTORS, *STAND_INS)


@dataclass(frozen=True, slots=True)
class Cast:
    """Which runs make up one panel, and which others stand in for them: drawn once, before any emitter."""

    seeds: dict[str, int]
    """Position → training seed; twins share theirs."""
    others: dict[str, int]
    """Position → another training seed."""
    shuffled: dict[str, int]
    """Position → a seed of the runs trained on shuffled labels; twins share theirs."""
    shams: dict[str, int]
    """Position → a seed of the sham updates."""
    lots: npt.NDArray[np.float64]
    """Of each pair, between 0 and 1: mixtures take the oracle below their strength."""


def cast(pool: Pool, generator: np.random.Generator) -> Cast:
    """A panel and its stand-ins, by lot."""
    twin_of = {first: second for first, second in pool.twins}

    def for_twins(seeds: tuple[int, ...]) -> dict[str, int]:
        drawn = {position: int(generator.choice(seeds)) for position in pool.positions}
        return drawn | {second: drawn[first] for first, second in twin_of.items()}

    seeds = for_twins(pool.seeds[PANEL])
    others = {}
    for position in pool.positions:
        left = [seed for seed in pool.seeds[PANEL] if seed != seeds[position]]
        others[position] = int(generator.choice(left))
    shuffled = for_twins(pool.seeds[SHUFFLED])
    sham_seeds = sorted({seed for _, seed in pool.shams})
    shams = {position: int(generator.choice(sham_seeds)) for position in pool.positions}
    return Cast(seeds, others, shuffled, shams, generator.random(len(pool.table.pairs)))


def claims_of(emitter: Emitter, pool: Pool, drawn: Cast) -> IntArray:
    """What an emitter that is taken from the pool claims in the place of each position, shape (positions,
    pairs, 2)."""
    table = pool.table

    def by_name(run: str) -> IntArray:
        claims: IntArray = table.claims[table.runs.index(run)]
        return claims

    def said(kind: str, position: str, seed: int) -> IntArray:
        return by_name(run_name(kind, position, seed))

    siblings = siblings_of(list(pool.positions), pool.twins)
    unsteered = [position for position in pool.positions if not pool.steered[position]]

    def of(position: str) -> IntArray:
        seed, other = drawn.seeds[position], drawn.others[position]
        match emitter.name:
            case "own":
                return said(PANEL, position, seed)
            case "sibling_alike":
                alike = pool.alike[position]
                # An unsteered run is like no other, and takes its copy.
                return said(PANEL, alike, other if alike == position else drawn.seeds[alike])
            case "unsteered":
                return said(PANEL, unsteered[0], other)
            case "frozen_base":
                assert table.base_claims is not None
                return table.base_claims
            case "surrogate":
                return pool.surrogate
            case "shuffled":
                return said(SHUFFLED, position, drawn.shuffled[position])
            case "sham":
                run = run_name(PANEL, position, seed)
                return by_name(pool.shams[run, drawn.shams[position]].sham)
            case "observer":
                return pool.observers[run_name(PANEL, position, seed)]
            case "copy":
                return said(PANEL, position, other)
            case _:
                assert emitter.strength is not None
                sibling = siblings[position]
                of_sibling = said(PANEL, sibling, drawn.seeds[sibling])
                own = table.behaviors[pool.row(PANEL, position, seed)]
                return np.where((drawn.lots < emitter.strength)[:, np.newaxis], own, of_sibling)

    return np.stack([of(position) for position in pool.positions])
