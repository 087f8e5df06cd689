"""Where the target's behaviour is not known, what needs it is n/a and never 0; the rest stays as it was."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from coupling.faithfulness import Evidence, Provenance, Results, evaluate, judge
from coupling.faithfulness.panel import Faithfulness
from coupling.faithfulness.results import ModelDescription
from coupling.records import Estimate
from synthetic_panels import drifting_panel

KNOWN = drifting_panel(clusters=22, pairs_each=8)
UNKNOWN = replace(KNOWN, target={})


def results(evidence: Evidence) -> Results:
    model = ModelDescription("model", None)
    provenance = Provenance("panel", "0" * 64, model, model, "answer_pair", {})
    return evaluate([evidence], 120, provenance, resamples=100)


def of_target(figures: Faithfulness) -> list[Estimate]:
    parts = figures.orig_parts
    skill = figures.orig_skill
    return [
        *(parts.exact, parts.with_cue, parts.without_cue, parts.changed),
        *(figures.gap, figures.delta, figures.self_discordant, figures.orig_discordant, figures.win_rate),
        *(figures.similarity, skill.advantage, skill.skill),
        *(baseline.against_target for baseline in figures.baselines),
    ]


def test_what_needs_the_target_is_not_available() -> None:
    panel = judge(UNKNOWN, resamples=100)
    for figures in (panel.pooled, *(run.figures for run in panel.runs)):
        assert all(each.value is None and each.n == 0 for each in of_target(figures))
        assert figures.sides is figures.discordant_pairs is figures.discordant_clusters is None
        assert figures.orig_skill.best_baseline is None
        assert figures.delta_remeasured is figures.measurement_floor is None
    assert panel.matrix.advantage.value is None
    for column in panel.matrix.columns:
        assert column.pairs is column.clusters is column.own_win_rate.value is None
    assert all(cell.score.value is None for row in panel.matrix.cells for cell in row)


def test_what_does_not_need_it_is_what_it_was() -> None:
    with_it, without = judge(KNOWN, resamples=100), judge(UNKNOWN, resamples=100)
    assert without.twins == with_it.twins
    for name in ("self_parts", "parse_rate", "claims", "self_skill", "similarity_to_base", "flip_share"):
        assert getattr(without.pooled, name) == getattr(with_it.pooled, name), name


def test_the_verdict_says_what_is_missing() -> None:
    for verdict in (judge(UNKNOWN, resamples=100).verdict, judge(UNKNOWN, resamples=100).runs[1].verdict):
        assert (verdict.verdict, verdict.reason) == ("not shown", "no_target")
        assert verdict.missing == ("the target's behaviour on the held-out pairs",)
    assert "T = " in judge(drifting_panel_without_target(), resamples=100).verdict.sentence


def drifting_panel_without_target() -> Evidence:
    return replace(drifting_panel(), target={})


def test_what_cannot_be_read_is_invalid_with_or_without_it() -> None:
    silent = {
        run.name: {id_: replace(said, claim=None) for id_, said in run.explanations.items()}
        for run in UNKNOWN.runs
    }
    assert judge(UNKNOWN.explained_by(silent), resamples=100).verdict.reason == "parse_rate"


def test_gates_examples_and_notes() -> None:
    found = results(UNKNOWN)
    (gate,) = [gate for gate in found.headline.gates if gate.name == "similarity" and gate.run is None]
    assert gate.status == "n/a"
    assert found.examples == ()
    assert found.notes[0].startswith("The target's behaviour is not known")
    assert {emitter.verdict.reason for emitter in found.emitters} <= {"no_target", "collapsed", "parse_rate"}
    written = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert Results.from_json(written) == found


def test_without_labels_too_the_baselines_go_by_the_runs_themselves() -> None:
    found = results(replace(UNKNOWN, labels=(), label_clusters=frozenset()))
    assert "the baselines take the runs' own effects" in found.notes[1]
    majority = found.headline.pooled.baselines[0].against_own.value
    assert majority is not None and majority > 0


@pytest.mark.parametrize("evidence", [KNOWN, UNKNOWN])
def test_sources_are_empty_where_there_is_but_one(evidence: Evidence) -> None:
    assert results(evidence).sources == ()
