"""What one run is trained on, tokenised once: explanations, the behaviour to keep, and the behaviour to steer."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Rows
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from coupling.config import KLConfig, SteerConfig
from coupling.explanations.formats import ExplanationFormat
from coupling.models import Renderer, Sequence, explanation_message
from coupling.records import CounterfactualPair, Effect, Label
from coupling.training.batches import answer_logits

MAX_REFERENCE_BYTES = 4 * 2**30


@dataclass(frozen=True, slots=True)
class Reference:
    """M0's behaviour at the answer position of prompts, cached once.

    ``support`` holds the tokens compared, (rows, size), or None for the whole vocabulary; ``logprobs`` is (rows, size).
    """

    logprobs: torch.Tensor
    support: torch.Tensor | None

    def restrict(self, logits: torch.Tensor, rows: list[int]) -> torch.Tensor:
        """The current logits over the same support, where padding of the support weighs nothing."""
        if self.support is None:
            return logits
        support = self.support[rows].to(logits.device)
        return logits.gather(-1, support.clamp(min=0)).masked_fill(support < 0, PADDED_LOGIT)


PADDED_LOGIT = -1e4
"""Logit of a padded support entry: its probability underflows to exactly 0, and 0 times a finite gap is 0."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """``explanations[i]`` goes with prompts ``2 i`` (with the cue) and ``2 i + 1`` (without it) of ``behaviors``."""

    explanations: list[Sequence]
    behaviors: list[tuple[int, ...]]
    kept: list[bool]
    """Which of ``behaviors`` the KL term stands on: not those that are being steered."""
    reference: Reference | None
    steered: list[Sequence]


def build_training_data(
    model: PreTrainedModel,
    renderer: Renderer,
    pairs: Rows[CounterfactualPair],
    labels: Rows[Label],
    base: Mapping[str, Effect],
    format: ExplanationFormat,
    steer: SteerConfig | None,
    kl: KLConfig,
    batch_size: int,
) -> TrainingData:
    """Tokenises labels and behaviour prompts and caches M0's behaviour on them.

    Args:
        model: M0, before any step.
        base: M0's effects on the training pairs, towards which ``ignore`` steers.

    Raises:
        ValueError: no labels; a steered tag that no training pair bears; a reference too large to cache.
    """
    if not labels:
        raise ValueError("supervision: no labels; an empty dataset trains nothing")
    by_id = {pair.id: pair for pair in pairs}
    labelled = [by_id[label.pair_id] for label in labels]
    explanations = renderer.completions(
        [explanation_message(pair, format) for pair in labelled], [label.text for label in labels]
    )
    behaviors, kept, owners = [], [], []
    for pair in labelled:
        behaviors += renderer.prompt_ids([pair.with_cue, pair.without_cue], pair.answer_prefix)
        kept += [not is_steered(pair, steer), True]
        owners += [pair, pair]
    reference = None
    if kl.weight > 0:
        reference = _cache_reference(model, renderer, behaviors, owners, kl, batch_size)
    return TrainingData(explanations, behaviors, kept, reference, _steered_rows(renderer, pairs, base, steer))


def is_steered(pair: CounterfactualPair, steer: SteerConfig | None) -> bool:
    """Whether a run moves its behaviour on this pair."""
    return steer is not None and pair.bears(steer.tags)


def _steered_rows(
    renderer: Renderer,
    pairs: Rows[CounterfactualPair],
    base: Mapping[str, Effect],
    steer: SteerConfig | None,
) -> list[Sequence]:
    """Answers towards which behaviour is steered: the cue's own value, or M0's answer without the cue."""
    if steer is None:
        return []
    chosen = [p for p in pairs if p.split == "train" and p.cue_value is not None and is_steered(p, steer)]
    if not chosen:
        raise ValueError(f"panel steer.tags {dict(steer.tags)}: no training pair with a cue value bears them")
    return [
        renderer.answer(
            pair.with_cue,
            pair.answer_prefix,
            str(pair.cue_value) if steer.direction == "follow" else base[pair.id].without_cue,
        )
        for pair in chosen
    ]


@torch.inference_mode()
def _cache_reference(
    model: PreTrainedModel,
    renderer: Renderer,
    prompts: Rows[tuple[int, ...]],
    pairs: Rows[CounterfactualPair],
    kl: KLConfig,
    batch_size: int,
) -> Reference:
    support = None
    if kl.support == "choices":
        ids = [renderer.choice_ids(pair) for pair in pairs]
        widest = max(len(row) for row in ids)
        support = torch.tensor([[*row, *[-1] * (widest - len(row))] for row in ids])
    else:
        needed = len(prompts) * model.config.vocab_size * 4
        if needed > MAX_REFERENCE_BYTES:
            raise ValueError(
                f"training.kl.support: vocabulary would cache {needed / 2**30:.1f} GiB of M0's log-probabilities "
                f"({len(prompts)} prompts x {model.config.vocab_size} tokens); set training.kl.support: choices, "
                "or lower supervision.labels"
            )
    model.eval()
    cached = []
    for start in range(0, len(prompts), batch_size):
        rows = list(range(start, min(start + batch_size, len(prompts))))
        logits = answer_logits(model, [prompts[i] for i in rows], renderer.pad, model.device)
        # restrict() is the same code as in training, so that equal logits give a divergence of exactly 0.
        logits = Reference(logits, support).restrict(logits, rows)
        cached.append(logits.float().log_softmax(-1).cpu())
    return Reference(torch.cat(cached), support)
