"""One figure, one row: every result is a list of rows, and whatever shows results looks rows up.

A row says which figure (`registry`), of which run at which step, over which pairs, for whose explanations,
and the estimate. So a figure is computed in one place, is stored once, and has the same name in the
terminal, on the page, in ``results.json`` and in comparisons.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from coupling.faithfulness.statistics import NO_DATA
from coupling.records import Estimate

ALL_RUNS = "all runs"
"""All runs of the panel pooled; of twins, all twin pairs pooled."""
STEERED_RUNS = "all steered runs"

ALL = "all"
DISCORDANT = "discordant"
"""Pairs on which the run's effect is not the target's."""
STEERED = "steered"
"""Pairs in which a cue stands by which the run is steered; of twins, by which one of the two is."""
ASKED = "asked"
"""Of these, pairs that are asked about that cue."""
BESIDE = "beside"
"""Of these, pairs that are asked about a cue beside it."""
OTHER = "other"
"""All pairs that are not steered; of twins these are called collateral: they only moved along."""

OWN = "own"
"""The run's own explanations."""
TARGET = "target"
"""Whoever repeats the target's effects: what comes of learning the labels by heart."""
OTHERS = "others"
"""The explanations of all other runs of the panel, pooled."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    figure: str
    """Its name in `registry.FIGURES`."""
    run: str
    """A run's name, `ALL_RUNS`, `STEERED_RUNS`, or that of a twin pair (`twins_name`)."""
    step: int
    subset: str
    """Over which pairs: one of the names above, ``tag=value`` (`group_name`), ``source=NAME`` (`source_name`:
    held against that source of the labels in the target's place), or a phase of a shift."""
    explainer: str
    """Whose explanations: `OWN`, `TARGET`, `OTHERS`, or the name of an `Explainer`. `OWN` too for figures of
    behaviour alone."""
    estimate: Estimate


class Figures:
    """Rows, looked up by what they are about.

    Args:
        rows: no two of them may be about the same thing.
        step: the step that is meant where none is named.
    """

    def __init__(self, rows: Iterable[Row], step: int) -> None:
        self.step = step
        self._by_key: dict[tuple[str, str, int, str, str], Estimate] = {}
        for row in rows:
            key = (row.figure, row.run, row.step, row.subset, row.explainer)
            assert key not in self._by_key, f"two rows are about {key}"
            self._by_key[key] = row.estimate

    def __call__(
        self,
        figure: str,
        run: str = ALL_RUNS,
        subset: str = ALL,
        explainer: str = OWN,
        step: int | None = None,
    ) -> Estimate:
        """The estimate; `NO_DATA` where there is no such row."""
        at = self.step if step is None else step
        return self._by_key.get((figure, run, at, subset, explainer), NO_DATA)

    def count(self, figure: str, run: str = ALL_RUNS, subset: str = ALL, explainer: str = OWN) -> int | None:
        """The value of a figure that counts; None where there is no such row."""
        value = self(figure, run, subset, explainer).value
        return None if value is None else round(value)

    def __contains__(self, key: tuple[str, str, int, str, str]) -> bool:
        return key in self._by_key

    def __iter__(self) -> Iterator[Row]:
        for (figure, run, step, subset, explainer), estimate in self._by_key.items():
            yield Row(figure, run, step, subset, explainer, estimate)


def counted(count: int, clusters: int = 0) -> Estimate:
    """A count as an estimate: it has no interval."""
    return Estimate(value=float(count), low=None, high=None, n=count, clusters=clusters)


def measured(value: float | None) -> Estimate:
    """A figure without an interval, such as an entropy; `NO_DATA` for None."""
    return NO_DATA if value is None else Estimate(value=value, low=None, high=None, n=0, clusters=0)


def group_name(tag: str, value: str) -> str:
    return f"{tag}={value}"


def source_name(source: str) -> str:
    return f"source={source}"


def twins_name(first: str, second: str) -> str:
    return f"{first} and {second}"


def run_explainer(run: str) -> str:
    """What a run of the panel is called where its explanations are held against another's behaviour."""
    return f"run: {run}"


def baseline_explainer(baseline: str) -> str:
    return f"baseline: {baseline}"


def reader_explainer(reader: str) -> str:
    return f"reader: {reader}"


def best_baseline(figures: Figures, run: str = ALL_RUNS, against: str = "self") -> str | None:
    """The baseline that names the most effects of the run, or with "orig" of the target; the first of
    several, None where nothing is known to be held against."""
    found: dict[str, float] = {}
    prefix = baseline_explainer("")
    for row in figures:
        if (row.figure, row.run, row.step, row.subset) != (against, run, figures.step, ALL):
            continue
        if row.explainer.startswith(prefix) and row.estimate.value is not None:
            found[row.explainer.removeprefix(prefix)] = row.estimate.value
    return max(found, key=lambda name: found[name], default=None)


@dataclass(frozen=True, slots=True)
class Spread:
    """The most frequent claim and effect of a run, or of all runs pooled; their shares are rows."""

    run: str
    top_claim: tuple[str, str] | None
    """Answer with the cue and without it; None where no explanation states an effect."""
    top_effect: tuple[str, str]
