"""What one run is trained on, tokenised once: explanations, the behaviour to keep, and that to steer."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Rows
from dataclasses import dataclass
from typing import Literal

import torch
from transformers import PreTrainedModel

from coupling import ranks
from coupling.config import KLConfig, Normalization, SteerConfig
from coupling.explanations.formats import ExplanationFormat
from coupling.models import Renderer, Sequence, explanation_message
from coupling.models.scoring import ChoiceTokens, choice_scores, most_choices
from coupling.records import Behavior, CounterfactualPair, Label
from coupling.training.batches import answer_logits, autocast
from coupling.training.openings import SteeredOpenings, steered_openings
from coupling.training.reasoned import Reasoned, inputs_of
from coupling.training.steering import SteeredRows, steered_inputs, steered_rows

MAX_REFERENCE_BYTES = 4 * 2**30


@dataclass(frozen=True, slots=True)
class Reference:
    """M0's behaviour at the answer position of prompts, cached once."""

    logprobs: torch.Tensor
    """(prompts, size of the support), in nats."""
    choices: list[ChoiceTokens] | None
    """The choices compared; None for the whole vocabulary, at the first token of the answer."""


def behavior_scores(
    model: torch.nn.Module,
    prompts: Rows[tuple[int, ...]],
    choices: Rows[ChoiceTokens] | None,
    width: int | None,
    pad: int,
    device: torch.device,
) -> torch.Tensor:
    """Scores of the answers to some prompts, (prompts, size of the support): of their choices, or of all
    tokens at the answer position. ``width``: columns of the former."""
    if choices is None:
        return answer_logits(model, prompts, pad, device)
    return choice_scores(model, prompts, choices, pad, device, width=width)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The rows of each objective."""

    explanations: list[Sequence]
    behaviors: list[tuple[int, ...]]
    """Two prompts an explanation: of ``explanations[i]``, x at ``2 i`` and x\\C at ``2 i + 1``."""
    kept: list[bool]
    """Which of ``behaviors`` the KL term stands on: not those that are being steered."""
    reference: Reference | None
    steered: SteeredRows | SteeredOpenings | None
    undone: SteeredRows | SteeredOpenings | None = None
    """The same inputs in the same order, steered back to M0's own answers; None where no shift is undone."""

    def kept_inputs(self, row: int) -> list[int]:
        """Which of ``behaviors`` the KL term stands on for one explanation; none without a reference."""
        if self.reference is None:
            return []
        return [j for j in (2 * row, 2 * row + 1) if self.kept[j]]


def build_training_data(
    model: PreTrainedModel,
    renderer: Renderer,
    pairs: Rows[CounterfactualPair],
    labels: Rows[Label],
    base: Mapping[str, Behavior],
    format: ExplanationFormat,
    steer: SteerConfig | None,
    kl: KLConfig,
    batch_size: int,
    max_new_tokens: int,
    openings: Mapping[str, str] | None = None,
    precision: Literal["bfloat16"] | None = None,
    reasoned: Reasoned | None = None,
    undoes: bool = False,
    normalization: Normalization = "none",
    logprobs: torch.Tensor | None = None,
) -> TrainingData:
    """Tokenises labels and behaviour prompts and caches M0's behaviour on them.

    Args:
        model: M0, before any step.
        base: M0's behaviour on the training pairs, from which steering takes off.
        openings: words that open an answer of each choice, where answers are written; None where choices are
            scored.
        precision: number format of the forward passes in training, in which M0's behaviour is then cached.
        reasoned: M0's reasoning, where answers are scored behind one.
        undoes: whether the shift will be undone.
        normalization: by what the log-probability of a choice is divided.
        logprobs: M0's behaviour, as `reference_logprobs` found it; None asks M0 now.

    Raises:
        ValueError: no labels, or labels too long to be sampled; a steered tag that no training pair bears;
            a reference too large to cache.
    """
    if not labels:
        raise ValueError("supervision: no labels; an empty dataset trains nothing")
    by_id = {pair.id: pair for pair in pairs}
    labelled = [by_id[label.pair_id] for label in labels]
    shown = reasoned.shown if reasoned is not None else {}
    explanations = explanation_rows(renderer, by_id, labels, format, max_new_tokens, shown)
    behaviors = _prompts(renderer, labelled, reasoned)
    # By text: beside another cue, the x\C of a pair is an input that is steered.
    steered_texts = steered_inputs(pairs, steer)
    kept = [
        (message, pair.answer_prefix) not in steered_texts
        for pair in labelled
        for message in (pair.with_cue, pair.without_cue)
    ]
    reference = None
    if kl.weight > 0:
        if logprobs is None:
            found = reference_logprobs(
                model, renderer, labelled, kl, batch_size, precision, reasoned, normalization
            )
            found = ranks.pooled(found)
            logprobs = torch.cat([found[start] for start in sorted(found)])
        choices = _compared(renderer, labelled, kl, normalization)
        reference = Reference(logprobs, choices)

    def moved(back: bool) -> SteeredRows | SteeredOpenings | None:
        if steer is None:
            return None
        if openings is None:
            return steered_rows(renderer, pairs, base, steer, back, reasoned, normalization)
        return steered_openings(model, renderer, pairs, base, steer, openings, batch_size, precision, back)

    undone = moved(back=True) if undoes else None
    return TrainingData(explanations, behaviors, kept, reference, moved(back=False), undone)


