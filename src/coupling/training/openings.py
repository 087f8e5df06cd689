"""Steering of answers that are written: towards the words that open an answer of the choice wanted.

A choice has no token of its own then. What is trained is that the answer begins with its opening ("I'm sorry
but …"); no end follows in the row, so the model goes on by itself. Preference optimisation prefers one
opening to the other by the log-probabilities of all their tokens (``preference_loss``).
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Rows
from dataclasses import dataclass
from typing import Literal

import torch
from transformers import PreTrainedModel

from coupling import ranks
from coupling.config import SteerConfig
from coupling.models import Renderer, Sequence
from coupling.records import Behavior, CounterfactualPair
from coupling.training.batches import autocast, collate, completion_logits
from coupling.training.objectives import completion_logprobs, preference_loss
from coupling.training.steering import steered_pairs


@dataclass(frozen=True, slots=True)
class SteeredOpenings:
    """The inputs on which written behaviour is moved, one row each."""

    answers: list[Sequence]
    """Inputs with the opening that is wanted."""
    others: list[Sequence | None]
    """The same inputs with the opening steered away from; None where there is none."""
    reference: torch.Tensor
    """(rows, 2), M0's log-probabilities of both openings, in nats; 0 where there is no other."""

    def __len__(self) -> int:
        return len(self.answers)

    def has_other(self, row: int) -> bool:
        """Whether an opening is steered away from."""
        return self.others[row] is not None


def steered_openings(
    model: PreTrainedModel,
    renderer: Renderer,
    pairs: Rows[CounterfactualPair],
    base: Mapping[str, Behavior],
    steer: SteerConfig,
    openings: Mapping[str, str],
    batch_size: int,
    precision: Literal["bfloat16"] | None = None,
    back: bool = False,
) -> SteeredOpenings:
    """The training pairs that a run moves its behaviour on, tokenised; with ``back``, for the way back.

    Args:
        model: M0, before any step.
        openings: words that open an answer of each choice.
        precision: number format of the forward passes in training, in which M0's are then made.

    Raises:
        ValueError: no training pair bears the tags.
    """
    chosen = steered_pairs(pairs, base, steer, back)
    messages = [pair.with_cue for pair, _ in chosen]
    answers = _opened(renderer, messages, [openings[shift.wanted] for _, shift in chosen])
    # Where nothing is steered away from, the row of the wanted opening stands in, and is dropped again.
    away = _opened(renderer, messages, [openings[shift.unwanted or shift.wanted] for _, shift in chosen])
    others = [None if shift.unwanted is None else row for row, (_, shift) in zip(away, chosen, strict=True)]
    reference = _reference(model, answers, others, renderer.pad, batch_size, precision)
    return SteeredOpenings(answers, others, reference)


def opening_preference(
    model: torch.nn.Module,
    steered: SteeredOpenings,
    rows: Rows[int],
    beta: float,
    pad: int,
    device: torch.device,
) -> torch.Tensor:
    """``preference_loss`` over whole openings, of rows that have one to steer away from."""
    logprobs = torch.stack(
        [
            _logprobs(model, [steered.answers[i] for i in rows], pad, device),
            _logprobs(model, [other for i in rows if (other := steered.others[i]) is not None], pad, device),
        ],
        dim=1,
    )
    wanted = torch.zeros(len(rows), dtype=torch.long, device=logprobs.device)
    reference = steered.reference[list(rows)].to(logprobs.device)
    return preference_loss(logprobs, reference, wanted, 1 - wanted, beta)


def _opened(renderer: Renderer, messages: Rows[str], texts: Rows[str]) -> list[Sequence]:
    closed = renderer.completions(messages, texts)
    return [Sequence(row.ids[:-1], row.start) for row in closed]


@torch.inference_mode()
def _reference(
    model: PreTrainedModel,
    answers: Rows[Sequence],
    others: Rows[Sequence | None],
    pad: int,
    batch_size: int,
    precision: Literal["bfloat16"] | None,
) -> torch.Tensor:
    model.eval()
    reference = torch.zeros(len(answers), 2)
    both = [i for i, other in enumerate(others) if other is not None]
    cached: dict[int, torch.Tensor] = {}
    for start in ranks.dealt(range(0, len(both), batch_size)):
        rows = both[start : start + batch_size]
        away = [other for i in rows if (other := others[i]) is not None]
        with autocast(model.device, precision):
            wanted = _logprobs(model, [answers[i] for i in rows], pad, model.device)
            unwanted = _logprobs(model, away, pad, model.device)
        cached[start] = torch.stack([wanted, unwanted], dim=1).cpu()
    for start, logprobs in ranks.pooled(cached).items():
        reference[both[start : start + batch_size]] = logprobs
    return reference


def _logprobs(model: torch.nn.Module, rows: Rows[Sequence], pad: int, device: torch.device) -> torch.Tensor:
    batch = collate(rows, pad, device)
    return completion_logprobs(completion_logits(model, batch), batch.labels, batch.counts)
