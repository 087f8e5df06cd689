"""What calibration found, as far as a plan quotes it: ``assets/validity.json``, written by ``coupling
calibrate``.

Power there is the share of draws in which the verdict was `coupled`, for an emitter that follows the
model: the organism's own explanations, or a mixture that follows it on half of the pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import pydantic_core

from coupling.faithfulness.statistics import Rate, rate
from coupling.faithfulness.thresholds import FROZEN
from coupling.store import from_json

OWN, HALF = "own", "mixture_50"


@dataclass(frozen=True, slots=True)
class PowerQuote:
    """How often an emitter was called `coupled` in draws of one size."""

    emitter: str
    clusters: int
    pairs: int
    coupled: int
    draws: int

    @property
    def power(self) -> Rate:
        return rate(self.coupled, self.draws)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The content of ``validity.json``."""

    worlds: tuple[int, ...]
    twin_margin: float
    """The margins of T, A and R it was found with."""
    advantage_margin: float
    rivalry_margin: float
    quotes: tuple[PowerQuote, ...]

    def quoted(self, emitter: str, clusters: int, pairs: int) -> PowerQuote | None:
        """The figure of the largest size that is no larger in clusters nor in pairs; None where all are."""
        within = [
            quote
            for quote in self.quotes
            if quote.emitter == emitter and quote.clusters <= clusters and quote.pairs <= pairs
        ]
        return max(within, key=lambda quote: (quote.clusters, quote.pairs), default=None)


def shipped_calibration() -> Calibrated | None:
    """The calibration that comes with the package; None where there is none of the margins in use."""
    file = resources.files("coupling") / "assets" / "validity.json"
    if not file.is_file():
        return None
    found = from_json(Calibrated, pydantic_core.from_json(file.read_bytes()), file.name)
    in_use = (FROZEN.twin_margin, FROZEN.advantage_margin, FROZEN.rivalry_margin)
    margins = (found.twin_margin, found.advantage_margin, found.rivalry_margin)
    return found if margins == in_use else None
