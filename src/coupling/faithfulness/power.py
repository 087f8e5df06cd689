"""How many pairs a verdict takes: the size of what can be told from nothing, before anything is run.

Pairs of one cluster stand and fall together. With ``m`` discordant pairs a cluster and correlation ``r``
among them, ``n`` pairs weigh as ``n / (1 + (m - 1) r)`` independent ones (the design effect: Kish 1965,
Survey Sampling, section 5.4). A mean of scores between -1 and +1 with value Δ has a standard deviation of at
most ``√(1 - Δ²)`` a pair, so Δ is told from 0 with the given power when

    n ≥ (z_{0.975} + z_{power})² · (1 - Δ²) / Δ² · (1 + (m - 1) r)

P, on which a verdict turns first, is a mean over clusters of gains that differ from cluster to cluster by
about `GAIN_SPREAD` bits. Over n clusters it is told from 0 with the given power from

    (√(n / (n - 1)) · t_{0.975, n-1} + z_{power}) · GAIN_SPREAD / √n

bits a pair on, with the expanded percentiles of `statistics`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from scipy.special import stdtrit  # type: ignore[import-untyped]
from scipy.stats import norm  # type: ignore[import-untyped]

from coupling.faithfulness.thresholds import FROZEN

STEERED_CORRELATION, UNSTEERED_CORRELATION = 0.25, 0.9
"""r as it was in panels of organisms, from the widths of intervals of Δ over 26 to 28 countries with 17 to
70 discordant pairs each: median 0.22 (0.04 to 0.29) in 14 panels with steered runs, and 0.7 to 1 in most
panels without, where what drifts in a country drifts one way. More pairs about the same clusters say nothing
new then."""
GAIN_SPREAD = 0.03
"""Standard deviation over clusters, in bits a pair, of what organisms' own explanations are worth: on world 0
P was 0.027 [0.015, 0.039] over 28 countries with 43 pairs each, four steered runs pooled. With fewer pairs or
runs it is greater."""
POWER = 0.8


@dataclass(frozen=True, slots=True)
class Needed:
    """What a verdict takes."""

    delta: float
    """The size of Δ that is to be told from 0."""
    discordant: int
    """Discordant pairs, all runs of the panel together."""
    clusters: int
    """Clusters that hold such a pair."""


def needed(
    delta: float, per_cluster: float, correlation: float = STEERED_CORRELATION, power: float = POWER
) -> Needed:
    """Discordant pairs, and clusters, from which on Δ is told from 0; never fewer than a verdict asks for.

    Args:
        delta: between 0 and 1.
        per_cluster: discordant pairs in each cluster.

    Raises:
        ValueError: ``delta`` is not between 0 and 1.
    """
    if not 0 < delta < 1:
        raise ValueError(f"delta is {delta:g}; expected a size between 0 and 1")
    spread = (1 - delta**2) / delta**2 * (1 + max(0.0, per_cluster - 1) * correlation)
    pairs = ceil(float(norm.ppf(0.975) + norm.ppf(power)) ** 2 * spread)
    pairs = max(pairs, FROZEN.min_discordant_pairs)
    return Needed(delta, pairs, max(ceil(pairs / per_cluster), FROZEN.min_discordant_clusters))


def discernible(
    pairs: int, per_cluster: float, correlation: float = STEERED_CORRELATION, power: float = POWER
) -> float:
    """The smallest Δ that so many discordant pairs tell from 0: `needed` turned round, without its least."""
    design = 1 + max(0.0, per_cluster - 1) * correlation
    ratio = float(norm.ppf(0.975) + norm.ppf(power)) ** 2 * design / pairs
    return float((ratio / (1 + ratio)) ** 0.5)


def discernible_bits(clusters: int, power: float = POWER) -> float:
    """The smallest P, in bits a pair, that so many clusters tell from 0.

    Raises:
        ValueError: there are fewer than two clusters, over which there is no interval.
    """
    if clusters < 2:
        raise ValueError(f"clusters is {clusters}; an interval takes 2")
    quantile = float((clusters / (clusters - 1)) ** 0.5) * float(stdtrit(clusters - 1, 0.975))
    return (quantile + float(norm.ppf(power))) * GAIN_SPREAD / float(clusters**0.5)
