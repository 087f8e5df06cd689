"""Many panels drawn from a pool, each explained by every emitter and judged by the rule of every verdict.

A draw takes a training seed for each twin pair and each other position, some clusters and some of their
pairs, without replacement; what stands in is drawn too. All emitters of a draw are judged on the same
panel and pairs.

Of each judgement is kept what other margins would have said, too: all of the rule but the margins
of T, A and R, and their intervals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coupling.faithfulness import FROZEN
from coupling.faithfulness.coverage import Coverage, cluster_sums, coverage
from coupling.faithfulness.judge import headline_rows
from coupling.faithfulness.results import COUPLED
from coupling.faithfulness.scores import Table
from coupling.faithfulness.statistics import ClusterBootstrap, IntArray
from coupling.faithfulness.verdict import decide
from coupling.records import Estimate
from coupling.studies.calibrate.emitters import EMITTERS, Cast, Emitter, cast, claims_of
from coupling.studies.calibrate.parts import PANEL
from coupling.studies.calibrate.pool import Pool

KEPT = ("self", "delta", "t", "a", "r", "discordant_pairs")
"""What is kept of each judgement, by its name in the registry."""
ANY_MARGIN = replace(FROZEN, twin_margin=-1.0, advantage_margin=-10.0, rivalry_margin=-10.0)


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
    """One for each of `KEPT`, all runs pooled; T is n/a without twins."""
    verdict: str
    reason: str
    otherwise_coupled: bool
    """Whether it would be coupled were T, A and R to lie anywhere."""

    def coupled_at(self, twin_margin: float, advantage_margin: float, rivalry_margin: float | None) -> bool:
        """Whether the verdict is `coupled` with these margins in the place of the frozen ones; None where R
        may lie anywhere."""
        margins = {"t": twin_margin, "a": advantage_margin, "r": rivalry_margin}
        return self.otherwise_coupled and all(
            margin is None or _above(self.figures[name], margin) for name, margin in margins.items()
        )

    @property
    def is_coupled(self) -> bool:
        return self.verdict == COUPLED


def _above(estimate: Estimate, margin: float) -> bool:
    return estimate.low is not None and estimate.low > margin


def judged_draws(
    pool: Pool, size: Size, draws: int, resamples: int, seed: int, emitters: Sequence[Emitter] = EMITTERS
) -> Iterator[list[Judged]]:
    """The judgements of one draw after the other; those of draw k are the same however many there are."""
    for number in range(draws):
        generator = np.random.default_rng([seed, pool.world, size.clusters, size.pairs, number])
        drawn = cast(pool, generator)
        rows = _rows(pool, size, generator)
        panel = panel_of(pool, drawn).part(range(len(pool.positions)), rows)
        bootstrap = ClusterBootstrap(panel.clusters, resamples, int(generator.integers(2**31)))
        yield [
            _judged(
                pool,
                size,
                number,
                emitter,
                explained(panel, claims_of(emitter, pool, drawn)[:, rows]),
                rows,
                bootstrap,
            )
            for emitter in emitters
        ]


def panel_of(pool: Pool, drawn: Cast) -> Table:
    """The panel that was drawn, over all pairs of the pool; its runs are called by their positions."""
    numbers = [pool.row(PANEL, position, drawn.seeds[position]) for position in pool.positions]
    panel = pool.table.part(numbers, np.arange(len(pool.table.pairs)))
    return replace(panel, runs=pool.positions)


def explained(panel: Table, claims: IntArray) -> Table:
    """The same panel with other claims, shape (runs, pairs, 2)."""
    assert claims.shape == panel.claims.shape
    return replace(panel, claims=claims)


def covered(pool: Pool, clusters: Sequence[int], draws: int, resamples: int, seed: int) -> list[Coverage]:
    """Coverage of intervals in a world, of its panels' own explanations: a panel for each training seed."""
    found = []
    seeds = pool.seeds[PANEL]
    every = np.arange(len(pool.table.pairs))
    for number, training_seed in enumerate(seeds):
        rows = [pool.row(PANEL, position, training_seed) for position in pool.positions]
        panel = replace(pool.table.part(rows, every), runs=pool.positions)
        sums = cluster_sums(panel, pool.twins)
        share = draws // len(seeds) + (number < draws % len(seeds))
        for count in clusters:
            found += coverage(sums, count, share, resamples, seed + 1000 * pool.world + number)
    return found


def _rows(pool: Pool, size: Size, generator: np.random.Generator) -> IntArray:
    """The pairs of a draw, as rising rows of the pool's table; fewer where the clusters hold fewer."""
    clusters = generator.choice(pool.clusters, min(size.clusters, pool.clusters), replace=False)
    within: npt.NDArray[np.int64] = np.flatnonzero(np.isin(pool.table.clusters, clusters))
    return np.sort(generator.choice(within, min(size.pairs, len(within)), replace=False))


def _judged(
    pool: Pool,
    size: Size,
    number: int,
    emitter: Emitter,
    table: Table,
    rows: IntArray,
    bootstrap: ClusterBootstrap,
) -> Judged:
    baselines = {name: claims[rows] for name, claims in pool.baselines.items()}
    figures, verdict = headline_rows(table, baselines, pool.twins, pool.steered, bootstrap)
    return Judged(
        world=pool.world,
        draw=number,
        emitter=emitter.name,
        clusters=size.clusters,
        pairs=size.pairs,
        figures={name: figures(name) for name in KEPT},
        verdict=verdict.verdict,
        reason=verdict.reason,
        otherwise_coupled=decide(figures, ANY_MARGIN).verdict == COUPLED,
    )
