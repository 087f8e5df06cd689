"""Figures: what is drawn, in which colours, and that it is drawn the same every time."""

from __future__ import annotations

import re
from importlib.resources import files
from xml.etree import ElementTree

import pytest

from coupling.faithfulness import Results
from coupling.faithfulness.results import CONSTRUCTED
from coupling.faithfulness.statistics import NO_DATA as NONE
from coupling.records import Estimate
from coupling.report import figures, svg
from coupling.report.figures import Mark, Point, Scale
from coupling.report.over_settings import limits_of

HALF = Estimate(value=0.5, low=0.45, high=0.55, n=100, clusters=20)
SCALE = Scale(0, 1, (Mark(0.5, "chance"),), wanted=(0.57, 1))
STYLE = (files("coupling.report") / "templates" / "style.css.j2").read_text(encoding="utf-8")


def palettes() -> tuple[dict[str, str], dict[str, str]]:
    """Light and dark: name → colour."""
    light, dark = STYLE.split("prefers-color-scheme: dark")
    return tuple(dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", part)) for part in (light, dark))  # type: ignore[return-value]


def contrast(one: str, other: str) -> float:
    """Contrast ratio by WCAG 2.1, from 1 to 21."""

    def luminance(colour: str) -> float:
        channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", palettes(), ids=("light", "dark"))
@pytest.mark.parametrize("ground", ["paper", "raised"])
@pytest.mark.parametrize("colour", ["ink", "muted", "own", "target"])
def test_text_has_contrast(palette: dict[str, str], ground: str, colour: str) -> None:
    assert contrast(palette[colour], palette[ground]) >= 4.5


@pytest.mark.parametrize("palette", palettes(), ids=("light", "dark"))
@pytest.mark.parametrize("side", ["own", "target"])
def test_intervals_stand_out_from_their_zone(palette: dict[str, str], side: str) -> None:
    assert contrast(palette[side], palette[f"{side}-tint"]) >= 3


def test_figures_are_drawn_in_the_pages_light_palette() -> None:
    light, dark = palettes()
    assert svg.PALETTE.items() <= light.items()
    assert svg.PALETTE.keys() <= dark.keys()
    drawn = figures.strip("a", "T", HALF, SCALE)
    assert set(re.findall(r"#[0-9a-f]{6}", drawn)) <= set(svg.PALETTE.values())
    assert not re.search(r"(?<!, )#[0-9a-f]{6}", drawn)


def test_equal_figures_are_equal_and_do_not_share_identifiers() -> None:
    assert figures.strip("a", "T", HALF, SCALE) == figures.strip("a", "T", HALF, SCALE)
    points = [Point(0, HALF, NONE), Point(10, HALF, HALF)]
    one, other = (figures.over_steps(name, "run", points, 10, (0.0, 1.0), True) for name in ("a", "b"))
    ids = [set(re.findall(r'id="([^"]+)"', drawn)) for drawn in (one, other)]
    assert ids[0] and not ids[0] & ids[1]


def test_a_figure_without_data_says_so() -> None:
    assert ">n/a<" in figures.strip("a", "T", NONE, SCALE)
    drawn = figures.over_steps("b", "run", [Point(0, NONE, NONE), Point(5, HALF, HALF)], 5, (0.0, 1.0), True)
    assert drawn.count(">n/a<") == 1


def test_a_title_is_text_and_no_formula() -> None:
    drawn = figures.strip("a", "<b>$x$ & [red]", HALF, Scale(0, 1, (Mark(0.5, "<i>$y$"),)))
    assert ElementTree.fromstring(drawn).findtext("title") == "<b>$x$ & [red]"
    assert "&lt;i&gt;$y$" in drawn


def test_an_interval_beyond_the_scale_widens_it() -> None:
    wide = Estimate(value=1.2, low=0.9, high=1.31, n=100, clusters=20)
    assert (SCALE.covering(wide).low, SCALE.covering(wide).high) == (0, 1.4)
    assert SCALE.covering(HALF) == SCALE
    assert SCALE.covering(NONE) == SCALE


def test_small_multiples_share_limits_that_hold_all_their_data() -> None:
    low = Estimate(value=0.31, low=0.28, high=0.33, n=100, clusters=20)
    assert limits_of([HALF, low, NONE, NONE]) == (0.2, 0.6)
    assert limits_of([NONE, NONE]) == (0.0, 1.0)


def test_the_twin_test_is_shown_to_rise_with_the_oracles_share(coupled: Results) -> None:
    found = coupled.figures
    doses = [
        (each.oracle_share, found("t", explainer=each.name))
        for each in coupled.explained_by(CONSTRUCTED)
        if each.oracle_share is not None
    ]
    drawn = figures.dose_response("dose", "T", doses, 0.57)
    told = ElementTree.fromstring(drawn).findtext("desc") or ""
    shares = [float(share) for share in re.findall(r"share ([\d.]+): T", told)]
    assert shares == [0.0, 0.25, 0.5, 0.75, 1.0]
