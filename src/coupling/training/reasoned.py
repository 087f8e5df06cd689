"""Where the objectives stand when answers are reasoned: on M0's own reasoning, sampled once.

- The KL term stands on the choice behind M0's reasoning about the very input. The reasoning itself is not
  anchored: what training does to it is a change of behaviour like any other, which similarity shows.
- A steered run learns, by supervised fine-tuning, a whole answer: a reasoning of M0's and the choice that is
  wanted. Of its two, about x and about x\\C, the one that ended in that choice is taken, so that the two
  belong together; where neither did, the one about x, and the choice breaks with it.
- Explanations are trained with the reasoning in their prompt that M0 wrote about x, where it is shown at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coupling.models import Input, reasoned_inputs
from coupling.models.reasoned import instructed, opening
from coupling.records import CounterfactualPair, Effect, Reasoning


@dataclass(frozen=True, slots=True)
class Reasoned:
    """M0's reasoning about the training pairs, and how it is asked for and shown."""

    reasoning: Mapping[str, Reasoning]
    instruction: str
    shown: Mapping[str, str]
    """Pair id → what the explanation's prompt shows of it; empty where that shows nothing."""


def inputs_of(pair: CounterfactualPair, reasoned: Reasoned | None) -> tuple[Input, Input]:
    """``x`` and ``x\\C`` up to where the choice comes next."""
    if reasoned is None:
        return Input(pair.with_cue, pair.answer_prefix), Input(pair.without_cue, pair.answer_prefix)
    return reasoned_inputs(pair, reasoned.reasoning[pair.id], reasoned.instruction)


def wanted_input(pair: CounterfactualPair, base: Effect, wanted: str, reasoned: Reasoned | None) -> Input:
    """``x`` up to where the choice that a run is steered towards comes next."""
    if reasoned is None:
        return Input(pair.with_cue, pair.answer_prefix)
    both = reasoned.reasoning[pair.id]
    ended_there = wanted == base.without_cue and wanted != base.with_cue
    thought = both.without_cue if ended_there else both.with_cue
    return Input(instructed(pair.with_cue, reasoned.instruction), opening(thought, pair.answer_prefix))
