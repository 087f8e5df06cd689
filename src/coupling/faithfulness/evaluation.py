"""From the evidence of every checkpoint to the content of ``results.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coupling.faithfulness.catching_up import Schedule, shift_result
from coupling.faithfulness.consequences import CostWeights, consequences
from coupling.faithfulness.evidence import Evidence, cluster_of
from coupling.faithfulness.examples import discordant_examples
from coupling.faithfulness.judge import RESAMPLES, constructed_emitters, judge, trajectory_row
from coupling.faithfulness.readers import reader_results
from coupling.faithfulness.results import RESULTS_SCHEMA, Counts, ModelDescription, Results, ShiftResult
from coupling.faithfulness.scores import tabulate
from coupling.faithfulness.sources import by_source
from coupling.faithfulness.statistics import ClusterBootstrap
from coupling.faithfulness.subsets import group_results
from coupling.faithfulness.thresholds import FROZEN, Thresholds

EQUAL = CostWeights()
"""Every error costs the same."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What evidence does not say of itself: where it comes from."""

    experiment: str
    config_sha256: str
    model: ModelDescription
    target: ModelDescription
    explanation_format: str
    artifacts: Mapping[str, str]
    """Name of an artifact → its SHA-256; names without absolute paths."""
    notes: tuple[str, ...] = ()


def evaluate(
    checkpoints: Sequence[Evidence],
    step: int,
    provenance: Provenance,
    thresholds: Thresholds = FROZEN,
    resamples: int = RESAMPLES,
    seed: int = 0,
    groups: Sequence[str] = (),
    surrogates: bool = True,
    weights: CostWeights = EQUAL,
    schedule: Schedule | None = None,
) -> Results:
    """All results: the headline and the constructed emitters at one checkpoint, the trajectory over all.

    Args:
        checkpoints: the panel at each step, in any order.
        step: the checkpoint named before the run, on which the verdict stands.
        provenance: where the evidence comes from.
        thresholds: the numbers of the verdict.
        resamples: of clusters, behind each interval.
        seed: draws the bootstrap and the constructed emitters.
        groups: tags by whose values the headline is broken down.
        surrogates: whether readers of the text alone are fitted beside it.
        weights: what an error of each kind costs.
        schedule: when behaviour was moved; None where that is not known, or it was not.

    Raises:
        ValueError: no evidence is of the named step, two are of the same one, or no pair bears a tag of
            ``groups``.
    """
    by_step = {evidence.runs[0].step: evidence for evidence in checkpoints}
    if len(by_step) < len(checkpoints):
        raise ValueError(
            f"two of {len(checkpoints)} checkpoints are of one step; the steps are {sorted(by_step)}"
        )
    if step not in by_step:
        raise ValueError(
            f"checkpoint {step}: there is no evidence of this step; there is of {sorted(by_step)}"
        )
    evidence = by_step[step]
    return Results(
        schema=RESULTS_SCHEMA,
        experiment=provenance.experiment,
        config_sha256=provenance.config_sha256,
        model=provenance.model,
        target=provenance.target,
        explanation_format=provenance.explanation_format,
        split=evidence.pairs[0].split,
        step=step,
        counts=Counts(
            pairs=len(evidence.pairs),
            clusters=len({cluster_of(pair) for pair in evidence.pairs}),
            labels=len(evidence.labels),
            runs=len(evidence.runs),
            missing=evidence.missing,
        ),
        headline=judge(evidence, thresholds, resamples, seed),
        trajectory=tuple(
            trajectory_row(by_step[each], thresholds, resamples, seed) for each in sorted(by_step)
        ),
        emitters=constructed_emitters(evidence, thresholds, resamples, seed),
        examples=discordant_examples(evidence),
        notes=provenance.notes + _notes(evidence),
        artifacts=dict(provenance.artifacts),
        consequences=consequences(evidence, weights, groups, resamples, seed),
        groups=group_results(evidence, groups, resamples, seed),
        sources=by_source(evidence, resamples, seed),
        readers=reader_results(evidence, surrogates, resamples, seed),
        shift=None if schedule is None else _shift(by_step, schedule, resamples, seed),
    )


def _shift(
    by_step: Mapping[int, Evidence], schedule: Schedule, resamples: int, seed: int
) -> ShiftResult | None:
    tables = {step: tabulate(evidence) for step, evidence in by_step.items()}
    clusters = next(iter(tables.values())).clusters
    return shift_result(tables, schedule, ClusterBootstrap(clusters, resamples, seed))


def _notes(evidence: Evidence) -> tuple[str, ...]:
    notes = []
    if evidence.missing:
        notes.append(
            f"Of {evidence.missing} of {len(evidence.pairs) + evidence.missing} held-out pairs an answer or "
            "an explanation is missing. They are not scored: every figure stands on the others."
        )
    if not evidence.target:
        notes.append("The target's behaviour is not known: Orig, Δ, similarity to it, A and R are n/a.")
    if not evidence.labels:
        whose = "target's effects, and the runs' own," if evidence.target else "runs' own effects"
        notes.append(
            f"No labels are known, so the baselines take the {whose} on the judged pairs in their place."
        )
    return tuple(notes)
