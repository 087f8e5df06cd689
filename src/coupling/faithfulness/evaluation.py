"""From the evidence of every checkpoint to the content of ``results.json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coupling.faithfulness.catching_up import Schedule, catching_up
from coupling.faithfulness.consequences import ALWAYS_UNCHANGED, EQUAL, CostWeights, consequence_rows
from coupling.faithfulness.controls import constructed
from coupling.faithfulness.evidence import Evidence
from coupling.faithfulness.examples import discordant_examples
from coupling.faithfulness.explainers import ITSELF, WRITTEN, baselines_told, written_claims
from coupling.faithfulness.figures import (
    baseline_rows,
    headline_rows,
    judged_rows,
    over_quoting_rows,
    shares,
    trajectory_rows,
)
from coupling.faithfulness.following import following_rows
from coupling.faithfulness.gates import gates
from coupling.faithfulness.judge import encoded_baselines, headline
from coupling.faithfulness.matrix import advantage_rows, matrix_rows
from coupling.faithfulness.outsiders import MOVED_OUTSIDE, moved_outside
from coupling.faithfulness.panel import Panel
from coupling.faithfulness.privilege import Outside, beside_rows, observed, privilege_rows
from coupling.faithfulness.readers import reader_rows, readers_of
from coupling.faithfulness.results import (
    FREE,
    RESULTS_SCHEMA,
    Counts,
    Explainer,
    Judged,
    LabelSource,
    ModelDescription,
    Results,
    RunInfo,
)
from coupling.faithfulness.rows import ALL, ALL_RUNS, OWN, STEERED_RUNS, Figures, Row, group_name
from coupling.faithfulness.scores import tabulate
from coupling.faithfulness.siblings import sibling_rows
from coupling.faithfulness.sources import source_rows
from coupling.faithfulness.statistics import ClusterBootstrap
from coupling.faithfulness.structure import structure
from coupling.faithfulness.subsets import group_rows, groups_of, parts_rows, steered_rows
from coupling.faithfulness.thresholds import FROZEN, Thresholds
from coupling.faithfulness.twins import deciding_rows, t_rows, twin_rows
from coupling.faithfulness.verdict import decide

RESAMPLES = 20_000


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
    explanation_way: str = FREE


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
    """All results: the headline and all other explainers at one checkpoint, the trajectory over all.

    Each checkpoint is tabulated once, and all figures have the same resamples.

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
    by_step = _by_step(checkpoints, step)
    panels = _panels(by_step, step, resamples, seed)
    evidence, panel = by_step[step], panels[step]
    baselines = encoded_baselines(evidence, panel.table)
    told = dict(groups_of(panel.table, groups))
    within = {group_name(group.tag, group.value): chosen for group, chosen in told.items()}

    # Of every checkpoint, and then of the one the verdict stands on.
    rows: list[Row] = []
    for each in panels.values():
        rows += trajectory_rows(each) + steered_rows(each) + following_rows(each)
        if each is not panel:
            rows += t_rows(each) + advantage_rows(each, thresholds.min_panel_runs)
    rows += headline_rows(panel) + parts_rows(panel) + group_rows(panel, within)
    rows += twin_rows(panel, within) + deciding_rows(panel)
    of_matrix, nearest = matrix_rows(panel, thresholds.min_panel_runs)
    caught_up, shift = ([], None) if schedule is None else catching_up(panels, step, schedule)
    rows += of_matrix + caught_up + source_rows(panel, evidence.sources)
    rows += consequence_rows(panel, weights, baselines[ALWAYS_UNCHANGED], within)
    spreads = []
    for run, numbers in panel.by_name.items():
        of_run, spread = judged_rows(panel, baselines, numbers, run)
        rows += of_run + baseline_rows(panel, baselines, numbers, run)
        spreads.append(spread)

    # What somebody outside could know. What readers of the text claim is no part of it: it tells an observer
    # nothing (docs/judging.md has figures).
    outside = observed(panel.table)
    steered = {name: each for name, each in panel.moved.items() if name == STEERED_RUNS}
    for run, numbers in steered.items():
        rows += shares(panel, ("delta",), numbers, run)
    rows += privilege_rows(panel, outside, panel.moved) + beside_rows(panel, outside, panel.moved)
    rows += sibling_rows(panel) + over_quoting_rows(panel)

    # All that a verdict on the runs' own explanations asks is known by now.
    figures, built = Figures(rows, step), structure(evidence, panel.table, thresholds)
    verdicts = [
        Judged(spread.run, OWN, decide(figures, thresholds, spread.run, OWN, spread, built.verdict))
        for spread in spreads
    ]

    # Others who explain the same runs: judged likewise, or held against Self.
    explainers = [ITSELF, *baselines_told(baselines)]

    def judge_also(explainer: Explainer, explained: Panel, observers: Outside) -> None:
        turns_on, verdict = headline(
            explained, baselines, observers, explainer.name, thresholds, built.verdict
        )
        rows.extend(row for row in turns_on if row.explainer == explainer.name)
        verdicts.append(Judged(ALL_RUNS, explainer.name, verdict))
        explainers.append(explainer)

    for control in constructed(panel, seed, outside.guess):
        assert control.claims is not None
        judge_also(control.explainer, panel.explained_by(control.claims), outside)
    moved = moved_outside(panel.table)
    if moved is not None and outside.strongest is not None:
        judge_also(MOVED_OUTSIDE, replace(panel, table=moved), outside.of(moved))
    if any(run.written is not None for run in evidence.runs):
        written = panel.explained_by(written_claims(evidence, panel.table))
        judge_also(WRITTEN, written, outside)
    readers = readers_of(evidence, panel.table, surrogates)
    for reader in readers:
        rows += reader_rows(panel, reader)
    return Results(
        schema=RESULTS_SCHEMA,
        experiment=provenance.experiment,
        config_sha256=provenance.config_sha256,
        model=provenance.model,
        target=provenance.target,
        explanation_format=provenance.explanation_format,
        explanation_way=provenance.explanation_way,
        split=evidence.pairs[0].split,
        step=step,
        steps=tuple(sorted(by_step)),
        counts=Counts(
            pairs=len(evidence.pairs),
            clusters=int(panel.table.clusters.max()) + 1,
            labels=len(evidence.labels),
            runs=len(evidence.runs),
            missing=evidence.missing,
        ),
        runs=tuple(RunInfo(run.name, dict(run.steered), nearest.get(run.name)) for run in evidence.runs),
        twins=evidence.twins,
        explainers=(*explainers, *(reader.explainer for reader in readers)),
        verdicts=tuple(verdicts),
        rows=tuple(rows),
        spreads=tuple(spreads),
        gates=gates(evidence, panel.table, figures, spreads, thresholds, built.gates),
        examples=discordant_examples(evidence),
        groups=tuple(told),
        sources=_sources(evidence),
        weights=weights,
        shift=shift,
        thresholds=thresholds,
        resamples=resamples,
        seed=seed,
        notes=provenance.notes + _notes(evidence, Figures(rows, step)),
        artifacts=dict(provenance.artifacts),
    )


