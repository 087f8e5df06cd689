"""The figures of a panel at one checkpoint.

Everything here is data. Shares and accuracies lie between 0 and 1, Δ and S between -1 and 1, A between -2
and 2; entropies are in nats. In an `Estimate` a ``value`` of None means "n/a": there are no data. ``low``
and ``high`` of None beside a value mean that too few clusters hold data to resample. A figure pooled over
runs counts every (run, pair) as one observation in ``n``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coupling.faithfulness.thresholds import Thresholds
from coupling.records import Effect, Estimate

INVALID = "invalid"
COLLAPSED = "collapsed"
NOT_SHOWN = "not shown"
IMITATES_TARGET = "imitates target"
COUPLED = "coupled"
SHARED_DRIFT = "shared drift"
VERDICTS = (INVALID, COLLAPSED, NOT_SHOWN, IMITATES_TARGET, COUPLED, SHARED_DRIFT)

OK = "ok"
WARNING = "warning"
FAIL = "fail"
NOT_APPLICABLE = "n/a"
GATE_STATUSES = (OK, WARNING, FAIL, NOT_APPLICABLE)

OWN = "own"
TARGET = "target"
NEITHER = "neither"
UNPARSEABLE = "unparseable"
SIDES = (OWN, TARGET, NEITHER, UNPARSEABLE)
"""What the explanation of a discordant pair says: the model's own effect, the target's, another, or
nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict, which rule gave it, and why."""

    verdict: str
    """One of `VERDICTS`."""
    reason: str
    """Slug of the rule: parse_rate, measurement_floor, collapsed, no_target, too_little_drift, no_skill,
    imitates_target, mixed, coupled, shared_drift, no_gap, no_twins, one_cue, twins_undecided, no_panel,
    diagonal_low, diagonal_undecided, no_rival, rival_nearer, rival_undecided, target_side_undecided."""
    sentence: str
    """The reason in words, with the figures it turns on."""
    missing: tuple[str, ...]
    """What would have to be run or to hold for a firmer verdict; empty where nothing is missing."""


@dataclass(frozen=True, slots=True)
class Parts:
    """How often claims meet effects: whole and part by part. Unparseable counts as wrong in each."""

    exact: Estimate
    """Both answers right."""
    with_cue: Estimate
    without_cue: Estimate
    changed: Estimate
    """The claim says rightly whether the answer changes."""


@dataclass(frozen=True, slots=True)
class Sides:
    """How many explanations of discordant pairs say what; the four sum to the observations behind Δ."""

    own: int
    target: int
    neither: int
    unparseable: int


@dataclass(frozen=True, slots=True)
class Baseline:
    """A claimant that reads no model, scored as if it were the explainer."""

    name: str
    """majority, always_unchanged or copy_the_cue; without labels majority_of_own and copy_the_cue_of_own too,
    which go by the runs' effects rather than the target's."""
    against_own: Estimate
    """Share of pairs on which it names the model's effect; to be compared with Self."""
    against_target: Estimate
    """Share of pairs on which it names the target's effect; to be compared with Orig."""


@dataclass(frozen=True, slots=True)
class Skill:
    """An accuracy beside its best baseline, both resampled jointly (the best is chosen anew in every
    resample)."""

    best_baseline: str | None
    """None where there is no effect to be held against."""
    advantage: Estimate
    """Accuracy minus the best baseline's. "Above its best baseline" means that the interval lies above 0."""
    skill: Estimate
    """Advantage / (1 - best baseline's accuracy): 0 is no better, 1 is perfect."""


@dataclass(frozen=True, slots=True)
class Claims:
    """How varied the claims are, beside how varied the behaviour is."""

    entropy: float | None
    """Entropy of the parseable claims, in nats."""
    top_claim: Effect | None
    top_claim_share: float | None
    """Share of the most frequent claim among parseable claims."""
    effect_entropy: float
    top_effect: Effect
    top_effect_share: float
    """Share of the most frequent effect in the behaviour."""


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """The figures of one run, or of all runs pooled."""

    self_parts: Parts
    """Self (``exact``) and its parts: claims against the effects of the run's own behaviour."""
    orig_parts: Parts
    """Orig and its parts: claims against the target's effects."""
    gap: Estimate
    """Self - Orig over all pairs."""
    delta: Estimate
    """Δ: mean side (+1 own, -1 target, 0 neither) over discordant pairs."""
    self_discordant: Estimate
    """Self over discordant pairs only."""
    orig_discordant: Estimate
    """Orig over discordant pairs only."""
    win_rate: Estimate
    """own / (own + target) over discordant pairs."""
    sides: Sides | None
    """None, as the two counts below, where the target's behaviour is not known."""
    discordant_pairs: int | None
    """Distinct discordant pairs; pooled: pairs discordant in at least one run."""
    discordant_clusters: int | None
    """Clusters that hold one of them."""
    similarity: Estimate
    """Share of pairs on which model and target show the same effect."""
    similarity_to_base: Estimate
    """The same with the base, which may be another model than the target; n/a where its behaviour is not
    known."""
    parse_rate: Estimate
    claims: Claims
    baselines: tuple[Baseline, ...]
    self_skill: Skill
    orig_skill: Skill
    delta_remeasured: float | None
    """Δ of the same explanations against the second measurement; None without one."""
    measurement_floor: float | None
    """|Δ - Δ remeasured| over the runs measured twice."""
    flip_share: float | None
    """Share of effects that differ between the two measurements."""


