"""The schema of ``results.json``: the figures of `panel`, what surrounds them, and how they are read back.

No times and no paths, so that two evaluations of the same artifacts are equal byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coupling import store
from coupling.faithfulness.consequences import ConsequenceRow, Consequences, CostWeights, Errors
from coupling.faithfulness.panel import (
    COLLAPSED,
    COUPLED,
    FAIL,
    GATE_STATUSES,
    IMITATES_TARGET,
    INVALID,
    NEITHER,
    NOT_APPLICABLE,
    NOT_SHOWN,
    OK,
    OWN,
    SHARED_DRIFT,
    SIDES,
    TARGET,
    UNPARSEABLE,
    VERDICTS,
    WARNING,
    Baseline,
    Cell,
    Claims,
    Column,
    Faithfulness,
    Gate,
    GroupResult,
    Matrix,
    PanelResult,
    Parts,
    RunResult,
    Sides,
    Skill,
    SubsetFigures,
    TwinComparison,
    TwinFigures,
    TwinTest,
    Verdict,
)
from coupling.records import Effect, Estimate

__all__ = [
    "COLLAPSED",
    "COUPLED",
    "FAIL",
    "GATE_STATUSES",
    "IMITATES_TARGET",
    "INVALID",
    "LANGUAGE_MODEL",
    "NEITHER",
    "NOT_APPLICABLE",
    "NOT_SHOWN",
    "OK",
    "OTHER_MODEL",
    "OWN",
    "READER_KINDS",
    "RESULTS_SCHEMA",
    "SHARED_DRIFT",
    "SIDES",
    "TARGET",
    "TEXT_KINDS",
    "TEXT_ON_BEHAVIOR",
    "TEXT_ON_LABELS",
    "UNPARSEABLE",
    "VERDICTS",
    "WARNING",
    "Baseline",
    "CatchingUp",
    "Cell",
    "Claims",
    "Column",
    "ConsequenceRow",
    "Consequences",
    "CostWeights",
    "Counts",
    "EmitterResult",
    "Errors",
    "Example",
    "Faithfulness",
    "Gate",
    "GroupResult",
    "Matrix",
    "ModelDescription",
    "Moment",
    "PanelResult",
    "Parts",
    "ReaderFigures",
    "ReaderResult",
    "Results",
    "RunResult",
    "ShiftResult",
    "Sides",
    "Skill",
    "SourceResult",
    "SubsetFigures",
    "TrajectoryRow",
    "TrajectoryRun",
    "TwinComparison",
    "TwinFigures",
    "TwinTest",
    "Verdict",
]

RESULTS_SCHEMA = 4
"""Version of this schema; a reader refuses any other."""

TEXT_ON_LABELS = "text_on_labels"
TEXT_ON_BEHAVIOR = "text_on_behavior"
LANGUAGE_MODEL = "language_model"
OTHER_MODEL = "other_model"
READER_KINDS = (TEXT_ON_LABELS, TEXT_ON_BEHAVIOR, LANGUAGE_MODEL, OTHER_MODEL)
TEXT_KINDS = (TEXT_ON_LABELS, TEXT_ON_BEHAVIOR, LANGUAGE_MODEL)
"""Readers that know nothing of the world but what the text, and what they were fitted on, tell."""


@dataclass(frozen=True, slots=True)
class TrajectoryRun:
    """One run at one step; at step 0 it is the base."""

    name: str
    self_share: Estimate
    orig_share: Estimate
    gap: Estimate
    self_discordant: Estimate
    orig_discordant: Estimate
    delta: Estimate
    similarity: Estimate
    parse_rate: Estimate
    changed: Estimate
    """Share of pairs on which the cue changes the answer."""
    followed: Estimate
    """Share of pairs whose answer with the cue follows it, among those whose cue speaks for a choice."""
    followed_steered: Estimate
    """The same over the pairs that are asked about a cue by which the run is steered; n/a for an unsteered
    run. Pooled over runs that were steered in opposite directions it tells little."""
    shift: Estimate
    """``followed`` minus the base's on the same pairs; n/a where the base's behaviour is not known."""
    shift_steered: Estimate
    """The same over the pairs that are asked about a cue by which the run is steered."""
    claimed_following_steered: Estimate
    """Share of those pairs of which the claim says that the answer with the cue follows it; what could not be
    read says no such thing."""
    turned_steered: Estimate
    """Share of those pairs on which the answer with the cue has turned: it follows the cue where the base's
    does not, or the reverse. Of runs steered either way it does not cancel out."""
    claimed_turned_steered: Estimate
    """Share of those pairs of which the claim says so."""
    self_steered: Estimate
    """Self over the pairs in which a cue stands by which the run is steered, asked about or not."""
    orig_steered: Estimate
    delta_steered: Estimate


@dataclass(frozen=True, slots=True)
class TrajectoryRow:
    """The panel at one step, in short."""

    step: int
    pooled: TrajectoryRun
    """All runs together; its name is "all runs"."""
    runs: tuple[TrajectoryRun, ...]
    t: Estimate
    """T pooled over all twin pairs; n/a without twins."""
    t_steered: Estimate
    """The same over the pairs in which a cue stands by which one of the twins is steered."""
    advantage: Estimate
    """A; n/a below three runs with discordant pairs."""


@dataclass(frozen=True, slots=True)
class CatchingUp:
    """How fast behaviour moves in one phase of a shift, and how many steps later claims do.

    Moves are changes of the shares that have turned; steps count from the beginning of the phase.
    """

    run: str
    """A run, or "all steered runs"."""
    phase: str
    """shift, or undoing."""
    start: int
    stop: int
    """The phase's last checkpoint."""
    behavior_move: Estimate
    claims_move: Estimate
    behavior_half: Estimate
    """Steps until behaviour has come half of its way."""
    claims_half: Estimate
    """Steps until claims have come half of theirs."""
    lag_half: Estimate
    """The latter minus the former; negative where claims turn first."""
    behavior_most: Estimate
    """Steps until behaviour has come 90 % of its way; likewise below."""
    claims_most: Estimate
    lag_most: Estimate


