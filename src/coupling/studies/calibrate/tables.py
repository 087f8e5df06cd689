"""The calibration's tables, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coupling.faithfulness.calibrated import HALF
from coupling.faithfulness.coverage import DECIDING, PERCENTILE
from coupling.faithfulness.registry import FIGURES
from coupling.faithfulness.settling import LOW
from coupling.faithfulness.statistics import Rate
from coupling.report.text import number
from coupling.studies.calibrate.candidates import WANTED_ERROR
from coupling.studies.calibrate.emitters import Emitter
from coupling.studies.calibrate.figures import MEANS, Calibration, Rated, Tried
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


def p_by_world_table(rates: Sequence[Rated], emitters: Iterable[Emitter]) -> list[str]:
    names = _names(emitters)
    chosen = [rated for rated in rates if rated.emitter in names]
    worlds = sorted({world for rated in chosen for world in rated.p_of_worlds}, key=int)
    return table(
        ("explained by", *(f"P, world {world}" for world in worlds)),
        [
            (f"`{rated.emitter}`", *(number(rated.p_of_worlds[world], 3, True) for world in worlds))
            for rated in chosen
        ],
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


def coverage_table(results: Calibration) -> list[str]:
    rows = [
        (
            each.figure,
            str(each.clusters),
            each.method,
            str(each.held.trials),
            "lower" if DECIDING[each.figure] == LOW else "upper",
            told(each.beyond),
            told(each.below),
            told(each.above),
            number(each.width, 3),
        )
        for each in sorted(results.coverage, key=lambda e: (e.figure, e.clusters, e.method != PERCENTILE))
    ]
    return table(
        (
            "figure",
            "clusters",
            "interval",
            "draws",
            "deciding bound",
            "beyond the truth",
            "wholly below it",
            "wholly above it",
            "width",
        ),
        rows,
    )


def candidates_table(results: Calibration) -> list[str]:
    """Every candidate rule: its worst impostor, and its power."""
    return table(
        ("rule", "`coupled` asks for", "worst impostor", "false `coupled`", "own", f"`{HALF}`", ""),
        [
            (
                f"`{each.name}`",
                each.words,
                f"`{each.worst}`",
                told(each.errors[each.worst]),
                told(each.own),
                told(each.half),
                standing(results, each),
            )
            for each in results.tried
        ],
    )


def impostors_table(results: Calibration) -> list[str]:
    """Every impostor under every candidate rule."""
    names = list(results.tried[0].errors)
    return table(
        ("explained by", "draws", *(f"`{each.name}`" for each in results.tried)),
        [
            (
                f"`{name}`",
                str(results.tried[0].errors[name].trials),
                *(told(each.errors[name]) for each in results.tried),
            )
            for name in names
        ],
    )


def standing(results: Calibration, tried: Tried) -> str:
    """In a few words: whether a candidate is in use, and whether it would be chosen."""
    words = ["in use"] if tried.is_in_use else []
    words += ["would be chosen"] if tried == results.chosen else []
    if not tried.shuts_out:
        lets_in = any((each.value or 0.0) > WANTED_ERROR for each in tried.errors.values())
        words.append("lets too many in" if lets_in else "too few draws to say")
    return "; ".join(words)


def mean_told(rated: Rated, figure: str) -> str:
    return number(rated.means[figure], 3 if figure == "p" else 2, FIGURES[figure].signed)


def told_or_none(rate: Rate | None) -> str:
    return "-" if rate is None else told(rate)


def _names(emitters: Iterable[Emitter]) -> set[str]:
    return {emitter.name for emitter in emitters}
