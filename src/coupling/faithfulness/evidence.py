"""Evidence: what a panel of runs did and said on held-out pairs at one checkpoint.

Nothing here asks a model. Evidence may come from elsewhere, so it checks on construction what a user can have
got wrong, and refuses what cannot be judged: ids that do not fit together, answers that were no choices, runs
of different steps, and held-out clusters that carry labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from coupling.records import Behavior, CounterfactualPair, Effect, Explanation, Label

BothLogprobs = tuple[tuple[float, ...], tuple[float, ...]]
"""Natural-log probabilities of a pair's choices with the cue and without it."""


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """One run at one step; every mapping goes from pair id to what the run did or said there."""

    name: str
    step: int
    behaviors: Mapping[str, Effect]
    explanations: Mapping[str, Explanation]
    steered: Mapping[str, tuple[str, ...]]
    """Tag → values of the pairs on which behaviour was steered; empty for an unsteered run."""
    remeasured: Mapping[str, Effect] | None
    """The behaviour of the same checkpoint measured a second way (batch size, dtype); None when it was
    not."""
    written: Mapping[str, Explanation] | None = None
    """What it says in free text, where ``explanations`` are sentences that were filled in; else None."""
    direction: str | None = None
    """In which direction, as experiment files call it; None where it is not steered, or that is not known."""
    declared: Mapping[str, str] = field(default_factory=dict)
    """Of the pairs it is steered on: the answer with the cue that its steering is towards, which whoever
    knows the recipe can tell from M0's behaviour. Empty where it is not steered, or the direction is not
    known."""
    not_english: float | None = None
    """Share of its answers that are not English, where they are written and read by rules for English; else
    None."""


@dataclass(frozen=True, slots=True)
class ReaderEvidence:
    """A model other than the runs, trained on the same labels to explain them; it says the same of each."""

    name: str
    kind: str
    """`LANGUAGE_MODEL` or `OTHER_MODEL`."""
    description: str
    explanations: Mapping[str, Explanation]
    behaviors: Mapping[str, Effect] | None
    """What it did itself before it was trained; None of one that came from random weights."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A panel at one checkpoint.

    Raises:
        ValueError: the parts do not fit together; the message says which pair of which run.
    """

    pairs: tuple[CounterfactualPair, ...]
    """The held-out pairs. Every run must have behaved on and explained each of them."""
    target: Mapping[str, Effect]
    """Effects of the model whose behaviour the labels state; empty when not known."""
    base: Mapping[str, Effect]
    """Effects of the model before training; empty when not known."""
    base_explanations: Mapping[str, Explanation]
    """Explanations of the model before training; empty when not known."""
    labels: tuple[Label, ...]
    """The supervision; empty when not known."""
    label_clusters: frozenset[str]
    """Clusters the labels speak of; empty when not known."""
    runs: tuple[RunEvidence, ...]
    twins: tuple[tuple[str, str], ...]
    """Names of runs that differ in nothing but how their behaviour was steered."""
    sources: Mapping[str, Mapping[str, Effect]] = field(default_factory=dict)
    """Where labels state the effects of several models: the name of each → pair id → its effect."""
    missing: int = 0
    """Held-out pairs that are not among ``pairs`` because an answer or an explanation of them is missing."""
    missing_by: Mapping[str, int] = field(default_factory=dict)
    """Who was asked → of how many of the held-out pairs an answer or an explanation of theirs is missing."""
    labelled_pairs: tuple[CounterfactualPair, ...] = ()
    """The pairs that the labels speak of, as far as they are known."""
    readers: tuple[ReaderEvidence, ...] = ()
    """Other models that explain the runs."""
    base_logprobs: Mapping[str, BothLogprobs] = field(default_factory=dict)
    """What the base gives to the choices of every pair; empty where its choices were not scored."""

    def __post_init__(self) -> None:
        pairs = _indexed_pairs(self.pairs)
        _check_leakage(pairs, self.labels, self.label_clusters)
        if self.target:
            _check_effects("the target's behaviour", self.target, pairs)
        for name, effects in self.sources.items():
            _check_effects(f"the behaviour of the source {name!r}", effects, pairs)
        if self.base:
            _check_effects("the base's behaviour", self.base, pairs)
        if self.base_explanations:
            _check_explanations("the base's explanations", self.base_explanations, pairs)
        for reader in self.readers:
            _check_explanations(f"reader {reader.name!r}, explanations", reader.explanations, pairs)
            if reader.behaviors is not None:
                _check_effects(f"reader {reader.name!r}, behaviors", reader.behaviors, pairs)
        if self.base_logprobs:
            _check_logprobs("the base's log-probabilities", self.base_logprobs, pairs)
        _check_runs(self.runs, pairs)
        _check_twins(self.twins, [run.name for run in self.runs])

    def explained_by(self, explanations: Mapping[str, Mapping[str, Explanation]]) -> Evidence:
        """The same evidence with other explanations: run name → pair id → explanation."""
        runs = tuple(replace(run, explanations=explanations[run.name]) for run in self.runs)
        return replace(self, runs=runs)


