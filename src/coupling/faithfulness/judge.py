"""From evidence to results: everything that is said about a panel at one checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from coupling.faithfulness.baselines import baseline_claims
from coupling.faithfulness.controls import constructed
from coupling.faithfulness.evidence import Evidence
from coupling.faithfulness.figures import discordance, faithfulness
from coupling.faithfulness.following import cue_following, turning
from coupling.faithfulness.gates import gates
from coupling.faithfulness.matrix import advantage_and_rivalry, matrix
from coupling.faithfulness.panel import (
    Faithfulness,
    Matrix,
    PanelResult,
    RunResult,
    SubsetFigures,
    TwinTest,
    Verdict,
)
from coupling.faithfulness.results import EmitterResult
from coupling.faithfulness.scores import Table, tabulate
from coupling.faithfulness.statistics import NO_DATA, ClusterBootstrap, IntArray
from coupling.faithfulness.subsets import subset
from coupling.faithfulness.thresholds import FROZEN, Thresholds
from coupling.faithfulness.trajectory import TrajectoryRow, TrajectoryRun
from coupling.faithfulness.twins import Steered, Twins, told_apart, twin_test
from coupling.faithfulness.verdict import decide

RESAMPLES = 2000
ALL_RUNS = "all runs"


@dataclass(frozen=True, slots=True)
class Headline:
    """The panel's verdict and what it stands on."""

    pooled: Faithfulness
    twins: TwinTest | None
    matrix: Matrix
    verdict: Verdict


def judge(
    evidence: Evidence, thresholds: Thresholds = FROZEN, resamples: int = RESAMPLES, seed: int = 0
) -> PanelResult:
    """All figures of a panel at one checkpoint, its verdict and that of each run.

    The panel's verdict stands on Δ, Self, Orig and baselines pooled over runs, and on T, A and R. A
    run's verdict stands on its own figures, on its own column in place of A and R, and on the panel's T where
    the run has a twin.
    """
    table = tabulate(evidence)
    bootstrap = ClusterBootstrap(table.clusters, resamples, seed)
    baselines = encoded_baselines(evidence, table)
    headline = headline_of(table, baselines, *_pairing(evidence), bootstrap, thresholds)
    runs = []
    for number, run in enumerate(evidence.runs):
        figures = faithfulness(table, baselines, [number], bootstrap)
        verdict = decide(figures, *_of_run(run.name, number, headline), thresholds)
        steered, others = _by_steering(table, [number], bootstrap)
        parts = _by_question(table, [number], bootstrap)
        runs.append(
            RunResult(run.name, run.step, dict(run.steered), figures, verdict, steered, others, *parts)
        )
    moved = [number for number, run in enumerate(evidence.runs) if run.steered]
    apart = _by_steering(table, moved, bootstrap) if moved else (None, None)
    asked, beside = _by_question(table, moved, bootstrap) if moved else (None, None)
    return PanelResult(
        step=evidence.runs[0].step,
        pooled=headline.pooled,
        verdict=headline.verdict,
        runs=tuple(runs),
        twins=headline.twins,
        matrix=headline.matrix,
        gates=gates(evidence, table, headline.pooled, tuple(runs), thresholds),
        thresholds=thresholds,
        resamples=resamples,
        seed=seed,
        steered_pairs=apart[0],
        other_pairs=apart[1],
        asked_pairs=asked,
        beside_pairs=beside,
    )


