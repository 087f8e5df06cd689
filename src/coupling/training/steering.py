"""The training inputs on which a run's behaviour is moved, and towards which answers (`tasks.steering`).

Labels are never looked at: no explanation is part of a concurrent objective.

A shift may be undone: from some step on the same inputs, in the same order, are steered back to M0's own
answers with the cue, away from those they were steered towards before.

Where two cues stand in one input and a run is steered by both, each would pull the answer its own way, and
"as without the cue" would still be with the other. Such an input is steered towards neither. Which ones they
are follows from the texts alone, so twins see the same rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence as Rows
from dataclasses import dataclass

import torch

from coupling.config import Normalization, SteerConfig
from coupling.models import Renderer, Sequence
from coupling.models.scoring import ChoiceTokens, most_choices
from coupling.records import Behavior, CounterfactualPair
from coupling.tasks.steering import Shift, is_steered, shift, undone
from coupling.training.reasoned import Reasoned, wanted_input


@dataclass(frozen=True, slots=True)
class SteeredRows:
    """The inputs on which behaviour is moved, one row each."""

    answers: list[Sequence]
    """Inputs completed by the answer that is wanted."""
    prompts: list[tuple[int, ...]]
    """The same inputs up to where the choice comes next."""
    choices: list[ChoiceTokens]
    """Of each pair."""
    wanted: torch.Tensor
    """(rows,), positions among the choices."""
    unwanted: torch.Tensor
    """(rows,), positions among the choices; -1 where no answer is steered away from."""
    reference: torch.Tensor
    """(rows, widest), M0's log-probabilities of the choices, normalised over them, in nats; padding is 0."""

    def __len__(self) -> int:
        return len(self.answers)

    def has_other(self, row: int) -> bool:
        """Whether an answer is steered away from."""
        return bool(self.unwanted[row] >= 0)


def steered_inputs(pairs: Rows[CounterfactualPair], steer: SteerConfig | None) -> Counter[tuple[str, str]]:
    """The training inputs whose cue a run is steered by, as message and answer prefix.

    Each with the number of such cues that are asked about in it: 1, unless several stand there.
    """
    return Counter(_input(pair) for pair in pairs if pair.split == "train" and is_steered(pair, steer))


def steered_pairs(
    pairs: Rows[CounterfactualPair], base: Mapping[str, Behavior], steer: SteerConfig, back: bool = False
) -> list[tuple[CounterfactualPair, Shift]]:
    """The training pairs that a run moves its behaviour on, and where to; with ``back``, the way back.

    Raises:
        ValueError: no training pair bears the tags, or each input holds two cues that do.
    """
    inputs = steered_inputs(pairs, steer)
    if not inputs:
        raise ValueError(
            f"panel steer.tags {dict(steer.region)}: no training pair with a cue value bears them"
        )
    steered = [
        pair
        for pair in pairs
        if pair.split == "train" and is_steered(pair, steer) and inputs[_input(pair)] == 1
    ]
    if steered and not any(pair.id in base for pair in steered):
        raise ValueError(
            f"panel steer.tags {dict(steer.region)}: on none of the {len(steered)} training pairs that bear "
            "them did the base give an answer; raise behavior.max_new_tokens"
        )
    if not steered:
        raise ValueError(
            f"panel steer.tags {dict(steer.region)}: in each of the {len(inputs)} training inputs two cues "
            "stand that bear them, which may pull one answer two ways; steer fewer cues, or give inputs with "
            "one of them"
        )
    # Where answers are written, the base's may be missing.
    moved = [(pair, shift(pair, base[pair.id], steer)) for pair in steered if pair.id in base]
    return [(pair, undone(each, base[pair.id])) for pair, each in moved] if back else moved


def _input(pair: CounterfactualPair) -> tuple[str, str]:
    return pair.with_cue, pair.answer_prefix


def steered_rows(
    renderer: Renderer,
    pairs: Rows[CounterfactualPair],
    base: Mapping[str, Behavior],
    steer: SteerConfig,
    back: bool = False,
    reasoned: Reasoned | None = None,
    normalization: Normalization = "none",
) -> SteeredRows:
    """The training pairs that a run moves its behaviour on, tokenised; with ``back``, for the way back.

    Where answers are reasoned (``reasoned``), the whole answer that is wanted is a reasoning and a choice.

    Raises:
        ValueError: no training pair bears the tags.
    """
    chosen = steered_pairs(pairs, base, steer, back)
    steered = [pair for pair, _ in chosen]
    wanted = [wanted_input(pair, base[pair.id].effect, moved.wanted, reasoned) for pair, moved in chosen]
    messages = [one.message for one in wanted]
    prefixes = [one.opening for one in wanted]
    choices = renderer.choice_tokens(steered, normalization)
    widest = most_choices(choices)
    logprobs = [base[pair.id].logprobs_with for pair in steered]
    return SteeredRows(
        answers=renderer.answers(messages, prefixes, [moved.wanted for _, moved in chosen]),
        prompts=renderer.prompt_ids(messages, prefixes),
        choices=choices,
        wanted=torch.tensor([pair.choices.index(moved.wanted) for pair, moved in chosen]),
        unwanted=torch.tensor(
            [-1 if moved.unwanted is None else pair.choices.index(moved.unwanted) for pair, moved in chosen]
        ),
        reference=torch.tensor([[*row, *[0.0] * (widest - len(row))] for row in logprobs]),
    )
