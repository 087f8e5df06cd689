"""How probable each choice is as what comes next behind a prompt, whatever its number of tokens.

The score of a choice is its log-probability, the sum over its tokens:

    log p(choice | prompt) = Σ_i log p(token_i | prompt, tokens before it)

divided by its length where that is asked for. Choices of one token each are read from one forward pass over
the prompt. Longer ones are read as a tree (``reading``), in which the prompt stands once. Models that read
no trees compute the prompt once as well: its keys and values are repeated for all choices, whose own tokens
follow in a second pass. Models whose cache cannot be repeated (recurrent ones, sliding windows shorter than
the text) read prompt and choice together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import pad as pad_end
from transformers import DynamicCache

from coupling.models.batching import Padded, pad_left
from coupling.models.packing import Asked
from coupling.models.reading import narrowest_window, plain_layers, read, reads_trees

PADDED_SCORE = -1e4
"""Score of a choice that only fills up a row: its probability underflows to exactly 0, and 0 times a finite
gap is 0."""


@dataclass(frozen=True, slots=True)
class ChoiceTokens:
    """The choices of one question as tokens that follow its prompt."""

    ids: tuple[tuple[int, ...], ...]
    """Of each choice; none is empty, and none begins another."""
    lengths: tuple[float, ...] | None = None
    """What the log-probability of each choice is divided by; None where the sum counts."""

    @property
    def are_single(self) -> bool:
        """Whether each is one token, so that logits at one position rank them."""
        return self.lengths is None and all(len(ids) == 1 for ids in self.ids)


def choice_scores(
    model: torch.nn.Module,
    prompts: Sequence[Sequence[int]],
    choices: Sequence[ChoiceTokens],
    pad: int,
    device: torch.device | str = "cpu",
    rows_at_once: int | None = None,
    width: int | None = None,
) -> torch.Tensor:
    """Scores of the choices of each prompt; a softmax over them gives the probabilities of the answers.

    Args:
        prompts: token ids up to where a choice comes next.
        choices: of each prompt.
        pad: token id of padding.
        rows_at_once: choices of one forward pass, of a model that reads no trees; None for all.
        width: columns of the result; by default as many as the most choices.

    Returns:
        Shape (prompts, width), float32, in nats up to a number that all choices of a prompt share;
        ``PADDED_SCORE`` where a prompt has fewer. Gradients flow through it.
    """
    width = width or most_choices(choices)
    asked = asked_of(prompts, choices)
    if _are_single(choices) or reads_trees(model, asked, pad, device):
        return scores_of(read(model, asked, pad, device), choices, width)
    flat = [(row, ids) for row, each in enumerate(choices) for ids in each.ids]
    batch = pad_left(prompts, pad, device)
    return _of_choices(
        torch.cat(list(_summed(model, prompts, batch, flat, pad, rows_at_once))), choices, width
    )


def asked_of(prompts: Sequence[Sequence[int]], choices: Sequence[ChoiceTokens]) -> list[Asked]:
    """The sequences that a model reads to score choices: prompts, or each choice of several tokens behind its
    prompt."""
    if _are_single(choices):
        return [Asked(tuple(prompt), len(prompt) - 1) for prompt in prompts]
    return [
        Asked((*prompt, *ids[:-1]), len(prompt) - 1)
        for prompt, each in zip(prompts, choices, strict=True)
        for ids in each.ids
    ]


def scores_of(logits: torch.Tensor, choices: Sequence[ChoiceTokens], width: int) -> torch.Tensor:
    """As `choice_scores`, from the logits of `asked_of`."""
    if _are_single(choices):
        tokens = _filled_up([[ids[0] for ids in each.ids] for each in choices], -1, width).to(logits.device)
        of_choices: torch.Tensor = logits.gather(-1, tokens.clamp(min=0)).float()
        return of_choices.masked_fill(tokens < 0, PADDED_SCORE)
    flat = [ids for each in choices for ids in each.ids]
    wanted = torch.tensor([id_ for ids in flat for id_ in ids], device=logits.device)
    logprobs = _token_logprobs(logits, wanted).split([len(ids) for ids in flat])
    return _of_choices(torch.stack([each.sum() for each in logprobs]), choices, width)


def _are_single(choices: Sequence[ChoiceTokens]) -> bool:
    return all(each.are_single for each in choices)


def _of_choices(summed: torch.Tensor, choices: Sequence[ChoiceTokens], width: int) -> torch.Tensor:
    """Scores, (prompts, width), of all choices' summed log-probabilities."""
    lengths = [1.0 for _ in summed] if choices[0].lengths is None else _lengths(choices)
    scored = summed / torch.tensor(lengths, device=summed.device)
    of_prompts = scored.split([len(each.ids) for each in choices])
    return torch.stack([pad_end(each, (0, width - len(each)), value=PADDED_SCORE) for each in of_prompts])


