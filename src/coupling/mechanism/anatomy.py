"""Where the parts of a decoder are. Found by structure, so that no architecture needs a class of its own.

Blocks are the list of as many modules as the configuration counts layers. Of a block's children just two bear
matrices: the one with "Attention" in the name of its class, and the MLP. The last linear map in the attention
is its output projection, and its input is the outputs of the heads, side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D


@dataclass(frozen=True, slots=True)
class Block:
    """One layer of a decoder."""

    whole: nn.Module
    projection: nn.Module
    """Maps the outputs of the attention heads, side by side, to the residual stream."""
    mlp: nn.Module


@dataclass(frozen=True, slots=True)
class Anatomy:
    blocks: tuple[Block, ...]
    heads: int
    head_width: int
    """Features of the output of one head."""


def dissect(model: PreTrainedModel) -> Anatomy:
    """The parts of a decoder.

    Raises:
        ValueError: the model is built in another way; the message says what was looked for.
    """
    config = model.config.get_text_config()
    try:
        layers, heads = int(config.num_hidden_layers), int(config.num_attention_heads)
    except AttributeError as error:
        raise _unfit(model, "num_hidden_layers and num_attention_heads in its configuration") from error
    lists = (module for module in model.base_model.modules() if isinstance(module, nn.ModuleList))
    found = next((each for each in lists if len(each) == layers), None)
    if found is None:
        raise _unfit(model, f"a ModuleList of its {layers} blocks")
    blocks = tuple(_block(model, block) for block in found)
    widths = {_input_width(block.projection) for block in blocks}
    width = widths.pop()
    if widths or width % heads:
        raise _unfit(model, f"attention output projections that all take the outputs of {heads} heads")
    return Anatomy(blocks, heads, width // heads)


def _block(model: PreTrainedModel, block: nn.Module) -> Block:
    parts = [part for part in block.children() if any(each.dim() > 1 for each in part.parameters())]
    attentions = [part for part in parts if "attention" in type(part).__name__.lower()]
    if len(parts) != 2 or len(attentions) != 1:
        names = ", ".join(type(part).__name__ for part in parts)
        raise _unfit(
            model, f"two parts with matrices in each block, one an attention, one an MLP (found {names})"
        )
    (mlp,) = [part for part in parts if part is not attentions[0]]
    maps = list(_linear_maps(attentions[0]))
    if not maps:
        raise _unfit(model, f"a linear map in {type(attentions[0]).__name__}, its output projection")
    return Block(block, maps[-1], mlp)


def _linear_maps(module: nn.Module) -> Iterator[nn.Module]:
    """In the order of definition; one that bears an adapter counts as one, adapter included."""
    for child in module.children():
        if isinstance(_without_adapter(child), nn.Linear | Conv1D):
            yield child
        else:
            yield from _linear_maps(child)


def _without_adapter(module: nn.Module) -> nn.Module:
    return module.get_base_layer() if isinstance(module, BaseTunerLayer) else module


def _input_width(projection: nn.Module) -> int:
    plain = _without_adapter(projection)
    if isinstance(plain, nn.Linear):
        return plain.in_features
    assert isinstance(plain, Conv1D)
    return int(plain.weight.shape[0])


def _unfit(model: PreTrainedModel, sought: str) -> ValueError:
    return ValueError(
        f"model {type(model).__name__}: cannot be patched, for this was looked for in vain: {sought}; "
        "give a decoder of equal blocks, each of one attention and one MLP, as Llama, Qwen, GPT-NeoX or GPT-2"
    )
