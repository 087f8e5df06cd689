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

from collections.abc import Mapping

import numpy as np

from coupling.faithfulness.evidence import Evidence
from coupling.faithfulness.explainers import Claimant
from coupling.faithfulness.figures import shares
from coupling.faithfulness.panel import Panel
from coupling.faithfulness.results import READER, Explainer
from coupling.faithfulness.rows import ALL, Row, reader_explainer
from coupling.faithfulness.scores import Table, equal, over_runs
from coupling.faithfulness.statistics import IntArray, divide
from coupling.faithfulness.surrogate import cross_fitted_claims, fitted_claims
from coupling.faithfulness.twins import t_rows
from coupling.records import Effect

TEXT_ON_LABELS = "text_on_labels"
TEXT_ON_BEHAVIOR = "text_on_behavior"
LANGUAGE_MODEL = "language_model"
OTHER_MODEL = "other_model"
READER_KINDS = (TEXT_ON_LABELS, TEXT_ON_BEHAVIOR, LANGUAGE_MODEL, OTHER_MODEL)
TEXT_KINDS = (TEXT_ON_LABELS, TEXT_ON_BEHAVIOR, LANGUAGE_MODEL)
"""Readers that know nothing of the world but what the text, and what they were fitted on, tell."""


def readers_of(evidence: Evidence, table: Table, surrogates: bool) -> list[Claimant]:
    """Every reader: the surrogates, where they are asked for, then the language models of the evidence."""
    found = _surrogates(evidence, table) if surrogates else []
    for each in evidence.readers:
        said = table.encode(each.explanations[pair.id].claim for pair in table.pairs)
        does = None
        if each.behaviors is not None:
            does = table.encode(each.behaviors[pair.id] for pair in table.pairs)
        found.append(_reader(each.name, each.kind, each.description, _of_every_run(table, said), does))
    return found


def reader_rows(panel: Panel, reader: Claimant) -> list[Row]:
    """What the reader says of each run, and of all pooled, held against their own current effects.

    ``self`` is the reader's own; ``share_of_self`` and ``privileged`` hold it against the runs', resampled
    jointly; of readers that act, ``similarity`` says how often it acted as the run does now.
    """
    if reader.claims is None:
        return []
    read, name = panel.explained_by(reader.claims), reader.explainer.name
    model, right = (
        equal(panel.table.claims, panel.table.behaviors),
        equal(reader.claims, panel.table.behaviors),
    )
    rows = shares(read, ("parse_rate",), panel.every_run, explainer=name)
    rows += t_rows(read, name, (ALL,))
    for run, numbers in panel.by_name.items():
        own, hits, everywhere = (over_runs(each[numbers]) for each in (model, right, np.ones_like(right)))
        share = divide(panel.bootstrap.totals(hits), panel.bootstrap.totals(own))
        estimates = {
            "self": panel.bootstrap.share(hits, everywhere),
            "share_of_self": panel.bootstrap.estimate(share, everywhere),
            "privileged": panel.bootstrap.share(own - hits, everywhere),
        }
        if reader.behaviors is not None:
            alike = equal(panel.table.behaviors[numbers], reader.behaviors)
            estimates["similarity"] = panel.bootstrap.share(over_runs(alike), everywhere)
        rows += panel.rows(estimates, run, ALL, name)
    return rows


def _surrogates(evidence: Evidence, table: Table) -> list[Claimant]:
    on_labels = on_behavior = None
    if evidence.labelled_pairs:
        stated = {label.pair_id: label.effect for label in evidence.labels}
        claims = fitted_claims(evidence.labelled_pairs, stated, evidence.pairs)
        on_labels = _of_every_run(table, _encoded(table, claims))
    by_run = cross_fitted_claims(evidence.pairs, [run.behaviors for run in evidence.runs])
    if by_run is not None:
        on_behavior = np.stack([_encoded(table, claims) for claims in by_run])
    return [
        _reader(
            "text, from labels",
            TEXT_ON_LABELS,
            "TF-IDF and linear models, fitted on the labels",
            on_labels,
        ),
        _reader(
            "text, from behaviour",
            TEXT_ON_BEHAVIOR,
            "the same, fitted on what each run itself does on other held-out clusters",
            on_behavior,
        ),
    ]


def _reader(
    name: str, kind: str, description: str, claims: IntArray | None, behaviors: IntArray | None = None
) -> Claimant:
    explainer = Explainer(reader_explainer(name), READER, name, description, reader_kind=kind)
    return Claimant(explainer, claims, behaviors)


def _encoded(table: Table, claims: Mapping[str, Effect]) -> IntArray:
    return table.encode(claims[pair.id] for pair in table.pairs)


def _of_every_run(table: Table, claims: IntArray) -> IntArray:
    """One that says the same of every run."""
    return np.broadcast_to(claims, table.claims.shape)
