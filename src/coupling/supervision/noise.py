"""Label noise, applied to effects before they are put into words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from coupling.config import NoiseConfig
from coupling.records import CounterfactualPair, Effect


def disturb(
    effects: Sequence[Effect],
    pairs: Sequence[CounterfactualPair],
    noise: NoiseConfig,
    rng: np.random.Generator,
) -> list[Effect]:
    """Effects of which a share ``noise.rate`` no longer states the target's behaviour.

    ``uniform`` draws another effect over the pair's own choices. ``shuffled`` passes effects on in a cycle
    among the disturbed rows that have the same choices: what labels say stays as frequent as it was, only no
    longer of the right pair. A row may come by its own effect again, from a pair that shows the same.

    Raises:
        ValueError: nothing can be shuffled, for no two pairs have the same choices.
    """
    noisy = list(effects)
    if noise.kind == "none" or noise.rate == 0:
        return noisy
    disturbed = [i for i in range(len(effects)) if rng.random() < noise.rate]
    if noise.kind == "uniform":
        for i in disturbed:
            noisy[i] = _another(effects[i], pairs[i].choices, rng)
        return noisy
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i in disturbed:
        groups[pairs[i].choices].append(i)
    if len({pair.choices for pair in pairs}) == len(pairs):
        raise ValueError(
            "supervision.noise.kind: shuffled passes labels on among pairs with the same choices, but no two "
            "pairs have the same; use uniform"
        )
    for group in groups.values():
        order = [group[j] for j in rng.permutation(len(group))]
        for here, there in zip(order, order[1:] + order[:1], strict=True):
            noisy[here] = effects[there]
    return noisy


def _another(effect: Effect, choices: Sequence[str], rng: np.random.Generator) -> Effect:
    while True:
        drawn = Effect(choices[int(rng.integers(len(choices)))], choices[int(rng.integers(len(choices)))])
        if drawn != effect:
            return drawn
