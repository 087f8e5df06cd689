"""What is wanted of the verdict, and which of it was missed."""

from __future__ import annotations

from coupling.faithfulness.coverage import EXPANDED_PERCENTILE, PERCENTILE, Coverage
from coupling.faithfulness.statistics import EXPANDED
from coupling.report.text import number
from coupling.studies.calibrate.emitters import IMPOSTORS, ITSELF
from coupling.studies.calibrate.figures import Calibration, Rated
from coupling.studies.calibrate.tables import told

WANTED_ERROR, WANTED_ERROR_BOUND = 0.05, 0.08
WANTED_POWER = 0.9
WANTED_COVERAGE = (0.93, 0.97)


def misses(results: Calibration) -> list[str]:
    """Every wish that was not fulfilled, and what it would take; empty where all were."""
    found = []
    for rated in results.rates:
        found += _error_miss(rated) if rated.emitter in {emitter.name for emitter in IMPOSTORS} else []
    own = results.rated(ITSELF.name)
    if own is not None and own.pooled.value is not None and own.pooled.value < WANTED_POWER:
        found.append(
            f"Power on the organisms' own explanations is {told(own.pooled)}; wanted {WANTED_POWER} or "
            f"more. {_what_else(own)}"
        )
    low, high = WANTED_COVERAGE
    for each in results.coverage:
        if each.method == method_in_use() and not _within(each.held.value, low, high):
            found.append(
                f"Intervals of {each.figure} over {each.clusters} clusters hold the truth in "
                f"{told(each.held)} of draws; wanted {low:.0%} to {high:.0%}. "
                f"{_coverage_mending(results, each)}"
            )
    return found


def fulfilled(results: Calibration) -> str:
    """One line for the terminal."""
    missed = len(misses(results))
    return "every wish is fulfilled" if not missed else f"wishes that are missed: {missed}"


def _error_miss(rated: Rated) -> list[str]:
    value, high = rated.pooled.value, rated.pooled.high
    assert value is not None and high is not None
    if value < WANTED_ERROR and high < WANTED_ERROR_BOUND:
        return []
    if value < WANTED_ERROR:
        why = "More draws would narrow the interval."
    else:
        a = number(rated.advantage, 2, signed=True)
        why = (
            f"On average it has T = {number(rated.t, 2)} and A = {a}: a margin of A above what it reaches "
            "would shut it out, at the cost of power."
        )
    return [f"`{rated.emitter}` is called `coupled` in {told(rated.pooled)} of draws. {why}"]


def _what_else(rated: Rated) -> str:
    others = {reason: count for reason, count in rated.reasons.items() if reason != "coupled"}
    if not others:
        return ""
    reason = max(others, key=lambda name: others[name])
    by_figure = {
        "no_gap": "Δ's interval holds 0: a greater shift, or more clusters, would tell it from 0",
        "diagonal_undecided": "A's interval holds its margin: more clusters would narrow it",
        "diagonal_low": "A lies below its margin",
        "twins_undecided": "T's interval holds its margin: more clusters would narrow it",
        "imitates_target": "Δ lies below 0: labels won over behaviour",
    }
    told = by_figure.get(reason, reason.replace("_", " "))
    return f"Most often ({others[reason]} of {rated.pooled.trials} draws) {told}."


def _coverage_mending(results: Calibration, missed: Coverage) -> str:
    low, high = WANTED_COVERAGE
    other = EXPANDED_PERCENTILE if missed.method == PERCENTILE else PERCENTILE
    found = [
        each
        for each in results.coverage
        if (each.figure, each.clusters, each.method) == (missed.figure, missed.clusters, other)
    ]
    if found and _within(found[0].held.value, low, high):
        return f"By {other} they do in {told(found[0].held)}."
    return "More clusters would mend it."


def method_in_use() -> str:
    return EXPANDED_PERCENTILE if EXPANDED else PERCENTILE


def _within(value: float | None, low: float, high: float) -> bool:
    return value is not None and low <= value <= high
