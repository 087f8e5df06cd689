from __future__ import annotations

from dataclasses import replace

import pytest

from coupling.faithfulness import Evidence, judge
from coupling.faithfulness.results import FAIL, NOT_APPLICABLE, OK, WARNING, Gate
from synthetic_panels import drifting_panel, small_panel


def gates(evidence: Evidence) -> dict[tuple[str, str | None], Gate]:
    return {(gate.name, gate.run): gate for gate in judge(evidence, resamples=200).gates}


SMALL = drifting_panel(clusters=6, pairs_each=20)


def test_every_run_and_the_panel_have_gates() -> None:
    found = gates(SMALL)
    names = {"parse_rate", "similarity", "claims", "measurement_floor"}
    for run in (None, *(run.name for run in SMALL.runs)):
        assert names <= {name for name, of in found if of == run}
    assert {"leakage", "training_floor"} <= {name for name, of in found if of is None}


def test_parse_rate() -> None:
    ten = ["BB"] * 10
    at_limit = small_panel(ten, {"run": ten}, {"run": [*ten[:9], None]})
    below = small_panel(ten, {"run": ten}, {"run": [*ten[:8], None, None]})
    assert gates(at_limit)["parse_rate", "run"].status == OK
    assert gates(below)["parse_rate", "run"].status == FAIL


def test_similarity_below_the_limit_is_a_warning() -> None:
    moved = small_panel(["BB"] * 3, {"run": ["BB", "LL", "LL"]}, {"run": ["BB"] * 3})
    gate = gates(moved)["similarity", "run"]
    assert gate.status == WARNING
    assert gate.figures["similarity"] == pytest.approx(1 / 3)


def test_one_claim_for_all_is_a_failure_only_where_behaviour_varies() -> None:
    varied = ["BB", "LL", "OO", "RR"] * 3
    same = ["BB"] * 12
    assert gates(small_panel(varied, {"run": varied}, {"run": same}))["claims", "run"].status == FAIL
    assert gates(small_panel(same, {"run": same}, {"run": same}))["claims", "run"].status == WARNING
    assert (
        gates(small_panel(same, {"run": same}, {"run": [None] * 12}))["claims", "run"].status
        == NOT_APPLICABLE
    )


def test_answers_that_rules_for_english_cannot_read_are_a_warning() -> None:
    ten = ["BB"] * 10
    panel = small_panel(ten, {"run": ten}, {"run": ten})
    assert ("language", None) not in gates(panel)
    for share, status in ((0.05, OK), (0.6, WARNING)):
        told = replace(panel, runs=tuple(replace(run, not_english=share) for run in panel.runs))
        gate = gates(told)["language", None]
        assert (gate.status, gate.figures) == (status, {"run": share})


def test_measurement_floor() -> None:
    assert gates(SMALL)["measurement_floor", None].status == OK
    once = replace(SMALL, runs=tuple(replace(run, remeasured=None) for run in SMALL.runs))
    assert gates(once)["measurement_floor", None].status == NOT_APPLICABLE
    # Measured again, the model's answers are the target's: Δ of own claims vanishes.
    shaky = replace(SMALL, runs=tuple(replace(run, remeasured=SMALL.target) for run in SMALL.runs))
    gate = gates(shaky)["measurement_floor", None]
    assert gate.figures["delta remeasured"] is None
    assert gate.status == WARNING


def test_leakage_is_looked_for_where_labels_are_known() -> None:
    assert gates(SMALL)["leakage", None].status == OK
    assert gates(replace(SMALL, label_clusters=frozenset()))["leakage", None].status == NOT_APPLICABLE


def test_training_floor_takes_two_unsteered_runs() -> None:
    assert gates(SMALL)["training_floor", None].status == NOT_APPLICABLE
    again = replace(SMALL.runs[0], name="plain-2")
    gate = gates(replace(SMALL, runs=(*SMALL.runs, again)))["training_floor", None]
    assert gate.status == OK
    assert gate.figures["similarity between"] == 1.0
    assert {"delta plain", "delta plain-2"} <= gate.figures.keys()
