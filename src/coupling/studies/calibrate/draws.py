"""Many panels drawn from a pool, each explained by every emitter and judged by the rule of every verdict.

A draw takes a training seed for each twin pair and each other position, some clusters and some of their
pairs, without replacement; what stands in is drawn too. All emitters of a draw are judged on the same
panel and pairs, before the same observers, who know the siblings.

Of each judgement is kept what other rules would have asked (`candidates`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coupling.faithfulness import FROZEN
from coupling.faithfulness.coverage import Coverage, cluster_sums, coverage
from coupling.faithfulness.figures import over_quoting_rows
from coupling.faithfulness.judge import headline
from coupling.faithfulness.outsiders import moved_outside, outsiders
from coupling.faithfulness.panel import Panel
from coupling.faithfulness.privilege import Outside, fit_observers
from coupling.faithfulness.results import COUPLED
from coupling.faithfulness.rows import ALL_RUNS, OTHER, OWN, STEERED_RUNS
from coupling.faithfulness.scores import Table
from coupling.faithfulness.statistics import ClusterBootstrap, IntArray
from coupling.records import Estimate
from coupling.studies.calibrate.emitters import EMITTERS, MOVED, OUTSIDERS, Cast, Emitter, cast, claims_of
from coupling.studies.calibrate.parts import PANEL
from coupling.studies.calibrate.pool import Pool

OF_STEERED = ("p", "p_worst", "p_errors", "delta", "delta_worst", "delta_errors")
KEPT = (*OF_STEERED, "t", "a", "r", "self", "over_quoting", "parse_rate", "discordant_pairs")
"""What is kept of each judgement, by its name in the registry; of steered runs pooled, P and Δ alone."""
MOVED_EVERY = 3
"""`emitters.MOVED` is judged in every third draw: it takes observers of its own."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a draw is judged on."""

    clusters: int
    pairs: int


@dataclass(frozen=True, slots=True)
class Judged:
    """One emitter in one draw."""

    world: int
    draw: int
    emitter: str
    clusters: int
    pairs: int
    figures: Mapping[str, Estimate]
    """One for each of `KEPT` that has a row, all runs pooled."""
    steered: Mapping[str, Estimate]
    """One for each of `OF_STEERED` that has a row, steered runs pooled."""
    collateral_t: Estimate
    """T on pairs that only moved along."""
    verdict: str
    reason: str

    @property
    def is_coupled(self) -> bool:
        return self.verdict == COUPLED

    def value(self, figure: str) -> float | None:
        """Of the runs that the verdict asks: those that are steered for P and Δ."""
        found = self.steered.get(figure, self.figures.get(figure))
        return None if found is None else found.value


def judged_draws(
    pool: Pool,
    size: Size,
    numbers: Sequence[int],
    resamples: int,
    seed: int,
    emitters: Sequence[Emitter] = EMITTERS,
) -> Iterator[list[Judged]]:
    """The judgements of the draws with these numbers, one draw after the other; each is the same whichever
    others are drawn."""
    for number in numbers:
        generator = np.random.default_rng([seed, pool.world, size.clusters, size.pairs, number])
        drawn = cast(pool, generator)
        rows = _rows(pool, size, generator)
        panel = panel_of(pool, drawn).part(range(len(pool.positions)), rows)
        bootstrap = ClusterBootstrap(panel.clusters, resamples, int(generator.integers(2**31)))
        outside = Outside(None, fit_observers(panel, True))
        made = {each.explainer.name: each.claims for each in outsiders(panel, outside.guess)}
        found = []
        for emitter in emitters:
            if emitter is MOVED:
                if number % MOVED_EVERY == 0:
                    found += _judged_moved(pool, size, number, panel, rows, bootstrap)
                continue
            claims = made[emitter.name] if emitter in OUTSIDERS else claims_of(emitter, pool, drawn)[:, rows]
            assert claims is not None
            explained = replace(panel, claims=claims)
            found.append(_judged(pool, size, number, emitter, explained, rows, bootstrap, outside))
        yield found


def panel_of(pool: Pool, drawn: Cast) -> Table:
    """The panel that was drawn, over all pairs of the pool; its runs are called by their positions."""
    numbers = [pool.row(PANEL, position, drawn.seeds[position]) for position in pool.positions]
    panel = pool.table.part(numbers, np.arange(len(pool.table.pairs)))
    return replace(panel, runs=pool.positions)


def covered(pool: Pool, clusters: Sequence[int], draws: int, resamples: int, seed: int) -> list[Coverage]:
    """Coverage of intervals in a world, of its panels' own explanations: a panel for each training seed."""
    found = []
    seeds = pool.seeds[PANEL]
    every = np.arange(len(pool.table.pairs))
    for number, training_seed in enumerate(seeds):
        rows = [pool.row(PANEL, position, training_seed) for position in pool.positions]
        panel = replace(pool.table.part(rows, every), runs=pool.positions)
        sums = cluster_sums(panel, pool.twins, fit_observers(panel, True).gains(panel.claims))
        share = draws // len(seeds) + (number < draws % len(seeds))
        for count in clusters:
            found += coverage(sums, count, share, resamples, seed + 1000 * pool.world + number)
    return found


def _rows(pool: Pool, size: Size, generator: np.random.Generator) -> IntArray:
    """The pairs of a draw, as rising rows of the pool's table; fewer where the clusters hold fewer."""
    clusters = generator.choice(pool.clusters, min(size.clusters, pool.clusters), replace=False)
    within: npt.NDArray[np.int64] = np.flatnonzero(np.isin(pool.table.clusters, clusters))
    return np.sort(generator.choice(within, min(size.pairs, len(within)), replace=False))


def _judged_moved(
    pool: Pool, size: Size, number: int, panel: Table, rows: IntArray, bootstrap: ClusterBootstrap
) -> list[Judged]:
    """Behaviour moved outside the weights, before observers of that behaviour; where nothing is declared,
    nothing can be moved."""
    moved = moved_outside(panel)
    if moved is None:
        return []
    outside = Outside(None, fit_observers(moved, True))
    return [_judged(pool, size, number, MOVED, moved, rows, bootstrap, outside)]


def _judged(
    pool: Pool,
    size: Size,
    number: int,
    emitter: Emitter,
    table: Table,
    rows: IntArray,
    bootstrap: ClusterBootstrap,
    outside: Outside,
) -> Judged:
    baselines = {name: claims[rows] for name, claims in pool.baselines.items()}
    panel = Panel(table, bootstrap, 0, pool.twins, pool.steered)
    figures, verdict = headline(panel, baselines, outside, OWN, FROZEN)
    (quoting,) = [row.estimate for row in over_quoting_rows(panel) if row.run == ALL_RUNS]
    pooled = {name: figures(name) for name in KEPT} | {"over_quoting": quoting}
    steered = {name: figures(name, STEERED_RUNS) for name in OF_STEERED}
    return Judged(
        world=pool.world,
        draw=number,
        emitter=emitter.name,
        clusters=size.clusters,
        pairs=size.pairs,
        figures={name: each for name, each in pooled.items() if each.value is not None},
        steered={name: each for name, each in steered.items() if each.value is not None},
        collateral_t=figures("t", subset=OTHER),
        verdict=verdict.verdict,
        reason=verdict.reason,
    )
