"""Label noise, applied to effects before they are put into words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from coupling.config import NoiseConfig
from coupling.records import CounterfactualPair, Effect

Choices = tuple[str, ...]


def disturb(
    effects: Sequence[Effect],
    pairs: Sequence[CounterfactualPair],
    noise: NoiseConfig,
    rng: np.random.Generator,
) -> list[Effect]:
    """Effects of which a share ``noise.rate`` no longer states the target's behaviour.

    - ``uniform`` draws another effect over the pair's own choices.
    - ``flipped`` states an unchanged effect as a change to another answer, drawn from the choices, and a
      changed one as unchanged; the answer with the cue stays.
    - ``shuffled`` passes effects on in a cycle among the disturbed rows that have the same choices: what
      labels say stays as frequent as it was, only no longer of the right pair. A row may come by its own
      effect again, from a pair that shows the same.
    - ``constant`` states the most frequent effect of all rows that have the same choices, which some rows
      show anyway; ties go to the alphabet.

    Raises:
        ValueError: nothing can be shuffled, for no two pairs have the same choices.
    """
    noisy = list(effects)
    if noise.kind == "none" or noise.rate == 0:
        return noisy
    disturbed = [i for i in range(len(effects)) if rng.random() < noise.rate]
    match noise.kind:
        case "uniform":
            for i in disturbed:
                noisy[i] = _another(effects[i], pairs[i].choices, rng)
        case "flipped":
            for i in disturbed:
                noisy[i] = _flipped(effects[i], pairs[i].choices, rng)
        case "shuffled":
            _check_shuffling(pairs)
            for group in _by_choices(disturbed, pairs).values():
                order = [group[j] for j in rng.permutation(len(group))]
                for here, there in zip(order, order[1:] + order[:1], strict=True):
                    noisy[here] = effects[there]
        case "constant":
            everywhere = _by_choices(range(len(pairs)), pairs)
            for choices, group in _by_choices(disturbed, pairs).items():
                most_frequent = _most_frequent([effects[i] for i in everywhere[choices]])
                for i in group:
                    noisy[i] = most_frequent
    return noisy


def _another(effect: Effect, choices: Sequence[str], rng: np.random.Generator) -> Effect:
    while True:
        drawn = Effect(choices[int(rng.integers(len(choices)))], choices[int(rng.integers(len(choices)))])
        if drawn != effect:
            return drawn


def _flipped(effect: Effect, choices: Sequence[str], rng: np.random.Generator) -> Effect:
    if effect.changed:
        return Effect(effect.with_cue, effect.with_cue)
    others = [choice for choice in choices if choice != effect.with_cue]
    return Effect(effect.with_cue, others[int(rng.integers(len(others)))])


def _most_frequent(effects: Sequence[Effect]) -> Effect:
    counts = Counter((effect.with_cue, effect.without_cue) for effect in effects)
    return Effect(*min(counts, key=lambda answers: (-counts[answers], answers)))


def _by_choices(rows: Sequence[int], pairs: Sequence[CounterfactualPair]) -> Mapping[Choices, list[int]]:
    groups: dict[Choices, list[int]] = defaultdict(list)
    for i in rows:
        groups[pairs[i].choices].append(i)
    return groups


def _check_shuffling(pairs: Sequence[CounterfactualPair]) -> None:
    if len({pair.choices for pair in pairs}) == len(pairs):
        raise ValueError(
            "supervision.noise.kind: shuffled passes labels on among pairs with the same choices, but no two "
            "pairs have the same; use uniform"
        )
