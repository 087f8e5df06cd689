"""Gates that look at the text and the structure of evidence, before any figure is read.

Intervals resample clusters as if each asked something of its own; held-out figures stand for questions that
no label speaks of; a panel is a comparison of different runs. Where one of this does not hold, every figure
can be right and no verdict follows from it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from coupling.faithfulness.duplicates import Alike, Repeats, repeats
from coupling.faithfulness.evidence import Evidence, cluster_of
from coupling.faithfulness.results import FAIL, INVALID, NOT_APPLICABLE, OK, WARNING, Gate, Verdict
from coupling.faithfulness.scores import Table, equal
from coupling.faithfulness.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Structure:
    """The gates on the structure of evidence, and the verdict that one of them forces."""

    gates: tuple[Gate, ...]
    verdict: Verdict | None
    """`invalid`, for the first gate that fails; None where none does."""


@dataclass(frozen=True, slots=True)
class _Agreement:
    """How far two runs do the same and say the same."""

    first: str
    second: str
    effects: float
    """Share of the pairs on which both show the same effect."""
    claims: float
    """Share of the pairs on which both make the same claim, or none."""

    @property
    def words(self) -> str:
        return (
            f"{self.first!r} and {self.second!r} show the same effect on {self.effects:.1%} of pairs and "
            f"make the same claim on {self.claims:.1%}"
        )


def structure(evidence: Evidence, table: Table, limits: Thresholds) -> Structure:
    """What texts, clusters and runs of the evidence look like."""
    found = (*_asked_twice(evidence, limits), _single_pairs(evidence), _identical_runs(table, limits))
    forced = next((verdict for _, verdict in found if verdict is not None), None)
    return Structure(tuple(gate for gate, _ in found), forced)


_Found = tuple[Gate, Verdict | None]


def _asked_twice(evidence: Evidence, limits: Thresholds) -> tuple[_Found, _Found]:
    across, labelled = repeats(evidence.pairs, evidence.labelled_pairs, limits.near_duplicate_overlap)
    duplicates = _repeats(
        "duplicates",
        across,
        limits.max_duplicate_share,
        "what a pair of another cluster asks",
        "so clusters that are resampled as if they were independent are not, and intervals are too narrow",
        "one cluster for pairs that ask the same, or each question once",
    )
    if not evidence.labelled_pairs:
        words = "the texts of pairs with labels are not known, so they could not be compared"
        return duplicates, (Gate("label_duplicates", None, NOT_APPLICABLE, {}, words), None)
    return duplicates, _repeats(
        "label_duplicates",
        labelled,
        limits.max_label_duplicate_share,
        "what a pair with a label asks",
        "so explanations of them may be labels learnt by heart",
        "held-out questions that no label speaks of, under whatever id",
    )


def _repeats(name: str, found: Repeats, most: float, what: str, so: str, missing: str) -> _Found:
    numbers: dict[str, float | None] = {
        "share": found.share,
        "the same": float(found.same),
        "nearly the same": float(found.near),
    }
    if not found.share:
        return Gate(name, None, OK, numbers, f"no held-out pair asks {what}"), None
    asked = f"{found.same + found.near} of {found.pairs} held-out pairs ({found.share:.1%}) ask {what}"
    words = f"{asked}, {found.same} of them in the same words; the most alike: "
    words += "; ".join(f"{_both(alike)} ({alike.overlap:.2f})" for alike in found.worst)
    if found.share < most:
        return Gate(name, None, WARNING, numbers, words), None
    sentence = f"{asked}, as {_both(found.worst[0])}, {so}."
    return Gate(name, None, FAIL, numbers, words), Verdict(INVALID, name, sentence, (missing,))


def _both(alike: Alike) -> str:
    one, other = alike.first_cluster, alike.second_cluster
    where = f"both of cluster {one!r}" if one == other else f"of clusters {one!r} and {other!r}"
    return f"{alike.first!r} and {alike.second!r}, {where}"


def _single_pairs(evidence: Evidence) -> _Found:
    sizes = Counter(cluster_of(pair) for pair in evidence.pairs)
    single = sum(size == 1 for size in sizes.values())
    numbers: dict[str, float | None] = {"clusters": float(len(sizes)), "of one pair": float(single)}
    if single < len(sizes):
        words = f"{single} of {len(sizes)} clusters hold one pair only"
        return Gate("single_pair_clusters", None, OK, numbers, words), None
    words = (
        f"each of the {len(sizes)} clusters holds one pair, so nothing says which questions stand and fall "
        "together; where some do, intervals are too narrow"
    )
    return Gate("single_pair_clusters", None, WARNING, numbers, words), None


def _identical_runs(table: Table, limits: Thresholds) -> _Found:
    name, least = "identical_runs", limits.identical_run_share
    pairs = len(table.pairs)
    if len(table.runs) < 2 or pairs * (1 - least) < 1:
        words = f"takes two runs, and pairs enough to tell a share of {least} from 1"
        return Gate(name, None, NOT_APPLICABLE, {}, words), None
    agreements = [
        _Agreement(
            table.runs[first],
            table.runs[second],
            float(equal(table.behaviors[first], table.behaviors[second]).mean()),
            float(equal(table.claims[first], table.claims[second]).mean()),
        )
        for first, second in combinations(range(len(table.runs)), 2)
    ]
    most = max(agreements, key=lambda each: (min(each.effects, each.claims), each.effects))
    numbers: dict[str, float | None] = {"same effects": most.effects, "same claims": most.claims}
    identical = [each for each in agreements if min(each.effects, each.claims) >= least]
    if not identical:
        words = f"the most alike, {most.words}; from {least:.0%} of both on they count as one run"
        return Gate(name, None, OK, numbers, words), None
    words = "; ".join(each.words for each in identical)
    sentence = (
        f"Runs {most.words}: as much alike as one run that is measured twice, so they are no two runs to be "
        "compared."
    )
    missing = "runs that were trained apart; leave out copies, and name each run by its own artifacts"
    return Gate(name, None, FAIL, numbers, words), Verdict(INVALID, name, sentence, (missing,))
