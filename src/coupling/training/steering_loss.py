"""The concurrent objectives on a batch of steered rows."""

from __future__ import annotations

from collections.abc import Sequence as Rows

import numpy as np
import torch

from coupling.config import BehaviorObjective, PreferenceObjective, RewardObjective, SupervisedObjective
from coupling.models.scoring import choice_scores
from coupling.training.batches import collate, completion_logits
from coupling.training.objectives import completion_cross_entropy, policy_gradient_loss, preference_loss
from coupling.training.openings import SteeredOpenings, opening_preference
from coupling.training.steering import SteeredRows


def rows_of(
    objective: BehaviorObjective, steered: SteeredRows | SteeredOpenings, rows: Rows[int]
) -> list[int]:
    """Those of a step's rows that have anything to say to an objective."""
    if isinstance(objective, PreferenceObjective):
        return [i for i in rows if steered.has_other(i)]
    return list(rows)


def counts_of(
    objective: BehaviorObjective, steered: SteeredRows | SteeredOpenings, rows: Rows[int]
) -> list[int]:
    """What each row counts as in the mean that is the objective's loss."""
    if isinstance(objective, SupervisedObjective):
        return [len(steered.answers[i].ids) - steered.answers[i].start for i in rows]
    return [1] * len(rows)


def steering_loss(
    objective: BehaviorObjective,
    model: torch.nn.Module,
    steered: SteeredRows | SteeredOpenings,
    step_rows: Rows[int],
    part: Rows[int],
    pad: int,
    device: torch.device,
    stream: tuple[int, ...],
) -> torch.Tensor:
    """The loss of one objective on a part of a step's rows.

    Args:
        step_rows: what ``rows_of`` gives of the step.
        part: positions among these.
        stream: seeds what is drawn, so that a resumed run draws the same.
    """
    rows = [step_rows[position] for position in part]
    match objective:
        case SupervisedObjective():
            batch = collate([steered.answers[i] for i in rows], pad, device)
            return completion_cross_entropy(completion_logits(model, batch), batch.labels)
        case PreferenceObjective():
            if isinstance(steered, SteeredOpenings):
                return opening_preference(model, steered, rows, objective.beta, pad, device)
            return preference_loss(
                _choice_logprobs(model, steered, rows, pad, device),
                steered.reference[rows].to(device),
                steered.wanted[rows].to(device),
                steered.unwanted[rows].to(device),
                objective.beta,
            )
        case RewardObjective():
            assert isinstance(steered, SteeredRows), "of written answers the configuration refuses it"
            logprobs = _choice_logprobs(model, steered, rows, pad, device)
            drawn = _draw(logprobs.detach(), objective.group_size, stream, part, len(step_rows))
            return policy_gradient_loss(logprobs, drawn, steered.wanted[rows].to(device))


def _choice_logprobs(
    model: torch.nn.Module, steered: SteeredRows, rows: Rows[int], pad: int, device: torch.device
) -> torch.Tensor:
    """(rows, widest) log-probabilities normalised over the choices; of padding very low, and never -inf."""
    prompts, choices = [steered.prompts[i] for i in rows], [steered.choices[i] for i in rows]
    width = steered.reference.shape[1]
    return choice_scores(model, prompts, choices, pad, device, width=width).log_softmax(-1)


def _draw(
    logprobs: torch.Tensor, count: int, stream: tuple[int, ...], part: Rows[int], of_rows: int
) -> torch.Tensor:
    """(rows, count) choices of each row, drawn with replacement; the same on every device and in any part."""
    uniform = np.random.default_rng(stream).random((of_rows, count))[list(part)]
    below = logprobs.cpu().double().exp().cumsum(-1)
    drawn = torch.searchsorted(below, torch.from_numpy(uniform) * below[:, -1:], right=True)
    return drawn.clamp(max=logprobs.shape[1] - 1).to(logprobs.device)
