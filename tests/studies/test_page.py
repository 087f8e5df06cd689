from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from coupling.faithfulness import registry
from coupling.faithfulness.statistics import NO_DATA
from coupling.records import Estimate
from coupling.report.over_settings import places_of
from coupling.store import to_json, write_json
from coupling.studies.calibrate import draws
from coupling.studies.calibrate import figures as calibrated
from coupling.studies.grid import parse_axis
from coupling.studies.page import render_sweep
from coupling.studies.stress import shifts, terminal
from coupling.studies.summary import (
    FIGURES,
    SWEEP_SCHEMA,
    PointFigures,
    PointResult,
    SweepResults,
    VariedAxis,
    read_sweep,
    rows_of,
)
from coupling.studies.table import print_sweep

KEPT_BY_STUDIES = (shifts.SHIFTED, draws.KEPT, calibrated.MEANS, terminal.STAKES)
HOSTILE = "</style><script>alert(1)</script> [red]loud[/red]"


def point(name: str, delta: float | None, failure: str | None = None, **settings: object) -> PointResult:
    found = NO_DATA if delta is None else Estimate(delta, None, None, 10, 1)
    estimates = {figure: found for figure in FIGURES}
    figures = None if failure else PointFigures(estimates, 10, "not shown", "no_twins")
    return PointResult(name, settings, figures, failure)


def sweep(points: list[PointResult], *vary: str) -> SweepResults:
    axes = [parse_axis(text) for text in vary]
    shown = tuple(VariedAxis(axis.fields, axis.values) for axis in axes)
    return SweepResults(SWEEP_SCHEMA, "by-weight", "quickstart", shown, rows_of(points, shown))


def test_what_studies_show_is_in_the_registry() -> None:
    assert {name for names in KEPT_BY_STUDIES for name in names} <= registry.FIGURES.keys()


def test_seeds_are_listed_with_a_t_interval_and_the_failed_are_left_out() -> None:
    points = [point(f"p{seed}", delta, weight=1, seed=seed) for seed, delta in enumerate((0.1, 0.2, 0.3))]
    points.append(point("p3", None, "no room", weight=1, seed=3))
    (row,) = sweep(points, "weight=1", "seed=0..3").rows
    shown = row.estimate("delta")
    # s = 0.1, t(0.975, 2) = 4.302653: 0.2 ± 4.302653 · 0.1 / √3
    assert (shown.value, shown.n, shown.clusters) == (pytest.approx(0.2), 3, 0)
    assert shown.low == pytest.approx(0.2 - 0.248414, abs=1e-6)
    assert row.verdicts == {"not shown": 3, "failed": 1}


def test_without_seeds_a_row_is_a_point() -> None:
    points = [point("a", 0.1, weight=0), point("b", None, weight=1)]
    first, second = sweep(points, "weight=0,1").rows
    assert first.estimate("delta") == points[0].figures.estimates["delta"]  # type: ignore[union-attr]
    assert second.estimate("t").value is None


def test_equal_numbers_of_different_types_are_one_row() -> None:
    points = [point("a", 0.1, lora={"rank": 8}, seed=0), point("b", 0.3, lora={"rank": 8}, seed=1)]
    assert len(sweep(points, "lora={rank: 8}", "seed=0,1").rows) == 1


def test_results_are_read_back(tmp_path: Path) -> None:
    results = sweep([point("a", 0.1, weight=0), point("b", None, HOSTILE, weight=1)], "weight=0,1")
    file = tmp_path / "sweep.json"
    write_json(file, to_json(results))
    assert read_sweep(file) == results
    write_json(file, to_json(replace(results, schema=SWEEP_SCHEMA - 1)))
    with pytest.raises(ValueError, match="this version reads"):
        read_sweep(file)


def test_what_lacks_is_told() -> None:
    sweep([point("a", 0.1, weight=0)], "weight=0").require_all()
    results = sweep([point("a", 0.1, weight=0), point("b", None, "no room", weight=1)], "weight=0,1")
    with pytest.raises(ValueError, match=r"1 of 2 points failed; .*\nb: no room"):
        results.require_all()


@pytest.mark.parametrize(
    ("values", "xs", "is_broken"),
    [
        ([1, 2, 4], (1.0, 2.0, 4.0), False),
        ([0.01, 0.1, 1], (-2.0, -1.0, 0.0), False),
        ([0, 0.1, 1, 10], (-2.0, -1.0, 0.0, 1.0), True),
        ([0.5], (0.0,), False),
        (["forward", "reverse"], (0.0, 1.0), False),
        ([True, False], (0.0, 1.0), False),
        ([{"rank": 8}, None], (0.0, 1.0), False),
    ],
)
def test_where_values_stand(values: list[object], xs: tuple[float, ...], is_broken: bool) -> None:
    places = places_of(values, [str(value) for value in values])
    assert places.xs == pytest.approx(xs)
    assert (places.break_at is not None) == is_broken


def test_the_page_escapes_and_says_what_is_missing() -> None:
    failed = point(HOSTILE, None, HOSTILE, weight=1)
    results = sweep([point("a", 0.1, weight=0), failed], "weight=0,1")
    page = render_sweep(results)
    assert page == render_sweep(results)
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "1 failed" in page and "n/a" in page
    assert page.count("<svg") == 4


def test_a_panel_for_each_combination_of_the_other_fields() -> None:
    points = [
        point(f"{weight}{way}", 0.1 * weight, weight=weight, way=way) for weight in (0, 1) for way in "fr"
    ]
    page = render_sweep(sweep(points, "weight=0,1", "way=f,r"))
    assert page.count("<svg") == 9  # Δ over similarity is the ninth
    assert "<h3>way=f</h3>" in page and "<h3>way=r</h3>" in page


def test_a_sweep_over_seeds_alone_is_drawn_over_seeds() -> None:
    points = [point(f"s{seed}", 0.1 * seed, seed=seed) for seed in range(3)]
    assert "Over seed" in render_sweep(sweep(points, "seed=0..2"))


def test_the_terminal_shows_settings_seeds_and_failures_as_they_are() -> None:
    told = StringIO()
    points = [point("a", 0.1, weight=HOSTILE, seed=0), point("b", None, "no room", weight=HOSTILE, seed=1)]
    print_sweep(sweep(points, "weight=x", "seed=0,1"), Console(file=told, width=200))
    for expected in (f"weight={HOSTILE}", "seed 0", "failed", "n/a", "+0.10"):
        assert expected in told.getvalue(), expected
