"""The whole of it: the same input gives the same bytes, and results are read back as they were written."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pytest

from coupling.faithfulness import FIGURES, Evidence, Provenance, Results, evaluate, judge
from coupling.faithfulness.judge import encoded_baselines, headline_rows
from coupling.faithfulness.results import CONSTRUCTED, ModelDescription
from coupling.faithfulness.rows import ALL_RUNS, DISCORDANT
from synthetic_panels import drifting_panel, panel_of

PROVENANCE = Provenance(
    experiment="synthetic",
    config_sha256="c0ffee",
    model=ModelDescription("model", None),
    target=ModelDescription("base", None),
    explanation_format="answer_pair",
    artifacts={"labels.jsonl": "abc"},
)
PANEL = drifting_panel(clusters=22, pairs_each=8)


def at_step(evidence: Evidence, step: int) -> Evidence:
    return replace(evidence, runs=tuple(replace(run, step=step) for run in evidence.runs))


def at_base(evidence: Evidence) -> Evidence:
    runs = (replace(run, behaviors=evidence.target, remeasured=None, step=0) for run in evidence.runs)
    return replace(evidence, runs=tuple(runs))


@cache
def results() -> Results:
    return evaluated()


def evaluated() -> Results:
    return evaluate((PANEL, at_base(PANEL)), 120, PROVENANCE, resamples=200)


def test_equal_input_gives_equal_bytes_whatever_the_order_of_pairs() -> None:
    reordered = replace(PANEL, pairs=PANEL.pairs[::-1])
    assert json.dumps(results().to_json()) == json.dumps(evaluated().to_json())
    assert judge(reordered, resamples=200) == judge(PANEL, resamples=200)


def test_results_are_read_back_as_written() -> None:
    written = json.loads(json.dumps(results().to_json(), allow_nan=False))
    assert Results.from_json(written) == results()


def test_results_of_another_version_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"results\.json: schema 99, but this version reads 5; evaluate again"
    ):
        Results.from_json({**results().to_json(), "schema": 99})


def test_the_headline_is_of_the_step_that_was_named() -> None:
    found = results()
    assert (found.step, found.steps) == (120, (0, 120))
    assert {row.step for row in found.rows} == {0, 120}
    assert (found.counts.pairs, found.counts.clusters, found.counts.runs) == (176, 22, 5)
    assert found.verdict().verdict == "coupled"


def test_step_0_of_a_base_that_is_the_target_tells_nothing_apart() -> None:
    figures = results().figures
    assert figures("similarity", step=0).value == 1
    for name, subset in (("delta", "all"), ("self", DISCORDANT), ("t", "all"), ("a", "all")):
        assert figures(name, subset=subset, step=0).value is None
    assert judge(at_base(PANEL), resamples=200).verdict().reason == "too_little_drift"


def test_what_is_told_of_every_checkpoint_does_not_depend_on_which_is_judged() -> None:
    now = results().figures
    then = evaluate((PANEL, at_base(PANEL)), 0, PROVENANCE, resamples=200).figures
    at_both = [row for row in then if row.step == 120]
    assert {row.figure for row in at_both} >= {"self", "delta", "t", "a", "r", "turned", "shift"}
    for row in at_both:
        assert now(row.figure, row.run, row.subset, row.explainer, 120) == row.estimate


def test_every_row_is_of_a_figure_that_is_listed_and_has_data() -> None:
    for row in results().rows:
        assert row.figure in FIGURES and row.estimate.value is not None


def test_explainers_are_listed_and_their_verdicts_kept() -> None:
    found = results()
    names = {explainer.name for explainer in found.explainers}
    runs = {f"run: {run.name}" for run in found.runs}
    assert {row.explainer for row in found.rows} - names == runs | {"target", "others"}
    for explainer in found.explained_by(CONSTRUCTED):
        assert found.verdict(explainer=explainer.name).reason


def test_the_headline_alone_is_that_of_the_results() -> None:
    panel, found = panel_of(PANEL, resamples=200), results()
    baselines = encoded_baselines(PANEL, panel.table)
    figures, verdict = headline_rows(panel.table, baselines, panel.twins, panel.steered, panel.bootstrap, 120)
    assert verdict.reason == found.verdict().reason and verdict.sentence == found.verdict().sentence
    for row in figures:
        assert found.figures(row.figure, ALL_RUNS, row.subset, row.explainer) == row.estimate


def test_each_run_has_a_verdict_of_its_own() -> None:
    small = drifting_panel(clusters=22, pairs_each=8)
    silent = replace(
        small.runs[0], explanations={i: replace(e, claim=None) for i, e in small.runs[0].explanations.items()}
    )
    found = judge(replace(small, runs=(silent, *small.runs[1:])))
    assert found.verdict("plain").reason == "parse_rate"
    assert found.verdict("follow-Chen").reason != "parse_rate"


def test_checkpoints_of_other_runs_may_stand_beside_the_one_that_is_judged() -> None:
    fewer = replace(at_base(PANEL), runs=at_base(PANEL).runs[1:])
    found = evaluate((PANEL, fewer), 120, PROVENANCE, resamples=100, surrogates=False).figures
    assert found("self", "plain", step=0).value is None and found("self", "follow-Chen", step=0).value


def test_steps_that_do_not_fit_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"checkpoint 60: there is no evidence of this step; there is of \[120\]"
    ):
        evaluate((PANEL,), 60, PROVENANCE, resamples=100)
    with pytest.raises(ValueError, match="are of one step"):
        evaluate((PANEL, PANEL), 120, PROVENANCE, resamples=100)


def test_missing_labels_are_noted() -> None:
    unlabelled = replace(PANEL, labels=(), label_clusters=frozenset())
    assert results().notes == ()
    assert "No labels" in evaluate((unlabelled,), 120, PROVENANCE, resamples=100).notes[0]


def test_a_run_without_a_twin_is_not_called_coupled() -> None:
    evidence = drifting_panel("self")
    in_twins = {name for pair in evidence.twins for name in pair}
    (alone,) = [run.name for run in evidence.runs if run.name not in in_twins]
    assert judge(evidence, resamples=100).verdict(alone).reason in {"no_twins", "too_little_drift", "no_gap"}


def test_one_working_twin_pair_is_not_two() -> None:
    """The second pair's twins act and speak alike: they show nothing, whatever they were steered on."""
    evidence = drifting_panel("self")
    assert judge(evidence, resamples=100).verdict().verdict == "coupled"
    first, second = evidence.twins[1]
    model = next(run for run in evidence.runs if run.name == first)
    runs = tuple(
        replace(run, behaviors=model.behaviors, explanations=model.explanations, remeasured=None)
        if run.name == second
        else run
        for run in evidence.runs
    )
    assert judge(replace(evidence, runs=runs), resamples=100).verdict().reason == "one_cue"
