from __future__ import annotations

import math
from typing import Literal

import pytest
import torch

from coupling.models.scoring import PADDED_SCORE
from coupling.training.objectives import behavior_kl, completion_cross_entropy

DIRECTIONS: tuple[Literal["forward", "reverse"], ...] = ("forward", "reverse")
SUPPORT = torch.tensor([[1, 3, 4], [0, 2, -1]])


def over_support(logits: torch.Tensor, support: torch.Tensor) -> torch.Tensor:
    return logits.gather(-1, support.clamp(min=0)).masked_fill(support < 0, PADDED_SCORE)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("support", [None, SUPPORT])
def test_kl_is_exactly_zero_at_the_reference(
    direction: Literal["forward", "reverse"], support: torch.Tensor | None
) -> None:
    logits = 5 * torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    if support is not None:
        logits = over_support(logits, support)
    reference = logits.log_softmax(-1)
    assert behavior_kl(logits, reference, direction).item() == 0.0


def test_kl_directions_by_hand() -> None:
    """M0 answers (3/4, 1/4), the model (1/2, 1/2).

    KL(M0 || model) = 3/4 ln(3/2) + 1/4 ln(1/2); KL(model || M0) = 1/2 ln(2/3) + 1/2 ln 2.
    """
    current = torch.zeros(1, 2)
    reference = torch.tensor([[0.75, 0.25]]).log()
    forward = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    reverse = 0.5 * math.log(2 / 3) + 0.5 * math.log(2)
    assert behavior_kl(current, reference, "forward").item() == pytest.approx(forward, rel=1e-6)
    assert behavior_kl(current, reference, "reverse").item() == pytest.approx(reverse, rel=1e-6)


def test_kl_is_a_mean_over_rows() -> None:
    reference = torch.tensor([[0.75, 0.25], [0.5, 0.5]]).log()
    one = behavior_kl(torch.zeros(1, 2), reference[:1], "forward")
    assert behavior_kl(torch.zeros(2, 2), reference, "forward").item() == pytest.approx(one.item() / 2)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_kl_over_choices_is_that_of_the_choices_alone(direction: Literal["forward", "reverse"]) -> None:
    """Other tokens and the padding of a row with fewer choices change nothing."""
    generator = torch.Generator().manual_seed(0)
    now, then = torch.randn(2, 6, generator=generator), torch.randn(2, 6, generator=generator)
    padded = behavior_kl(over_support(now, SUPPORT), over_support(then, SUPPORT).log_softmax(-1), direction)
    rows = [(0, [1, 3, 4]), (1, [0, 2])]
    alone = [behavior_kl(now[[i]][:, ids], then[[i]][:, ids].log_softmax(-1), direction) for i, ids in rows]
    assert padded.item() == pytest.approx(sum(alone).item() / 2, rel=1e-5)


def test_cross_entropy_by_hand() -> None:
    """Two labelled tokens, of probability 1/2 and 1/4: (ln 2 + ln 4) / 2."""
    logits = torch.tensor([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]).log()
    labels = torch.tensor([0, 1])
    expected = (math.log(2) + math.log(4)) / 2
    assert completion_cross_entropy(logits, labels).item() == pytest.approx(expected, rel=1e-6)
