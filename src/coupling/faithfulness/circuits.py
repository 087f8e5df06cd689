"""The schema of ``mechanism.json``: through which components the cue reaches answers and explanations.

How the figures come about is told in ``coupling.mechanism``, what they are made of in ``overlap``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coupling import store
from coupling.records import Estimate

CIRCUITS_SCHEMA = 1

HEAD, MLP, RESIDUAL = "head", "mlp", "residual"
KINDS = (HEAD, MLP, RESIDUAL)
EVERY = "all"

WITH_CUE, WITHOUT_CUE = "with_cue", "without_cue"
CLAIMS = (WITH_CUE, WITHOUT_CUE)
READOUTS = ("behavior", *CLAIMS)

AFTER, ANSWER = "after", "answer"
POSITIONS = (AFTER, ANSWER)
"""Behind the cue: all positions but the last; and the last, where the answer comes next."""


@dataclass(frozen=True, slots=True)
class Component:
    """What is patched as one: a head's output, an MLP's output, or the residual stream behind a block."""

    kind: str
    layer: int
    """Counted from 0."""
    position: str
    head: int | None = None

    @property
    def label(self) -> str:
        part = f"H{self.head}" if self.kind == HEAD else {MLP: " MLP", RESIDUAL: " out"}[self.kind]
        return f"L{self.layer}{part}"


@dataclass(frozen=True, slots=True)
class ByReadOut:
    """One figure of each place at which the cue's influence is read out."""

    behavior: Estimate
    """Where the model answers."""
    with_cue: Estimate
    """Where an explanation names the answer with the cue."""
    without_cue: Estimate
    """Where an explanation names the answer without it."""


@dataclass(frozen=True, slots=True)
class Carried:
    """The share of the cue's influence that passes through one component."""

    component: Component
    share: ByReadOut


@dataclass(frozen=True, slots=True)
class Agreement:
    """How alike two rows of shares are, and how alike they are by chance."""

    estimate: Estimate
    null_low: float | None
    """95 % range where the components of one row are shuffled within their kind and position."""
    null_high: float | None
    p: float | None
    """Share of shufflings that agree at least as well; the order as it is counts as one of them."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Agreement of behaviour and one claim of the explanation, over the components of one kind, or all."""

    claim: str
    kind: str
    components: int
    spearman: Agreement
    cosine: Agreement
    top: Agreement
    """Share of the ``TOP`` components of largest absolute share that both have in common."""


@dataclass(frozen=True, slots=True)
class Circuits:
    """One model."""

    name: str
    influence: ByReadOut
    """The cue's: m(x) - m(x\\C), mean over pairs, in logits; below 0 it speaks against its own answer."""
    carried: tuple[Carried, ...]
    overlaps: tuple[Overlap, ...]


@dataclass(frozen=True, slots=True)
class CircuitResults:
    """The content of ``mechanism.json``."""

    schema: int
    experiment: str
    explanation_format: str
    split: str
    top: int
    resamples: int
    shufflings: int
    seed: int
    models: tuple[Circuits, ...]
    """Before explanation training, and after where that was patched as well."""
    artifacts: Mapping[str, str]
    """Name of an artifact the figures were made from → its SHA-256."""

    def to_json(self) -> dict[str, store.Json]:
        return store.to_json(self)

    @classmethod
    def from_json(cls, document: store.Json, where: str = "mechanism.json") -> CircuitResults:
        """The inverse of `to_json`.

        Raises:
            ValueError: the document has another schema version, or a field that does not fit.
        """
        found = document.get("schema") if isinstance(document, dict) else None
        if found != CIRCUITS_SCHEMA:
            raise ValueError(
                f"{where}: mechanism schema {found!r}, but this version reads {CIRCUITS_SCHEMA}; patch again "
                "with this version"
            )
        return store.from_json(cls, document, where)
