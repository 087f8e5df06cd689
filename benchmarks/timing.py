"""Paired times: both ways in turn, so that whatever else the machine does slows both down alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure of the benchmark, and what is wanted of it."""

    what: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    detail: str = ""

    @property
    def is_met(self) -> bool | None:
        """None where nothing is wanted."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most


@dataclass(frozen=True, slots=True)
class Paired:
    """Seconds of two ways to do the same work, in pairs."""

    first: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median over the pairs of first / second."""
        return median(one / other for one, other in zip(self.first, self.second, strict=True))

    @property
    def seconds(self) -> str:
        return f"{1000 * median(self.first):.0f} ms against {1000 * median(self.second):.0f} ms"


def paired(first: Work, second: Work, repeats: int) -> Paired:
    """Times both, after one round that is not counted."""
    times = [(seconds(first), seconds(second)) for _ in range(repeats + 1)][1:]
    return Paired(tuple(one for one, _ in times), tuple(other for _, other in times))


def seconds(work: Work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
