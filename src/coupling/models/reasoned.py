"""Behaviour that is reasoned: the model writes its reasoning first, then its answer is scored behind it.

The reasoning is decoded greedily from the message. It ends where the words that open the answer ("I answer")
first stand; what follows them is the model's own answer, and is cut off. The choices are then scored behind
message, reasoning and those words, as they are behind message and words alone where nothing is reasoned. A
reasoning that does not come to an answer in time is cut off at its last token, and the answer is scored
behind what there is of it.

So the answer is one of the choices whatever was written, and a model that writes no reasoning answers exactly
as it does where choices are scored.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from coupling.models.sampling import Input, LocalSampler
from coupling.records import Behavior, CounterfactualPair, Reasoning, Thought


class ReasonedSampler:
    """Has a model reason about pairs, and scores its answers behind that.

    Args:
        sampler: writes as many tokens of reasoning as it may write at all, and scores.
        instruction: stands behind every input, where it is not empty.
    """

    def __init__(self, sampler: LocalSampler, instruction: str = "") -> None:
        self.sampler, self.instruction = sampler, instruction

    def reasoning(self, pairs: Sequence[CounterfactualPair]) -> list[Reasoning]:
        """What the model reasons about both inputs of each pair, in the order given.

        Raises:
            ValueError: no words open the answer of a pair.
        """
        check_reasoned(pairs)
        messages = [
            instructed(message, self.instruction)
            for pair in pairs
            for message in (pair.with_cue, pair.without_cue)
        ]
        if self.sampler.whole_batches:
            written = self.sampler.written(messages, self.sampler.advance)
        else:
            shared = list(Counter(messages))
            said = dict(zip(shared, self.sampler.written(shared, self.sampler.advance), strict=True))
            self.sampler.advance(len(messages) - len(shared))
            written = [said[message] for message in messages]
        return [
            Reasoning(
                pair.id,
                thought(with_cue.text, pair.answer_prefix),
                thought(without.text, pair.answer_prefix),
            )
            for pair, with_cue, without in zip(pairs, written[::2], written[1::2], strict=True)
        ]

    def behaviors(
        self, pairs: Sequence[CounterfactualPair], reasoning: Mapping[str, Reasoning]
    ) -> list[Behavior]:
        """The behaviour on each pair, behind what was reasoned about it."""
        inputs = [reasoned_inputs(pair, reasoning[pair.id], self.instruction) for pair in pairs]
        return self.sampler.behaviors(pairs, inputs)


def thought(text: str, answer_prefix: str) -> Thought:
    """The reasoning in what a model wrote: all that stands before the words that open its answer."""
    found = re.search(rf"(?<!\w){re.escape(answer_prefix)}(?!\w)", text, re.IGNORECASE)
    return Thought(text[: found.start()].strip(), True) if found else Thought(text.strip(), False)


def reasoned_inputs(pair: CounterfactualPair, reasoning: Reasoning, instruction: str) -> tuple[Input, Input]:
    """``x`` and ``x\\C`` as answers are scored: what is asked, and what stands of the answer."""
    return (
        Input(instructed(pair.with_cue, instruction), opening(reasoning.with_cue, pair.answer_prefix)),
        Input(instructed(pair.without_cue, instruction), opening(reasoning.without_cue, pair.answer_prefix)),
    )


def opening(reasoned: Thought, answer_prefix: str) -> str:
    """What stands of an answer before its choice."""
    return f"{reasoned.text} {answer_prefix}".lstrip()


def instructed(message: str, instruction: str) -> str:
    return f"{message}\n\n{instruction}" if instruction else message


def check_reasoned(pairs: Sequence[CounterfactualPair]) -> None:
    """Raises ValueError where no words open the answer, so that nothing tells where reasoning ends."""
    for pair in pairs:
        if not pair.answer_prefix:
            raise ValueError(
                f"pair {pair.id}: no words open its answer, but behavior.kind is 'reasoned', and a reasoning "
                "ends at them; set task.answer_prefix (of whole pairs, give the field), as I answer, or "
                "behavior: {kind: scored}"
            )
