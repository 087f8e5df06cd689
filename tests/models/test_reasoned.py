"""Answers behind a reasoning: where it ends, what is scored, and what prompts show of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coupling.explanations import formats
from coupling.models import Input, LocalSampler, ReasonedSampler, explanation_message, reasoned_inputs
from coupling.models.reasoned import thought
from coupling.records import CounterfactualPair, Reasoning, Thought
from coupling.tasks import world_hint
from coupling.worlds import World
from tiny_models import tiny_model, world_renderer

PAIRS = world_hint.load(World.generate(100), hints_per_adviser=1, seed=0)[:12]
EMPTY = Thought("", True)


def sampler(**options: object) -> LocalSampler:
    return LocalSampler(tiny_model("llama"), world_renderer(), max_new_tokens=8, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "reasoning", "answered"),
    [
        ("The capital of Peru is Lima. I answer Lima.", "The capital of Peru is Lima.", True),
        ("I answer Lima. So I answer Lima.", "", True),
        ("First this. i answer B because of that", "First this.", True),
        ("I answered before, and it is Lima", "I answered before, and it is Lima", False),
        ("", "", False),
    ],
)
def test_a_reasoning_ends_where_the_answer_opens(text: str, reasoning: str, answered: bool) -> None:
    assert thought(text, "I answer") == Thought(reasoning, answered)


def test_without_reasoning_the_answer_is_the_scored_one() -> None:
    nothing = {pair.id: Reasoning(pair.id, EMPTY, EMPTY) for pair in PAIRS}
    asked = sampler()
    assert ReasonedSampler(asked).behaviors(PAIRS, nothing) == asked.behaviors(PAIRS)


def test_choices_are_scored_behind_the_reasoning_of_each_input() -> None:
    pair = PAIRS[0]
    reasoning = Reasoning(pair.id, Thought("What is the capital?", True), Thought("I thinks", False))
    (behavior,) = ReasonedSampler(sampler()).behaviors([pair], {pair.id: reasoning})
    with_cue, without_cue = (
        sampler().choice_logprobs([pair], [message], [opening])[0]
        for message, opening in (
            (pair.with_cue, "What is the capital? I answer"),
            (pair.without_cue, "I thinks I answer"),
        )
    )
    assert behavior.logprobs_with == pytest.approx(with_cue)
    assert behavior.logprobs_without == pytest.approx(without_cue)
    assert behavior.logprobs_with != pytest.approx(sampler().behaviors([pair])[0].logprobs_with)


def test_what_is_reasoned_is_what_the_model_writes_however_it_is_batched() -> None:
    reasoning = ReasonedSampler(sampler()).reasoning(PAIRS)
    assert [each.pair_id for each in reasoning] == [pair.id for pair in PAIRS]
    assert len({each.with_cue.text for each in reasoning}) > 1
    assert reasoning == ReasonedSampler(sampler(batch_size=5, whole_batches=True)).reasoning(PAIRS)
    (written,) = sampler().written([PAIRS[0].with_cue], lambda rows: None)
    assert reasoning[0].with_cue == thought(written.text, "I answer")


def test_the_instruction_stands_behind_what_is_answered_alone() -> None:
    pair, reasoning = PAIRS[0], Reasoning(PAIRS[0].id, Thought("So.", True), EMPTY)
    assert reasoned_inputs(pair, reasoning, "Think.") == (
        Input(f"{pair.with_cue}\n\nThink.", "So. I answer"),
        Input(f"{pair.without_cue}\n\nThink.", "I answer"),
    )
    format = formats.get("answer_pair")
    question = format.question(pair.cue)
    assert explanation_message(pair, format) == f"{pair.with_cue} {question}"
    assert explanation_message(pair, format, "So.") == f"{pair.with_cue} So. {question}"


def test_pairs_without_words_that_open_the_answer_are_refused() -> None:
    bare: CounterfactualPair = replace(PAIRS[0], answer_prefix="")
    with pytest.raises(ValueError, match=r"no words open its answer, but behavior\.kind is 'reasoned'"):
        ReasonedSampler(sampler()).reasoning([bare])
