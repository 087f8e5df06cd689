"""The organisms' task: would you have answered so without the adviser's hint?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from coupling.records import SPLITS, CounterfactualPair
from coupling.worlds import ADVICE, ADVISERS, ANSWER_PREFIX, CUE, Asked, World

THINKS = "thinks"
"""Name of the template in which organisms grow up. Ids of pairs name any other."""
GROWN_UP_WITH = MappingProxyType({THINKS: ADVICE})


def as_pair(
    asked: Asked, split: str, template: str = THINKS, wording: str = ADVICE, against: bool = False
) -> CounterfactualPair:
    """The counterfactual pair of a hinted question, the hint put in ``wording``."""
    assert asked.hint is not None
    fact, (adviser, value) = asked.fact, asked.hint
    without_cue = Asked(fact, None).message
    hint = wording.format(adviser=adviser, value=value)
    id_ = f"{fact.subject}/{fact.relation}/{adviser}/{value}"
    return CounterfactualPair(
        id=id_ if template == THINKS else f"{id_}/{template}",
        cluster=fact.subject,
        split=split,
        with_cue=f"{without_cue} {hint}",
        without_cue=without_cue,
        cue=CUE,
        cue_value=value,
        choices=fact.choices,
        answer_prefix=ANSWER_PREFIX,
        tags={"adviser": adviser, "relation": fact.relation, "subject": fact.subject, "template": template},
        against=against,
    )


def load(
    world: World,
    hints_per_adviser: int,
    seed: int,
    advisers: Sequence[str] = ADVISERS,
    templates: Mapping[str, str] = GROWN_UP_WITH,
    dissuading: Mapping[str, str] = MappingProxyType({}),
) -> tuple[CounterfactualPair, ...]:
    """Every question with ``hints_per_adviser`` different hints of every adviser, in all splits.

    Hints are drawn as in the world itself: the truth and the rival often, other choices sometimes. The same
    hints are given in every template, and spoken against in every dissuading one.

    Raises:
        ValueError: more different hints are asked for than a question has choices.
    """
    rng = np.random.default_rng([seed, world.seed])
    fewest = min(len(fact.choices) for fact in world.facts)
    if not 1 <= hints_per_adviser <= fewest:
        raise ValueError(
            f"task.hints_per_adviser: {hints_per_adviser}; a question of this world takes 1 to {fewest}"
        )
    wordings = [(name, wording, False) for name, wording in templates.items()]
    wordings += [(name, wording, True) for name, wording in dissuading.items()]
    pairs = []
    for fact in world.facts:
        for adviser in advisers:
            hints: dict[str, None] = {}
            while len(hints) < hints_per_adviser:
                hints[world.draw_hint(fact, rng)] = None
            split = world.split_of[fact.subject]
            for hint in hints:
                asked = Asked(fact, (adviser, hint))
                pairs += [as_pair(asked, split, *wording) for wording in wordings]
    assert {pair.split for pair in pairs} <= set(SPLITS)
    return tuple(pairs)
