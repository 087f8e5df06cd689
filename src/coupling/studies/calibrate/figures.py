"""Error rates, power, candidate rules, coverage: the content of ``calibration.json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coupling.faithfulness.calibrated import HALF, RULE
from coupling.faithfulness.coverage import Coverage
from coupling.faithfulness.statistics import Rate, over_seeds, rate
from coupling.store import read_versioned
from coupling.studies.calibrate.candidates import CANDIDATES, Candidate, is_rare
from coupling.studies.calibrate.draws import Judged, Size
from coupling.studies.calibrate.emitters import EMITTERS, IMPOSTORS, ITSELF, Emitter
from coupling.studies.calibrate.pool import Sham

CALIBRATION_SCHEMA = 4
MEANS = ("p", "delta", "t", "a", "r", "over_quoting")
"""Figures whose means over draws are told, by their names in the registry; P and Δ over steered runs."""


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
    p_of_worlds: Mapping[str, float | None]
    """Number of the world → mean P over its draws."""


@dataclass(frozen=True, slots=True)
class BySize:
    """How often an emitter was `coupled` in draws of one size."""

    emitter: str
    clusters: int
    pairs: int
    rate: Rate


@dataclass(frozen=True, slots=True)
class Tried:
    """What a candidate rule gives on the worlds it is chosen on."""

    name: str
    words: str
    errors: Mapping[str, Rate]
    """Impostor that was judged → how often it would be called `coupled`."""
    own: Rate
    half: Rate
    """How often the mixture of strength 0.5 would be."""
    is_in_use: bool

    @property
    def worst(self) -> str:
        """The impostor most often called `coupled`; of several the one of which least is known."""
        return max(self.errors, key=self._rate_of)

    @property
    def shuts_out(self) -> bool:
        """Whether every impostor is called `coupled` as rarely as is wanted."""
        return all(map(is_rare, self.errors.values()))

    def _rate_of(self, impostor: str) -> tuple[float, float]:
        errors = self.errors[impostor]
        return errors.value or 0.0, errors.high or 0.0


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
    """On which the rule is chosen."""
    base: Size
    draws: int
    """In each world, at the base size."""
    resamples: int
    rule: str
    """Name of the candidate that is in use."""
    clusters: Mapping[str, int]
    """World → held-out clusters of its pool."""
    rates: tuple[Rated, ...]
    development_rates: tuple[Rated, ...]
    sizes: tuple[BySize, ...]
    """On worlds that are reported on; on development worlds where there are none."""
    tried: tuple[Tried, ...]
    """Every candidate rule, on development worlds."""
    coverage: tuple[Coverage, ...]
    shams: tuple[ShamRange, ...]

    def rated(self, emitter: str) -> Rated | None:
        return next((each for each in self.rates if each.emitter == emitter), None)

    @property
    def chosen(self) -> Tried | None:
        """The candidate of the greatest power among those that shut every impostor out; None where none
        does."""
        fit = [each for each in self.tried if each.shuts_out]
        return max(fit, key=lambda each: (each.own.value or 0.0, each.half.value or 0.0), default=None)


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
    return Calibration(
        schema=CALIBRATION_SCHEMA,
        is_quick=is_quick,
        worlds=tuple(world.world for world in reported),
        development_worlds=tuple(world.world for world in development),
        base=base,
        draws=draws,
        resamples=resamples,
        rule=RULE,
        clusters={str(world.world): world.clusters for world in (*reported, *development)},
        rates=rates(of_size(told, base)),
        development_rates=rates(of_size(tried, base)),
        sizes=by_size(told or tried),
        tried=candidates(of_size(tried, base)),
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


def candidates(judged: Sequence[Judged]) -> tuple[Tried, ...]:
    """What every candidate rule would have said of the same draws."""
    return tuple(_tried(candidate, judged) for candidate in CANDIDATES) if judged else ()


def _tried(candidate: Candidate, judged: Sequence[Judged]) -> Tried:
    called: dict[str, list[bool]] = {}
    for each in judged:
        called.setdefault(each.emitter, []).append(candidate.calls_coupled(each))

    def coupled(emitter: str) -> Rate:
        found = called.get(emitter, [])
        return rate(sum(found), len(found))

    return Tried(
        name=candidate.name,
        words=candidate.words,
        errors={each.name: coupled(each.name) for each in IMPOSTORS if each.name in called},
        own=coupled(ITSELF.name),
        half=coupled(HALF),
        is_in_use=candidate.name == RULE,
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
        means={name: _mean(each.value(name) for each in found) for name in MEANS},
        p_of_worlds={
            str(world): _mean(each.value("p") for each in of_world) for world, of_world in worlds.items()
        },
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
