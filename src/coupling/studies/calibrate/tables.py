"""The calibration's tables, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coupling.faithfulness.coverage import PERCENTILE
from coupling.faithfulness.registry import FIGURES
from coupling.faithfulness.statistics import Rate
from coupling.report.text import number
from coupling.studies.calibrate.emitters import Emitter
from coupling.studies.calibrate.figures import MEANS, Calibration, Margin, Rated, Smallest
from coupling.studies.writing import bounds, table, told

RATE_COLUMNS = (
    "explained by",
    "which is",
    "draws",
    "`coupled`",
    "over draws",
    "over worlds",
    *(FIGURES[name].symbol for name in MEANS),
    "the verdict else",
)


def rates_table(rates: Sequence[Rated], emitters: Iterable[Emitter]) -> list[str]:
    words = {emitter.name: emitter.words for emitter in emitters}
    rows = []
    for rated in rates:
        if rated.emitter not in words:
            continue
        pooled = rated.pooled
        others = [
            f"{reason.replace('_', ' ')} {count}"
            for reason, count in rated.reasons.items()
            if reason != "coupled"
        ]
        rows.append(
            (
                f"`{rated.emitter}`",
                words[rated.emitter],
                str(pooled.trials),
                number(pooled.value),
                bounds(pooled.low, pooled.high),
                bounds(rated.low, rated.high),
                *(mean_told(rated, name) for name in MEANS),
                "; ".join(others[:3]) or "-",
            )
        )
    return table(RATE_COLUMNS, rows)


def by_world_table(rates: Sequence[Rated], emitters: Iterable[Emitter]) -> list[str]:
    names = _names(emitters)
    chosen = [rated for rated in rates if rated.emitter in names]
    worlds = sorted({world for rated in chosen for world in rated.worlds}, key=int)
    return table(
        ("explained by", *(f"world {world}" for world in worlds)),
        [(f"`{rated.emitter}`", *(told(rated.worlds[world]) for world in worlds)) for rated in chosen],
    )


def cluster_table(results: Calibration) -> list[str]:
    bins = sorted({(each.first, each.last) for each in results.by_clusters})
    found = {(each.emitter, each.first): each.rate for each in results.by_clusters}
    names = list(dict.fromkeys(each.emitter for each in results.by_clusters))
    return table(
        (
            "explained by",
            *(f"{first} and more" if last >= 10**6 else f"{first} to {last}" for first, last in bins),
        ),
        [(f"`{name}`", *(told_or_none(found.get((name, first))) for first, _ in bins)) for name in names],
    )


def size_table(results: Calibration) -> list[str]:
    sizes = sorted({(each.pairs, each.clusters) for each in results.sizes})
    names = [
        name
        for name in dict.fromkeys(each.emitter for each in results.sizes)
        if len({(each.pairs, each.clusters) for each in results.sizes if each.emitter == name}) > 1
    ]
    found = {(each.emitter, each.pairs, each.clusters): each.rate for each in results.sizes}
    return table(
        ("pairs", "clusters", *(f"`{name}`" for name in names)),
        [
            (
                str(pairs),
                str(clusters),
                *(told_or_none(found.get((name, pairs, clusters))) for name in names),
            )
            for pairs, clusters in sizes
        ],
    )


def smallest_told(each: Smallest) -> str:
    if each.size is None:
        return f"`{each.emitter}`: no size that was tried has power {each.power}."
    size = f"{each.size.pairs} pairs of {each.size.clusters} clusters"
    return f"`{each.emitter}`: power {each.power} from {size} on."


def coverage_table(results: Calibration) -> list[str]:
    rows = [
        (
            each.figure,
            str(each.clusters),
            each.method,
            str(each.held.trials),
            told(each.held),
            f"{each.below}, {each.above}",
            number(each.width, 3),
        )
        for each in sorted(results.coverage, key=lambda e: (e.figure, e.clusters, e.method != PERCENTILE))
    ]
    return table(
        ("figure", "clusters", "interval", "draws", "holds the truth", "below, above it", "width"), rows
    )


def margins_table(results: Calibration) -> list[str]:
    """Every impostor at some of the margins, its rate alone; the interval of the worst."""
    names = list(results.margins[0].errors)
    return table(
        (
            "T above",
            "A above",
            "R above",
            *(f"`{name}`" for name in names),
            "the worst",
            "own",
            "`mixture_50`",
        ),
        [
            (
                number(each.twin_margin, 2),
                number(each.advantage_margin, 2) + (" (in use)" if each.is_frozen else ""),
                number(each.rivalry_margin, 2) if each.rivalry_margin is not None else "-",
                *(number(each.errors[name].value, 3) for name in names),
                told(each.errors[each.worst]),
                told(each.own),
                told(each.half),
            )
            for each in margins_shown(results)
        ],
    )


def margins_shown(results: Calibration) -> list[Margin]:
    """Of the grid, what one margin does while the others are those in use; and what A's does without R."""
    used = (results.twin_margin, results.advantage_margin, results.rivalry_margin)
    return [
        each
        for each in results.margins
        if _differ((each.twin_margin, each.advantage_margin, each.rivalry_margin), used) <= 1
        or (each.twin_margin == results.twin_margin and each.rivalry_margin is None)
    ]


def _differ(margins: Iterable[float | None], others: Iterable[float | None]) -> int:
    return sum(margin != other for margin, other in zip(margins, others, strict=True))


def mean_told(rated: Rated, figure: str) -> str:
    return number(rated.means[figure], 2, FIGURES[figure].signed)


def told_or_none(rate: Rate | None) -> str:
    return "-" if rate is None else told(rate)


def _names(emitters: Iterable[Emitter]) -> set[str]:
    return {emitter.name for emitter in emitters}
