from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.faithfulness.power import discernible, discernible_bits, needed


def test_independent_pairs_are_the_textbook_case() -> None:
    # (1.95996 + 0.84162)^2 (1 - 0.25) / 0.25 = 23.55, below what a verdict asks for
    assert needed(0.5, per_cluster=1).discordant == 100
    # (2.80158)^2 (1 - 0.01) / 0.01 = 777.03
    assert needed(0.1, per_cluster=1).discordant == 778


def test_pairs_of_one_cluster_count_for_less() -> None:
    # 777.03 (1 + 9 x 0.25) = 2525.4
    found = needed(0.1, per_cluster=10, correlation=0.25)
    assert (found.discordant, found.clusters) == (2526, 253)


@given(st.floats(0.02, 0.25), st.floats(1, 40), st.floats(0, 1))
def test_what_is_needed_is_what_suffices(delta: float, per_cluster: float, correlation: float) -> None:
    pairs = needed(delta, per_cluster, correlation).discordant
    assert discernible(pairs, per_cluster, correlation) <= delta + 1e-9
    if pairs > 100:
        assert discernible(pairs - 1, per_cluster, correlation) > delta - 1e-9


@pytest.mark.parametrize("delta", [0.0, 1.0, -0.1])
def test_a_size_that_is_none_is_an_error(delta: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        needed(delta, 1)


def test_bits_that_clusters_tell_from_nothing() -> None:
    """By hand, over 28 clusters: (√(28/27) · 2.0518 + 0.8416) · 0.03 / √28."""
    assert discernible_bits(28) == pytest.approx(0.01662, abs=1e-5)
    assert discernible_bits(28) > discernible_bits(29) > discernible_bits(280)
    assert discernible_bits(28, power=0.9) > discernible_bits(28)
    with pytest.raises(ValueError, match="clusters is 1"):
        discernible_bits(1)