def constructed_emitters(
    evidence: Evidence, thresholds: Thresholds = FROZEN, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[EmitterResult, ...]:
    """What the same rule says of explanations whose source is known; see `controls`."""
    bootstrap = ClusterBootstrap(tabulate(evidence).clusters, resamples, seed)
    results = []
    for emitter in constructed(evidence, seed):
        table = tabulate(emitter.evidence)
        baselines = encoded_baselines(emitter.evidence, table)
        headline = headline_of(table, baselines, *_pairing(emitter.evidence), bootstrap, thresholds)
        results.append(
            EmitterResult(
                name=emitter.name,
                description=emitter.description,
                oracle_share=emitter.oracle_share,
                delta=headline.pooled.delta,
                t=NO_DATA if headline.twins is None else headline.twins.pooled.all_pairs.t,
                advantage=headline.matrix.advantage,
                rivalry=headline.matrix.rivalry,
                self_share=headline.pooled.self_parts.exact,
                parse_rate=headline.pooled.parse_rate,
                verdict=headline.verdict,
            )
        )
    return tuple(results)


def trajectory_row(
    evidence: Evidence, thresholds: Thresholds = FROZEN, resamples: int = RESAMPLES, seed: int = 0
) -> TrajectoryRow:
    """The panel at one step in short: no verdict, for the verdict belongs to the checkpoint named before
    the run."""
    table = tabulate(evidence)
    bootstrap = ClusterBootstrap(table.clusters, resamples, seed)
    twins = twin_test(evidence, table, bootstrap)
    numbers = range(len(table.runs))
    advantage, rivalry = advantage_and_rivalry(table, bootstrap, thresholds.min_panel_runs)
    return TrajectoryRow(
        step=evidence.runs[0].step,
        pooled=_trajectory_run(ALL_RUNS, table, numbers, bootstrap),
        runs=tuple(_trajectory_run(table.runs[run], table, [run], bootstrap) for run in numbers),
        t=NO_DATA if twins is None else twins.pooled.all_pairs.t,
        t_steered=NO_DATA if twins is None else twins.pooled.steered.t,
        advantage=advantage,
        rivalry=rivalry,
    )


def headline_of(
    table: Table,
    baselines: Mapping[str, IntArray],
    twins: Twins,
    steered: Steered,
    bootstrap: ClusterBootstrap,
    thresholds: Thresholds = FROZEN,
) -> Headline:
    """The panel's verdict and its figures, and nothing beside them: what many panels can be judged by.

    Args:
        table: the join.
        baselines: baseline → its claims, shape (pairs, 2).
        twins: names of runs that differ in nothing but how they were steered.
        steered: of each run, on which pairs.
        bootstrap: weights over the table's clusters.
        thresholds: the numbers of the verdict.
    """
    pooled = faithfulness(table, baselines, range(len(table.runs)), bootstrap)
    apart = told_apart(table, twins, steered, bootstrap)
    square = matrix(table, bootstrap, thresholds.min_panel_runs)
    return Headline(pooled, apart, square, decide(pooled, apart, square, thresholds))


def _pairing(evidence: Evidence) -> tuple[Twins, Steered]:
    return evidence.twins, {run.name: run.steered for run in evidence.runs}


def _of_run(name: str, number: int, panel: Headline) -> tuple[TwinTest | None, Matrix]:
    """What of T, A and R speaks for one run: nothing of twins where it has none."""
    twins, square = panel.twins, panel.matrix
    has_twin = twins is not None and any(name in each.runs for each in twins.comparisons)
    column = square.columns[number]
    return twins if has_twin else None, replace(square, advantage=column.advantage, rivalry=column.rivalry)


def encoded_baselines(evidence: Evidence, table: Table) -> dict[str, IntArray]:
    """The claims of each baseline about the pairs of the table, shape (pairs, 2)."""
    return {name: table.encode(said) for name, said in baseline_claims(evidence, table.pairs).items()}


def _by_steering(
    table: Table, runs: Sequence[int], bootstrap: ClusterBootstrap
) -> tuple[SubsetFigures | None, SubsetFigures]:
    """The pairs in which cues stand that the runs are steered by, None where there are none; all others."""
    steered = table.steered[list(runs)]
    return (
        subset(table, runs, steered, bootstrap) if steered.any() else None,
        subset(table, runs, ~steered, bootstrap),
    )


def _by_question(
    table: Table, runs: Sequence[int], bootstrap: ClusterBootstrap
) -> tuple[SubsetFigures | None, SubsetFigures | None]:
    """Of the steered pairs those asked about the steered cue, and those asked about what stands beside it.

    None and None where no other cue stands beside one.
    """
    asked = table.asked_steered[list(runs)]
    beside = table.steered[list(runs)] & ~asked
    if not asked.any() or not beside.any():
        return None, None
    return subset(table, runs, asked, bootstrap), subset(table, runs, beside, bootstrap)


def _trajectory_run(
    name: str, table: Table, runs: Sequence[int], bootstrap: ClusterBootstrap
) -> TrajectoryRun:
    figures = discordance(table, runs, bootstrap)
    cue = cue_following(table, runs, bootstrap)
    where_steered = cue_following(table, runs, bootstrap, table.asked_steered[list(runs)])
    steered = discordance(table, runs, bootstrap, table.steered[list(runs)])
    claimed = turning(table, runs, bootstrap)
    return TrajectoryRun(
        name=name,
        self_share=figures.self_share,
        orig_share=figures.orig_share,
        gap=figures.gap,
        self_discordant=figures.self_discordant,
        orig_discordant=figures.orig_discordant,
        delta=figures.delta,
        similarity=figures.similarity,
        parse_rate=figures.parse_rate,
        changed=cue.changed,
        followed=cue.followed,
        followed_steered=where_steered.followed,
        shift=cue.shift,
        shift_steered=where_steered.shift,
        claimed_following_steered=claimed.claimed_following,
        turned_steered=claimed.turned,
        claimed_turned_steered=claimed.claimed_turned,
        self_steered=steered.self_share,
        orig_steered=steered.orig_share,
        delta_steered=steered.delta,
    )
