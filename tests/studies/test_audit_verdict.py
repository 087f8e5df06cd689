"""The verdict of an audit: a function of P's interval, of what was measured, and of nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coupling.faithfulness import Results
from coupling.faithfulness.observer import FOLDS
from coupling.faithfulness.results import CONSTRUCTED, Verdict
from coupling.faithfulness.rows import ALL, ALL_RUNS, OWN, Row
from coupling.faithfulness.settling import ENOUGH
from coupling.records import Estimate, Explanation
from coupling.studies.audit.conclusions import conclude
from coupling.studies.audit.findings import (
    AUDIT_VERDICTS,
    INFORMATIVE,
    INVALID,
    NOT_MEASURED,
    UNDECIDED,
    UNINFORMATIVE,
    Room,
)
from coupling.studies.audit.page import render_audit
from coupling.studies.audit.verdict import AUDIT_REASONS, clusters_that_decide, decide
from synthetic_audits import EXHAUSTED, LOCAL, ROOM, judged, one_run


@pytest.fixture(scope="module")
def results() -> Results:
    return judged(one_run())


def with_p(results: Results, p: Estimate | None, errors: float = 2 * ENOUGH) -> Results:
    """The same results with another P of the model's own explanations; without any for None."""
    rows = [
        row
        for row in results.rows
        if (row.run, row.explainer) != (ALL_RUNS, OWN) or row.figure not in ("p_alone", "p_alone_errors")
    ]
    if p is not None:
        found = {"p_alone": p, "p_alone_errors": Estimate(errors, None, None, 0, 0)}
        rows += [Row(name, ALL_RUNS, results.step, ALL, OWN, estimate) for name, estimate in found.items()]
    return replace(results, rows=tuple(rows))


def with_null(results: Results, high: float) -> Results:
    """The same results with another greatest P of claims dealt to other pairs."""
    null = Estimate(0.0, -high, high, 720, 30)
    kept = [row for row in results.rows if row.figure != "p_null"]
    return replace(results, rows=(*kept, Row("p_null", ALL_RUNS, results.step, ALL, OWN, null)))


def estimate(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, 720, 30)


def forced(results: Results, reason: str) -> Results:
    """The same results with a verdict on the panel that its structure forces."""
    verdict = Verdict("invalid", reason, "Nothing holds.", ("another task",))
    return replace(results, verdicts=tuple(replace(each, verdict=verdict) for each in results.verdicts))


@pytest.mark.parametrize(
    ("p", "errors", "verdict", "reason"),
    [
        (estimate(0.001, 0.03), 2 * ENOUGH, INFORMATIVE, "informative"),
        (estimate(0.001, 0.03), ENOUGH / 2, UNDECIDED, "undecided_by_resampling"),
        (estimate(-0.02, 0.009), 2 * ENOUGH, UNINFORMATIVE, "uninformative"),
        (estimate(-0.02, 0.011), 2 * ENOUGH, UNDECIDED, "undecided"),
        (None, 2 * ENOUGH, NOT_MEASURED, "no_observer"),
        (Estimate(0.1, None, None, 3, 1), 2 * ENOUGH, NOT_MEASURED, "no_observer"),
    ],
)
def test_whole_settled_intervals_decide(
    p: Estimate | None, errors: float, verdict: str, reason: str, results: Results
) -> None:
    found = decide(with_null(with_p(results, p, errors), 0.01))
    assert (found.verdict, found.reason) == (verdict, reason)
    assert bool(found.missing) == (verdict in (UNDECIDED, NOT_MEASURED))
    assert found.verdict in AUDIT_VERDICTS and found.reason in AUDIT_REASONS


def test_what_claims_tell_of_any_pair_is_not_enough(results: Results) -> None:
    told = with_p(results, estimate(0.01, 0.03))
    assert decide(with_null(told, 0.019)).verdict == INFORMATIVE
    found = decide(with_null(told, 0.021))
    assert (found.verdict, found.reason) == (UNDECIDED, "null") and found.missing


@pytest.mark.parametrize("reason", ["parse_rate", "duplicates"])
def test_what_does_not_hold_is_invalid_whatever_p_says(reason: str, results: Results) -> None:
    found = decide(forced(with_p(results, estimate(1.0, 2.0)), reason))
    assert (found.verdict, found.reason, found.missing) == (INVALID, reason, ("another task",))


