"""What training minimises, as pure functions of logits.

The loss of one step is

    L = CE(explanations) + w_kl * KL(behaviour, M0's behaviour) + w_steer * CE(steered answers)

Each term is a mean over its own rows. The KL term stands on the answer position of ``x`` and ``x\\C`` only,
and never on rows whose behaviour is being steered: there it would pull back what steering pushes.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch.nn.functional import cross_entropy

IGNORED = -100
"""Label of a position that bears no loss, as in transformers."""


def completion_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy over the labelled tokens, in nats.

    Args:
        logits: (rows, columns, vocabulary), already aligned: ``logits[:, j]`` predicts ``labels[:, j]``.
        labels: (rows, columns), ``IGNORED`` where no loss stands.
    """
    return cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED)


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
