"""What one forward pass, or one step, of a model takes: counted on a model without weights.

The model is built from its configuration alone and run on fake tensors, which have shapes and no content
(torch's FakeTensorMode). Nothing is estimated from an architecture's name: whatever autograd keeps for the
backward pass is counted as it is kept, and floating point operations as torch counts them (a
multiplication and an addition are two).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel

from coupling.config import LoraConfig
from coupling.training.batches import autocast
from coupling.training.checkpoints import add_adapter


@dataclass(frozen=True, slots=True)
class Traced:
    """What one call takes."""

    kept: int
    """Bytes that autograd keeps for the backward pass, parameters aside; 0 without one."""
    logits: int
    """Entries of the logits."""
    cache: int
    """Bytes of keys and values, where the call keeps them."""
    flops: int
    """Floating point operations, of the backward pass as well where there is one."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A model as it will be in memory, without its weights."""

    model: torch.nn.Module
    """On the device ``meta``."""
    layers: int
    hidden: int
    vocabulary: int

    @property
    def element(self) -> int:
        """Bytes of one activation."""
        return next(self.model.parameters()).element_size()

    @property
    def parameter_bytes(self) -> int:
        return sum(p.numel() * p.element_size() for p in self.model.parameters())

    @property
    def trained_bytes(self) -> int:
        return sum(p.numel() * p.element_size() for p in self.model.parameters() if p.requires_grad)

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self.model.parameters())

    @property
    def trained(self) -> int:
        return sum(p.numel() for p in self.model.parameters() if p.requires_grad)


def shape_of(
    config: PreTrainedConfig, dtype: torch.dtype, attention: str | None, lora: LoraConfig | None
) -> Shape:
    """The model of a configuration, with an adapter where training puts one on it."""
    with torch.device("meta"):
        model: torch.nn.Module = AutoModelForCausalLM.from_config(
            config, dtype=dtype, attn_implementation=attention
        )
        assert isinstance(model, PreTrainedModel)
        if lora is not None:
            model = add_adapter(model, lora, seed=0)
    text = config.get_text_config()
    return Shape(model, text.num_hidden_layers, text.hidden_size, text.vocab_size)


def trace_step(
    shape: Shape, rows: int, columns: int, kept: int, precision: Literal["bfloat16"] | None = None
) -> Traced:
    """One forward and backward pass.

    Args:
        rows, columns: of the padded batch.
        kept: positions of each row whose logits the loss stands on.
        precision: number format of the forward pass, where it is not that of the weights.
    """

    def step(model: torch.nn.Module, weights: dict[str, torch.Tensor]) -> Traced:
        held = {tensor.untyped_storage()._cdata for tensor in weights.values()}
        found: dict[int, torch.Tensor] = {}

        def note(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()._cdata
            if storage not in held:
                # The tensor itself is held as well, or its address would be given to another.
                found[storage] = tensor
            return tensor

        model.train()
        with FlopCounterMode(display=False) as counter:
            with saved_tensors_hooks(note, lambda tensor: tensor), autocast(torch.device("cpu"), precision):
                ids = torch.zeros((rows, columns), dtype=torch.int64)
                output = functional_call(
                    model, weights, kwargs={"input_ids": ids, "logits_to_keep": kept, "use_cache": False}
                )
                loss = output.logits.float().log_softmax(-1)[..., 0].mean()
            loss.backward()
        bytes_kept = sum(tensor.untyped_storage().nbytes() for tensor in found.values())
        return Traced(bytes_kept, output.logits.numel(), 0, counter.get_total_flops())

    return _on_fake_tensors(shape, step)


def trace_call(shape: Shape, rows: int, columns: int, keeps_cache: bool = False) -> Traced:
    """One forward pass that is asked for logits at the last position only."""

    def call(model: torch.nn.Module, weights: dict[str, torch.Tensor]) -> Traced:
        model.eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            ids = torch.zeros((rows, columns), dtype=torch.int64)
            options = {"input_ids": ids, "logits_to_keep": 1, "use_cache": keeps_cache}
            output = functional_call(model, weights, kwargs=options)
        cache = 0
        if keeps_cache:
            cache = sum(_size(keys) + _size(values) for keys, values, *_ in output.past_key_values)
        return Traced(0, output.logits.numel(), cache, counter.get_total_flops())

    return _on_fake_tensors(shape, call)


def _on_fake_tensors(
    shape: Shape, function: Callable[[torch.nn.Module, dict[str, torch.Tensor]], Traced]
) -> Traced:
    described = [*shape.model.named_parameters(), *shape.model.named_buffers()]
    with FakeTensorMode():
        weights = {
            name: torch.empty(tensor.shape, dtype=tensor.dtype, requires_grad=tensor.requires_grad)
            for name, tensor in described
        }
        return function(shape.model, weights)


def _size(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
