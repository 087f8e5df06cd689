"""Figures in sentences: "Δ = +0.42 [+0.36, +0.48]"."""

from __future__ import annotations

from coupling.records import Effect, Estimate


def share(estimate: Estimate) -> str:
    """A share with its interval: "0.84 [0.81, 0.87]"."""
    return _written(estimate, "{:.2f}")


def signed(estimate: Estimate) -> str:
    """A difference with its interval: "+0.42 [+0.36, +0.48]"."""
    return _written(estimate, "{:+.2f}")


def bits(estimate: Estimate) -> str:
    """Bits a pair with their interval: "+0.021 [+0.004, +0.038] bits"."""
    return f"{_written(estimate, '{:+.3f}')} bits"


def effect(stated: Effect) -> str:
    """ "Lyon with the cue, Paris without it"."""
    return f"{stated.with_cue!r} with the cue, {stated.without_cue!r} without it"


def _written(estimate: Estimate, number: str) -> str:
    if estimate.value is None:
        return "n/a"
    value = number.format(estimate.value)
    if estimate.low is None or estimate.high is None:
        return f"{value} [no interval: {estimate.clusters} clusters]"
    return f"{value} [{number.format(estimate.low)}, {number.format(estimate.high)}]"
