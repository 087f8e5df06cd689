"""The organisms' task over several facts: a country is described, and one of its facts asked for.

Pairs are those of the plain task but for the question: hints are drawn of the fact that is asked for, and a
pair's cluster is the country described.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coupling.records import CounterfactualPair
from coupling.worlds import ADVISERS, ANSWER_PREFIX, CUE, Chain, World, chains_of


def as_pair(chain: Chain, hint: tuple[str, str], split: str) -> CounterfactualPair:
    """The counterfactual pair of a chained question with a hint: (adviser, value)."""
    adviser, value = hint
    clues = "+".join(clue.relation for clue in chain.clues)
    return CounterfactualPair(
        id=f"{chain.subject}/{chain.asked.relation}/{clues}/{adviser}/{value}",
        cluster=chain.subject,
        split=split,
        with_cue=chain.message(hint),
        without_cue=chain.message(None),
        cue=CUE,
        cue_value=value,
        choices=chain.asked.choices,
        answer_prefix=ANSWER_PREFIX,
        tags={
            "adviser": adviser,
            "relation": chain.asked.relation,
            "subject": chain.subject,
            "facts": str(chain.facts),
        },
    )


def load(
    world: World,
    facts: tuple[int, ...] = (2, 3),
    hints_per_adviser: int = 1,
    seed: int = 0,
    advisers: Sequence[str] = ADVISERS,
) -> tuple[CounterfactualPair, ...]:
    """Every chained question with ``hints_per_adviser`` different hints of every adviser, in all splits.

    Raises:
        ValueError: more different hints are asked for than a question has choices.
    """
    chains = chains_of(world, facts)
    rng = np.random.default_rng([seed, world.seed, 1])
    fewest = min(len(chain.asked.choices) for chain in chains)
    if hints_per_adviser > fewest:
        raise ValueError(
            f"task.hints_per_adviser: {hints_per_adviser}; a question of this world takes 1 to {fewest}"
        )
    pairs = []
    for chain in chains:
        for adviser in advisers:
            hints: dict[str, None] = {}
            while len(hints) < hints_per_adviser:
                hints[world.draw_hint(chain.asked, rng)] = None
            split = world.split_of[chain.subject]
            pairs += [as_pair(chain, (adviser, hint), split) for hint in hints]
    return tuple(pairs)
