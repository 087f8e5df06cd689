"""What calibration found, as far as a plan quotes it: ``assets/validity.json``, written by ``coupling
calibrate``.

Power there is the share of draws in which the verdict was `coupled`, for an emitter that follows the
model: the organism's own explanations, or a mixture that follows it on half of the pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import pydantic_core

from coupling.faithfulness.statistics import Rate, rate
from coupling.faithfulness.thresholds import FROZEN, Thresholds
from coupling.store import from_json

OWN, HALF = "own", "mixture_50"
RULE = "p_steered_worst"
"""The rule of the verdict, by its name among the candidates it was chosen from (studies/calibrate)."""
NOT_CALIBRATED = "no calibration of the rule in use comes with this version"


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
    rule: str
    """Name of the rule it was found with."""
    limits: Mapping[str, float]
    """Its thresholds, as `limits_of` has them."""
    quotes: tuple[PowerQuote, ...]
    note: str = ""
    """What a reader of the file must know."""

    @property
    def is_of_rule_in_use(self) -> bool:
        return self.rule == RULE and dict(self.limits) == limits_of(FROZEN)

    def quoted(self, emitter: str, clusters: int, pairs: int) -> PowerQuote | None:
        """The figure of the largest size that is no larger in clusters nor in pairs; None where all are."""
        within = [
            quote
            for quote in self.quotes
            if quote.emitter == emitter and quote.clusters <= clusters and quote.pairs <= pairs
        ]
        return max(within, key=lambda quote: (quote.clusters, quote.pairs), default=None)


def limits_of(thresholds: Thresholds) -> dict[str, float]:
    """The thresholds that `coupled` depends on beside the rule; of those of gates none."""
    return {
        "min_parse_rate": thresholds.min_parse_rate,
        "collapsed_claim_share": thresholds.collapsed_claim_share,
        "varied_effect_share": thresholds.varied_effect_share,
        "min_discordant_pairs": float(thresholds.min_discordant_pairs),
        "min_discordant_clusters": float(thresholds.min_discordant_clusters),
    }


def shipped_calibration() -> Calibrated | None:
    """The calibration that comes with the package; None where there is none of the rule in use."""
    file = resources.files("coupling") / "assets" / "validity.json"
    if not file.is_file():
        return None
    found = from_json(Calibrated, pydantic_core.from_json(file.read_bytes()), file.name)
    return found if found.is_of_rule_in_use else None