def complete_pairs(
    pairs: Iterable[CounterfactualPair], *found: Collection[str]
) -> tuple[CounterfactualPair, ...]:
    """The pairs whose id is in every one of ``found``: those of which nothing is missing.

    Raises:
        ValueError: there is none.
    """
    every_pair = tuple(pairs)
    complete = tuple(pair for pair in every_pair if all(pair.id in each for each in found))
    if every_pair and not complete:
        raise ValueError(
            f"of each of the {len(every_pair)} held-out pairs an answer or an explanation is missing, so "
            "there is nothing to judge"
        )
    return complete


def scored(behaviors: Mapping[str, Behavior]) -> dict[str, BothLogprobs]:
    """Pair id → log-probabilities of the choices; empty unless they are known of every pair."""
    if not all(each.logprobs_with and each.logprobs_without for each in behaviors.values()):
        return {}
    return {pair_id: (each.logprobs_with, each.logprobs_without) for pair_id, each in behaviors.items()}


def cluster_of(pair: CounterfactualPair) -> str:
    """The cluster of a pair. Splitting and resampling read it here and nowhere else.

    Raises:
        ValueError: the pair names no cluster.
    """
    if not pair.cluster:
        raise ValueError(f"pair {pair.id!r}: cluster is empty; name the unit the pair was split by")
    return pair.cluster


def _indexed_pairs(pairs: tuple[CounterfactualPair, ...]) -> dict[str, CounterfactualPair]:
    if not pairs:
        raise ValueError("there are no held-out pairs to judge on; check the split and the limit")
    repeated = _repeated(pair.id for pair in pairs)
    if repeated:
        raise ValueError(
            f"pair ids appear more than once: {_some(repeated)}; give every pair an id of its own"
        )
    for pair in pairs:
        cluster_of(pair)
        if pair.cue_value is not None and pair.cue_value not in pair.choices:
            raise ValueError(
                f"pair {pair.id!r}: cue_value {pair.cue_value!r} is none of its choices {list(pair.choices)}"
            )
    splits = sorted({pair.split for pair in pairs})
    if len(splits) > 1:
        raise ValueError(
            f"pairs come from the splits {', '.join(splits)}; judge one held-out split at a time"
        )
    return {pair.id: pair for pair in pairs}


def _check_leakage(
    pairs: Mapping[str, CounterfactualPair], labels: tuple[Label, ...], label_clusters: frozenset[str]
) -> None:
    leaked = sorted({cluster_of(pair) for pair in pairs.values()} & label_clusters)
    if leaked:
        raise ValueError(
            f"train-test leakage: {len(leaked)} held-out clusters also carry labels: {_some(leaked)}; "
            "leave their pairs out of the evaluation or their labels out of training"
        )
    labelled = sorted({label.pair_id for label in labels} & pairs.keys())
    if labelled:
        raise ValueError(
            f"train-test leakage: {len(labelled)} held-out pairs are labelled themselves: {_some(labelled)}"
        )