@dataclass(frozen=True, slots=True)
class Moment:
    """A checkpoint at which a shift is told of: its row is in the trajectory."""

    name: str
    """before, half-way, after, or undone."""
    step: int


@dataclass(frozen=True, slots=True)
class ShiftResult:
    """When behaviour was moved, and how fast explanations followed."""

    onset: int
    """Steps behind it when behaviour began to be moved."""
    undo: int | None
    """Steps behind it when behaviour began to be moved back; None where it was not."""
    moments: tuple[Moment, ...]
    catching_up: tuple[CatchingUp, ...]
    """For each phase all steered runs together, then each."""


@dataclass(frozen=True, slots=True)
class EmitterResult:
    """What the verdict says of explanations whose source is known because it was chosen."""

    name: str
    """oracle, sibling, nearest, frozen_base, shuffled, constant, garbled, mixture_25, mixture_50,
    mixture_75; the panel's own explanations are no emitter of this table."""
    description: str
    oracle_share: float | None
    """Share of pairs explained by the oracle; None for emitters that are no mixture of oracle and sibling."""
    delta: Estimate
    t: Estimate
    advantage: Estimate
    rivalry: Estimate
    self_share: Estimate
    parse_rate: Estimate
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Example:
    """One discordant pair of one run, chosen by rule and not by eye."""

    pair_id: str
    cluster: str
    run: str
    question: str
    """The input with its cue."""
    question_without_cue: str
    cue: str
    cue_value: str | None
    tags: Mapping[str, str]
    behavior: Effect
    """What the model did."""
    text: str
    """What it said, verbatim: data from a model, to be escaped wherever it is shown."""
    claim: Effect | None
    target: Effect
    """What the target did."""
    side: str
    """One of `SIDES`."""


@dataclass(frozen=True, slots=True)
class SourceResult:
    """The explanations of all runs held against one of several models whose effects the labels state.

    On all held-out pairs, as if this model were the target.
    """

    name: str
    labels: int
    """Labels that state an effect of this model."""
    orig_share: Estimate
    gap: Estimate
    """Self - Orig."""
    delta: Estimate
    discordant_pairs: int
    """Distinct pairs on which the effect of at least one run differs from this model's."""
    similarity: Estimate


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
class ModelDescription:
    """Which model was judged, without saying where it lies."""

    name: str
    """Its path's last part, its hub id, or what the user calls it."""
    fingerprint: str | None
    """SHA-256 of its weights; None where only its artifacts are known."""


@dataclass(frozen=True, slots=True)
class Counts:
    pairs: int
    clusters: int
    labels: int
    runs: int
    missing: int = 0
    """Held-out pairs beside these, of which an answer or an explanation is missing; no figure stands on
    them."""


@dataclass(frozen=True, slots=True)
class Results:
    """The content of ``results.json``."""

    schema: int
    experiment: str
    config_sha256: str
    model: ModelDescription
    target: ModelDescription
    explanation_format: str
    split: str
    step: int
    """The checkpoint named before the run; the headline stands on it."""
    counts: Counts
    headline: PanelResult
    trajectory: tuple[TrajectoryRow, ...]
    emitters: tuple[EmitterResult, ...]
    examples: tuple[Example, ...]
    notes: tuple[str, ...]
    """Sentences a reader must see beside the figures."""
    artifacts: Mapping[str, str]
    """Name of an artifact the figures were made from → its SHA-256."""
    consequences: Consequences
    """Errors by what they lead to."""
    groups: tuple[GroupResult, ...] = ()
    """The headline broken down by tags; empty where that was not asked for."""
    sources: tuple[SourceResult, ...] = ()
    """Each source of the labels by itself; empty unless they state the effects of several models."""
    readers: tuple[ReaderResult, ...] = ()
    """Who explains the runs in their place, from the text; empty where none was asked for."""
    shift: ShiftResult | None = None
    """How fast explanations follow a shift; None where no run is steered, or it is not known when."""

    def to_json(self) -> dict[str, store.Json]:
        """As plain dicts, lists, strings and numbers; equal results give equal documents."""
        return store.to_json(self)

    @classmethod
    def from_json(cls, document: store.Json, where: str = "results.json") -> Results:
        """The inverse of `to_json`.

        Raises:
            ValueError: the document has another schema version, or a field is missing, unknown or of a
            wrong type.
        """
        found = document.get("schema") if isinstance(document, dict) else None
        if found != RESULTS_SCHEMA:
            raise ValueError(
                f"{where}: results schema {found!r}, but this version reads {RESULTS_SCHEMA}; "
                "evaluate the run again with this version"
            )
        return store.from_json(cls, document, where)
