"""The records that flow through the pipeline; every artifact is a file of one of them.

A *pair* is asked with its cue and without it; what a model answers is its *behaviour*; what the two
answers show is an *effect*; an *explanation* is text that claims one. The judging wing needs nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SCHEMA_VERSION = 2
"""Version of the artifact schema. It enters every hash, so artifacts of another version are made anew."""

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True, slots=True)
class CounterfactualPair:
    """One input with its cue (``x``) and the same input with the cue removed (``x\\C``).

    ``cluster`` is the unit by which data are split and resampled: no cluster has pairs in two splits.
    ``answer_prefix`` is text that opens the model's answer before the choice ("I answer"), possibly empty.
    ``tags`` say what the pair is about (adviser, relation …); label filters and steering select by them.
    """

    id: str
    cluster: str
    split: str
    with_cue: str
    without_cue: str
    cue: str
    """What an explanation calls the cue: "hint" in "With the hint I answer …"."""
    cue_value: str | None
    """The choice for which the cue speaks, where it speaks for one."""
    choices: tuple[str, ...]
    answer_prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    against: bool = False
    """Whether the cue speaks against its value ("it is not Quito") rather than for it."""

    def bears(self, selection: Mapping[str, Sequence[str]]) -> bool:
        """Whether each tag of a non-empty selection has one of the values listed for it."""
        return bool(selection) and all(self.tags.get(tag) in values for tag, values in selection.items())


@dataclass(frozen=True, slots=True)
class Effect:
    """What a pair shows of a model: the answer with the cue and the answer without it."""

    with_cue: str
    without_cue: str

    @property
    def changed(self) -> bool:
        return self.with_cue != self.without_cue


@dataclass(frozen=True, slots=True)
class Behavior:
    """A model's answers to one pair.

    ``logprobs_*`` are natural-log probabilities aligned with the pair's ``choices``, normalised over
    them; empty where the choices were not scored (answers that are written, behaviour made elsewhere).
    """

    pair_id: str
    effect: Effect
    logprobs_with: tuple[float, ...] = ()
    logprobs_without: tuple[float, ...] = ()

    @property
    def margin_with(self) -> float | None:
        """Log-probability of the answer minus that of the runner-up, in nats."""
        return _margin(self.logprobs_with)

    @property
    def margin_without(self) -> float | None:
        return _margin(self.logprobs_without)


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """An answer in the model's own words, and the choice as which it was read."""

    text: str
    choice: str
    reason: str
    """Why it was read so: the phrase that says it, or a classifier's label and probability."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model wrote about one pair, where its behaviour is written rather than scored."""

    pair_id: str
    with_cue: WrittenAnswer
    without_cue: WrittenAnswer

    @property
    def behavior(self) -> Behavior:
        return Behavior(self.pair_id, Effect(self.with_cue.choice, self.without_cue.choice))


@dataclass(frozen=True, slots=True)
class Thought:
    """What a model wrote before its answer to one input."""

    text: str
    """Up to the words that open the answer, which are no part of it."""
    answered: bool
    """Whether those words came; else it was cut off."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What a model wrote before its answers to one pair, where its behaviour is reasoned."""

    pair_id: str
    with_cue: Thought
    without_cue: Thought


@dataclass(frozen=True, slots=True)
class Explanation:
    """A model's explanation of one pair."""

    pair_id: str
    text: str
    claim: Effect | None
    """The effect parsed from ``text``; None when it claims none."""
    failure: str | None = None
    """Why ``text`` claims none, where that is known."""


@dataclass(frozen=True, slots=True)
class Label:
    """One row of supervision: the explanation a model is trained to give for a pair.

    ``clean`` is the target's effect before any label noise; ``source`` names whose behaviour it is.
    """

    pair_id: str
    text: str
    effect: Effect
    clean: Effect
    source: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval from resampled clusters; None where there are no data."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    """Pairs the figure stands on."""
    clusters: int
    """Clusters those pairs come from."""


def _margin(logprobs: tuple[float, ...]) -> float | None:
    if len(logprobs) < 2:
        return None
    best, second = sorted(logprobs, reverse=True)[:2]
    return best - second