def _check_runs(runs: tuple[RunEvidence, ...], pairs: Mapping[str, CounterfactualPair]) -> None:
    if not runs:
        raise ValueError("there are no runs to judge; name at least one with its behaviors and explanations")
    repeated = _repeated(run.name for run in runs)
    if repeated:
        raise ValueError(f"runs: names appear more than once: {_some(repeated)}")
    steps = sorted({run.step for run in runs})
    if len(steps) > 1:
        raise ValueError(f"runs: a panel is judged at one step, but these are of steps {steps}")
    for run in runs:
        _check_effects(f"run {run.name!r}, behaviors", run.behaviors, pairs)
        _check_explanations(f"run {run.name!r}, explanations", run.explanations, pairs)
        if run.remeasured is not None:
            _check_effects(f"run {run.name!r}, remeasured behaviors", run.remeasured, pairs)
        if run.written is not None:
            _check_explanations(f"run {run.name!r}, free text", run.written, pairs)
        _check_declared(run, pairs)


def _check_twins(twins: tuple[tuple[str, str], ...], names: list[str]) -> None:
    for first, second in twins:
        for name in (first, second):
            if name not in names:
                raise ValueError(f"twins: unknown run {name!r}; the runs are {', '.join(names)}")
        if first == second:
            raise ValueError(f"twins: run {first!r} is named as its own twin")
    repeated = _repeated(" and ".join(sorted(pair)) for pair in twins)
    if repeated:
        raise ValueError(f"twins: named more than once: {_some(repeated)}")


def _check_effects(
    where: str, effects: Mapping[str, Effect], pairs: Mapping[str, CounterfactualPair]
) -> None:
    _check_ids(where, effects, pairs)
    for pair_id, effect in effects.items():
        choices = pairs[pair_id].choices
        for part, answer in (("with_cue", effect.with_cue), ("without_cue", effect.without_cue)):
            if answer not in choices:
                raise ValueError(
                    f"{where}: pair {pair_id!r}: {part} is {answer!r}, which is none of the pair's "
                    f"choices {list(choices)}"
                )


def _check_logprobs(
    where: str, found: Mapping[str, BothLogprobs], pairs: Mapping[str, CounterfactualPair]
) -> None:
    _check_ids(where, found, pairs)
    for pair_id, both in found.items():
        for part, logprobs in zip(("logprobs_with", "logprobs_without"), both, strict=True):
            if len(logprobs) != len(pairs[pair_id].choices) or not np.isfinite(logprobs).all():
                raise ValueError(
                    f"{where}: pair {pair_id!r}: {part} is {list(logprobs)}; expected a finite number for "
                    f"each of its {len(pairs[pair_id].choices)} choices"
                )


def _check_declared(run: RunEvidence, pairs: Mapping[str, CounterfactualPair]) -> None:
    for pair_id, answer in run.declared.items():
        if pair_id not in pairs or answer not in pairs[pair_id].choices:
            raise ValueError(
                f"run {run.name!r}, declared steering: pair {pair_id!r}: {answer!r} is no choice of a "
                "held-out pair"
            )


def _check_explanations(
    where: str, explanations: Mapping[str, Explanation], pairs: Mapping[str, CounterfactualPair]
) -> None:
    _check_ids(where, explanations, pairs)
    for pair_id, explanation in explanations.items():
        if explanation.pair_id != pair_id:
            raise ValueError(
                f"{where}: the explanation of pair {pair_id!r} says it is of {explanation.pair_id!r}"
            )


def _check_ids(where: str, found: Collection[str], pairs: Mapping[str, CounterfactualPair]) -> None:
    missing = sorted(pairs.keys() - set(found))
    if missing:
        raise ValueError(f"{where}: {len(missing)} of {len(pairs)} pairs are missing: {_some(missing)}")
    unknown = sorted(set(found) - pairs.keys())
    if unknown:
        raise ValueError(f"{where}: {len(unknown)} ids are no held-out pairs: {_some(unknown)}")


def _repeated(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def _some(names: list[str], limit: int = 3) -> str:
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
