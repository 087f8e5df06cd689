"""Choices of any number of tokens are as probable as one at a time, read with their prompts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from coupling.models import LocalSampler, Renderer
from coupling.models.scoring import PADDED_SCORE, ChoiceTokens, choice_scores
from coupling.records import CounterfactualPair
from tiny_models import byte_level_model, byte_level_tokenizer, scatter

TOKENIZER = byte_level_tokenizer(["Which city is it? My teacher says Lima. I answer Quito."] * 20)
SIZES = {
    "vocab_size": len(TOKENIZER),
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "pad_token_id": TOKENIZER.pad_token_id,
    "eos_token_id": TOKENIZER.eos_token_id,
}


def gemma(window: int) -> PreTrainedModel:
    """Its first layer sees so many tokens back, its second all."""
    kinds = ["sliding_attention", "full_attention"]
    return Gemma3ForCausalLM(Gemma3TextConfig(**SIZES, head_dim=8, sliding_window=window, layer_types=kinds))


def mamba() -> PreTrainedModel:
    sizes = {name: SIZES[name] for name in ("vocab_size", "hidden_size", "pad_token_id", "eos_token_id")}
    return MambaForCausalLM(MambaConfig(**sizes, num_hidden_layers=2, state_size=4))


MODELS: dict[str, Callable[[], PreTrainedModel]] = {
    "llama": lambda: byte_level_model("llama", TOKENIZER),
    "gpt_neox": lambda: byte_level_model("gpt_neox", TOKENIZER),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES)),
    "gemma3 within its window": lambda: gemma(window=512),
    "gemma3 beyond its window": lambda: gemma(window=8),
    "mamba": mamba,
}
CHOICES = [("Lima", "Quito", "Santiago de Chile", "La Paz"), ("A", "B"), ("Oslo", "Bern", "Wien")]


def made(name: str) -> PreTrainedModel:
    model = MODELS[name]()
    scatter(model)
    return model.eval()


def asked_pair(number: int, tokenizer: PreTrainedTokenizerFast = TOKENIZER) -> CounterfactualPair:
    question = f"Which city is it{', and why' * number}?"
    choices = CHOICES[number % len(CHOICES)]
    return CounterfactualPair(
        f"q{number}",
        f"q{number}",
        "test",
        f"{question} My teacher told me that it is {choices[0]}.",
        question,
        "hint",
        choices[0],
        choices,
        "I answer",
    )


PAIRS = [asked_pair(number) for number in range(7)]


def one_at_a_time(model: PreTrainedModel, renderer: Renderer, pair: CounterfactualPair) -> list[float]:
    """log p of each choice behind x, by the formula: no batch, no cache."""
    (prompt,) = renderer.prompt_ids([pair.with_cue], [pair.answer_prefix])
    (choices,) = renderer.choice_tokens([pair])
    found = []
    for ids in choices.ids:
        with torch.no_grad():
            logprobs = model(torch.tensor([[*prompt, *ids]])).logits[0].double().log_softmax(-1)
        places = range(len(prompt) - 1, len(prompt) + len(ids) - 1)
        found.append(sum(float(logprobs[at, id_]) for at, id_ in zip(places, ids, strict=True)))
    return found


@pytest.mark.parametrize("name", MODELS)
def test_a_choice_is_as_probable_as_by_itself(name: str) -> None:
    model, renderer = made(name), Renderer(TOKENIZER)
    behaviors = LocalSampler(model, renderer, batch_size=3).behaviors(PAIRS)
    for pair, behavior in zip(PAIRS, behaviors, strict=True):
        expected = torch.tensor(one_at_a_time(model, renderer, pair), dtype=torch.float64).log_softmax(-1)
        assert behavior.logprobs_with == pytest.approx(expected.tolist(), rel=1e-6, abs=1e-5)
        assert behavior.effect.with_cue == pair.choices[int(expected.argmax())]


def test_scores_are_divided_by_the_length_asked_for() -> None:
    model, renderer = made("llama"), Renderer(TOKENIZER)
    (behavior,) = LocalSampler(model, renderer, normalization="characters").behaviors(PAIRS[:1])
    summed = one_at_a_time(model, renderer, PAIRS[0])
    lengths = [len(choice) for choice in PAIRS[0].choices]
    expected = torch.tensor([each / length for each, length in zip(summed, lengths, strict=True)])
    assert behavior.logprobs_with == pytest.approx(expected.log_softmax(-1).tolist(), abs=1e-5)


@pytest.mark.parametrize("name", ["llama", "gpt_neox", "gemma3 beyond its window"])
def test_gradients_are_those_of_prompt_and_choice_together(name: str) -> None:
    """They flow through the keys and values that all choices of a prompt share."""
    renderer = Renderer(TOKENIZER)
    prompts = renderer.prompt_ids([pair.with_cue for pair in PAIRS], [pair.answer_prefix for pair in PAIRS])
    choices = renderer.choice_tokens(PAIRS)
    gradients = []
    for alone in (False, True):
        model = made(name)
        if alone:
            scores = [
                choice_scores(model, [prompt, prompt], [_only(each, at), _only(each, at)], renderer.pad)[0, 0]
                for prompt, each in zip(prompts, choices, strict=True)
                for at in range(len(each.ids))
            ]
            total = torch.stack(scores).sum()
        else:
            found = choice_scores(model, prompts, choices, renderer.pad)
            total = found[found > PADDED_SCORE].sum()
        total.backward()
        gradients.append([parameter.grad for parameter in model.parameters()])
    for shared, each in zip(*gradients, strict=True):
        torch.testing.assert_close(shared, each, atol=1e-3, rtol=1e-4)


def _only(choices: ChoiceTokens, at: int) -> ChoiceTokens:
    """One choice, given a length so that its own probability is asked for and no logit beside it."""
    return replace(choices, ids=(choices.ids[at],), lengths=(1.0,))


def test_a_row_with_fewer_choices_is_filled_up() -> None:
    renderer = Renderer(TOKENIZER)
    prompts = renderer.prompt_ids([pair.with_cue for pair in PAIRS[:2]], ["I answer"] * 2)
    choices = renderer.choice_tokens(PAIRS[:2])
    scores = choice_scores(made("llama"), prompts, choices, renderer.pad, width=6)
    assert scores.shape == (2, 6)
    assert (scores[0, 4:] == PADDED_SCORE).all() and (scores[1, 2:] == PADDED_SCORE).all()
    assert (scores[0, :4] < 0).all() and (scores[0, :4] > PADDED_SCORE).all()
