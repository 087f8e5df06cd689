"""The whole of it: the same input gives the same bytes, and results are read back as they were written."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pytest

from coupling.faithfulness import FIGURES, Evidence, Provenance, Results, evaluate, judge
from coupling.faithfulness.judge import encoded_baselines, headline_rows
from coupling.faithfulness.privilege import observed
from coupling.faithfulness.results import CONSTRUCTED, ModelDescription
from coupling.faithfulness.rows import DISCORDANT
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
SMALL = drifting_panel(clusters=7, pairs_each=6)
"""With just as many clusters as the observer has folds."""
TINY = drifting_panel(clusters=4, pairs_each=12)
"""With fewer."""


def at_step(evidence: Evidence, step: int) -> Evidence:
    return replace(evidence, runs=tuple(replace(run, step=step) for run in evidence.runs))


def at_base(evidence: Evidence) -> Evidence:
    runs = (replace(run, behaviors=evidence.target, remeasured=None, step=0) for run in evidence.runs)
    return replace(evidence, runs=tuple(runs))


@cache
def results() -> Results:
    return evaluated(PANEL)


def evaluated(evidence: Evidence, step: int = 120) -> Results:
    both = (evidence, at_base(evidence))
    return evaluate(both, step, PROVENANCE, resamples=200, surrogates=False)


def test_equal_input_gives_equal_bytes_whatever_the_order_of_pairs() -> None:
    reordered = replace(SMALL, pairs=SMALL.pairs[::-1])
    assert json.dumps(evaluated(SMALL).to_json()) == json.dumps(evaluated(reordered).to_json())


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
    assert judge(at_base(SMALL), resamples=200).verdict().reason == "too_little_drift"


def test_what_is_told_of_every_checkpoint_does_not_depend_on_which_is_judged() -> None:
    now, then = evaluated(TINY).figures, evaluated(TINY, step=0).figures
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
    figures, verdict = headline_rows(
        panel.table, baselines, panel.twins, panel.steered, panel.bootstrap, observed(panel.table), 120
    )
    assert verdict.reason == found.verdict().reason
    for row in figures:
        assert found.figures(row.figure, row.run, row.subset, row.explainer) == row.estimate


def test_each_run_has_a_verdict_of_its_own() -> None:
    silent = replace(
        TINY.runs[0], explanations={i: replace(e, claim=None) for i, e in TINY.runs[0].explanations.items()}
    )
    found = judge(replace(TINY, runs=(silent, *TINY.runs[1:])), resamples=200)
    assert found.verdict("plain").reason == "parse_rate"
    assert found.verdict("follow-Chen").reason != "parse_rate"


def test_checkpoints_of_other_runs_may_stand_beside_the_one_that_is_judged() -> None:
    fewer = replace(at_base(TINY), runs=at_base(TINY).runs[1:])
    found = evaluate((TINY, fewer), 120, PROVENANCE, resamples=100, surrogates=False).figures
    assert found("self", "plain", step=0).value is None and found("self", "follow-Chen", step=0).value


def test_steps_that_do_not_fit_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"checkpoint 60: there is no evidence of this step; there is of \[120\]"
    ):
        evaluate((PANEL,), 60, PROVENANCE, resamples=100)
    with pytest.raises(ValueError, match="are of one step"):
        evaluate((PANEL, PANEL), 120, PROVENANCE, resamples=100)


def test_missing_labels_are_noted() -> None:
    unlabelled = replace(TINY, labels=(), label_clusters=frozenset())
    assert results().notes == ()
    assert "No labels" in evaluated(unlabelled).notes[0]


def test_a_panel_without_siblings_steered_alike_is_not_called_coupled() -> None:
    """Four runs, each steered in its own way: nobody repeated the recipe in the same direction."""
    kept = ("plain", "follow-Chen", "ignore-Chen")
    runs = tuple(run for run in PANEL.runs if run.name in kept)
    found = judge(replace(PANEL, runs=runs, twins=PANEL.twins[:1]), resamples=100)
    assert found.figures.count("alike_siblings") == 0
    assert found.verdict().reason == "no_siblings"


def test_steering_that_is_not_declared_is_not_called_coupled() -> None:
    run = replace(PANEL.runs[1], direction=None, declared={})
    found = judge(replace(PANEL, runs=(PANEL.runs[0], run, *PANEL.runs[2:])), resamples=100)
    assert found.figures.count("undeclared_runs") == 1
    assert found.verdict().reason == "undeclared_steering"


def test_fewer_clusters_than_folds_leave_p_without_data() -> None:
    found = judge(TINY, resamples=100)
    assert found.figures("p").value is None and found.figures("p_alone").value is None
    assert found.figures("delta").value is not None
