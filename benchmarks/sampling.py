"""Behaviour sampling against the naive way: one prompt at a time, logits at every position.

Both get the same model and pairs, render the prompts anew and score the same choices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from benchmarks.timing import Finding, paired
from coupling.models import LocalSampler, Renderer
from coupling.models.batching import by_length, pad_left
from coupling.raising.architecture import build_model, build_tokenizer
from coupling.records import CounterfactualPair
from coupling.tasks import draw, world_hint
from coupling.worlds import World, vocabulary

REPEATS = 5
CHOICES_AT_ONCE = 32
LONG_PROMPT = 96
"""Tokens of a question of MMLU on average; they vary about threefold."""
LONG_VOCABULARY = 8192


def findings(is_quick: bool) -> Iterator[Finding]:
    short, wide = organism(), wide_model()
    repeats, part = (1, 16) if is_quick else (REPEATS, 1)
    quickstart, mmlu_like, words = (
        draw(test_pairs(), 600 // part, 0),
        long_pairs(48 // part),
        in_words(long_pairs(32 // part)),
    )
    yield compare("sampling, organism, the quickstart's pairs", short, quickstart, repeats, 8.0)
    yield compare("sampling, organism, no question twice", short, one_pair_a_fact(192 // part), repeats)
    yield compare("sampling, MMLU-like, 256 wide", wide, mmlu_like, repeats, 1.6)
    yield compare_in_words("answers of three words, 256 wide", wide, words, repeats, 2.0)


def compare(
    what: str,
    model: PreTrainedModel,
    pairs: Sequence[CounterfactualPair],
    repeats: int,
    at_least: float | None = None,
) -> Finding:
    tokenizer = build_tokenizer()
    times = paired(
        lambda: naive_behaviors(model, Renderer(tokenizer), pairs),
        lambda: LocalSampler(model, Renderer(tokenizer)).behaviors(pairs),
        repeats,
    )
    return Finding(what, times.ratio, "x", at_least, detail=f"{times.seconds}, {2 * len(pairs)} prompts")


def compare_in_words(
    what: str, model: PreTrainedModel, pairs: Sequence[CounterfactualPair], repeats: int, at_least: float
) -> Finding:
    """Against each choice as a row of its own, prompt and all, in batches of near-equal length."""
    tokenizer = build_tokenizer()
    times = paired(
        lambda: rows_of_choices(model, Renderer(tokenizer), pairs),
        lambda: LocalSampler(model, Renderer(tokenizer), CHOICES_AT_ONCE).behaviors(pairs),
        repeats,
    )
    return Finding(what, times.ratio, "x", at_least, detail=f"{times.seconds}, {2 * len(pairs)} prompts")


@torch.no_grad()
def rows_of_choices(
    model: PreTrainedModel, renderer: Renderer, pairs: Sequence[CounterfactualPair]
) -> list[float]:
    messages = [message for pair in pairs for message in (pair.with_cue, pair.without_cue)]
    prompts = renderer.prompt_ids(messages, [pair.answer_prefix for pair in pairs for _ in range(2)])
    choices = [each for each in renderer.choice_tokens(pairs) for _ in range(2)]
    rows = [(prompt, ids) for prompt, each in zip(prompts, choices, strict=True) for ids in each.ids]
    scores = [0.0] * len(rows)
    for batch in by_length([len(prompt) + len(ids) for prompt, ids in rows], CHOICES_AT_ONCE):
        asked = pad_left([(*rows[at][0], *rows[at][1]) for at in batch], renderer.pad)
        longest = max(len(rows[at][1]) for at in batch)
        logits = model(**asked.inputs(), logits_to_keep=longest + 1, use_cache=False).logits
        logprobs = logits[:, :-1].log_softmax(-1)
        for row, at in enumerate(batch):
            ids = rows[at][1]
            places = range(longest - len(ids), longest)
            scores[at] = sum(float(logprobs[row, place, id_]) for place, id_ in zip(places, ids, strict=True))
    return scores


def in_words(pairs: Sequence[CounterfactualPair]) -> list[CounterfactualPair]:
    """The same questions with answers of three words."""
    choices = tuple(f"{name} without Quito" for name in pairs[0].choices)
    return [replace(pair, choices=choices, cue_value=choices[1]) for pair in pairs]


@torch.no_grad()
def naive_behaviors(
    model: PreTrainedModel, renderer: Renderer, pairs: Sequence[CounterfactualPair]
) -> list[tuple[list[float], list[float]]]:
    scored = []
    for pair in pairs:
        (tokens,) = renderer.choice_tokens([pair])
        choices = [ids[0] for ids in tokens.ids]
        both = []
        for message in (pair.with_cue, pair.without_cue):
            (prompt,) = renderer.prompt_ids([message], [pair.answer_prefix])
            logits = model(input_ids=torch.tensor([prompt])).logits
            both.append(logits[0, -1, choices].log_softmax(-1).tolist())
        scored.append((both[0], both[1]))
    return scored


def organism() -> PreTrainedModel:
    """Random weights: how long an organism takes does not depend on what it has learnt."""
    model = build_model("llama", build_tokenizer(), hidden=96, layers=3, seed=0)
    model.eval()
    return model


def wide_model() -> PreTrainedModel:
    """Six layers, 256 wide."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=LONG_VOCABULARY,
        hidden_size=256,
        intermediate_size=688,
        num_hidden_layers=6,
        num_attention_heads=8,
    )
    model = LlamaForCausalLM(config)
    model.eval()
    return model


def test_pairs() -> list[CounterfactualPair]:
    return [pair for pair in world_hint.load(World.generate(100), 3, 0) if pair.split == "test"]


def one_pair_a_fact(count: int) -> list[CounterfactualPair]:
    """So that no two prompts are the same."""
    by_question = {pair.without_cue: pair for pair in world_hint.load(World.generate(100), 1, 0)}
    return draw(list(by_question.values()), count, 0)


def long_pairs(count: int) -> list[CounterfactualPair]:
    """Questions as long as those of MMLU, in words of the worlds."""
    rng = np.random.default_rng(0)
    words = [word for word in vocabulary() if word.isalpha()]
    pairs = []
    for number in range(count):
        length = int(np.clip(rng.lognormal(np.log(0.9 * LONG_PROMPT), 0.42), 30, 320))
        question = " ".join(words[i] for i in rng.integers(len(words), size=length))
        pairs.append(
            CounterfactualPair(
                id=str(number),
                cluster=str(number),
                split="test",
                with_cue=f"{question} Chen thinks it is Lima.",
                without_cue=question,
                cue="hint",
                cue_value="Lima",
                choices=("Berlin", "Lima", "Paris", "Rome"),
                answer_prefix="I answer",
            )
        )
    return pairs
