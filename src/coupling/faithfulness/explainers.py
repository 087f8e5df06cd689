"""Who explains the runs: they themselves, and whoever is held against them. Each is a name with claims."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from coupling.faithfulness.evidence import Evidence, RunEvidence
from coupling.faithfulness.results import BASELINE, MODEL, Explainer
from coupling.faithfulness.rows import OWN, baseline_explainer
from coupling.faithfulness.scores import Table
from coupling.faithfulness.statistics import IntArray
from coupling.records import CounterfactualPair, Effect

WRITTEN = Explainer(
    "written", MODEL, "the run itself, in free text", "what it writes where no sentence is given"
)
"""Beside explanations that are filled in."""
ITSELF = Explainer(OWN, MODEL, "the run itself", "its own explanations")


@dataclass(frozen=True, slots=True)
class Claimant:
    """An explainer other than the runs, and what it claims."""

    explainer: Explainer
    claims: IntArray | None
    """Shape (runs, pairs, 2); None where there was nothing to learn it from."""
    behaviors: IntArray | None = None
    """What it does itself, shape (pairs, 2); None of one that does nothing."""


def written_claims(evidence: Evidence, table: Table) -> IntArray:
    """What the runs claim in free text, shape (runs, pairs, 2); where they were not asked, nothing."""

    def claim(run: RunEvidence, pair: CounterfactualPair) -> Effect | None:
        return None if run.written is None else run.written[pair.id].claim

    return np.stack([table.encode(claim(run, pair) for pair in table.pairs) for run in evidence.runs])


def baselines_told(names: Iterable[str]) -> tuple[Explainer, ...]:
    """The baselines, as explainers."""
    return tuple(
        Explainer(
            baseline_explainer(name),
            BASELINE,
            name.replace("_of_own", " (by its own effects)").replace("_", " "),
            "reads no model",
        )
        for name in names
    )
