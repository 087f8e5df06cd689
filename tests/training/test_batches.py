from __future__ import annotations

import pytest
import torch

from coupling.models import Sequence
from coupling.training.batches import answer_logits, collate, completion_logits
from coupling.training.objectives import completion_cross_entropy
from tiny_models import ARCHITECTURES, tiny_model, world_renderer

SHORT = Sequence((5, 6, 7), start=2)
LONG = Sequence((5, 8, 9, 10, 2), start=2)


def test_labels_are_the_completions_and_nothing_else() -> None:
    batch = collate([SHORT, LONG], pad=0)
    assert [each.ids for each in batch.asked] == [(5, 6), (5, 8, 9, 10)]
    assert batch.labels.tolist() == [7, 9, 10, 2]
    assert batch.counts == [1, 3]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_each_label_is_predicted_from_what_stands_before_it(architecture: str) -> None:
    """The loss of a padded batch is that of its rows, one by one, by the plain forward pass."""
    model = tiny_model(architecture).eval()
    batch = collate([SHORT, LONG], pad=0)
    with torch.no_grad():
        logits = completion_logits(model, batch)
        assert logits.shape[:1] == batch.labels.shape
        losses = []
        for row in (SHORT, LONG):
            logprobs = model(torch.tensor([row.ids])).logits[0].log_softmax(-1)
            losses += [-logprobs[i - 1, row.ids[i]].item() for i in range(row.start, len(row.ids))]
    expected = sum(losses) / len(losses)
    assert completion_cross_entropy(logits, batch.labels).item() == pytest.approx(expected, rel=1e-5)


def test_answers_come_at_the_last_position_whatever_the_padding() -> None:
    model, pad = tiny_model("llama").eval(), world_renderer().pad
    prompts = [(5, 6), (5, 8, 9, 10)]
    with torch.no_grad():
        together = answer_logits(model, prompts, pad)
        alone = torch.cat([answer_logits(model, [prompt], pad) for prompt in prompts])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_rows_with_nothing_to_learn_from_are_named() -> None:
    with pytest.raises(ValueError, match=r"rows \[1, 2\] of a batch of 3 have no token to learn from"):
        collate([SHORT, Sequence((5, 6), start=2), Sequence((5,), start=4)], pad=0)


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="a batch of 0"):
        collate([], pad=0)