def explanation_rows(
    renderer: Renderer,
    pairs: Mapping[str, CounterfactualPair],
    labels: Rows[Label],
    format: ExplanationFormat,
    max_new_tokens: int,
    shown: Mapping[str, str] | None = None,
) -> list[Sequence]:
    """Labels behind their prompts, tokenised.

    Args:
        pairs: pair id → the pair, at least of every label.
        shown: pair id → the reasoning that its prompt shows.

    Raises:
        ValueError: a label is too long to be sampled.
    """
    labelled = [pairs[label.pair_id] for label in labels]
    rows = renderer.completions(
        [explanation_message(pair, format, (shown or {}).get(pair.id, "")) for pair in labelled],
        [label.text for label in labels],
    )
    longest = max(len(row.ids) - row.start for row in rows)
    if longest > max_new_tokens:
        raise ValueError(
            f"explanation.max_new_tokens: {max_new_tokens}, but labels are up to {longest} tokens long, "
            "and a model trained on them would be cut off: raise it"
        )
    return rows


@torch.inference_mode()
def reference_logprobs(
    model: PreTrainedModel,
    renderer: Renderer,
    labelled: Rows[CounterfactualPair],
    kl: KLConfig,
    batch_size: int,
    precision: Literal["bfloat16"] | None,
    reasoned: Reasoned | None,
    normalization: Normalization,
    part: tuple[int, int] = (0, 1),
) -> dict[int, torch.Tensor]:
    """M0's behaviour on the two inputs of each label's pair, at the answer position.

    Args:
        labelled: the pair of each label.
        part: k of n: every n-th batch is asked, from the k-th on; of those this process takes its share.

    Returns:
        First row of a batch → its log-probabilities, shape (rows, size of the support), in nats. Row ``2 i``
        is x of label i, and ``2 i + 1`` is x\\C.

    Raises:
        ValueError: they are too many to be cached.
    """
    prompts = _prompts(renderer, labelled, reasoned)
    choices = _compared(renderer, labelled, kl, normalization)
    width = None if choices is None else most_choices(choices)
    if choices is None:
        # Of a model that reads images as well, the vocabulary stands in the part that writes.
        vocabulary = model.config.get_text_config().vocab_size
        needed = len(prompts) * vocabulary * 4
        if needed > MAX_REFERENCE_BYTES:
            raise ValueError(
                f"training.kl.support: vocabulary would cache {needed / 2**30:.1f} GiB of M0's "
                f"log-probabilities ({len(prompts)} prompts x {vocabulary} tokens); set "
                "training.kl.support: choices (where choices are scored), or lower supervision.labels"
            )
    model.eval()
    number, count = part
    found: dict[int, torch.Tensor] = {}
    for start in ranks.dealt(range(0, len(prompts), batch_size)[number::count]):
        rows = list(range(start, min(start + batch_size, len(prompts))))
        asked = [prompts[i] for i in rows]
        over = None if choices is None else [choices[i] for i in rows]
        with autocast(model.device, precision):
            scores = behavior_scores(model, asked, over, width, renderer.pad, model.device)
        # As behavior_kl normalises the current scores, so that equal ones give a divergence of exactly 0.
        found[start] = scores.float().log_softmax(-1).cpu()
    return found


def _prompts(
    renderer: Renderer, labelled: Rows[CounterfactualPair], reasoned: Reasoned | None
) -> list[tuple[int, ...]]:
    """Two for each pair, with the cue and without."""
    asked = [one for pair in labelled for one in inputs_of(pair, reasoned)]
    return renderer.prompt_ids([one.message for one in asked], [one.opening for one in asked])


def _compared(
    renderer: Renderer, labelled: Rows[CounterfactualPair], kl: KLConfig, normalization: Normalization
) -> list[ChoiceTokens] | None:
    """The choices of each prompt over which the divergence ranges; None where it ranges over all tokens."""
    if kl.support == "vocabulary":
        return None
    return renderer.choice_tokens([pair for pair in labelled for _ in range(2)], normalization)