def most_choices(choices: Sequence[ChoiceTokens]) -> int:
    return max(len(each.ids) for each in choices)


def _summed(
    model: torch.nn.Module,
    prompts: Sequence[Sequence[int]],
    batch: Padded,
    flat: Sequence[tuple[int, tuple[int, ...]]],
    pad: int,
    rows_at_once: int | None,
) -> Iterator[torch.Tensor]:
    """Log-probabilities of continuations, each given with the row of its prompt, some at a time."""
    size = rows_at_once or len(flat)
    parts = [flat[start : start + size] for start in range(0, len(flat), size)]
    asked = model(**batch.inputs(), logits_to_keep=1, use_cache=True)
    cache = asked.get("past_key_values")
    longest = batch.ids.shape[1] + max(len(ids) for _, ids in flat)
    keys = _keys_and_values(cache, longest)
    if keys is None:
        for part in parts:
            yield _together(model, [(prompts[row], ids) for row, ids in part], pad, batch.ids.device)
        return
    first = asked.logits[:, -1].float().log_softmax(-1)
    for part in parts:
        yield _behind(model, batch, first, keys, part, pad)


def _behind(
    model: torch.nn.Module,
    batch: Padded,
    first: torch.Tensor,
    keys: Sequence[tuple[torch.Tensor, torch.Tensor]],
    flat: Sequence[tuple[int, tuple[int, ...]]],
    pad: int,
) -> torch.Tensor:
    """Continuations behind the keys and values of their prompts, (continuations,)."""
    device = batch.ids.device
    rows = torch.tensor([row for row, _ in flat], device=device)
    begun = first[rows, torch.tensor([ids[0] for _, ids in flat], device=device)]
    longer = [at for at, (_, ids) in enumerate(flat) if len(ids) > 1]
    if not longer:
        return begun
    of_longer = rows[longer]
    given = _filled_up([flat[at][1][:-1] for at in longer], pad).to(device)
    wanted = _filled_up([flat[at][1][1:] for at in longer], -1).to(device)
    mask = torch.ones_like(batch.ids) if batch.mask is None else batch.mask
    lengths = mask.sum(-1)
    cache = DynamicCache()
    for layer, (key, value) in enumerate(keys):
        cache.update(key[of_longer], value[of_longer], layer)
    logits = model(
        input_ids=given,
        attention_mask=torch.cat([mask[of_longer], (wanted >= 0).to(mask.dtype)], dim=1),
        position_ids=lengths[of_longer, None] + torch.arange(given.shape[1], device=device),
        past_key_values=cache,
        use_cache=True,
    ).logits
    rest = _token_logprobs(logits, wanted).sum(-1)
    return begun.index_add(0, torch.tensor(longer, device=device), rest)


def _together(
    model: torch.nn.Module,
    rows: Sequence[tuple[Sequence[int], tuple[int, ...]]],
    pad: int,
    device: torch.device,
) -> torch.Tensor:
    """Continuations read together with their prompts, (continuations,)."""
    longest = max(len(ids) for _, ids in rows)
    batch = pad_left([(*prompt, *ids) for prompt, ids in rows], pad, device)
    wanted = torch.tensor([[-1] * (longest - len(ids)) + list(ids) for _, ids in rows], device=device)
    logits = model(**batch.inputs(), logits_to_keep=longest + 1, use_cache=False).logits
    return _token_logprobs(logits[:, -longest - 1 : -1], wanted).sum(-1)


def _keys_and_values(cache: object, longest: int) -> list[tuple[torch.Tensor, torch.Tensor]] | None:
    """Of each layer; None where they cannot be repeated for texts of so many tokens."""
    layers = plain_layers(cache)
    if layers is None or longest > narrowest_window(layers):
        return None
    found = [(each.keys, each.values) for each in layers if each.keys is not None and each.values is not None]
    return found if len(found) == len(layers) else None


def _token_logprobs(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Log-probability of the token wanted at each position; 0 where it is -1."""
    logits = logits.float()
    of_wanted = logits.gather(-1, wanted.clamp(min=0)[..., None])[..., 0] - logits.logsumexp(-1)
    return of_wanted.masked_fill(wanted < 0, 0.0)


def _lengths(choices: Sequence[ChoiceTokens]) -> list[float]:
    assert all(each.lengths is not None for each in choices), "one normalisation for all"
    return [length for each in choices for length in each.lengths or ()]


def _filled_up(rows: Sequence[Sequence[int]], filling: int, width: int | None = None) -> torch.Tensor:
    width = width or max(map(len, rows))
    return torch.tensor([[*row, *[filling] * (width - len(row))] for row in rows])
