"""What training minimises, as pure functions of logits.

The loss of one step is

    L = w_e * CE(explanations) + w_kl * KL(behaviour, M0's behaviour) + sum_o w_o * L_o

where a weight may be 0 before or after certain steps. Each term is a mean over its own rows. The KL term
stands on the answer position of ``x`` and ``x\\C`` only, and never on rows whose behaviour is being steered:
there it would pull back what steering pushes. The concurrent objectives L_o stand on the answers to steered
``x`` alone:

- supervised fine-tuning: the cross-entropy of the answer that is wanted (``completion_cross_entropy``);
- preference optimisation (``preference_loss``);
- policy gradient with a reward on behaviour (``policy_gradient_loss``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch.nn.functional import cross_entropy, logsigmoid


def completion_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy over the labelled tokens, in nats.

    Args:
        logits: (tokens, vocabulary), already aligned: ``logits[j]`` predicts ``labels[j]``.
        labels: (tokens,), of all rows.
    """
    return cross_entropy(logits.float(), labels)


def completion_logprobs(logits: torch.Tensor, labels: torch.Tensor, counts: Sequence[int]) -> torch.Tensor:
    """Log-probability of each row's labelled tokens together, (rows,), in nats; shapes as above.

    Args:
        counts: labelled tokens of each row.
    """
    losses = cross_entropy(logits.float(), labels, reduction="none")
    return -torch.stack([row.sum() for row in losses.split(list(counts))])


def behavior_kl(
    logits: torch.Tensor, reference: torch.Tensor, direction: Literal["forward", "reverse"]
) -> torch.Tensor:
    """Kullback-Leibler divergence of the current behaviour p and M0's behaviour q: mean over rows, in nats.

    ``forward`` is KL(q || p) = sum_v q(v) (log q(v) - log p(v)): the model must cover all that M0 answers.
    ``reverse`` is KL(p || q): the model must not answer what M0 would not.
    Exactly 0 where ``logits`` give the reference itself.

    Args:
        logits: (rows, support) of the current model at the answer position.
        reference: (rows, support) log-probabilities of M0 over the same support.
    """
    current = logits.float().log_softmax(-1)
    if direction == "forward":
        terms = reference.exp() * (reference - current)
    else:
        terms = current.exp() * (current - reference)
    return terms.sum(-1).mean()


def preference_loss(
    logprobs: torch.Tensor,
    reference: torch.Tensor,
    wanted: torch.Tensor,
    unwanted: torch.Tensor,
    beta: float,
) -> torch.Tensor:
    """Direct preference optimisation of one answer over another: mean over rows, in nats.

    -log sigmoid(beta * ((log p(w) - log q(w)) - (log p(u) - log q(u)))), where p is the model, q is M0, w
    the answer wanted and u the other (Rafailov et al. 2023, arXiv 2305.18290, equation 7). The words before
    the choice are the same in both answers and cancel, so it is enough to score the choices. ln 2 at M0.

    Args:
        logprobs: (rows, choices) of the current model.
        reference: (rows, choices) of M0.
        wanted, unwanted: (rows,) positions among the choices.
    """
    moved = logprobs - reference
    ahead = moved.gather(1, wanted[:, None]) - moved.gather(1, unwanted[:, None])
    return -logsigmoid(beta * ahead).mean()


def group_advantages(rewards: torch.Tensor) -> torch.Tensor:
    """Rewards of the answers to one question, (rows, group), less their mean, in standard deviations.

    As in group relative policy optimisation (Shao et al. 2024, arXiv 2402.03300, section 4.1.2). Exactly 0
    where all answers earn the same: such a question teaches nothing.
    """
    centred = rewards - rewards.mean(1, keepdim=True)
    deviation = centred.square().mean(1, keepdim=True).sqrt()
    return torch.where(deviation > 0, centred / deviation.clamp(min=1e-6), 0.0)


def policy_gradient_loss(logprobs: torch.Tensor, answers: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Minus the mean over drawn answers of advantage times log-probability: its gradient is the policy's.

    An answer earns 1 where it is the one wanted and 0 elsewhere. Answers are drawn from the current model and
    used for one step, so that the ratio of new to old probability is 1 and nothing is clipped.

    Args:
        logprobs: (rows, choices) of the current model, normalised over the choices.
        answers: (rows, group) positions of the drawn answers among the choices.
        wanted: (rows,) positions among the choices.
    """
    advantages = group_advantages((answers == wanted[:, None]).to(logprobs.dtype))
    return -(advantages * logprobs.gather(1, answers)).mean()
