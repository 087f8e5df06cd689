from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from coupling.faithfulness.circuits import (
    HEAD,
    WITHOUT_CUE,
    Agreement,
    ByReadOut,
    CircuitResults,
    Circuits,
    Overlap,
)
from coupling.faithfulness.results import Verdict
from coupling.faithfulness.rows import ALL_RUNS, OWN, STEERED
from coupling.records import Estimate
from coupling.studies.claims import arms, rules, running
from coupling.studies.claims.arms import ARMS, SEED_STRIDE, Arm, experiment_of, organisms_needed
from coupling.studies.claims.findings import (
    AGREES,
    DIFFERS,
    MIXED,
    NOT_RUN,
    OPEN,
    Case,
    Finding,
    find,
    read_claims,
)
from coupling.studies.claims.page import counted, render_html, render_markdown
from coupling.studies.claims.running import run_claims
from coupling.studies.claims.table import BEYOND, CLAIMS
from coupling.studies.summary import FIGURES, PointFigures
from synthetic_results import LAST_STEP, results_of

ORGANISMS = Path("organisms")
TINY = (
    "training.steps=4",
    "training.checkpoints=[0, 4]",
    "training.batch_size=8",
    "training.warmup_steps=1",
    "supervision.labels=24",
    "evaluation.checkpoint=4",
    "evaluation.pairs=60",
    "evaluation.resamples=100",
)


def interval(low: float | None, high: float | None) -> Estimate:
    return Estimate(0.0 if low is None else low, low, high, 100, 20)


@pytest.mark.parametrize("world", [0, 1])
@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_every_arm_is_a_valid_experiment_of_its_own(arm: Arm, world: int) -> None:
    config = experiment_of(arm, world, 2, ORGANISMS)
    assert config.name == f"{arm.name}-w{world}-s2"
    assert min(run.seed for run in config.panel) == 2 * SEED_STRIDE
    assert config.training.checkpoints[-1] == config.evaluation.checkpoint == config.training.steps


def test_claims_rest_on_arms_that_there_are() -> None:
    names = [claim.name for claim in (*CLAIMS, *BEYOND)]
    assert len(set(names)) == len(names)
    used = {arm for claim in (*CLAIMS, *BEYOND) for arm in claim.arms}
    assert used == {arm.name for arm in ARMS}


def test_only_organisms_that_do_not_ship_are_raised() -> None:
    assert organisms_needed(tuple(arm for arm in ARMS if arm.is_quick), (0,)) == []
    assert organisms_needed(ARMS, (0, 1)) == [
        ("coupled", 1),
        ("coupled", 2),
        ("coupled-neox", 1),
        ("plain", 1),
        ("third-person", 1),
    ]
    assert arms.other_world(1) not in (0, 1) and arms.other_world(0) == arms.other_world(2) == 1


@pytest.mark.parametrize(
    ("answers", "standing"),
    [
        ((), NOT_RUN),
        ((True, True), AGREES),
        ((False, False), DIFFERS),
        ((True, False), MIXED),
        ((True, None), MIXED),
        ((None, None), OPEN),
    ],
)
def test_a_claim_stands_by_every_world(answers: tuple[bool | None, ...], standing: str) -> None:
    given = tuple((Case(world, 0), answer) for world, answer in enumerate(answers))
    finding = Finding("gap", given, 3, ())
    assert finding.standing == standing
    assert sum(finding.counts) == len(answers) and f"{3 - len(answers)} not run" in counted(finding)


def test_intervals_that_touch_leave_it_open() -> None:
    assert rules._above(interval(0.1, 0.3), 0) is True
    assert rules._above(interval(-0.3, -0.1), 0) is False
    assert rules._above(interval(-0.1, 0.1), 0) is None
    assert rules._above(interval(None, None), 0) is None
    assert rules._every([]) is None
    assert rules._ahead(interval(0.5, 0.6), interval(0.1, 0.4)) is True
    assert rules._ahead(interval(0.1, 0.4), interval(0.5, 0.6)) is False
    assert rules._ahead(interval(0.1, 0.5), interval(0.4, 0.6)) is None


def test_what_was_not_run_is_told_as_such(tmp_path: Path) -> None:
    results = find(ARMS, [Case(0, 0)], False, tmp_path, ORGANISMS)
    assert {finding.standing for finding in results.findings} == {NOT_RUN}
    text = render_markdown(results)
    assert text.count("**not run**") == len(CLAIMS) + len(BEYOND)
    assert f"0 of {len(ARMS)} experiments have been run" in text
    assert render_html(results) == render_html(results)


def test_a_failed_arm_is_told_of_and_not_counted(tmp_path: Path) -> None:
    (tmp_path / "main-w0-s0.failed.txt").write_text("the model is gone\n", encoding="utf-8")
    results = find(ARMS, [Case(0, 0)], False, tmp_path, ORGANISMS)
    assert "failed" in render_markdown(results)
    with pytest.raises(ValueError, match="main, world 0, seed 0: the model is gone"):
        results.require_all()


