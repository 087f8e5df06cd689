"""Error rates, power, margins, coverage: the content of ``calibration.json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coupling.faithfulness import FROZEN
from coupling.faithfulness.calibrated import HALF, OWN
from coupling.faithfulness.coverage import Coverage
from coupling.faithfulness.statistics import Rate, over_seeds, rate
from coupling.store import read_versioned
from coupling.studies.calibrate.draws import Judged, Size
from coupling.studies.calibrate.emitters import (
    EMITTERS,
    IMPOSTORS,
    ITSELF,
    MIXTURES,
    Emitter,
)
from coupling.studies.calibrate.pool import Sham

CALIBRATION_SCHEMA = 2
MEANS = ("delta", "t", "a", "r")
"""Figures whose means over draws are told, by their names in the registry."""
TWIN_MARGINS = (0.5, 0.55, 0.6, 0.65)
ADVANTAGE_MARGINS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35)
RIVALRY_MARGINS = (-0.25, -0.2, -0.15, -0.1, -0.05, 0.0)
"""Margins that are tried beside those in use; of R also none, so that it may lie anywhere."""
POWERS = (0.8, 0.9)
CLUSTER_BINS = ((0, 19), (20, 23), (24, 27), (28, 35), (36, 10**6))
"""Numbers of discordant clusters by which power is told, first and last."""


@dataclass(frozen=True, slots=True)
class Rated:
    """How often the verdict on an emitter was `coupled`."""

    emitter: str
    pooled: Rate
    """All draws, taken for independent."""
    worlds: Mapping[str, Rate]
    """Number of the world → its draws."""
    low: float | None
    """The 95 % t-interval over worlds; n/a of one world, and where all worlds have one rate."""
    high: float | None
    reasons: Mapping[str, int]
    """Reason of the verdict → draws."""
    means: Mapping[str, float | None]
    """Mean over draws of each of `MEANS`."""


@dataclass(frozen=True, slots=True)
class BySize:
    """How often an emitter was `coupled` in draws of one size."""

    emitter: str
    clusters: int
    pairs: int
    rate: Rate


@dataclass(frozen=True, slots=True)
class ByClusters:
    """How often an emitter was `coupled` in draws of all sizes with so many discordant clusters."""

    emitter: str
    first: int
    last: int
    rate: Rate


@dataclass(frozen=True, slots=True)
class Margin:
    """What margins give on the worlds they are chosen on."""

    twin_margin: float
    advantage_margin: float
    rivalry_margin: float | None
    """None where R may lie anywhere."""
    errors: Mapping[str, Rate]
    """Impostor → how often it was called `coupled`."""
    own: Rate
    half: Rate
    """How often the mixture of strength 0.5 was."""
    is_frozen: bool

    @property
    def worst(self) -> str:
        """The impostor most often called `coupled`; the first of several."""
        return max(self.errors, key=lambda name: self.errors[name].value or 0.0)


@dataclass(frozen=True, slots=True)
class Smallest:
    """The least pairs with which an emitter is called `coupled` often enough, and clusters they come from."""

    emitter: str
    power: float
    size: Size | None
    """None where no size that was tried has this power."""


@dataclass(frozen=True, slots=True)
class ShamRange:
    """How well sham updates match the runs they stand in for, in one world."""

    world: int
    kls: tuple[float, float]
    """Least and greatest mean KL from M0 of the runs."""
    greatest_ratio: float
    """The worst match: the greater KL by the lesser."""


@dataclass(frozen=True, slots=True)
class WorldFigures:
    """What one world contributes."""

    world: int
    clusters: int
    pairs: int
    judged: tuple[Judged, ...]
    coverage: tuple[Coverage, ...]
    shams: tuple[Sham, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """All of it; draws themselves stay in the files of the worlds."""

    schema: int
    is_quick: bool
    worlds: tuple[int, ...]
    """On which errors, power and coverage are reported."""
    development_worlds: tuple[int, ...]
    """On which margins are chosen."""
    base: Size
    draws: int
    """In each world, at the base size."""
    resamples: int
    twin_margin: float
    advantage_margin: float
    rivalry_margin: float
    clusters: Mapping[str, int]
    """World → held-out clusters of its pool."""
    rates: tuple[Rated, ...]
    development_rates: tuple[Rated, ...]
    sizes: tuple[BySize, ...]
    by_clusters: tuple[ByClusters, ...]
    smallest: tuple[Smallest, ...]
    margins: tuple[Margin, ...]
    """On development worlds."""
    coverage: tuple[Coverage, ...]
    shams: tuple[ShamRange, ...]

    def rated(self, emitter: str) -> Rated | None:
        return next((each for each in self.rates if each.emitter == emitter), None)


def read_calibration(file: Path) -> Calibration:
    """The content of a ``calibration.json``. Raises ValueError where it is of another version."""
    return read_versioned(Calibration, file, CALIBRATION_SCHEMA, "`coupling calibrate --read` makes it anew")


def calibration(
    reported: Sequence[WorldFigures],
    development: Sequence[WorldFigures],
    coverages: Sequence[Coverage],
    base: Size,
    draws: int,
    resamples: int,
    is_quick: bool,
) -> Calibration:
    """Everything that is said, from what was drawn."""
    told = [each for world in reported for each in world.judged]
    tried = [each for world in development for each in world.judged]
    sizes = by_size(told)
    return Calibration(
        schema=CALIBRATION_SCHEMA,
        is_quick=is_quick,
        worlds=tuple(world.world for world in reported),
        development_worlds=tuple(world.world for world in development),
        base=base,
        draws=draws,
        resamples=resamples,
        twin_margin=FROZEN.twin_margin,
        advantage_margin=FROZEN.advantage_margin,
        rivalry_margin=FROZEN.rivalry_margin,
        clusters={str(world.world): world.clusters for world in (*reported, *development)},
        rates=rates(of_size(told, base)),
        development_rates=rates(of_size(tried, base)),
        sizes=sizes,
        by_clusters=by_clusters(told),
        smallest=tuple(
            smallest(emitter, power, sizes) for emitter in (OWN, "oracle", HALF) for power in POWERS
        ),
        margins=margins(of_size(tried, base)),
        coverage=tuple(coverages),
        shams=tuple(_sham_range(world) for world in (*reported, *development) if world.shams),
    )


def of_size(judged: Iterable[Judged], size: Size) -> list[Judged]:
    return [each for each in judged if (each.clusters, each.pairs) == (size.clusters, size.pairs)]


def rates(judged: Sequence[Judged]) -> tuple[Rated, ...]:
    """Of every emitter that was judged, in the order they are listed."""
    return tuple(
        _rated(emitter, found)
        for emitter in EMITTERS
        if (found := [each for each in judged if each.emitter == emitter.name])
    )


def by_size(judged: Sequence[Judged]) -> tuple[BySize, ...]:
    sizes = sorted({(each.pairs, each.clusters) for each in judged})
    return tuple(
        BySize(emitter.name, clusters, pairs, _rate(found))
        for emitter in EMITTERS
        for pairs, clusters in sizes
        if (found := [e for e in of_size(judged, Size(clusters, pairs)) if e.emitter == emitter.name])
    )


def by_clusters(judged: Sequence[Judged]) -> tuple[ByClusters, ...]:
    """Power by discordant clusters; of emitters that follow the run."""
    return tuple(
        ByClusters(emitter.name, first, last, _rate(found))
        for emitter in (ITSELF, *MIXTURES)
        for first, last in CLUSTER_BINS
        if (
            found := [
                each
                for each in judged
                if each.emitter == emitter.name and first <= each.figures["discordant_pairs"].clusters <= last
            ]
        )
    )


def smallest(emitter: str, power: float, sizes: Iterable[BySize]) -> Smallest:
    """Fewest pairs, then fewest clusters, among sizes of this power."""
    enough = [
        (each.pairs, each.clusters)
        for each in sizes
        if each.emitter == emitter and each.rate.value is not None and each.rate.value >= power
    ]
    return Smallest(emitter, power, Size(min(enough)[1], min(enough)[0]) if enough else None)


def margins(judged: Sequence[Judged]) -> tuple[Margin, ...]:
    """What all margins of the grid would have said of the same draws."""
    if not judged:
        return ()
    frozen = (FROZEN.twin_margin, FROZEN.advantage_margin, FROZEN.rivalry_margin)
    return tuple(
        _margin(judged, t, a, r, (t, a, r) == frozen)
        for r in (None, *sorted({*RIVALRY_MARGINS, FROZEN.rivalry_margin}))
        for t in sorted({*TWIN_MARGINS, FROZEN.twin_margin})
        for a in sorted({*ADVANTAGE_MARGINS, FROZEN.advantage_margin})
    )


def _margin(
    judged: Sequence[Judged],
    twin_margin: float,
    advantage_margin: float,
    rivalry_margin: float | None,
    is_frozen: bool,
) -> Margin:
    def coupled(emitter: Emitter) -> Rate:
        found = [
            each.coupled_at(twin_margin, advantage_margin, rivalry_margin)
            for each in judged
            if each.emitter == emitter.name
        ]
        return rate(sum(found), len(found))

    (half,) = (emitter for emitter in MIXTURES if emitter.name == HALF)
    return Margin(
        twin_margin=twin_margin,
        advantage_margin=advantage_margin,
        rivalry_margin=rivalry_margin,
        errors={emitter.name: coupled(emitter) for emitter in IMPOSTORS},
        own=coupled(ITSELF),
        half=coupled(half),
        is_frozen=is_frozen,
    )


def _rated(emitter: Emitter, found: Sequence[Judged]) -> Rated:
    worlds = {
        world: [each for each in found if each.world == world] for world in sorted({e.world for e in found})
    }
    by_world = {str(world): _rate(of_world) for world, of_world in worlds.items()}
    values = [each.value for each in by_world.values() if each.value is not None]
    over = over_seeds(values)
    has_spread = over.low is not None and len(set(values)) > 1
    return Rated(
        emitter=emitter.name,
        pooled=_rate(found),
        worlds=by_world,
        low=max(0.0, over.low) if has_spread and over.low is not None else None,
        high=min(1.0, over.high) if has_spread and over.high is not None else None,
        reasons=dict(Counter(each.reason for each in found).most_common()),
        means={name: _mean(each.figures[name].value for each in found) for name in MEANS},
    )


def _rate(found: Sequence[Judged]) -> Rate:
    return rate(sum(each.is_coupled for each in found), len(found))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _sham_range(world: WorldFigures) -> ShamRange:
    kls = [sham.kl for sham in world.shams]
    ratios = [max(sham.kl, sham.sham_kl) / max(min(sham.kl, sham.sham_kl), 1e-12) for sham in world.shams]
    return ShamRange(world.world, (min(kls), max(kls)), max(ratios))
