from __future__ import annotations

from dataclasses import replace

import numpy as np

from coupling.faithfulness.missing_claims import best_case_claims, worst_case_claims
from coupling.faithfulness.scores import UNSTATED, parsed, side, tabulate
from coupling.records import Explanation
from synthetic_panels import drifting_panel, small_panel

TARGET = ["BB", "BB", "LL"]
BEHAVIORS = {"one": ["LL", "BB", "OO"], "two": ["BB", "RR", "LL"]}
CLAIMS = {"one": [None, None, "SS"], "two": ["WW", None, None]}


def test_a_missing_claim_is_read_as_the_targets_or_as_the_runs_own() -> None:
    table = tabulate(small_panel(TARGET, BEHAVIORS, CLAIMS))
    decoded = [
        [[table.decode(claim).with_cue[0] for claim in run] for run in claims]
        for claims in (worst_case_claims(table), best_case_claims(table))
    ]
    assert decoded == [[["B", "B", "S"], ["W", "B", "L"]], [["L", "B", "S"], ["W", "R", "L"]]]


def test_claims_that_are_not_missing_stay_and_delta_lies_between() -> None:
    evidence = drifting_panel(clusters=6, pairs_each=20)
    withheld = {
        run.name: {
            pair_id: said if at % 3 else Explanation(pair_id, "", None)
            for at, (pair_id, said) in enumerate(run.explanations.items())
        }
        for run in evidence.runs
    }
    table = tabulate(evidence.explained_by(withheld))
    stated = parsed(table.claims)
    sides = []
    for claims in (worst_case_claims(table), table.claims, best_case_claims(table)):
        assert claims.shape == table.claims.shape
        assert np.array_equal(claims[stated], table.claims[stated])
        sides.append(int(side(claims, table.behaviors, table.target).sum()))
    assert sides[0] < sides[1] < sides[2]


def test_without_a_target_the_worst_case_stays_missing() -> None:
    table = tabulate(replace(small_panel(TARGET, BEHAVIORS, CLAIMS), target={}))
    worst = worst_case_claims(table)
    assert np.array_equal(worst, table.claims)
    assert (worst == UNSTATED).any()
