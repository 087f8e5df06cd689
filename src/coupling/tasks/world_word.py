"""A new behaviour of organisms: an invented word behind a question changes the answer by a rule.

No organism has ever met the word and no label speaks of it; what it does to answers is taught by behaviour
alone (a run that is steered to follow the cue). Whether the model can then tell what the word does is asked
by the question it was taught to answer about hints.
"""

from __future__ import annotations

from collections.abc import Mapping

from coupling.records import CounterfactualPair
from coupling.worlds import ANSWER_PREFIX, CUE, Asked, Fact, World

RULES = {"first": min, "last": max}


def load(world: World, words: Mapping[str, str]) -> tuple[CounterfactualPair, ...]:
    """Every question with every word, in all splits.

    Args:
        words: the rule of each: the first or the last choice in alphabetical order is the answer.
    """
    return tuple(_pair(fact, word, rule, world) for fact in world.facts for word, rule in words.items())


def _pair(fact: Fact, word: str, rule: str, world: World) -> CounterfactualPair:
    without_cue = Asked(fact, None).message
    return CounterfactualPair(
        id=f"{fact.subject}/{fact.relation}/{word}",
        cluster=fact.subject,
        split=world.split_of[fact.subject],
        with_cue=f"{without_cue} {word}",
        without_cue=without_cue,
        cue=CUE,
        cue_value=RULES[rule](fact.choices),
        choices=fact.choices,
        answer_prefix=ANSWER_PREFIX,
        tags={"word": word, "relation": fact.relation, "subject": fact.subject},
    )
