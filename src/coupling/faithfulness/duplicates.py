"""Questions that are asked twice: under two clusters, or held out and with a label.

Clusters are resampled as if each asked something of its own, and held-out figures stand for questions that no
label speaks of. Ids and names of clusters only say that it is so; here the texts are asked, those of the
inputs without the cue. `alike` says which are the same, or nearly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coupling.faithfulness.alike import Floats, normalised, overlapping
from coupling.faithfulness.evidence import cluster_of
from coupling.faithfulness.statistics import BoolArray, IntArray
from coupling.records import CounterfactualPair

WORST = 5
"""Examples that are named."""

_SEVERAL, _NONE = -1, -2


@dataclass(frozen=True, slots=True)
class Alike:
    """Two pairs that ask the same, or nearly the same."""

    first: str
    """Id of a held-out pair."""
    first_cluster: str
    second: str
    """Id of another held-out pair, or of a pair with a label."""
    second_cluster: str
    overlap: float


@dataclass(frozen=True, slots=True)
class Repeats:
    """The held-out pairs whose question is asked elsewhere as well."""

    pairs: int
    """Held-out pairs in all."""
    same: int
    """Of these, pairs whose question is asked elsewhere in the same words."""
    near: int
    """Further pairs whose question is asked elsewhere in nearly the same words."""
    worst: tuple[Alike, ...]
    """Up to `WORST` examples, each of another question, the greatest overlap first."""

    @property
    def share(self) -> float:
        """Of the held-out pairs."""
        return (self.same + self.near) / self.pairs


def repeats(
    held_out: Sequence[CounterfactualPair], labelled: Sequence[CounterfactualPair], least: float
) -> tuple[Repeats, Repeats]:
    """The held-out pairs that ask what another cluster's ask, and those that ask what a labelled pair asks.

    Args:
        held_out: at least one.
        labelled: pairs that carry labels; possibly none.
        least: the overlap from which on texts count as nearly the same, above 0 and at most 1.
    """
    assert held_out and 0 < least <= 1
    numbers: dict[str, int] = {}
    asked, of_labels = _Asked(held_out, numbers), _Asked(labelled, numbers)
    rows, texts = len(asked.first), list(numbers)
    cluster, label_cluster = asked.only_cluster(len(texts)), of_labels.only_cluster(len(texts))
    elsewhere = _Found(asked, asked, cluster[:rows] == _SEVERAL)
    with_label = _Found(asked, of_labels, label_cluster[:rows] != _NONE)
    for ones, others, overlaps in overlapping(texts, rows, least):
        in_another = (cluster[ones] != cluster[others]) | (cluster[ones] == _SEVERAL)
        elsewhere.add(ones, others, overlaps, in_another & (cluster[others] != _NONE))
        with_label.add(ones, others, overlaps, label_cluster[others] != _NONE)
    return elsewhere.repeats, with_label.repeats


class _Asked:
    """Pairs by the text they ask.

    Args:
        pairs: taken by id, so that the order of files decides nothing, not even which examples are named.
        numbers: text → its number; texts that it lacks are added.
    """

    def __init__(self, pairs: Sequence[CounterfactualPair], numbers: dict[str, int]) -> None:
        self.first: dict[int, dict[str, str]] = {}
        """Number of a text → cluster → the first pair of the cluster that asks it."""
        self.counts: dict[int, int] = {}
        """Number of a text → pairs that ask it."""
        known: dict[str, int] = {}
        for pair in sorted(pairs, key=lambda pair: pair.id):
            if pair.without_cue not in known:
                known[pair.without_cue] = numbers.setdefault(normalised(pair.without_cue), len(numbers))
            text = known[pair.without_cue]
            self.first.setdefault(text, {}).setdefault(cluster_of(pair), pair.id)
            self.counts[text] = self.counts.get(text, 0) + 1

    def only_cluster(self, texts: int) -> IntArray:
        """Number of the cluster in which a text is asked, `_SEVERAL` or `_NONE`; shape (texts,)."""
        clusters: dict[str, int] = {}
        only = np.full(texts, _NONE, dtype=np.int64)
        for text, first in self.first.items():
            number = clusters.setdefault(next(iter(first)), len(clusters))
            only[text] = number if len(first) == 1 else _SEVERAL
        return only


class _Found:
    """Held-out texts that are found among others, and the most alike of them.

    Args:
        asked: the held-out pairs.
        others: the pairs they are held against.
        same: whether a text is asked there in the same words, of every held-out text.
    """

    def __init__(self, asked: _Asked, others: _Asked, same: BoolArray) -> None:
        self._asked, self._others, self._same = asked, others, same
        self._near = np.zeros_like(same)
        self._worst = [(-1.0, False, text, text) for text in np.flatnonzero(same)[:WORST].tolist()]
        """Overlap, negative, whether the words differ, and the two texts; the worst first."""

    def add(self, ones: IntArray, others: IntArray, overlaps: Floats, kept: BoolArray) -> None:
        """Texts that are nearly the same, where they are ``kept``."""
        ones, others, overlaps = ones[kept], others[kept], overlaps[kept]
        self._near[ones] = True
        # Two held-out texts are met in either order: of twice as many, so many are different.
        for at in np.lexsort((others, ones, -overlaps))[: 2 * WORST].tolist():
            one, other = int(ones[at]), int(others[at])
            if not any({one, other} == {*met[2:]} for met in self._worst):
                self._worst.append((-float(overlaps[at]), True, one, other))
        self._worst = sorted(self._worst)[:WORST]

    @property
    def repeats(self) -> Repeats:
        counts = np.array([self._asked.counts[text] for text in range(len(self._same))])
        return Repeats(
            pairs=int(counts.sum()),
            same=int(counts[self._same].sum()),
            near=int(counts[self._near & ~self._same].sum()),
            worst=tuple(self._example(-less, one, other) for less, _, one, other in self._worst),
        )

    def _example(self, overlap: float, one: int, other: int) -> Alike:
        cluster, first = next(iter(self._asked.first[one].items()))
        there = self._others.first[other].items()
        # Of another cluster, wherever there is one: a question with a label may stand in the same.
        other_cluster, second = next((each for each in there if each[0] != cluster), next(iter(there)))
        return Alike(first, cluster, second, other_cluster, overlap)
