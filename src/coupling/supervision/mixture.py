"""A mix of two sources: on a share of the questions labels state the base's own effects, else the target's.

The share is of questions and not of pairs: two hints on one question would otherwise bring labels of two
models that contradict each other on the answer without the cue.
"""

from __future__ import annotations

from coupling.lots import fraction
from coupling.records import CounterfactualPair


def states_own(pair: CounterfactualPair, own_share: float, seed: int) -> bool:
    """Whether the question of a pair falls to the base, by lot.

    The lot depends on the prompt without the cue and the seed alone. So pairs that share a question share its
    source, and a larger share only adds questions.
    """
    return fraction(seed, "source", pair.without_cue) < own_share
