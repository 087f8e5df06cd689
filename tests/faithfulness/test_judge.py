"""The whole of it: the same input gives the same bytes, and results are read back as they were written."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from coupling.faithfulness import Evidence, Provenance, Results, evaluate, judge, trajectory_row
from coupling.faithfulness.results import ModelDescription
from synthetic_panels import drifting_panel

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


def results() -> Results:
    return evaluate((PANEL, at_base(PANEL)), 120, PROVENANCE, resamples=200)


def test_equal_input_gives_equal_bytes_whatever_the_order_of_pairs() -> None:
    reordered = replace(PANEL, pairs=PANEL.pairs[::-1])
    assert json.dumps(results().to_json()) == json.dumps(results().to_json())
    assert judge(reordered, resamples=200) == judge(PANEL, resamples=200)


def test_results_are_read_back_as_written() -> None:
    written = json.loads(json.dumps(results().to_json(), allow_nan=False))
    assert Results.from_json(written) == results()


def test_results_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match=r"results\.json: results schema 99, but this version reads 4"):
        Results.from_json({**results().to_json(), "schema": 99})


def test_the_headline_is_of_the_step_that_was_named() -> None:
    found = results()
    assert found.step == found.headline.step == 120
    assert [row.step for row in found.trajectory] == [0, 120]
    assert (found.counts.pairs, found.counts.clusters, found.counts.runs) == (176, 22, 5)
    assert found.headline.verdict.verdict == "coupled"


def test_step_0_of_a_base_that_is_the_target_tells_nothing_apart() -> None:
    row = trajectory_row(at_base(PANEL), resamples=200)
    assert row.pooled.similarity.value == 1
    assert row.pooled.delta.value is None and row.pooled.self_discordant.value is None
    assert row.t.value is None and row.advantage.value is None
    assert judge(at_base(PANEL), resamples=200).verdict.reason == "too_little_drift"


def test_the_trajectory_agrees_with_the_headline() -> None:
    headline, row = judge(PANEL, resamples=200), trajectory_row(PANEL, resamples=200)
    assert row.pooled.delta == headline.pooled.delta
    assert row.runs[0].self_share == headline.runs[0].figures.self_parts.exact
    assert (row.advantage, row.rivalry) == (headline.matrix.advantage, headline.matrix.rivalry)
    assert headline.twins is not None and row.t == headline.twins.pooled.all_pairs.t


def test_each_run_has_a_verdict_of_its_own() -> None:
    small = drifting_panel(clusters=22, pairs_each=8)
    silent = replace(
        small.runs[0], explanations={i: replace(e, claim=None) for i, e in small.runs[0].explanations.items()}
    )
    verdicts = {
        run.name: run.verdict.reason for run in judge(replace(small, runs=(silent, *small.runs[1:]))).runs
    }
    assert verdicts["plain"] == "parse_rate"
    assert verdicts["follow-Chen"] != "parse_rate"


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
    (alone,) = [run for run in judge(evidence, resamples=100).runs if run.name not in in_twins]
    assert alone.verdict.reason in {"no_twins", "too_little_drift", "no_gap"}


def test_one_working_twin_pair_is_not_two() -> None:
    """The second pair's twins act and speak alike: they show nothing, whatever they were steered on."""
    evidence = drifting_panel("self")
    assert judge(evidence, resamples=100).verdict.verdict == "coupled"
    first, second = evidence.twins[1]
    model = next(run for run in evidence.runs if run.name == first)
    runs = tuple(
        replace(run, behaviors=model.behaviors, explanations=model.explanations, remeasured=None)
        if run.name == second
        else run
        for run in evidence.runs
    )
    assert judge(replace(evidence, runs=runs), resamples=100).verdict.reason == "one_cue"
