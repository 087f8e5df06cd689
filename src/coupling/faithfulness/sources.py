"""Labels of several sources: the explanations held against each of them.

In a mix the headline's target is, question by question, the source to which the question fell. Whether the
explanations go with one of the sources is another question, so each source is put in the target's place on
all held-out pairs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from coupling.faithfulness.evidence import Evidence
from coupling.faithfulness.figures import discordance
from coupling.faithfulness.results import SourceResult
from coupling.faithfulness.scores import discordant, tabulate
from coupling.faithfulness.statistics import ClusterBootstrap


def by_source(evidence: Evidence, resamples: int, seed: int) -> tuple[SourceResult, ...]:
    """Each source in the target's place, all runs pooled; by name."""
    labels = Counter(label.source for label in evidence.labels)
    results = []
    for name in sorted(evidence.sources):
        table = tabulate(replace(evidence, target=evidence.sources[name]))
        figures = discordance(
            table, range(len(table.runs)), ClusterBootstrap(table.clusters, resamples, seed)
        )
        results.append(
            SourceResult(
                name=name,
                labels=labels[name],
                orig_share=figures.orig_share,
                gap=figures.gap,
                delta=figures.delta,
                discordant_pairs=int(discordant(table.behaviors, table.target).any(axis=0).sum()),
                similarity=figures.similarity,
            )
        )
    return tuple(results)
