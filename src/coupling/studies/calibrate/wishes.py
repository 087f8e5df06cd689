"""What is wanted of the verdict, and which of it was missed."""

from __future__ import annotations

from coupling.faithfulness.coverage import EXPANDED_PERCENTILE, PERCENTILE, Coverage
from coupling.faithfulness.statistics import EXPANDED, Rate
from coupling.studies.calibrate.candidates import WANTED_ERROR, is_rare
from coupling.studies.calibrate.draws import Size
from coupling.studies.calibrate.emitters import IMPOSTORS, ITSELF
from coupling.studies.calibrate.figures import Calibration, Rated
from coupling.studies.calibrate.tables import mean_told
from coupling.studies.writing import told

WANTED_POWER, WANTED_POWER_OF_HALF = 0.9, 0.5
"""At the base size, and with half of its pairs about the same clusters."""
WANTED_BEYOND = 0.05
"""A bound that decides lies beyond the truth in no more draws than this. An interval of 95 % is made for
0.025 on each side; twice that is still one-sided 95 %."""


def misses(results: Calibration) -> list[str]:
    """Every wish that was not fulfilled, and what it would take; empty where all were."""
    found = []
    for rated in results.rates:
        found += _error_miss(rated) if rated.emitter in {emitter.name for emitter in IMPOSTORS} else []
    found += _power_misses(results)
    for each in results.coverage:
        beyond = each.beyond.value
        if each.method == method_in_use() and beyond is not None and beyond > WANTED_BEYOND:
            found.append(
                f"The bound of {each.figure} that decides lies beyond the truth in {told(each.beyond)} of "
                f"draws of {each.clusters} clusters; wanted {WANTED_BEYOND:.0%} or less. "
                f"{_coverage_mending(results, each)}"
            )
    return found


def half_of(base: Size) -> Size:
    """Half the pairs about as many clusters: of half the clusters a verdict says too little drift."""
    return Size(base.clusters, base.pairs // 2)


def fulfilled(results: Calibration) -> str:
    """One line for the terminal."""
    missed = len(misses(results))
    return "every wish is fulfilled" if not missed else f"wishes that are missed: {missed}"


def _error_miss(rated: Rated) -> list[str]:
    value = rated.pooled.value
    assert value is not None
    if is_rare(rated.pooled):
        return []
    if value <= WANTED_ERROR:
        why = "More draws would narrow the interval."
    else:
        why = f"On average it has P = {mean_told(rated, 'p')} and Δ = {mean_told(rated, 'delta')}."
    return [f"`{rated.emitter}` is called `coupled` in {told(rated.pooled)} of draws. {why}"]


def _power_misses(results: Calibration) -> list[str]:
    own = results.rated(ITSELF.name)
    if own is None:
        return []
    found = []
    if _is_less(own.pooled, WANTED_POWER):
        found.append(
            f"Power on the organisms' own explanations is {told(own.pooled)}; wanted {WANTED_POWER} or more. "
            f"{_what_else(own)}"
        )
    half = half_of(results.base)
    for each in results.sizes:
        is_it = (each.emitter, Size(each.clusters, each.pairs)) == (ITSELF.name, half)
        if is_it and _is_less(each.rate, WANTED_POWER_OF_HALF):
            found.append(
                f"With half of the pairs ({half.pairs}, of {half.clusters} clusters) it is {told(each.rate)}"
                f"; wanted {WANTED_POWER_OF_HALF} or more."
            )
    return found


def _is_less(power: Rate, wanted: float) -> bool:
    return power.value is not None and power.value < wanted


def _what_else(rated: Rated) -> str:
    others = {reason: count for reason, count in rated.reasons.items() if reason != "coupled"}
    if not others:
        return ""
    reason = max(others, key=lambda name: others[name])
    by_figure = {
        "undecided": "P's interval holds 0: more clusters would narrow it",
        "undecided_by_resampling": "a bound lies too near its threshold for resampling to decide",
        "nothing_private": "P lies at 0",
        "mixed": "Δ lies below 0 although P does not",
        "missing_claims": "too many claims are missing",
        "imitates_target": "Δ lies below 0: labels won over behaviour",
    }
    why = by_figure.get(reason, reason.replace("_", " "))
    return f"Most often ({others[reason]} of {rated.pooled.trials} draws, all worlds) {why}."


def _coverage_mending(results: Calibration, missed: Coverage) -> str:
    other = EXPANDED_PERCENTILE if missed.method == PERCENTILE else PERCENTILE
    same = [each for each in results.coverage if each.figure == missed.figure]
    by_other = [each for each in same if (each.clusters, each.method) == (missed.clusters, other)]
    if by_other and _is_kept(by_other[0]):
        return f"By {other} it does in {told(by_other[0].beyond)}."
    enough = [
        each.clusters
        for each in same
        if each.method == missed.method and each.clusters > missed.clusters and _is_kept(each)
    ]
    if enough:
        return f"Of {min(enough)} clusters it does so as rarely as is wanted."
    return "Neither kind of interval does, nor do more clusters, as far as they were tried."


def method_in_use() -> str:
    return EXPANDED_PERCENTILE if EXPANDED else PERCENTILE


def _is_kept(each: Coverage) -> bool:
    return each.beyond.value is not None and each.beyond.value <= WANTED_BEYOND
