"""What is wanted of the verdict, and which of it was missed."""

from __future__ import annotations

from coupling.faithfulness.coverage import EXPANDED_PERCENTILE, PERCENTILE, Coverage
from coupling.faithfulness.statistics import EXPANDED, Rate
from coupling.studies.calibrate.emitters import IMPOSTORS, ITSELF
from coupling.studies.calibrate.figures import Calibration, Margin, Rated
from coupling.studies.calibrate.tables import mean_told
from coupling.studies.claims.arms import SHIPPED_WORLD
from coupling.studies.writing import told

WANTED_ERROR, WANTED_ERROR_BOUND = 0.05, 0.08
WANTED_POWER = 0.9
WANTED_COVERAGE = (0.93, 0.97)


def misses(results: Calibration) -> list[str]:
    """Every wish that was not fulfilled, and what it would take; empty where all were."""
    found = []
    for rated in results.rates:
        found += _error_miss(rated) if rated.emitter in {emitter.name for emitter in IMPOSTORS} else []
    found += _power_miss(results)
    low, high = WANTED_COVERAGE
    for each in results.coverage:
        if each.method == method_in_use() and not _within(each.held.value, low, high):
            found.append(
                f"Intervals of {each.figure} over {each.clusters} clusters hold the truth in "
                f"{told(each.held)} of draws; wanted {low:.0%} to {high:.0%}. They lie wholly below it in "
                f"{each.below} draws and wholly above it in {each.above}. {_coverage_mending(results, each)}"
            )
    return found


def least_advantage_margin(results: Calibration) -> Margin | None:
    """Were R to lie anywhere: the least margin of A, with that of T in use, that shuts every impostor out as
    is wanted."""
    enough = [
        each
        for each in results.margins
        if (each.twin_margin, each.rivalry_margin) == (results.twin_margin, None) and _shuts_out(each)
    ]
    return min(enough, key=lambda each: each.advantage_margin, default=None)


def rivalry_margins(results: Calibration) -> list[Margin]:
    """The margins of R, the least first, that shut every impostor out with those of T and A in use."""
    used = (results.twin_margin, results.advantage_margin)
    found = {
        each.rivalry_margin: each
        for each in results.margins
        if (each.twin_margin, each.advantage_margin) == used
        and each.rivalry_margin is not None
        and _shuts_out(each)
    }
    return [found[margin] for margin in sorted(found)]


def _shuts_out(margin: Margin) -> bool:
    return all(map(_is_rare, margin.errors.values()))


def _is_rare(errors: Rate) -> bool:
    if errors.value is None or errors.high is None:
        return False
    return errors.value < WANTED_ERROR and errors.high < WANTED_ERROR_BOUND


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
        t, a, r = (mean_told(rated, name) for name in ("t", "a", "r"))
        why = (
            f"On average it has T = {t}, A = {a} and R = {r}: a margin above what it reaches would shut it "
            "out, at the cost of power."
        )
    return [f"`{rated.emitter}` is called `coupled` in {told(rated.pooled)} of draws. {why}"]


def _power_miss(results: Calibration) -> list[str]:
    """Of the shipped organism where it is reported on, else of all worlds."""
    own = results.rated(ITSELF.name)
    if own is None:
        return []
    is_shipped = str(SHIPPED_WORLD) in own.worlds
    power = own.worlds[str(SHIPPED_WORLD)] if is_shipped else own.pooled
    if power.value is None or power.value >= WANTED_POWER:
        return []
    whose = f"the shipped organism's (world {SHIPPED_WORLD})" if is_shipped else "the organisms'"
    return [
        f"Power on {whose} own explanations is {told(power)}; wanted {WANTED_POWER} or more. "
        f"{_what_else(own)}{_size_that_would_do(results)}"
    ]


def _size_that_would_do(results: Calibration) -> str:
    enough = next(
        (
            each.size
            for each in results.smallest
            if (each.emitter, each.power) == (ITSELF.name, WANTED_POWER) and each.size is not None
        ),
        None,
    )
    if enough is None:
        return ""
    size = f"{enough.pairs} pairs of {enough.clusters} clusters"
    return f" All worlds together have the power that is wanted from {size} on."


def _what_else(rated: Rated) -> str:
    others = {reason: count for reason, count in rated.reasons.items() if reason != "coupled"}
    if not others:
        return ""
    reason = max(others, key=lambda name: others[name])
    by_figure = {
        "no_gap": "Δ's interval holds 0: a greater shift, or more clusters, would tell it from 0",
        "diagonal_undecided": "A's interval holds its margin: more clusters would narrow it",
        "diagonal_low": "A lies below its margin",
        "rival_undecided": "R's interval holds its margin: more clusters would narrow it",
        "rival_nearer": "R lies below its margin: another run's explanations fit better",
        "twins_undecided": "T's interval holds its margin: more clusters would narrow it",
        "imitates_target": "Δ lies below 0: labels won over behaviour",
    }
    why = by_figure.get(reason, reason.replace("_", " "))
    return f"Most often ({others[reason]} of {rated.pooled.trials} draws, all worlds) {why}."


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
    enough = [
        each.clusters
        for each in results.coverage
        if (each.figure, each.method) == (missed.figure, missed.method)
        and each.clusters > missed.clusters
        and _within(each.held.value, low, high)
    ]
    if enough:
        return f"Over {min(enough)} clusters they hold it as often as is wanted."
    return "Neither kind of interval does, nor do more clusters, as far as they were tried."


def method_in_use() -> str:
    return EXPANDED_PERCENTILE if EXPANDED else PERCENTILE


def _within(value: float | None, low: float, high: float) -> bool:
    return value is not None and low <= value <= high
