"""What claims turn on: figures of one case, read from the results of its arms.

A figure that was not measured has no data, whatever its number is: Δ of a panel that hardly drifted says
nothing, and neither does P of a panel without the siblings it is to be taken beyond.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from coupling.faithfulness import FROZEN, Results
from coupling.faithfulness.circuits import HEAD, WITHOUT_CUE, Agreement, CircuitResults
from coupling.faithfulness.registry import FIGURES
from coupling.faithfulness.results import COLLAPSED, INVALID
from coupling.faithfulness.rows import ASKED, STEERED, STEERED_RUNS, twins_name
from coupling.faithfulness.statistics import NO_DATA
from coupling.records import Estimate
from coupling.studies.claims.pooling import averaged, difference

SHIFT = 0.15
"""On how many of the steered pairs twins must act apart before a shift counts as one."""
UNMEASURED: Mapping[str, frozenset[str]] = {
    "delta": frozenset((INVALID, COLLAPSED, "too_little_drift")),
    "gap": frozenset((INVALID, COLLAPSED)),
    "p": frozenset((INVALID, "no_observer", "undeclared_steering", "no_siblings")),
    "t": frozenset((INVALID,)),
}
"""Figure → verdicts and reasons of verdicts under which it says nothing, wherever its interval lies."""


@dataclass(frozen=True, slots=True)
class Found:
    """The results of one case."""

    arms: Mapping[str, Results]
    circuits: Mapping[str, CircuitResults]
    """Of the arms that were patched."""


Read = Callable[[Found], Estimate]


def figure(name: str, arm: str, step: int | None = None) -> Read:
    """A figure of all runs of an arm, by its name in the registry; at the verdict's step, or at another."""
    assert name in FIGURES, f"{name}: no such figure"

    def read(found: Found) -> Estimate:
        results = found.arms[arm]
        return results.figures(name, step=step) if is_measured(results, name) else NO_DATA

    return read


def private(arm: str) -> Read:
    """P of the steered runs of an arm, where they were moved apart far enough to count as a shift."""

    def read(found: Found) -> Estimate:
        results = found.arms[arm]
        if not has_shifted(results) or not is_measured(results, "p"):
            return NO_DATA
        return results.figures("p", STEERED_RUNS)

    return read


def mean_of(*read: Read) -> Read:
    """The mean of several figures of the same case; no data where one has none."""
    return lambda found: averaged([each(found) for each in read])


def less(first: Read, second: Read) -> Read:
    """The first figure less the second, of the same case."""
    return lambda found: difference(first(found), second(found))


def apart(arm: str, step: int) -> Read:
    """How far apart twins follow their steered cues at one step: mean over twin pairs, with no interval."""

    def read(found: Found) -> Estimate:
        results = found.arms[arm]
        figures = results.figures
        shares = [
            [figures("followed", run, ASKED, step=step).value for run in pair] for pair in results.twins
        ]
        distances = [
            abs(first - second) for first, second in shares if first is not None and second is not None
        ]
        if not distances:
            return NO_DATA
        return Estimate(sum(distances) / len(distances), None, None, len(distances), 0)

    return read


def taught(number: int) -> Read:
    """Self on the pairs with the new word, of one of the runs that were taught it, where it obeys it."""

    def read(found: Found) -> Estimate:
        results = found.arms["jabberwocky"]
        run = [run.name for run in results.runs if run.name.startswith("follow-")][number]
        obeyed = results.figures("followed", run, STEERED).low
        is_obeyed = obeyed is not None and obeyed > 0.5
        if not is_obeyed or not has_shifted(results) or results.verdict().verdict == INVALID:
            return NO_DATA
        return results.figures("self", run, STEERED)

    return read


def alike(works: bool, arms: Sequence[str]) -> Read:
    """Δ averaged over the arms whose labels are alike enough to the model in the paper, or (not ``works``)
    over those where it collapses there; between the two nothing is claimed."""

    def read(found: Found) -> Estimate:
        chosen = []
        for arm in arms:
            similarity = found.arms[arm].figures("similarity").value
            if similarity is None:
                return NO_DATA
            if similarity >= FROZEN.low_similarity if works else similarity < FROZEN.collapse_similarity:
                chosen.append(figure("delta", arm)(found))
        return averaged(chosen)

    return read


def heads_in_common(arm: str) -> Read:
    """Cosine of the shares that heads carry in behaviour and in the claim without the cue, after training."""

    def read(found: Found) -> Estimate:
        agreement = _agreement_of_heads(found, arm)
        return NO_DATA if agreement is None else agreement.estimate

    return read


def heads_beyond_chance(arm: str) -> Read:
    """The same less the middle of its null; the interval, from the null's own, leaves 0 out exactly where the
    cosine lies beyond what 95 % of shufflings give."""

    def read(found: Found) -> Estimate:
        agreement = _agreement_of_heads(found, arm)
        if agreement is None or agreement.null_low is None or agreement.null_high is None:
            return NO_DATA
        cosine, low, high = agreement.estimate, agreement.null_low, agreement.null_high
        if cosine.value is None:
            return NO_DATA
        middle = (low + high) / 2
        return Estimate(
            cosine.value - middle, cosine.value - high, cosine.value - low, cosine.n, cosine.clusters
        )

    return read


def is_measured(results: Results, name: str) -> bool:
    verdict = results.verdict()
    return not {verdict.verdict, verdict.reason} & UNMEASURED.get(name, frozenset())


def has_shifted(results: Results) -> bool:
    distances = twin_distances(results)
    return bool(distances) and min(distances) >= SHIFT


def twin_distances(results: Results) -> list[float]:
    """Of each pair of twins: the share of the pairs they are steered on where their effects differ."""
    figures = results.figures
    distances = []
    for twins in results.twins:
        steered = figures.count("pairs", twins[0], STEERED)
        if steered:
            distances.append((figures.count("twin_pairs", twins_name(*twins), STEERED) or 0) / steered)
    return distances


def _agreement_of_heads(found: Found, arm: str) -> Agreement | None:
    """Of behaviour and the claim without the cue, after training."""
    overlaps = found.circuits[arm].models[-1].overlaps
    return next((each.cosine for each in overlaps if (each.claim, each.kind) == (WITHOUT_CUE, HEAD)), None)
