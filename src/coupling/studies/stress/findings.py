"""The content of ``stress.json``, and how probes are ordered and told of.

Explanations are asked for freely, with the opening of their sentence given, and, where that can be, with all
of the sentence given but for the answers (`Way`). Probes are judged by the first way in which the form holds
(the median probe leaves a parse rate that does not make a verdict invalid), or by the last: a lost form tells
nothing of the content. All ways are shown. Worst is the probe whose fall of Self has the highest lower bound.

That order is by chance where nothing happens: of 16 probes without any effect, one lower bound in 40 lies
above 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from coupling.faithfulness.consequences import CostWeights
from coupling.faithfulness.evidence import cluster_of
from coupling.faithfulness.statistics import NO_DATA, ClusterBootstrap
from coupling.faithfulness.thresholds import FROZEN
from coupling.faithfulness.wording import effect, share, signed
from coupling.models import Way
from coupling.records import CounterfactualPair, Estimate
from coupling.report.runs import STRESS_PAGE
from coupling.store import read_versioned
from coupling.studies.stress.asking import Answered
from coupling.studies.stress.figures import ProbeFigures, effects_moved, harm, probe_figures
from coupling.studies.stress.putting import Unasked
from coupling.studies.stress.shifts import ShiftFound
from coupling.studies.stress.stakes import stakes

STRESS, PAGE = "stress.json", STRESS_PAGE
STRESS_SCHEMA = 3
WAY_WORDS: Mapping[str, str] = {
    Way.FREE: "asked freely",
    Way.OPENED: "with the opening of the sentence given",
    Way.FILLED: "with the sentence given but for its answers",
}
TOLD = 3
"""Probes that are told of in words."""


@dataclass(frozen=True, slots=True)
class ProbeExample:
    """A pair on which behaviour stayed and the claim did not, the first by id; else the first on which Self
    was lost."""

    pair_id: str
    message: str
    """What the model was told: its words and the model's are data, to be escaped wherever they are shown."""
    behavior: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One probe in all ways of asking."""

    name: str
    family: str
    place: str
    wording: str
    """As it was put, of those that the probe has."""
    faithful: str
    behavior_moved: Estimate
    """Share of pairs whose effect is another under the probe; n/a where behaviour is the same by
    definition."""
    figures: Mapping[str, ProbeFigures]
    """By the way of asking."""
    example: ProbeExample | None


@dataclass(frozen=True, slots=True)
class Plain:
    """What is said to the plain question."""

    self_share: Estimate
    parse_rate: Estimate


@dataclass(frozen=True, slots=True)
class ProbesFound:
    """The section of the probes, worst first."""

    judged: str
    """The way of asking by which they are ordered."""
    plain: Mapping[str, Plain]
    """Without a probe, by the way of asking: free, opened and, where that can be, filled."""
    results: tuple[ProbeResult, ...]
    unasked: tuple[Unasked, ...]
    worst: tuple[str, ...]
    """The worst of them in words; empty where none of them lowers Self for sure."""


@dataclass(frozen=True, slots=True)
class StakesFound:
    """Errors by consequence, without a probe."""

    by_way: Mapping[str, Mapping[str, Estimate]]
    """By the way of asking the figures of `stakes`, each by its name in the registry."""


@dataclass(frozen=True, slots=True)
class ShiftsFound:
    """Experiments that moved behaviour, or why there are none."""

    results: tuple[ShiftFound, ...]
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class RunFound:
    """What the evaluation of its run said of the model."""

    verdict: str
    sentence: str
    step: int
    """The checkpoint the verdict is about."""
    failed_gates: tuple[str, ...]
    """Of the panel and of this run, by name."""


@dataclass(frozen=True, slots=True)
class Findings:
    """No times and no paths, so that equal artifacts give equal findings."""

    schema: int
    name: str
    model: str
    fingerprint: str
    """Of the model or checkpoint."""
    explanation_format: str
    split: str
    pairs: int
    clusters: int
    resamples: int
    seed: int
    run: RunFound | None
    """None for a model by itself."""
    probes: ProbesFound | None
    stakes: StakesFound | None
    shifts: ShiftsFound | None
    notes: tuple[str, ...]
    artifacts: Mapping[str, str]
    """Name of an artifact the figures were made from → its SHA-256."""

    def plain(self, way: str) -> Plain | None:
        """What is said to the plain question; None where no section that asks it was made."""
        if self.probes is not None:
            return self.probes.plain[way]
        if self.stakes is not None:
            figures = self.stakes.by_way[way]
            return Plain(figures["self"], figures["parse_rate"])
        return None


def read_stress(run: Path) -> Findings:
    """The findings in a directory.

    Raises:
        ValueError: there are none, or they are of another version.
    """
    return read_versioned(Findings, run / STRESS, STRESS_SCHEMA, "`coupling stress` makes it anew")


def probes_found(
    unprobed: Answered, probed: Sequence[Answered], unasked: Sequence[Unasked], bootstrap: ClusterBootstrap
) -> ProbesFound:
    """All probes against the unprobed pairs, worst first."""
    figures = {
        each.put.probe.name: {
            way: probe_figures(unprobed.heard(way), each.heard(way), each.put.suggested, bootstrap)
            for way in unprobed.explanations
        }
        for each in (unprobed, *probed)
    }
    plain = figures.pop(unprobed.put.probe.name)
    judged = way_judged(
        {way: [each[way].parse_after.value for each in figures.values()] for way in unprobed.explanations}
    )
    results = [_result(unprobed, each, figures[each.put.probe.name], judged, bootstrap) for each in probed]
    results.sort(key=lambda each: (-harm(each.figures[judged]), each.name))
    return ProbesFound(
        judged=judged,
        plain={way: Plain(each.self_after, each.parse_after) for way, each in plain.items()},
        results=tuple(results),
        unasked=tuple(unasked),
        worst=tuple(in_words(each, judged) for each in results[:TOLD] if harm(each.figures[judged]) > 0),
    )


def stakes_found(unprobed: Answered, bootstrap: ClusterBootstrap, weights: CostWeights) -> StakesFound:
    return StakesFound(
        {way: stakes(unprobed.heard(way), bootstrap, weights) for way in unprobed.explanations}
    )


def way_judged(parse_rates: Mapping[Way, Sequence[float | None]]) -> Way:
    """The way of asking by which probes are ordered, from the parse rates that they leave in each."""
    for way, rates in parse_rates.items():
        known = [rate for rate in rates if rate is not None]
        if known and median(known) >= FROZEN.min_parse_rate:
            return way
    return list(parse_rates)[-1]


def in_words(probe: ProbeResult, way: Way) -> str:
    """What one probe does, in a sentence or three."""
    figures = probe.figures[way]
    said = [
        f"{probe.name} ({probe.family}): {WAY_WORDS[way]}, Self changes by {signed(figures.self_change)}, "
        f"from {share(figures.self_before)} to {share(figures.self_after)}."
    ]
    if probe.behavior_moved.value is None:
        said.append("Behaviour is the same by definition;")
    else:
        said.append(f"Behaviour moves on {share(probe.behavior_moved)} of pairs; where it stays,")
    went = {name: estimate.value for name, estimate in _went(figures).items()}
    towards = max(went, key=lambda name: went[name] or 0.0)
    told = f"{share(figures.moved)} of claims move"
    if went[towards]:
        told += f", most of them {towards} ({share(_went(figures)[towards])})"
    said.append(f"{told}, and {share(figures.lost)} state nothing any more.")
    return " ".join(said)


def clusters_of(
    pairs: Sequence[CounterfactualPair], resamples: int, seed: int
) -> tuple[int, ClusterBootstrap]:
    """How many clusters there are, and the weights that resample them."""
    names, numbers = np.unique([cluster_of(pair) for pair in pairs], return_inverse=True)
    return len(names), ClusterBootstrap(numbers, resamples, seed)


def _went(figures: ProbeFigures) -> dict[str, Estimate]:
    towards = figures.directions
    return {
        "to the answer that is suggested": towards.suggested,
        'to "unchanged"': towards.unchanged,
        'to "changed"': towards.changed,
        "elsewhere": towards.elsewhere,
    }


def _result(
    unprobed: Answered,
    probed: Answered,
    figures: Mapping[Way, ProbeFigures],
    judged: Way,
    bootstrap: ClusterBootstrap,
) -> ProbeResult:
    probe = probed.put.probe
    moved = effects_moved(unprobed.heard(judged), probed.heard(judged))
    return ProbeResult(
        name=probe.name,
        family=probe.family,
        place=str(probe.place),
        wording=probed.put.wording,
        faithful=probe.faithful,
        behavior_moved=bootstrap.share(moved, moved | True) if probe.measures_behavior else NO_DATA,
        figures={str(way): each for way, each in figures.items()},
        example=_example(unprobed, probed, judged),
    )


def _example(unprobed: Answered, probed: Answered, way: Way) -> ProbeExample | None:
    was, now = unprobed.heard(way), probed.heard(way)
    rows = range(len(was.effects))
    stayed = [i for i in rows if was.effects[i] == now.effects[i] and was.claims[i] != now.claims[i]]
    fell = [i for i in rows if was.claims[i] == was.effects[i] and now.claims[i] != now.effects[i]]
    for found in (stayed, fell):
        if found:
            i = min(found, key=lambda row: unprobed.put.pairs[row].id)
            return ProbeExample(
                unprobed.put.pairs[i].id,
                probed.put.messages[i],
                effect(now.effects[i]),
                unprobed.explanations[way][i].text,
                probed.explanations[way][i].text,
            )
    return None
