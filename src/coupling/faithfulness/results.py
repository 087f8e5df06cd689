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
from coupling.faithfulness.readers import (
    LANGUAGE_MODEL,
    OTHER_MODEL,
    READER_KINDS,
    TEXT_KINDS,
    TEXT_ON_BEHAVIOR,
    TEXT_ON_LABELS,
    ReaderFigures,
    ReaderResult,
)
from coupling.faithfulness.trajectory import CatchingUp, Moment, ShiftResult, TrajectoryRow, TrajectoryRun
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
