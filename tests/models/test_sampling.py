from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedModel

from coupling.explanations import formats
from coupling.explanations.formats import read_explanation
from coupling.models import LocalSampler, Way, explanation_message
from coupling.models.batching import by_length, pad_left
from coupling.models.scoring import choice_scores
from coupling.records import CounterfactualPair
from coupling.tasks import draw, world_hint
from coupling.worlds import World
from tiny_models import ARCHITECTURES, choice_ids, tiny_model, world_renderer

ANSWER_PAIR = formats.get("answer_pair")


@pytest.fixture(scope="module")
def pairs() -> list[CounterfactualPair]:
    return draw(world_hint.load(World.generate(100), 2, 0), 60, 0)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_batched_and_single_scores_agree(architecture: str, pairs: list[CounterfactualPair]) -> None:
    model, renderer = tiny_model(architecture), world_renderer()
    batched = LocalSampler(model, renderer, batch_size=32).behaviors(pairs)
    single = [LocalSampler(model, renderer, batch_size=1).behaviors([pair])[0] for pair in pairs]
    for together, alone in zip(batched, single, strict=True):
        assert together.pair_id == alone.pair_id
        for mine, its in (("logprobs_with", "logprobs_with"), ("logprobs_without", "logprobs_without")):
            torch.testing.assert_close(
                torch.tensor(getattr(together, mine)), torch.tensor(getattr(alone, its)), atol=1e-5, rtol=0
            )


def test_scores_are_those_of_the_plain_forward_pass(pairs: list[CounterfactualPair]) -> None:
    """No batch, no cache, all positions: the formula as it is written."""
    model, renderer = tiny_model("llama").eval(), world_renderer()
    for pair, behavior in zip(pairs, LocalSampler(model, renderer).behaviors(pairs), strict=True):
        (prompt,) = renderer.prompt_ids([pair.with_cue], [pair.answer_prefix])
        with torch.no_grad():
            logits = model(torch.tensor([prompt])).logits[0, -1]
        choices = choice_ids(renderer, pair)
        expected = logits[choices].double().log_softmax(-1)
        torch.testing.assert_close(
            torch.tensor(behavior.logprobs_with, dtype=torch.float64), expected, atol=1e-5, rtol=0
        )
        assert sum(map(torch.exp, expected)) == pytest.approx(1.0)
        assert behavior.effect.with_cue == pair.choices[int(expected.argmax())]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_explanations_do_not_depend_on_the_batch(architecture: str, pairs: list[CounterfactualPair]) -> None:
    model, renderer = tiny_model(architecture), world_renderer()
    batched = LocalSampler(model, renderer, batch_size=7, max_new_tokens=6).explanations(
        pairs[:14], ANSWER_PAIR
    )
    single = LocalSampler(model, renderer, batch_size=1, max_new_tokens=6).explanations(
        pairs[:14], ANSWER_PAIR
    )
    assert batched == single
    assert [explanation.pair_id for explanation in batched] == [pair.id for pair in pairs[:14]]


def test_every_row_is_told_of_once(pairs: list[CounterfactualPair]) -> None:
    told: list[int] = []
    LocalSampler(tiny_model("llama"), world_renderer(), batch_size=8, advance=told.append).behaviors(pairs)
    assert sum(told) == 2 * len(pairs)


def test_padding_stands_on_the_left() -> None:
    padded = pad_left([[5, 6, 7], [8]], pad=0)
    assert padded.ids.tolist() == [[5, 6, 7], [0, 0, 8]]
    assert padded.mask is not None and padded.mask.tolist() == [[1, 1, 1], [0, 0, 1]]
    assert padded.positions is not None and padded.positions.tolist() == [[0, 1, 2], [0, 0, 0]]


def test_rows_of_one_length_need_no_mask() -> None:
    assert pad_left([[5, 6], [7, 8]], pad=0).inputs().keys() == {"input_ids"}