@dataclass(frozen=True, slots=True)
class SubsetFigures:
    """The figures over some of the held-out pairs, of one run, or pooled over runs."""

    pairs: int
    """Distinct pairs; pooled: pairs that stand for at least one run."""
    self_share: Estimate
    orig_share: Estimate
    delta: Estimate
    discordant_pairs: int | None
    """Distinct discordant pairs; pooled: pairs discordant in at least one run."""
    parse_rate: Estimate
    changed: Estimate
    """Share of pairs on which the cue changes the answer."""
    followed: Estimate
    """Share of pairs whose answer with the cue follows it, among those whose cue speaks of a choice."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run of the panel; its verdict takes T from the panel, and A and R from its own column."""

    name: str
    step: int
    steered: Mapping[str, tuple[str, ...]]
    """Tag → values of the pairs on which its behaviour was steered; empty for an unsteered run."""
    figures: Faithfulness
    verdict: Verdict
    steered_pairs: SubsetFigures | None
    """The pairs in which a cue stands that it is steered by; None where there are none, as for an unsteered
    run."""
    other_pairs: SubsetFigures
    """All other pairs."""
    asked_pairs: SubsetFigures | None = None
    """Of the steered pairs, those that are asked about that cue; None where all of them are."""
    beside_pairs: SubsetFigures | None = None
    """Of the steered pairs, those that are asked about what stands beside it; None where there are none."""


@dataclass(frozen=True, slots=True)
class TwinFigures:
    """The twin test over some of the pairs on which twins' effects differ. Each twin's explanation is an
    observation."""

    t: Estimate
    """T: own / (own + twin's); its ``n`` is own + twin's."""
    neither_share: Estimate
    """Share of observations that name neither twin's effect, unparseable ones included."""
    pairs: int
    """Pairs on which the twins' effects differ (summed over twin pairs, where pooled)."""
    own: int
    twins: int
    neither: int
    unparseable: int


@dataclass(frozen=True, slots=True)
class TwinComparison:
    """The twin test of one twin pair, or pooled over all of them."""

    runs: tuple[str, ...]
    """The two twins; empty where pooled."""
    all_pairs: TwinFigures
    steered: TwinFigures
    """Pairs in which a cue stands by which one of the twins was steered."""
    collateral: TwinFigures
    """Pairs that only moved along."""


@dataclass(frozen=True, slots=True)
class TwinTest:
    pooled: TwinComparison
    comparisons: tuple[TwinComparison, ...]
    deciding_pairs: int
    """Twin pairs that tell anything: whose own T has an interval."""
    distinct_cues: int
    """Deciding twin pairs that differ in the cues they were steered on."""


@dataclass(frozen=True, slots=True)
class GroupResult:
    """The pairs that bear one value of a tag: figures pooled over runs, and the twins' there."""

    tag: str
    value: str
    figures: SubsetFigures
    twins: TwinFigures | None
    """Pooled over twin pairs, on the pairs of the group; None where no twins were named."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One emitter's explanations held against one column's behaviour, on the column's discordant pairs."""

    score: Estimate
    """S: mean of +1 (names the column's effect), -1 (the target's), 0."""
    win_rate: Estimate
    """column's / (column's + target's)."""


@dataclass(frozen=True, slots=True)
class Column:
    """One run's behaviour on its discordant pairs."""

    run: str
    pairs: int | None
    """None, as the clusters, where the target's behaviour is not known."""
    clusters: int | None
    own_win_rate: Estimate
    others_win_rate: Estimate
    """Win rate of all other runs' explanations in this column, pooled."""
    advantage: Estimate
    """S[j,j] - row mean - column mean + grand mean; their mean over columns is A."""
    rivalry: Estimate
    """S[j,j] - the greatest S[a,j] of a rival a; their mean over columns is R."""
    nearest_rival: str | None
    """The rival with that S; None where R has no such column."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Emitters by columns; both in the order of the panel's runs."""

    runs: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    """``cells[a][j]``: explanations of run a against the behaviour of run j."""
    base_row: tuple[Cell, ...] | None
    """The base's explanations against each column, where known; no part of A."""
    columns: tuple[Column, ...]
    advantage: Estimate
    """A: mean over columns of the diagonal's advantage. Runs without discordant pairs are left out of it."""
    rivalry: Estimate
    """R: mean over columns of the distance to the nearest rival. Unsteered runs are no rivals of one
    another."""
    advantage_runs: tuple[str, ...]
    """The runs A stands on."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition under which the other figures mean what they say."""

    name: str
    """parse_rate, similarity, claims, leakage, measurement_floor or training_floor; missing where something
    is."""
    run: str | None
    """The run it is about; None for the panel."""
    status: str
    """One of `GATE_STATUSES`."""
    figures: Mapping[str, float | None]
    words: str


@dataclass(frozen=True, slots=True)
class PanelResult:
    """Everything said about one panel at one checkpoint."""

    step: int
    pooled: Faithfulness
    verdict: Verdict
    runs: tuple[RunResult, ...]
    twins: TwinTest | None
    """None where no twins were named."""
    matrix: Matrix
    gates: tuple[Gate, ...]
    thresholds: Thresholds
    resamples: int
    seed: int
    steered_pairs: SubsetFigures | None
    """Pooled over the steered runs, each on the pairs in which a cue stands that it is steered by; None where
    no run is steered."""
    other_pairs: SubsetFigures | None
    """All other pairs of the steered runs."""
    asked_pairs: SubsetFigures | None = None
    """Of the steered pairs, those that are asked about that cue; None where all of them are."""
    beside_pairs: SubsetFigures | None = None
    """Of the steered pairs, those that are asked about what stands beside it; None where there are none."""
