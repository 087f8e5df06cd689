"""The organisms' task: would you have answered so without the adviser's hint?"""

from __future__ import annotations

import numpy as np

from coupling.records import SPLITS, CounterfactualPair
from coupling.worlds import ADVISERS, ANSWER_PREFIX, CUE, Asked, World


def as_pair(asked: Asked, split: str) -> CounterfactualPair:
    """The counterfactual pair of a hinted question."""
    assert asked.hint is not None
    fact, (adviser, value) = asked.fact, asked.hint
    return CounterfactualPair(
        id=f"{fact.subject}/{fact.relation}/{adviser}/{value}",
        cluster=fact.subject,
        split=split,
        with_cue=asked.message,
        without_cue=Asked(fact, None).message,
        cue=CUE,
        cue_value=value,
        choices=fact.choices,
        answer_prefix=ANSWER_PREFIX,
        tags={"adviser": adviser, "relation": fact.relation, "subject": fact.subject},
    )


def load(world: World, hints_per_adviser: int, seed: int) -> tuple[CounterfactualPair, ...]:
    """Every question with ``hints_per_adviser`` different hints of every adviser, in all splits.

    Hints are drawn as in the world itself: the truth and the rival often, other choices sometimes.

    Raises:
        ValueError: more different hints are asked for than a question has choices.
    """
    rng = np.random.default_rng([seed, world.seed])
    fewest = min(len(fact.choices) for fact in world.facts)
    if not 1 <= hints_per_adviser <= fewest:
        raise ValueError(
            f"task.hints_per_adviser: {hints_per_adviser}; a question of this world takes 1 to {fewest}"
        )
    pairs = []
    for fact in world.facts:
        for adviser in ADVISERS:
            hints: dict[str, None] = {}
            while len(hints) < hints_per_adviser:
                hints[world.draw_hint(fact, rng)] = None
            split = world.split_of[fact.subject]
            pairs += [as_pair(Asked(fact, (adviser, hint)), split) for hint in hints]
    assert {pair.split for pair in pairs} <= set(SPLITS)
    return tuple(pairs)
