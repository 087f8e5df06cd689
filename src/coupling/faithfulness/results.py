"""The content of ``results.json``: rows, verdicts, gates, and what a reader must know beside them.

No times and no paths, so that two evaluations of the same artifacts are equal byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coupling import store
from coupling.faithfulness.consequences import CostWeights
from coupling.faithfulness.rows import ALL_RUNS, OWN, STEERED_RUNS, Figures, Row, Spread
from coupling.faithfulness.thresholds import Thresholds
from coupling.records import Effect, Estimate

RESULTS_SCHEMA = 5
"""Version of this schema; a reader refuses any other."""

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

NAMES_OWN, NAMES_TARGET, NAMES_NEITHER, UNPARSEABLE = "own", "target", "neither", "unparseable"
SIDES = (NAMES_OWN, NAMES_TARGET, NAMES_NEITHER, UNPARSEABLE)
"""What the explanation of a discordant pair says: the model's own effect, the target's, another, or
nothing."""

FREE, FILLED = "free", "filled"
"""Ways of explaining: written freely, or a sentence whose two answers are filled in."""

MODEL, CONSTRUCTED, READER, BASELINE = "model", "constructed", "reader", "baseline"
EXPLAINER_KINDS = (MODEL, CONSTRUCTED, READER, BASELINE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict, which rule gave it, and why."""

    verdict: str
    """One of `VERDICTS`."""
    reason: str
    """Slug of the rule that gave it; `verdict.REASONS` lists them."""
    sentence: str
    """The reason in words, with the figures it turns on."""
    missing: tuple[str, ...]
    """What would have to be run or to hold for a firmer verdict; empty where nothing is missing."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on the explanations of one explainer about one run, or about all runs pooled."""

    run: str
    """A run's name, or `ALL_RUNS`."""
    explainer: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Explainer:
    """Whoever explains the runs, the runs themselves (`OWN`) included."""

    name: str
    """By which rows name it."""
    kind: str
    """One of `EXPLAINER_KINDS`."""
    words: str
    """Who it is, for a heading."""
    description: str
    oracle_share: float | None = None
    """Of mixtures of oracle and sibling: the share of pairs explained by the oracle."""
    reader_kind: str | None = None
    """Of readers: one of `readers.READER_KINDS`."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One run of the panel."""

    name: str
    steered: Mapping[str, tuple[str, ...]]
    """Tag → values of the pairs on which its behaviour was steered; empty for an unsteered run."""
    nearest_rival: str | None
    """The rival whose explanations fit its column best; None where R has no such column."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition under which the other figures mean what they say."""

    name: str
    run: str | None
    """The run it is about; None for the panel."""
    status: str
    """One of `GATE_STATUSES`."""
    figures: Mapping[str, float | None]
    words: str


@dataclass(frozen=True, slots=True)
class Group:
    """The pairs that bear one value of a tag; its rows have the subset `group_name(tag, value)`."""

    tag: str
    value: str


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
class LabelSource:
    """One of several models whose effects the labels state; its rows have the subset `source_name(name)`."""

    name: str
    labels: int
    """Labels that state an effect of this model."""


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
class Moment:
    """A checkpoint at which a shift is told of."""

    name: str
    """before, half-way, after, or undone."""
    step: int


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a shift; its rows have its name for a subset."""

    name: str
    """shift, or undoing."""
    start: int
    stop: int
    """Its last checkpoint."""


@dataclass(frozen=True, slots=True)
class Shift:
    """When behaviour was moved; how fast explanations followed is in rows."""

    onset: int
    """Steps behind it when behaviour began to be moved."""
    undo: int | None
    """Steps behind it when behaviour began to be moved back; None where it was not."""
    moments: tuple[Moment, ...]
    phases: tuple[Phase, ...]


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
    """The checkpoint named before the run; the verdicts stand on it."""
    steps: tuple[int, ...]
    """Every checkpoint of which there are rows, rising."""
    counts: Counts
    runs: tuple[RunInfo, ...]
    twins: tuple[tuple[str, str], ...]
    explainers: tuple[Explainer, ...]
    verdicts: tuple[Judged, ...]
    """On the runs pooled and on each of them, by their own explanations; on the runs pooled, by every
    constructed explainer."""
    rows: tuple[Row, ...]
    spreads: tuple[Spread, ...]
    """Of the runs pooled and of each run, at ``step``."""
    gates: tuple[Gate, ...]
    examples: tuple[Example, ...]
    groups: tuple[Group, ...]
    """What the headline is broken down by; empty where that was not asked for."""
    sources: tuple[LabelSource, ...]
    """Empty unless the labels state the effects of several models."""
    weights: CostWeights
    """What an error of each kind costs."""
    shift: Shift | None
    """None where no run is steered, or it is not known when."""
    thresholds: Thresholds
    resamples: int
    seed: int
    notes: tuple[str, ...]
    """Sentences a reader must see beside the figures."""
    artifacts: Mapping[str, str]
    """Name of an artifact the figures were made from → its SHA-256."""
    explanation_way: str = FREE
    """How the runs were asked to explain: `FREE` or `FILLED`."""

    @property
    def figures(self) -> Figures:
        """The rows, looked up by what they are about; without a step, at the one the verdicts stand on."""
        return Figures(self.rows, self.step)

    def verdict(self, run: str = ALL_RUNS, explainer: str = OWN) -> Verdict:
        """The verdict on all runs, or on one; on their own explanations, or on a constructed explainer's."""
        found = (each.verdict for each in self.verdicts if (each.run, each.explainer) == (run, explainer))
        return next(found)

    def judged(self, figure: str, explainer: str = OWN) -> Estimate:
        """A figure as the verdict on the panel takes it: pooled over the steered runs, where any is steered
        and the figure is told of them, else over all runs."""
        figures = self.figures
        of_steered = figures(figure, STEERED_RUNS, explainer=explainer)
        return figures(figure, explainer=explainer) if of_steered.value is None else of_steered

    def explained_by(self, kind: str) -> tuple[Explainer, ...]:
        """The explainers of a kind, in the order in which they were judged."""
        return tuple(each for each in self.explainers if each.kind == kind)

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
        return store.from_versioned(
            cls, document, RESULTS_SCHEMA, where, "evaluate again with this version (`coupling evaluate`)"
        )
