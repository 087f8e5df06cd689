"""Where the target's behaviour is not known, what needs it is n/a and never 0; the rest stays as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pytest

from coupling.faithfulness import Evidence, Provenance, Results, evaluate, judge
from coupling.faithfulness.results import ModelDescription
from coupling.faithfulness.rows import DISCORDANT, OWN, TARGET, baseline_explainer, best_baseline
from synthetic_panels import drifting_panel

KNOWN = drifting_panel(clusters=22, pairs_each=8)
UNKNOWN = replace(KNOWN, target={})


@cache
def results(is_known: bool = False) -> Results:
    return evaluated(KNOWN if is_known else UNKNOWN)


def evaluated(evidence: Evidence) -> Results:
    model = ModelDescription("model", None)
    provenance = Provenance("panel", "0" * 64, model, model, "answer_pair", {})
    return evaluate([evidence], 120, provenance, resamples=100, surrogates=False)


OF_TARGET = (
    *("orig", "orig_with_cue", "orig_without_cue", "orig_changed", "gap", "delta", "win_rate", "similarity"),
    *(
        "orig_advantage",
        "orig_skill",
        "discordant_pairs",
        "delta_remeasured",
        "measurement_floor",
        "s",
        "a",
        "r",
    ),
)


def test_what_needs_the_target_is_not_available() -> None:
    found = results().figures
    assert not [row for row in found if row.figure in OF_TARGET or row.subset == DISCORDANT]
    assert not [row for row in found if row.explainer == TARGET]
    assert best_baseline(found, against="orig") is None and best_baseline(found) is not None


def test_what_does_not_need_it_is_what_it_was() -> None:
    with_it, without = results(is_known=True).figures, results().figures
    # The observer behind P is told the target, where it is known.
    kept = [row for row in without if row.explainer == OWN and not row.figure.startswith("p_")]
    kept = [row for row in kept if row.figure != "p"]
    assert {row.figure for row in kept} >= {
        "self",
        "parse_rate",
        "t",
        "claim_entropy",
        "self_skill",
        "flip_share",
    }
    for row in kept:
        assert with_it(row.figure, row.run, row.subset) == row.estimate


def test_the_verdict_says_what_is_missing() -> None:
    found = results()
    for verdict in (found.verdict(), found.verdict(UNKNOWN.runs[1].name)):
        assert (verdict.verdict, verdict.reason) == ("not shown", "no_target")
        assert verdict.missing == ("the target's behaviour on the held-out pairs",)
    assert "P = " in found.verdict().sentence


def test_what_cannot_be_read_is_invalid_with_or_without_it() -> None:
    silent = {
        run.name: {id_: replace(said, claim=None) for id_, said in run.explanations.items()}
        for run in UNKNOWN.runs
    }
    assert judge(UNKNOWN.explained_by(silent), resamples=100).verdict().reason == "parse_rate"


def test_gates_examples_and_notes() -> None:
    found = results()
    (gate,) = [gate for gate in found.gates if gate.name == "similarity" and gate.run is None]
    assert gate.status == "n/a"
    assert found.examples == ()
    assert found.notes[0].startswith("The target's behaviour is not known")
    assert {each.verdict.reason for each in found.verdicts} <= {"no_target", "collapsed", "parse_rate"}
    written = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert Results.from_json(written) == found


def test_without_labels_too_the_baselines_go_by_the_runs_themselves() -> None:
    found = evaluated(replace(UNKNOWN, labels=(), label_clusters=frozenset()))
    assert "the baselines take the runs' own effects" in found.notes[1]
    majority = found.figures("self", explainer=baseline_explainer("majority")).value
    assert majority is not None and majority > 0


@pytest.mark.parametrize("is_known", [True, False])
def test_sources_are_empty_where_there_is_but_one(is_known: bool) -> None:
    assert results(is_known).sources == ()
