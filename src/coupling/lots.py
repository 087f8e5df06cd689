"""Lots: draws that whoever knows the seed repeats, on any machine and from any part of the data.

A lot depends on nothing but a seed and a text, so no other row of a table changes it: which pairs are drawn,
to which split a cluster falls, to which source a question. What is drawn row after row instead (label noise,
shuffled explanations) takes a stream of random numbers; those of one seed that must not repeat one another
have numbers of their own here.
"""

from __future__ import annotations

import hashlib

import numpy as np

NOISE = 2
"""Stream of the supervision's seed: which labels are disturbed, and how."""
SHUFFLE, MIX, TURNS = 1, 2, 3
"""Streams of the evaluation's seed: constructed explanations that are dealt anew, or mixed; turns between
twins that are dealt anew."""


def sha256(text: str) -> str:
    """Sixty-four hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def uniform(seed: int, purpose: str, item: str) -> float:
    """A number from [0, 1)."""
    return int(sha256(f"{seed} {purpose} {item}")[:13], 16) / 16**13


def order(*parts: object) -> str:
    """The lot of an item among others: those with the lowest are drawn first."""
    return sha256("\n".join(map(str, parts)))


def fraction(*parts: object) -> float:
    """The same lot as a number from [0, 1); few enough digits for a float to hold them exactly."""
    return int(order(*parts)[:12], 16) / 16**12


def place(count: int, *parts: object) -> int:
    """The same lot as one of ``count`` places."""
    return int(order(*parts)[:16], 16) % count


def stream(*numbers: int) -> np.random.Generator:
    """Random numbers that are those of these numbers alone; a trailing 0 changes nothing."""
    return np.random.default_rng(list(numbers))
