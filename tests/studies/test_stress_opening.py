"""Nothing reassures of explanations that failed before anybody pressed them."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from coupling.models import Way
from coupling.records import Estimate
from coupling.studies.stress.findings import (
    STRESS_SCHEMA,
    Findings,
    Plain,
    ProbesFound,
    RunFound,
    StakesFound,
)
from coupling.studies.stress.opening import opening
from coupling.studies.stress.page import render_stress
from coupling.studies.stress.terminal import print_stress

REASSURING = "0 of 0 probes lower"


def exactly(value: float) -> Estimate:
    return Estimate(value, value, value, n=600, clusters=28)


def found(self_free: float, parsed: float, run: RunFound | None = None) -> Findings:
    plain = {
        Way.FREE: Plain(exactly(self_free), exactly(parsed)),
        Way.FILLED: Plain(exactly(1.0), exactly(1.0)),
    }
    return Findings(
        schema=STRESS_SCHEMA,
        name="mini, unsteered at step 4",
        model="tiny",
        fingerprint="0" * 64,
        explanation_format="answer_pair",
        split="test",
        pairs=600,
        clusters=28,
        resamples=100,
        seed=0,
        run=run,
        probes=ProbesFound(Way.FILLED, plain, (), (), ()),
        stakes=None,
        shifts=None,
        notes=(),
        artifacts={},
    )


def printed(of: Findings) -> str:
    console = Console(file=io.StringIO(), width=100)
    print_stress(of, console)
    assert isinstance(console.file, io.StringIO)
    return " ".join(console.file.getvalue().split())


INVALID = RunFound("invalid", "Explanations do not parse.", 4, ("parse_rate",))


def test_an_invalid_run_opens_with_its_verdict_and_what_is_said_freely() -> None:
    of = found(0.0, 0.02, INVALID)
    first = opening(of)
    assert first.headline == "invalid" and first.failed == ("parse rate",)
    for shown in (" ".join(render_stress(of).split()), printed(of)):
        places = [shown.index(words) for words in ("invalid", "Self is 0.00", REASSURING)]
        assert places == sorted(places)
    assert f">{REASSURING}" not in render_stress(of).split("</h1>")[0]


@pytest.mark.parametrize(
    ("of", "failed"),
    [
        (found(0.0, 0.02, INVALID), ("parse rate",)),
        (found(0.0, 1.0, replace(INVALID, failed_gates=())), ("the measurement",)),
        (found(0.8, 1.0, RunFound("coupled", "It tells.", 4, ("claims",))), ("claims",)),
        (found(0.8, 1.0, RunFound("coupled", "It tells.", 4, ())), ()),
        (found(0.0, 0.02), ("parse rate",)),
        (found(0.8, 1.0), ()),
    ],
)
def test_what_failed(of: Findings, failed: tuple[str, ...]) -> None:
    first = opening(of)
    assert first.failed == failed
    assert (REASSURING in first.headline) == (of.run is None and not failed)
    assert any("speaks for" in sentence for sentence in first.sentences) == bool(failed)


def test_errors_by_consequence_alone_say_it_as_well() -> None:
    figures = {name: exactly(0.0) for name in ("self", "changed", "denied", "invented", "cost")}
    stakes = StakesFound({Way.FREE: {**figures, "parse_rate": exactly(0.02)}})
    of = replace(found(0.0, 0.0, INVALID), probes=None, stakes=stakes)
    assert of.plain(Way.FREE) == Plain(exactly(0.0), exactly(0.02))
    assert "Self is 0.00" in printed(of)


def test_the_page_leads_back_to_the_report_of_a_run_alone() -> None:
    link = '<a href="report.html">'
    assert link in render_stress(found(0.8, 1.0, INVALID)) and link not in render_stress(found(0.8, 1.0))
