"""One protocol by which a model is asked: choices are scored, explanations are generated.

Answers are the choice of highest score behind the prompt (``scoring``). Explanations are decoded greedily.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import torch
from transformers import GenerationConfig, LogitsProcessorList, PreTrainedModel

from coupling import ranks
from coupling.answers import Written
from coupling.config import Normalization
from coupling.explanations.formats import ExplanationFormat, read_explanation
from coupling.models.batching import by_length, by_prefix, pad_left
from coupling.models.finite import FiniteLogits, check_finite
from coupling.models.packing import Asked
from coupling.models.reading import reads_trees
from coupling.models.rendering import Renderer
from coupling.models.scoring import ChoiceTokens, choice_scores
from coupling.records import Behavior, CounterfactualPair, Effect, Explanation

CACHED_TOKENS = 1024
"""Tokens of one forward pass on a CPU. More or fewer are slower (models 96 and 256 wide): what one layer
leaves to the next should still lie in the cache."""


class Way(StrEnum):
    """How an explanation is asked for."""

    FREE = "free"
    """As the model writes it."""
    OPENED = "opened"
    """Its turn begins with the words that open every sentence of the format; they count as said."""
    FILLED = "filled"
    """All words of the sentence are given but for the two answers, which are scored like behaviour."""


@dataclass(frozen=True, slots=True)
class Input:
    """What is asked, and what stands of the answer before its choice."""

    message: str
    opening: str


class Sampler(Protocol):
    def behaviors(self, pairs: Sequence[CounterfactualPair]) -> list[Behavior]: ...

    def explanations(
        self, pairs: Sequence[CounterfactualPair], format: ExplanationFormat
    ) -> list[Explanation]: ...


class LocalSampler:
    """Samples a model that is in memory.

    Processes that share the work (``ranks.together``) deal out the batches one process would ask, and each
    gets all answers: so it is the same batches, and on equal machines the same bytes, whatever their number.

    Args:
        batch_size: rows of one forward pass.
        max_new_tokens: where generation of an explanation (or of whatever is written) is cut off.
        advance: called with the number of rows done after each batch.
        whole_batches: choices are scored in batches of just ``batch_size`` rows. By default a question that
            several pairs share is asked once, and on a CPU batches are cut to ``CACHED_TOKENS``.
        normalization: by what the log-probability of a choice is divided.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        renderer: Renderer,
        batch_size: int = 256,
        max_new_tokens: int = 32,
        advance: Callable[[int], None] = lambda rows: None,
        whole_batches: bool = False,
        normalization: Normalization = "none",
    ) -> None:
        self.model = model
        self.renderer = renderer
        self.batch_size = batch_size
        self.normalization = normalization
        self.advance = advance
        self.whole_batches = whole_batches
        self.generation = GenerationConfig(
            max_new_tokens=max_new_tokens,
            do_sample=False,
            eos_token_id=list(renderer.stops),
            pad_token_id=renderer.pad,
        )
        # A penalty or beams in the model's own generation_config.json would fill what is left open above, and
        # a repetition penalty alone turns "unchanged" claims into changes.
        model.generation_config = GenerationConfig()

    def behaviors(
        self, pairs: Sequence[CounterfactualPair], inputs: Sequence[tuple[Input, Input]] | None = None
    ) -> list[Behavior]:
        """The behaviour on each pair, in the order given.

        Args:
            inputs: x and x\\C of each pair as they are put to the model; by default as they are, the answer
                opened by its prefix.
        """
        if inputs is None:
            inputs = [
                (Input(pair.with_cue, pair.answer_prefix), Input(pair.without_cue, pair.answer_prefix))
                for pair in pairs
            ]
        # Both at once: they share most of their tokens.
        asked = [*(with_cue for with_cue, _ in inputs), *(without_cue for _, without_cue in inputs)]
        found = self.choice_logprobs(
            [*pairs, *pairs], [one.message for one in asked], [one.opening for one in asked]
        )
        with_cue, without_cue = found[: len(pairs)], found[len(pairs) :]
        return [
            Behavior(pair.id, Effect(_best(pair, with_), _best(pair, without)), with_, without)
            for pair, with_, without in zip(pairs, with_cue, without_cue, strict=True)
        ]

    @torch.inference_mode()
    def choice_logprobs(
        self, pairs: Sequence[CounterfactualPair], messages: Sequence[str], prefixes: Sequence[str]
    ) -> list[tuple[float, ...]]:
        """Log-probabilities over each pair's choices, normalised over them, in float64.

        Raises:
            ValueError: logits are not finite.
        """
        self.model.eval()
        prompts = self.renderer.prompt_ids(messages, prefixes)
        choices = self.renderer.choice_tokens(pairs, self.normalization)
        first: dict[tuple[tuple[int, ...], ChoiceTokens], int] = {}
        questions = enumerate(zip(prompts, choices, strict=True))
        asker = [i if self.whole_batches else first.setdefault(question, i) for i, question in questions]
        answered_by = Counter(asker)
        asking = list(answered_by)
        scored: dict[int, tuple[float, ...]] = {}
        for asked in ranks.dealt(self._batches(asking, prompts, choices)):
            of_asked = [choices[i] for i in asked]
            scores = choice_scores(
                self.model,
                [prompts[i] for i in asked],
                of_asked,
                self.renderer.pad,
                self.model.device,
                self.batch_size,
            ).cpu()
            check_finite(scores, self.model)
            scored.update(zip(asked, _normalised(scores, of_asked), strict=True))
            self.advance(sum(answered_by[i] for i in asked))
        told = sum(answered_by[i] for i in scored)
        scored = ranks.pooled(scored)
        if len(asker) > told:
            self.advance(len(asker) - told)
        return [scored[i] for i in asker]

    def _batches(
        self, asking: Sequence[int], prompts: Sequence[tuple[int, ...]], choices: Sequence[ChoiceTokens]
    ) -> Iterator[list[int]]:
        """Questions that begin alike, of models that read these as trees; else of near-equal length. Those
        whose choices are one token each apart from the others."""
        is_cut = self.model.device.type == "cpu" and not self.whole_batches
        tokens = CACHED_TOKENS if is_cut else None
        for are_single in (True, False):
            some = [i for i in asking if choices[i].are_single == are_single]
            if not some:
                continue
            asked = [Asked(prompts[i], len(prompts[i]) - 1) for i in some]
            if reads_trees(self.model, asked, self.renderer.pad, self.model.device):
                behind = [sum(len(ids) - 1 for ids in choices[i].ids) for i in some]
                batches = by_prefix([prompts[i] for i in some], behind, self.batch_size, tokens)
            else:
                batches = by_length([len(prompts[i]) for i in some], self.batch_size, tokens)
            for rows in batches:
                yield [some[row] for row in rows]

    def explanations(
        self,
        pairs: Sequence[CounterfactualPair],
        format: ExplanationFormat,
        shown: Sequence[str] | None = None,
        way: Way = Way.FREE,
        examples: Sequence[str] | None = None,
    ) -> list[Explanation]:
        """The explanation of each pair, in the order given. The prompt never shows the model's answer.

        Args:
            shown: of each pair, the reasoning that the prompt shows; None shows none.
            way: how it is asked for.
            examples: of each pair, the examples with which the prompt begins; None shows none.

        Raises:
            ValueError: as `explanations_to`.
        """
        messages = [
            explanation_message(pair, format, reasoning, before)
            for pair, reasoning, before in zip(
                pairs, shown or [""] * len(pairs), examples or [""] * len(pairs), strict=True
            )
        ]
        return self.explanations_to(messages, pairs, format, way)

    def explanations_to(
        self,
        messages: Sequence[str],
        pairs: Sequence[CounterfactualPair],
        format: ExplanationFormat,
        way: Way = Way.FREE,
    ) -> list[Explanation]:
        """What the model says of each pair when it is told a message of one's own.

        Raises:
            ValueError: it is to fill in a sentence, and the choices cannot be scored there.
        """
        if way is Way.FILLED:
            return self._filled(messages, pairs, format)
        openings = [format.opening(pair.cue) if way is Way.OPENED else "" for pair in pairs]
        said = self.written(messages, self.advance, openings)
        return [
            read_explanation(format, pair, f"{opening} {each.text}".strip(), each.is_cut_off)
            for pair, opening, each in zip(pairs, openings, said, strict=True)
        ]

    def _filled(
        self, messages: Sequence[str], pairs: Sequence[CounterfactualPair], format: ExplanationFormat
    ) -> list[Explanation]:
        """The two answers of the format's sentence, the second behind the first."""
        frames = [_frame(format, pair.cue) for pair in pairs]
        firsts = self._best_behind(messages, pairs, [opening for opening, _ in frames])
        behind = [
            f"{opening} {first}{between}" for (opening, between), first in zip(frames, firsts, strict=True)
        ]
        effects = map(Effect, firsts, self._best_behind(messages, pairs, behind))
        return [
            Explanation(pair.id, format.render(effect, pair.cue), effect)
            for pair, effect in zip(pairs, effects, strict=True)
        ]

    def _best_behind(
        self, messages: Sequence[str], pairs: Sequence[CounterfactualPair], prefixes: Sequence[str]
    ) -> list[str]:
        """The most probable choice of each pair where the model's turn already holds ``prefixes``."""
        asked = [replace(pair, answer_prefix=prefix) for pair, prefix in zip(pairs, prefixes, strict=True)]
        scored = self.choice_logprobs(asked, messages, prefixes)
        return [_best(pair, logprobs) for pair, logprobs in zip(pairs, scored, strict=True)]

    @torch.inference_mode()
    def written(
        self,
        messages: Sequence[str],
        advance: Callable[[int], None],
        openings: Sequence[str] | None = None,
    ) -> list[Written]:
        """What the model writes when it is told each message, decoded greedily.

        Args:
            advance: called with the number of messages done after each batch.
            openings: words that stand at the beginning of its turn; what follows them is returned.

        Raises:
            ValueError: logits are not finite.
        """
        self.model.eval()
        stops = set(self.renderer.stops)
        prompts = self.renderer.prompt_ids(messages, openings)
        written: dict[int, Written] = {}
        for rows in ranks.dealt(by_length([len(prompt) for prompt in prompts], self.batch_size)):
            batch = pad_left([prompts[i] for i in rows], self.renderer.pad, self.model.device)
            mask = torch.ones_like(batch.ids) if batch.mask is None else batch.mask
            generated = self.model.generate(  # type: ignore[operator]  # typed on the concrete classes only
                input_ids=batch.ids,
                attention_mask=mask,
                generation_config=self.generation,
                logits_processor=LogitsProcessorList([FiniteLogits(self.model)]),
            )
            said = generated[:, batch.ids.shape[1] :].tolist()
            for row, ids, text in zip(rows, said, self.renderer.decode(said), strict=True):
                written[row] = Written(text, stops.isdisjoint(ids))
            advance(len(rows))
        told = len(written)
        written = ranks.pooled(written)
        if len(messages) > told:
            advance(len(messages) - told)
        return [written[i] for i in range(len(messages))]


