"""Lots are the same wherever they are drawn, and streams do not repeat one another."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from coupling.lots import MIX, SHUFFLE, fraction, order, place, stream, uniform

TEXTS = st.text(max_size=8)


def test_lots_do_not_change_from_version_to_version() -> None:
    """Whatever was drawn by them would be drawn anew."""
    assert uniform(3, "split", "Peru") == 0.5751790615983667
    assert order(3, "p1") == hashlib.sha256(b"3\np1").hexdigest()
    digest = hashlib.sha256(b"3\nsource\nWhat ?").digest()
    assert fraction(3, "source", "What ?") == int.from_bytes(digest[:6]) / 256**6
    assert place(7, 3, "Peru") == int.from_bytes(hashlib.sha256(b"3\nPeru").digest()[:8]) % 7


@given(st.integers(0, 9), TEXTS, TEXTS)
def test_lots_are_shares(seed: int, purpose: str, item: str) -> None:
    assert 0 <= uniform(seed, purpose, item) < 1
    assert 0 <= fraction(seed, purpose, item) < 1
    assert place(5, seed, item) in range(5)


def test_streams_are_their_own() -> None:
    drawn = {numbers: tuple(stream(*numbers).random(4)) for numbers in ((0, SHUFFLE), (0, MIX), (1, MIX))}
    assert len(set(drawn.values())) == 3
    assert tuple(stream(0, MIX, 0).random(4)) == drawn[0, MIX]