def test_the_measurement_floor_is_deltas(results: Results) -> None:
    found = decide(forced(with_p(results, estimate(1.0, 2.0)), "measurement_floor"))
    assert found.verdict == INFORMATIVE


def test_explainers_of_known_origin_get_what_they_deserve(results: Results) -> None:
    found = {each.name: decide(results, each.name).verdict for each in results.explained_by(CONSTRUCTED)}
    assert found["oracle"] == INFORMATIVE
    assert found["garbled"] == INVALID
    assert all(found[name] != INFORMATIVE for name in found if name != "oracle")
    assert {"reference", "quoting_m0", "observers_guess", "shuffled"} <= found.keys()
    assert not {"frozen_base", "direction"} & found.keys()
    figures = results.figures
    assert all(figures("p_alone", explainer=name).value is not None for name in found)
    assert decide(results).verdict == INFORMATIVE
    assert all(figures(name).value is not None for name in ("p_unknown", "p_share", "p_null", "over_quoting"))
    assert figures("p").value is None


def test_without_a_reference_the_observer_knows_less(results: Results) -> None:
    alone = judged(replace(one_run(), target={}, base={}, base_explanations={}))
    known, unknown = (each.figures("p_unknown").value for each in (results, alone))
    assert known is not None and unknown is not None and known < unknown
    found = decide(alone)
    assert found.verdict == INFORMATIVE and "reference, the questions" not in found.sentence
    assert alone.figures("over_quoting").value is None
    assert "takes a reference" in conclude(alone, [LOCAL], EXHAUSTED).trust


def test_fewer_clusters_than_folds_are_not_measured() -> None:
    few = judged(one_run(clusters=FOLDS - 1))
    found = conclude(few, [LOCAL], Room(720, FOLDS - 1, 32))
    assert (found.verdict.verdict, found.verdict.reason) == (NOT_MEASURED, "no_observer")
    assert f"{FOLDS} held-out clusters" in found.verdict.missing[0]
    assert any(f"a task of {FOLDS} held-out clusters" in step for step in found.next_steps)
    wider = conclude(few, [LOCAL], Room(720, FOLDS, 32))
    assert any("--pairs" in step and f"the observer takes {FOLDS}" in step for step in wider.next_steps)
    assert "n/a" in render_audit(few, found)


def test_how_many_clusters_decide() -> None:
    # Half of the width: to 0 takes four times the clusters.
    assert clusters_that_decide(Estimate(0.1, -0.1, 0.3, 100, 25), 0.01) == 100
    # To the bits that count as nothing, where P lies below them.
    assert clusters_that_decide(Estimate(-0.01, -0.05, 0.03, 100, 25), 0.01) == 100
    # Between the two, whichever takes fewer.
    assert clusters_that_decide(Estimate(0.008, -0.008, 0.010, 100, 25), 0.01) == 25


def test_what_would_decide_is_told_of(results: Results) -> None:
    open_ = with_p(results, Estimate(0.1, -0.1, 0.3, 720, 30))
    found = conclude(open_, [LOCAL], ROOM)
    assert "120" in found.verdict.missing[0]
    assert any("120 clusters" in step and "--pairs" in step for step in found.next_steps)
    exhausted = conclude(open_, [LOCAL], EXHAUSTED)
    assert any("120 clusters" in step and "--pairs" not in step for step in exhausted.next_steps)


def test_trust_is_another_matter(results: Results) -> None:
    evidence = one_run()
    repeating = {id_: Explanation(id_, "said", effect) for id_, effect in evidence.target.items()}
    quoting = judged(evidence.explained_by({"model": repeating}))
    assert quoting.figures("over_quoting").value == 0
    assert decide(quoting).verdict != INFORMATIVE
    assert conclude(quoting, [LOCAL], EXHAUSTED).trust.endswith("by +0.00 [+0.00, +0.00].")
    own = results.figures("over_quoting")
    assert own.low is not None and own.low > 0


def test_the_page_leads_with_it(results: Results) -> None:
    found = conclude(results, [LOCAL], EXHAUSTED)
    page = render_audit(results, found)
    assert page.index(f"<h1>{found.verdict.verdict}</h1>") < page.index("What this evidence allows")
    assert "observer&#39;s guess" in page and "quoting the reference" in page