def explanation_message(
    pair: CounterfactualPair, format: ExplanationFormat, shown: str = "", examples: str = ""
) -> str:
    """What is asked of a model that is to explain a pair: ``x`` and the format's question.

    Args:
        shown: its own reasoning about ``x``, less the answer, where that is shown between the two.
        examples: what stands before both, one `example` after another.
    """
    return examples + " ".join(part for part in (pair.with_cue, shown, format.question(pair.cue)) if part)


def example(pair: CounterfactualPair, format: ExplanationFormat, explanation: str) -> str:
    """A pair with an explanation of it, as it stands before a question about another pair."""
    return f"{explanation_message(pair, format)}\n{explanation}\n\n"


def _frame(format: ExplanationFormat, cue: str) -> tuple[str, str]:
    frame = format.frame(cue)
    assert frame is not None, "asked to fill in a sentence of a format that has no frame"
    return frame


def _normalised(scores: torch.Tensor, choices: Sequence[ChoiceTokens]) -> list[tuple[float, ...]]:
    """Of each row of scores the log-probabilities of its choices, normalised over them."""
    logprobs = scores.double().log_softmax(-1).tolist()
    return [tuple(row[: len(each.ids)]) for row, each in zip(logprobs, choices, strict=True)]


def _best(pair: CounterfactualPair, logprobs: Sequence[float]) -> str:
    return pair.choices[max(range(len(logprobs)), key=logprobs.__getitem__)]
