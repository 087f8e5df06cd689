"""Privileged access: how much of Self can be had by whoever does not read the model?

A *reader* explains the model in its place, from the input alone: a surrogate fitted on the labels, one fitted
on what the run itself now does elsewhere, a language model trained on the labels from random weights, another
model trained on the same labels. Its accuracy is the share of its claims that equal the run's own current
effect, as Self is of the run's own claims. Beside it stand

    share of Self       accuracy / Self
    privileged access   Self - accuracy

both resampled jointly over clusters, so that what is hard for both widens neither. A share of 1 or more says
that the model's own explanations tell nothing of it that the text does not. T is the twin test of what the
reader says: exactly 0.5 of those who say the same of both twins. The surrogate that was fitted on each run's
own behaviour may exceed that: its T is how well twins can be told apart by their behaviour elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coupling.faithfulness.evidence import Evidence
from coupling.faithfulness.figures import over_runs
from coupling.faithfulness.scores import Table, equal, parsed, tabulate
from coupling.faithfulness.statistics import NO_DATA, BoolArray, ClusterBootstrap, divide
from coupling.faithfulness.surrogate import cross_fitted_claims, fitted_claims
from coupling.faithfulness.twins import twin_test
from coupling.records import Effect, Estimate, Explanation

TEXT_ON_LABELS = "text_on_labels"
TEXT_ON_BEHAVIOR = "text_on_behavior"
LANGUAGE_MODEL = "language_model"
OTHER_MODEL = "other_model"
READER_KINDS = (TEXT_ON_LABELS, TEXT_ON_BEHAVIOR, LANGUAGE_MODEL, OTHER_MODEL)
TEXT_KINDS = (TEXT_ON_LABELS, TEXT_ON_BEHAVIOR, LANGUAGE_MODEL)
"""Readers that know nothing of the world but what the text, and what they were fitted on, tell."""

Said = Mapping[str, Mapping[str, Explanation]]
"""Run name → pair id → what the reader says of that run."""


@dataclass(frozen=True, slots=True)
class ReaderFigures:
    """What somebody else says of one run, or of all runs pooled, held against their own current effects."""

    run: str | None
    """None where pooled."""
    accuracy: Estimate
    """Share of pairs on which the reader names the run's effect; to be compared with Self."""
    share_of_self: Estimate
    """Accuracy / Self, resampled jointly."""
    privileged: Estimate
    """Self - accuracy, resampled jointly: above 0 where the model tells more of itself than the reader."""
    similarity: Estimate
    """Share of pairs on which the reader, before it was trained to explain, acted as the run does now; n/a of
    readers that do not act."""


@dataclass(frozen=True, slots=True)
class ReaderResult:
    """One who explains the runs in their place and does not read them; see `readers`."""

    name: str
    kind: str
    """One of `READER_KINDS`."""
    description: str
    pooled: ReaderFigures
    runs: tuple[ReaderFigures, ...]
    t: Estimate
    """T of what it says: exactly 0.5 where it says the same of both twins."""
    parse_rate: Estimate


@dataclass(frozen=True, slots=True)
class _Reader:
    name: str
    kind: str
    description: str
    said: Said | None
    """None where there is nothing to fit it on."""
    behaviors: Mapping[str, Effect] | None = None
    """What it did itself before it was trained; None of one that does nothing."""


def reader_results(
    evidence: Evidence, surrogates: bool, resamples: int, seed: int
) -> tuple[ReaderResult, ...]:
    """Every reader: the surrogates, where they are asked for, then the language models of the evidence."""
    readers = _surrogates(evidence) if surrogates else []
    for each in evidence.readers:
        said = dict.fromkeys((run.name for run in evidence.runs), each.explanations)
        readers.append(_Reader(each.name, each.kind, each.description, said, each.behaviors))
    if not readers:
        return ()
    table = tabulate(evidence)
    bootstrap = ClusterBootstrap(table.clusters, resamples, seed)
    return tuple(_result(reader, evidence, table, bootstrap) for reader in readers)


def _surrogates(evidence: Evidence) -> list[_Reader]:
    runs = [run.name for run in evidence.runs]
    on_labels = on_behavior = None
    if evidence.labelled_pairs:
        stated = {label.pair_id: label.effect for label in evidence.labels}
        claims = fitted_claims(evidence.labelled_pairs, stated, evidence.pairs)
        on_labels = dict.fromkeys(runs, _as_explanations(claims))
    by_run = cross_fitted_claims(evidence.pairs, [run.behaviors for run in evidence.runs])
    if by_run is not None:
        on_behavior = {run: _as_explanations(claims) for run, claims in zip(runs, by_run, strict=True)}
    return [
        _Reader(
            "text, from labels",
            TEXT_ON_LABELS,
            "TF-IDF and linear models, fitted on the labels",
            on_labels,
        ),
        _Reader(
            "text, from behaviour",
            TEXT_ON_BEHAVIOR,
            "the same, fitted on what each run itself does on other held-out clusters",
            on_behavior,
        ),
    ]


def _as_explanations(claims: Mapping[str, Effect]) -> dict[str, Explanation]:
    return {pair_id: Explanation(pair_id, "", claim) for pair_id, claim in claims.items()}


def _result(reader: _Reader, evidence: Evidence, table: Table, bootstrap: ClusterBootstrap) -> ReaderResult:
    runs = range(len(table.runs))
    if reader.said is None:
        nothing = [ReaderFigures(name, NO_DATA, NO_DATA, NO_DATA, NO_DATA) for name in table.runs]
        of_all = ReaderFigures(None, NO_DATA, NO_DATA, NO_DATA, NO_DATA)
        return ReaderResult(
            reader.name, reader.kind, reader.description, of_all, tuple(nothing), NO_DATA, NO_DATA
        )
    read = evidence.explained_by(reader.said)
    said = tabulate(read)
    own = equal(table.claims, table.behaviors)
    hits = equal(said.claims, said.behaviors)
    alike = None
    if reader.behaviors is not None:
        does = said.encode(reader.behaviors[pair.id] for pair in said.pairs)
        alike = equal(said.behaviors, does)
    everything = np.ones_like(hits)
    twins = twin_test(read, said, bootstrap)

    def figures(name: str | None, numbers: Sequence[int]) -> ReaderFigures:
        chosen = list(numbers)
        return _figures(name, hits[chosen], own[chosen], None if alike is None else alike[chosen], bootstrap)

    return ReaderResult(
        name=reader.name,
        kind=reader.kind,
        description=reader.description,
        pooled=figures(None, runs),
        runs=tuple(figures(table.runs[run], [run]) for run in runs),
        t=NO_DATA if twins is None else twins.pooled.all_pairs.t,
        parse_rate=bootstrap.share(over_runs(parsed(said.claims)), over_runs(everything)),
    )


def _figures(
    name: str | None, hits: BoolArray, own: BoolArray, alike: BoolArray | None, bootstrap: ClusterBootstrap
) -> ReaderFigures:
    """Of some runs: hits of the reader, hits of the runs' own explanations, where reader and run act alike;
    each of shape (runs, pairs)."""
    reader, model, everything = (over_runs(each) for each in (hits, own, np.ones_like(hits)))
    share = divide(bootstrap.totals(reader), bootstrap.totals(model))
    return ReaderFigures(
        run=name,
        accuracy=bootstrap.share(reader, everything),
        share_of_self=bootstrap.estimate(share, everything),
        privileged=bootstrap.share(model - reader, everything),
        similarity=NO_DATA if alike is None else bootstrap.share(over_runs(alike), everything),
    )
