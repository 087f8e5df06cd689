"""In 16 bits the logits are coarse; what is made of them is not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from coupling.models import LocalSampler
from coupling.records import CounterfactualPair
from coupling.tasks import draw, world_hint
from coupling.worlds import World
from tiny_models import ARCHITECTURES, choice_ids, tiny_model, world_renderer


@pytest.fixture(scope="module")
def pairs() -> list[CounterfactualPair]:
    return draw(world_hint.load(World.generate(100), 1, 0), 20, 0)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_log_probabilities_are_those_of_the_coarse_logits_in_double_precision(
    architecture: str, dtype: torch.dtype, pairs: list[CounterfactualPair]
) -> None:
    model, renderer = tiny_model(architecture).to(dtype).eval(), world_renderer()
    for pair in pairs:
        (behavior,) = LocalSampler(model, renderer).behaviors([pair])
        (prompt,) = renderer.prompt_ids([pair.with_cue], [pair.answer_prefix])
        choices = choice_ids(renderer, pair)
        with torch.no_grad():
            logits = model(torch.tensor([prompt]), logits_to_keep=1).logits[0, -1]
        assert logits.dtype == dtype
        expected = logits[choices].double().log_softmax(-1)
        assert behavior.logprobs_with == tuple(expected.tolist())
        assert math.fsum(map(math.exp, behavior.logprobs_with)) == pytest.approx(1, abs=1e-12)


def test_a_tie_falls_to_the_choice_that_stands_first(pairs: list[CounterfactualPair]) -> None:
    model, renderer = tiny_model("llama").to(torch.bfloat16), world_renderer()
    pair = pairs[0]
    ids = choice_ids(renderer, pair)
    with torch.no_grad():
        rows = model.get_output_embeddings().weight
        rows[ids] = rows[ids[0]].clone()
    backwards = replace(pair, choices=pair.choices[::-1])
    for each in (pair, backwards):
        (behavior,) = LocalSampler(model, renderer).behaviors([each])
        assert len(set(behavior.logprobs_without)) == 1
        assert behavior.effect.without_cue == each.choices[0]