@given(
    lengths=st.lists(st.integers(1, 60), max_size=40),
    rows=st.integers(1, 12),
    tokens=st.none() | st.integers(1, 300),
)
def test_batches_hold_each_row_once_in_order_of_length_and_no_more_than_fits(
    lengths: list[int], rows: int, tokens: int | None
) -> None:
    batches = list(by_length(lengths, rows, tokens))
    held = [lengths[i] for batch in batches for i in batch]
    assert held == sorted(lengths)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[i] for i in batch)
        assert len(batch) <= rows
        assert tokens is None or len(batch) * longest <= tokens or len(batch) == 1


def test_a_question_without_its_hints_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    every_pair = world_hint.load(World.generate(100), 3, 0)
    shared = [pair for pair in every_pair if pair.without_cue == every_pair[0].without_cue]
    asked: list[int] = []

    def counted(model: PreTrainedModel, prompts: list[tuple[int, ...]], *rest: object) -> torch.Tensor:
        asked.append(len(prompts))
        return choice_scores(model, prompts, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("coupling.models.sampling.choice_scores", counted)
    model = tiny_model("llama")
    told: list[int] = []
    sampler = LocalSampler(model, world_renderer(), advance=told.append)
    behaviors = sampler.behaviors(shared)
    assert len(shared) == 18 and sum(asked) == 18 + 1 and sum(told) == 2 * 18
    assert len({behavior.logprobs_without for behavior in behaviors}) == 1
    whole = LocalSampler(model, world_renderer(), whole_batches=True).behaviors(shared)
    assert sum(asked) == 18 + 1 + 2 * 18
    assert [behavior.effect for behavior in whole] == [behavior.effect for behavior in behaviors]


def test_a_models_own_generation_settings_change_nothing(pairs: list[CounterfactualPair]) -> None:
    """Instruct models come with penalties; explanations are decoded greedily all the same."""
    model, renderer = tiny_model("llama"), world_renderer()
    plain = LocalSampler(model, renderer, max_new_tokens=8).explanations(pairs[:10], ANSWER_PAIR)
    model.generation_config.repetition_penalty = 5.0
    model.generation_config.num_beams = 3
    assert LocalSampler(model, renderer, max_new_tokens=8).explanations(pairs[:10], ANSWER_PAIR) == plain


def test_what_is_filled_in_is_the_best_answer_of_each_place(pairs: list[CounterfactualPair]) -> None:
    """By the formula: the most probable choice behind the words before it."""
    model, renderer = tiny_model("llama").eval(), world_renderer()
    sampler = LocalSampler(model, renderer, batch_size=7)
    few = pairs[:10]
    messages = [explanation_message(pair, ANSWER_PAIR) for pair in few]
    filled = sampler.explanations_to(messages, few, ANSWER_PAIR, Way.FILLED)
    for pair, asked, said in zip(few, messages, filled, strict=True):
        assert said.claim is not None and said == read_explanation(ANSWER_PAIR, pair, said.text)
        best = "With the hint I answer"
        for answer in (said.claim.with_cue, said.claim.without_cue):
            (prompt,) = renderer.prompt_ids([asked], [best])
            with torch.no_grad():
                logits = model(torch.tensor([prompt])).logits[0, -1]
            choices = choice_ids(renderer, pair)
            assert pair.choices[int(logits[choices].argmax())] == answer
            best += f" {answer}; without the hint I answer"


def test_an_opening_counts_as_said(pairs: list[CounterfactualPair]) -> None:
    sampler = LocalSampler(tiny_model("llama"), world_renderer(), max_new_tokens=6)
    messages = [explanation_message(pair, ANSWER_PAIR) for pair in pairs[:6]]
    opened = sampler.explanations_to(messages, pairs[:6], ANSWER_PAIR, Way.OPENED)
    behind = sampler.written(messages, lambda rows: None, ["With the hint I answer"] * 6)
    assert [each.text for each in opened] == [
        f"With the hint I answer {each.text}".strip() for each in behind
    ]
