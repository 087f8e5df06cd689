"""What patching each component does, by plain forward hooks that are gone when a forward pass is over.

Rows are padded on the left, so that the tokens that two prompts end with stand in the same columns from the
right in both, and a mask says which of these columns a row has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from transformers import PreTrainedModel

from coupling.faithfulness.circuits import AFTER, ANSWER, HEAD, MLP, POSITIONS, RESIDUAL, Component
from coupling.faithfulness.overlap import Moved
from coupling.mechanism.anatomy import Anatomy
from coupling.mechanism.contrasts import Contrast
from coupling.models.batching import Padded, by_length, pad_left
from coupling.models.sampling import CACHED_TOKENS


@dataclass(frozen=True, slots=True)
class Site:
    """A tensor of a forward pass, (rows, columns, features): what a module is given, or what it returns."""

    module: nn.Module
    is_input: bool = False

    def hook(self, change: Callable[[Tensor], Tensor]) -> RemovableHandle:
        """Lets ``change`` of the tensor take its place until the handle is removed."""

        def before(_: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return change(given[0]), *given[1:]

        def behind(_: nn.Module, __: object, returned: Tensor | tuple[Tensor, ...]) -> object:
            # Blocks of some architectures return attention weights beside the residual stream.
            return (change(returned[0]), *returned[1:]) if isinstance(returned, tuple) else change(returned)

        if self.is_input:
            return self.module.register_forward_pre_hook(before)
        return self.module.register_forward_hook(behind)


def components_of(anatomy: Anatomy) -> list[Component]:
    """Every head, MLP and block output at both classes of positions, but those whose share is known already.

    What the last block writes anywhere but at the answering position reaches no answer (share 0); the
    residual stream behind it, at that position, is all that the answer is read from (share 1).
    """
    last = len(anatomy.blocks) - 1
    components = []
    for layer in range(len(anatomy.blocks)):
        for position in POSITIONS:
            if layer == last and position == AFTER:
                continue
            components += [Component(HEAD, layer, position, head) for head in range(anatomy.heads)]
            components.append(Component(MLP, layer, position))
            if layer < last:
                components.append(Component(RESIDUAL, layer, position))
    return components


@torch.inference_mode()
def patch(
    model: PreTrainedModel,
    anatomy: Anatomy,
    contrasts: Sequence[Contrast],
    components: Sequence[Component],
    pad: int,
    batch_size: int = 256,
    advance: Callable[[int], None] = lambda rows: None,
) -> Moved:
    """How far each component moves each answer.

    Args:
        components: patched one by one, each in a forward pass of its own.
        pad: the token that fills up rows.
        batch_size: rows of one forward pass.
        advance: called with the number of rows done after each batch.
    """
    model.eval()
    influence = np.zeros(len(contrasts))
    moved = np.zeros((len(contrasts), len(components)))
    tokens = CACHED_TOKENS if model.device.type == "cpu" else None
    for rows in by_length([len(each.clean) for each in contrasts], batch_size, tokens):
        batch = [contrasts[row] for row in rows]
        clean = pad_left([each.clean for each in batch], pad, model.device)
        corrupt = pad_left([each.corrupt for each in batch], pad, model.device)
        width = max(each.suffix for each in batch)
        sites = [_site(anatomy, component)[0] for component in components]
        as_is = _margins(model, clean, batch)
        kept, without_cue = _recorded(model, corrupt, batch, sites, width)
        influence[rows] = as_is - without_cue
        for number, component in enumerate(components):
            site, features = _site(anatomy, component)
            columns = _columns(component, batch, width).to(model.device)
            change = _replacing(kept[site], columns, features)
            with site.hook(change):
                moved[rows, number] = as_is - _margins(model, clean, batch)
        advance(len(rows))
    return Moved(influence, moved)


def _site(anatomy: Anatomy, component: Component) -> tuple[Site, slice]:
    """The tensor a component is part of, and its features in it."""
    block = anatomy.blocks[component.layer]
    if component.kind == HEAD:
        assert component.head is not None
        width = anatomy.head_width
        return Site(block.projection, is_input=True), slice(
            component.head * width, (component.head + 1) * width
        )
    return Site(block.mlp if component.kind == MLP else block.whole), slice(None)


def _recorded(
    model: PreTrainedModel, prompts: Padded, batch: Sequence[Contrast], sites: Sequence[Site], width: int
) -> tuple[dict[Site, Tensor], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """The last ``width`` columns at each site, and the margins, of one forward pass."""
    kept: dict[Site, Tensor] = {}

    def keeping(site: Site) -> Callable[[Tensor], Tensor]:
        def keep(tensor: Tensor) -> Tensor:
            kept[site] = tensor[:, -width:].clone()
            return tensor

        return keep

    with ExitStack() as hooks:
        for site in dict.fromkeys(sites):
            hooks.enter_context(site.hook(keeping(site)))
        margins = _margins(model, prompts, batch)
    return kept, margins


def _replacing(source: Tensor, columns: Tensor, features: slice) -> Callable[[Tensor], Tensor]:
    """Puts ``source``, (rows, width, features), where ``columns``, the last (rows, width), say so."""

    def replace(tensor: Tensor) -> Tensor:
        patched = tensor.clone()
        window = patched[:, -columns.shape[1] :, features]
        window.copy_(torch.where(columns[..., None], source[..., features], window))
        return patched

    return replace


def _columns(component: Component, batch: Sequence[Contrast], width: int) -> Tensor:
    """Which of the last ``width`` columns belong to a component's positions, (rows, width)."""
    from_right = torch.arange(width - 1, -1, -1)
    if component.position == ANSWER:
        return (from_right == 0).expand(len(batch), width)
    suffixes = torch.tensor([each.suffix for each in batch])
    return (from_right > 0) & (from_right < suffixes[:, None])


def _margins(
    model: PreTrainedModel, prompts: Padded, batch: Sequence[Contrast]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Logit of the answer with the cue minus that of the answer without it, (rows,)."""
    logits = model(**prompts.inputs(), logits_to_keep=1, use_cache=False).logits[:, -1]
    answers = torch.tensor([[each.with_cue, each.without_cue] for each in batch], device=logits.device)
    with_cue, without_cue = logits.gather(-1, answers).double().cpu().numpy().T
    return np.asarray(with_cue - without_cue)
