"""One page of a sweep: its figure over what was varied, and all figures as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import cast

from markupsafe import Markup

from coupling.faithfulness import FROZEN
from coupling.records import Estimate
from coupling.report import svg
from coupling.report.figures import Mark
from coupling.report.html import environment
from coupling.report.over_settings import Places, Series, limits_of, over_values, places_of
from coupling.report.runs import REPORT_PAGE
from coupling.store import Json
from coupling.studies.grid import SEED, told_settings, words
from coupling.studies.summary import FIGURES, PointResult, Row, SweepResults, VariedAxis, verdict_of


@dataclass(frozen=True, slots=True)
class Multiple:
    """The panels of one combination of the other axes' values."""

    heading: str
    panels: tuple[tuple[str, Markup], ...]
    """What is drawn, and the drawing."""


@dataclass(frozen=True, slots=True)
class _Curve:
    """One combination of the other axes' values: what is drawn at each value of the first axis."""

    heading: str
    rows: tuple[Row | PointResult, ...]

    def estimates(self, figure: str) -> tuple[Estimate, ...]:
        return tuple(row.estimate(figure) for row in self.rows)


def render_sweep(results: SweepResults) -> str:
    """The page as one HTML document; equal results give equal documents."""
    return (
        environment()
        .get_template("sweep.html.j2")
        .render(
            results=results,
            first=_first_axis(results),
            multiples=_multiples(results),
            over_similarity=_over_similarity(results),
            columns=FIGURES.values(),
            has_seeds=_has_seeds(results),
            told=_told,
            report_page=REPORT_PAGE,
            verdicts=told_verdicts,
            verdict_of=verdict_of,
            failed=[point for point in results.points if point.failure is not None],
            missing=sum(point.figures is None and point.failure is None for point in results.points),
        )
    )


def told_verdicts(row: Row) -> str:
    """The verdict of a point, or how many of several points have which."""
    if len(row.points) == 1:
        return verdict_of(row.points[0])
    return ", ".join(f"{verdict}: {count}" for verdict, count in row.verdicts.items())


def _told(settings: Mapping[str, object]) -> str:
    return told_settings(cast(Mapping[str, Json], settings))


def _has_seeds(results: SweepResults) -> bool:
    return any(SEED in axis.fields for axis in results.axes)


def _first_axis(results: SweepResults) -> VariedAxis:
    """The axis the figure runs over: the first that varies more than the seed."""
    others = [axis for axis in results.axes if axis.fields != (SEED,)]
    return [*others, results.axes[0]][0]


def _multiples(results: SweepResults) -> list[Multiple]:
    first = _first_axis(results)
    curves = _curves(results, first)
    places = _places(first)
    panels: list[tuple[str, tuple[str, ...], list[float], list[Mark]]] = [
        ("Δ", ("delta",), [0.0], [Mark(0, "0")]),
        ("similarity", ("similarity",), [], [Mark(FROZEN.low_similarity, "warns below")]),
        ("T", ("t",), [0.5], [Mark(FROZEN.twin_margin, "margin")]),
        ("Self and Orig", ("self", "orig"), [], []),
    ]
    limits = [
        limits_of([each for curve in curves for name in figures for each in curve.estimates(name)], reaching)
        for _, figures, reaching, _ in panels
    ]
    multiples = []
    for number, curve in enumerate(curves):
        drawn = [
            (
                what,
                over_values(
                    f"sweep-{number}-{place}",
                    f"{what} over {', '.join(first.fields)} {curve.heading}".strip(),
                    places,
                    [_series(name, curve.estimates(name)) for name in figures],
                    limits[place],
                    marks,
                ),
            )
            for place, (what, figures, _, marks) in enumerate(panels)
        ]
        multiples.append(Multiple(curve.heading, tuple(drawn)))
    return multiples


def _series(figure: str, estimates: Sequence[Estimate]) -> Series:
    symbol = FIGURES[figure].symbol
    if figure == "orig":
        return Series(symbol, estimates, svg.TARGET, "s")
    return Series(symbol, estimates)


def _curves(results: SweepResults, first: VariedAxis) -> list[_Curve]:
    if first.fields == (SEED,):
        return [_Curve("", results.points)]
    row_of = {_key(row.settings): row for row in results.rows}
    others = [axis for axis in results.axes if axis is not first and axis.fields != (SEED,)]
    curves = []
    for combination in product(*(axis.values for axis in others)):
        fields = chain.from_iterable(axis.fields for axis in others)
        fixed = dict(zip(fields, chain.from_iterable(combination), strict=True))
        fixed.pop(SEED, None)
        at_values = []
        for value in first.values:
            settings = {**fixed, **dict(zip(first.fields, value, strict=True))}
            settings.pop(SEED, None)
            at_values.append(row_of[_key(settings)])
        curves.append(_Curve(_told(fixed), tuple(at_values)))
    return curves


def _key(settings: Mapping[str, object]) -> str:
    return repr(sorted(settings.items(), key=lambda item: item[0]))


def _places(axis: VariedAxis) -> Places:
    firsts = [value[0] for value in axis.values]
    if len({repr(value) for value in firsts}) == len(firsts):
        return places_of(firsts, [_short(value) for value in firsts])
    labels = [" ".join(map(_short, value)) for value in axis.values]
    return places_of(labels, labels)


def _short(value: object) -> str:
    """A value in a word or two; of a section its first field."""
    if isinstance(value, Mapping) and value:
        field, first = next(iter(value.items()))
        return f"{field} {words(cast(Json, first))}"
    return words(cast(Json, value))


def _over_similarity(results: SweepResults) -> Markup | None:
    """Δ of every row over its measured similarity: where does coupling end?"""
    rows: Sequence[Row | PointResult] = results.points if len(results.rows) == 1 else results.rows
    drawn = [(row.estimate("similarity").value, row.estimate("delta")) for row in rows]
    known = [(similarity, delta) for similarity, delta in drawn if similarity is not None]
    similarities = [round(similarity, 3) for similarity, _ in known]
    if len(set(similarities)) < 2:
        return None
    deltas = [delta for _, delta in known]
    return over_values(
        "over-similarity",
        "Δ over the measured similarity of model and target",
        Places(tuple(similarities), tuple(f"{similarity:.2f}" for similarity in similarities)),
        [Series("Δ", deltas)],
        limits_of(deltas, [0.0]),
        [Mark(0, "0")],
        joined=False,
    )