def judge(
    evidence: Evidence, thresholds: Thresholds = FROZEN, resamples: int = RESAMPLES, seed: int = 0
) -> Results:
    """Results of a panel at one checkpoint, for whoever has it in memory; without readers of the text."""
    unknown = ModelDescription("not known", None)
    provenance = Provenance("in memory", "", unknown, unknown, "", {})
    step = evidence.runs[0].step
    return evaluate([evidence], step, provenance, thresholds, resamples, seed, surrogates=False)


def _by_step(checkpoints: Sequence[Evidence], step: int) -> dict[int, Evidence]:
    by_step = {evidence.runs[0].step: evidence for evidence in checkpoints}
    if len(by_step) < len(checkpoints):
        raise ValueError(
            f"two of {len(checkpoints)} checkpoints are of one step; the steps are {sorted(by_step)}"
        )
    if step not in by_step:
        raise ValueError(
            f"checkpoint {step}: there is no evidence of this step; there is of {sorted(by_step)}"
        )
    return by_step


def _panels(by_step: Mapping[int, Evidence], step: int, resamples: int, seed: int) -> dict[int, Panel]:
    """Step, rising → panel. Where all are of the same pairs, as they should be, all have the same weights."""
    tables = {each: tabulate(by_step[each]) for each in sorted(by_step)}
    judged = ClusterBootstrap(tables[step].clusters, resamples, seed)
    panels = {}
    for each, table in tables.items():
        is_same = np.array_equal(table.clusters, judged.clusters)
        bootstrap = judged if is_same else ClusterBootstrap(table.clusters, resamples, seed)
        steered = {run.name: run.steered for run in by_step[each].runs}
        panels[each] = Panel(table, bootstrap, each, by_step[each].twins, steered)
    return panels


def _sources(evidence: Evidence) -> tuple[LabelSource, ...]:
    labels = Counter(label.source for label in evidence.labels)
    return tuple(LabelSource(name, labels[name]) for name in sorted(evidence.sources))


def _notes(evidence: Evidence, figures: Figures) -> tuple[str, ...]:
    notes = []
    if any(run.written is not None for run in evidence.runs):
        parsed, said = (
            figures(name, ALL_RUNS, ALL, WRITTEN.name).value or 0.0 for name in ("parse_rate", "self")
        )
        notes.append(
            "Explanations are filled in: the words of the sentence are given, and its two answers are scored "
            "over the choices as behaviour is. All figures use these, but for those of the free text: "
            f"there {parsed:.0%} of explanations can be read, and Self is {said:.3f}."
        )
    if evidence.missing:
        notes.append(
            f"Of {evidence.missing} of {len(evidence.pairs) + evidence.missing} held-out pairs an answer or "
            "an explanation is missing. They are not scored: every figure stands on the others."
        )
    if not evidence.target:
        notes.append("The target's behaviour is not known: Orig, Δ, similarity to it, A and R are n/a.")
    if evidence.base and not evidence.base_logprobs:
        notes.append(
            "M0's log-probabilities are not known: the observer behind P knows only which choices M0 makes, "
            "and so knows less than an outsider who has M0."
        )
    if not evidence.labels:
        whose = "target's effects, and the runs' own," if evidence.target else "runs' own effects"
        notes.append(
            f"No labels are known, so the baselines take the {whose} on the judged pairs in their place."
        )
    return tuple(notes)
