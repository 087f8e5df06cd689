"""Token sequences as trees: what several of them begin with stands there once.

Prompts about one question share the question, prompts of one chat template its system prompt, and the
choices of a question share all but their own tokens. Sequences are sorted, and each branches off the one
before it where the two begin to differ. Each row of a batch is such a tree of several sequences. A mask lets
each token see the tokens between it and the root and no others, and its position is its depth, so each
sequence is read as if it stood alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

ROOM = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Lengths of a tree that are tried, in lengths of the longest sequence."""
MOST_COLUMNS = 1024
"""No tree is longer, unless a sequence is: its mask grows with the square of its length."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A sequence, and from where on its logits are wanted."""

    ids: tuple[int, ...]
    first: int
    """Logits are wanted at ``ids[first:]``, each of which predicts the token behind it."""

    @property
    def wanted(self) -> int:
        return len(self.ids) - self.first


@dataclass(frozen=True, slots=True)
class Cost:
    """Multiplications of a forward pass."""

    body: int
    """For each token."""
    pair: int
    """For each two tokens of a row."""

    def of(self, rows: int, columns: int) -> int:
        return rows * columns * (self.body + self.pair * columns)


@dataclass(frozen=True, slots=True)
class Layout:
    """How sequences are laid out as trees. A sequence's number is its place among those given."""

    trees: tuple[tuple[int, ...], ...]
    """The sequences of each tree, sorted."""
    shared: tuple[int, ...]
    """Of each sequence, the tokens it has in common with the one before it in its tree."""
    columns: int


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch of trees."""

    ids: torch.Tensor
    """(trees, columns)"""
    positions: torch.Tensor
    """(trees, columns)"""
    sees: torch.Tensor
    """(trees, 1, columns, columns), bool: which columns each column sees."""
    kept: int
    """Last columns, among which all stand whose logits are wanted."""
    places: torch.Tensor
    """(wanted,) of each wanted token, sequence by sequence, its place among (trees, kept)."""


def layout_of(asked: Sequence[Asked], cost: Cost) -> Layout | None:
    """The cheapest layout; None where rows of one sequence each, padded to the longest, are as cheap."""
    order = sorted(range(len(asked)), key=lambda i: asked[i].ids)
    common = [0, *(common_prefix(asked[i].ids, asked[j].ids) for i, j in pairwise(order))]
    lengths = [len(asked[i].ids) for i in order]
    longest = max(lengths)
    best, least = None, cost.of(len(asked), longest)
    for room in ROOM:
        trees = _filled(lengths, common, max(longest, min(MOST_COLUMNS, int(room * longest))))
        columns = max(tokens for _, tokens in trees)
        price = cost.of(len(trees), columns)
        if price < least:
            best, least = (trees, columns), price
    if best is None:
        return None
    trees, columns = best
    shared = dict(zip(order, common, strict=True))
    shared |= {order[members[0]]: 0 for members, _ in trees}
    return Layout(
        tuple(tuple(order[at] for at in members) for members, _ in trees),
        tuple(shared[i] for i in range(len(asked))),
        columns,
    )


def pack(asked: Sequence[Asked], layout: Layout, pad: int) -> Packed:
    """The batch of a layout. Columns whose logits are wanted stand last, padding first."""
    rows, columns = len(layout.trees), layout.columns
    ids = np.full((rows, columns), pad, dtype=np.int64)
    positions = np.zeros((rows, columns), dtype=np.int64)
    sees = np.zeros((rows, 1, columns, columns), dtype=bool)
    sees[:, 0, range(columns), range(columns)] = True
    column_of: dict[int, np.ndarray] = {}
    kept = 0
    for row, tree in enumerate(layout.trees):
        paths = _paths([len(asked[i].ids) for i in tree], [layout.shared[i] for i in tree])
        wanted = np.unique(
            np.concatenate([path[asked[i].first :] for i, path in zip(tree, paths, strict=True)])
        )
        nodes = 1 + max(int(path[-1]) for path in paths)
        is_wanted = np.zeros(nodes, dtype=bool)
        is_wanted[wanted] = True
        column = np.empty(nodes, dtype=np.int64)
        column[np.argsort(is_wanted, kind="stable")] = np.arange(columns - nodes, columns)
        for i, path in zip(tree, paths, strict=True):
            at, new = column[path], layout.shared[i]
            ids[row, at] = asked[i].ids
            positions[row, at] = np.arange(len(at))
            sees[row, 0, at[new:, None], at[None, :]] = np.tri(len(at) - new, len(at), new, dtype=bool)
            column_of[i] = at
        kept = max(kept, len(wanted))
    row_of = {i: row for row, tree in enumerate(layout.trees) for i in tree}
    places = [
        row_of[i] * kept + column_of[i][each.first :] - (columns - kept) for i, each in enumerate(asked)
    ]
    return Packed(
        torch.from_numpy(ids),
        torch.from_numpy(positions),
        torch.from_numpy(sees),
        kept,
        torch.from_numpy(np.concatenate(places)),
    )


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """Tokens that two sequences begin with."""
    for at, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return at
    return min(len(first), len(second))


def _filled(lengths: Sequence[int], common: Sequence[int], room: int) -> list[tuple[range, int]]:
    """Trees filled one after the other: the sequences of each, by their places, and its tokens."""
    trees = [(range(1), lengths[0])]
    for at in range(1, len(lengths)):
        members, tokens = trees[-1]
        longer = tokens + lengths[at] - common[at]
        if longer <= room:
            trees[-1] = (range(members.start, at + 1), longer)
        else:
            trees.append((range(at, at + 1), lengths[at]))
    return trees


def _paths(lengths: Sequence[int], shared: Sequence[int]) -> list[np.ndarray]:
    """Of each sequence of a tree its nodes from the root on."""
    paths: list[np.ndarray] = []
    nodes = 0
    for length, common in zip(lengths, shared, strict=True):
        new = np.arange(nodes, nodes + length - common)
        nodes += length - common
        paths.append(new if not paths else np.concatenate([paths[-1][:common], new]))
    return paths
