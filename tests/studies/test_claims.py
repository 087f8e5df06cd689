from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from coupling.records import Estimate
from coupling.studies.claims import arms
from coupling.studies.claims.arms import ARMS, organisms_needed
from coupling.studies.claims.cases import SEED_STRIDE, Arm, Case
from coupling.studies.claims.findings import find, read_claims
from coupling.studies.claims.organisms import Organisms
from coupling.studies.claims.page import render_html, render_markdown
from coupling.studies.claims.running import run_claims
from coupling.studies.claims.standing import NOT_RUN
from coupling.studies.claims.table import BEYOND, CLAIMS
from coupling.studies.summary import FIGURES, PointFigures

ORGANISMS = Organisms(Path("organisms"))
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


@pytest.mark.parametrize("world", [0, 1])
@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_every_arm_is_a_valid_experiment_of_its_own(arm: Arm, world: int) -> None:
    config = ORGANISMS.experiment(arm, Case(world, 2))
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


def test_what_was_not_run_is_told_as_such(tmp_path: Path) -> None:
    results = find(ORGANISMS, ARMS, [Case(0, 0)], False, tmp_path)
    assert {finding.standing for finding in results.findings} == {NOT_RUN}
    assert results.multiplicity.asked == results.multiplicity.expected == 0
    text = render_markdown(results, ORGANISMS)
    assert text.count("**not run**") == len(CLAIMS) + len(BEYOND)
    assert f"0 of {len(ARMS)} experiments have been run" in text
    assert render_html(results, ORGANISMS) == render_html(results, ORGANISMS)


def test_a_failed_arm_is_told_of_and_not_counted(tmp_path: Path) -> None:
    (tmp_path / "main-w0-s0.failed.txt").write_text("the model is gone\n", encoding="utf-8")
    results = find(ORGANISMS, ARMS, [Case(0, 0)], False, tmp_path)
    assert "failed" in render_markdown(results, ORGANISMS)
    with pytest.raises(ValueError, match="main, world 0, seed 0: the model is gone"):
        results.require_all()


def test_similarity_is_drawn_where_two_panels_tell_it(tmp_path: Path) -> None:
    results = find(ORGANISMS, ARMS, [Case(0, 0)], False, tmp_path)
    estimates = dict.fromkeys(FIGURES, Estimate(0.9, 0.8, 1.0, 100, 20))
    own = PointFigures(estimates, 100, "not shown", "undecided")
    other = replace(own, estimates=estimates | {"similarity": Estimate(0.5, 0.4, 0.6, 100, 20)})
    figures = {"unsteered": own, "other-world-0": other}

    def page(shown: int) -> str:
        drawn = dict(list(figures.items())[:shown])
        arms = tuple(replace(arm, figures=drawn.get(arm.arm)) for arm in results.arms)
        return render_html(replace(results, arms=arms), ORGANISMS)

    assert "How alike must labels and behaviour be?" not in page(1)
    assert page(2).count("<svg") == 1 and "0.50: Δ 0.90" in page(2)


@pytest.mark.slow
def test_claims_are_run_read_and_passed_over(tmp_path: Path) -> None:
    few = tuple(
        replace(arm, settings=TINY, is_patched=arm.name == "unsteered")
        for arm in ARMS
        if arm.name in ("unsteered", "without-kl")
    )
    subject = Organisms(tmp_path, arms=few)

    def once(only_read: bool = False) -> bytes:
        page = tmp_path / "claims.md"
        runs = tmp_path / "runs"
        results = run_claims(subject, [Case(0, 0)], True, runs, page, workers=1, only_read=only_read)
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
        run_claims(ORGANISMS, [Case(0, 0)], True, tmp_path / "runs", tmp_path / "page.md")
    assert not (tmp_path / "runs").exists()


def test_a_page_is_not_replaced_where_nothing_was_run(tmp_path: Path) -> None:
    page = tmp_path / "claims.md"
    page.write_text("results of many hours\n", encoding="utf-8")
    with pytest.raises(ValueError, match="none of the experiments has been run there"):
        run_claims(Organisms(tmp_path), [Case(0, 0)], True, tmp_path / "runs", page, only_read=True)
    assert page.read_text(encoding="utf-8") == "results of many hours\n"