def test_similarity_is_drawn_where_two_panels_tell_it(tmp_path: Path) -> None:
    results = find(ARMS, [Case(0, 0)], False, tmp_path, ORGANISMS)
    estimates = dict.fromkeys(FIGURES, Estimate(0.9, 0.8, 1.0, 100, 20))
    own = PointFigures(estimates, 100, "not shown", "no_gap")
    other = replace(own, estimates=estimates | {"similarity": Estimate(0.5, 0.4, 0.6, 100, 20)})
    figures = {"unsteered": own, "other-world-0": other}

    def page(shown: int) -> str:
        drawn = dict(list(figures.items())[:shown])
        arms = tuple(replace(arm, figures=drawn.get(arm.arm)) for arm in results.arms)
        return render_html(replace(results, arms=arms))

    assert "How alike must labels and behaviour be?" not in page(1)
    assert page(2).count("<svg") == 1 and "0.50: Δ 0.90" in page(2)


@pytest.mark.slow
def test_claims_are_run_read_and_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = tuple(
        replace(arm, settings=TINY, is_patched=arm.name == "unsteered")
        for arm in ARMS
        if arm.name in ("unsteered", "without-kl")
    )
    monkeypatch.setattr(running, "ARMS", few)

    def once(only_read: bool = False) -> bytes:
        page = tmp_path / "claims.md"
        runs = tmp_path / "runs"
        results = run_claims((0,), (0,), True, runs, tmp_path, page, workers=1, only_read=only_read)
        assert results.finding("gap").standing != NOT_RUN and results.finding("dpo").standing == NOT_RUN
        assert {row.case for row in results.patched} == {Case(0, 0)}
        return page.read_bytes()

    page = once()
    stamps = {file: file.stat().st_mtime_ns for file in (tmp_path / "runs").glob("*/runs/**/*.safetensors")}
    assert len(stamps) == 10 and once() == page == once(only_read=True)
    assert stamps == {file: file.stat().st_mtime_ns for file in stamps}
    assert read_claims(tmp_path / "runs" / "claims-quick.json").is_quick


def test_a_page_that_cannot_be_written_is_told_of_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "page.md").mkdir()
    with pytest.raises(ValueError, match=r"page\.md: cannot be written"):
        run_claims((0,), (0,), True, tmp_path / "runs", tmp_path, tmp_path / "page.md")
    assert list((tmp_path / "runs").iterdir()) == []


def test_circuits_are_held_against_those_of_an_organism_that_explained_others(found: rules.Found) -> None:
    def circuits(cosine: Estimate) -> CircuitResults:
        told = Agreement(cosine, None, None, None)
        overlap = Overlap(WITHOUT_CUE, HEAD, 20, told, told, told)
        nothing = ByReadOut(cosine, cosine, cosine)
        models = (Circuits("M0", nothing, (), (overlap,)),)
        return CircuitResults(1, "made-up", "answer_pair", "test", 3, 100, 100, 0, models, {})

    apart = {"unsteered": circuits(interval(0.5, 0.7)), "third-person": circuits(interval(-0.6, -0.3))}
    assert rules.shares_more_circuits(rules.Found(found.arms, apart)) is True
    assert rules.heads_in_common("third-person")(rules.Found(found.arms, apart)) == interval(-0.6, -0.3)


@pytest.fixture(scope="module")
def found() -> rules.Found:
    """Panels of known truth: explanations that state their own behaviour, and that state the drift of all."""
    steps = (0, LAST_STEP)
    read = {"own": results_of("self", steps), "drift": results_of("shared", steps)}
    return rules.Found(read, {})


def test_a_claim_that_explanations_follow_is_the_verdict(found: rules.Found) -> None:
    assert rules.follows("own")(found) is True
    assert rules.follows("drift")(found) is False
    assert rules.is_positive("own", "drift")(found) is True
    assert rules.is_ahead("t", "own", "drift")(found) is True
    assert rules.is_ahead("t", "drift", "own")(found) is False


def test_twins_that_act_alike_leave_it_open(found: rules.Found) -> None:
    own = found.arms["own"]
    results = replace(own, rows=tuple(row for row in own.rows if row.subset != STEERED))
    assert rules.twin_distances(results) == []
    assert rules.follows("own")(rules.Found({"own": results}, {})) is None


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [("invalid", "parse_rate"), ("collapsed", "collapsed"), ("not shown", "no_skill")],
)
def test_what_was_not_measured_bears_nothing_out(found: rules.Found, verdict: str, reason: str) -> None:
    own = found.arms["own"]
    told = Verdict(verdict, reason, "", ())
    verdicts = tuple(
        replace(each, verdict=told) if (each.run, each.explainer) == (ALL_RUNS, OWN) else each
        for each in own.verdicts
    )
    results = replace(own, verdicts=verdicts)
    assert rules.is_positive("own")(rules.Found({"own": results}, {})) is None
