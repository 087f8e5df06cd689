"""What one forward pass, or one step, of a model takes: counted on a model without weights.

The model is built from its configuration alone and run on fake tensors, which have shapes and no content
(torch's FakeTensorMode). Nothing is estimated from an architecture's name: every tensor is counted from
where it is made to where it is let go, and floating point operations as torch counts them (a multiplication
and an addition are two). Where all layers are alike only a few of them are run (``layers``).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch._ops import OpOverload
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry, shape_wrapper
from torch.utils.hooks import RemovableHandle
from transformers import AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel

from coupling.config import LoraConfig
from coupling.models.packing import Cost
from coupling.models.reading import MASKS, cost_of, may_read_trees
from coupling.planning.layers import FEW, MORE, Phase, alike_layers, operations_of, peak_of
from coupling.training.batches import autocast
from coupling.training.checkpoints import add_adapter, checkpoint_activations


@dataclass(frozen=True, slots=True)
class Traced:
    """What one call takes."""

    peak: int
    """Bytes of the tensors that are there at once, at most: not of weights and their gradients."""
    flops: int
    """Floating point operations, of the backward pass as well where there is one."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A model as it will be in memory, without its weights."""

    model: torch.nn.Module
    """On the device ``meta``."""
    layers: int
    vocabulary: int
    cost: Cost
    reads_trees: bool

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self.model.parameters())

    @property
    def trained(self) -> int:
        return sum(p.numel() for p in self.model.parameters() if p.requires_grad)

    @property
    def parameter_bytes(self) -> int:
        return sum(_size(p) for p in self.model.parameters())

    @property
    def trained_bytes(self) -> int:
        return sum(_size(p) for p in self.model.parameters() if p.requires_grad)


def shape_of(
    config: PreTrainedConfig,
    dtype: torch.dtype,
    attention: str | None,
    lora: LoraConfig | None,
    recomputes: bool = False,
) -> Shape:
    """The model of a configuration, with an adapter where training puts one on it.

    Args:
        attention: as in ``model.attention``. What needs a GPU or a library of its own is counted as sdpa,
            which keeps the same for the backward pass.
        recomputes: activations are computed anew in the backward pass (gradient checkpointing).
    """
    takes_masks = attention in (None, *MASKS)
    attention = attention if attention in (None, "eager") else "sdpa"
    with torch.device("meta"):
        model: torch.nn.Module = AutoModelForCausalLM.from_config(
            config, dtype=dtype, attn_implementation=attention
        )
        assert isinstance(model, PreTrainedModel)
        cost, reads_trees = cost_of(model), takes_masks and may_read_trees(model)
        if recomputes:
            checkpoint_activations(model)
        if lora is not None:
            model = add_adapter(model, lora, seed=0)
    text = config.get_text_config()
    return Shape(model, text.num_hidden_layers, text.vocab_size, cost, reads_trees)


def trace_step(
    shape: Shape, rows: int, columns: int, kept: int, precision: Literal["bfloat16"] | None = None
) -> Traced:
    """One forward and backward pass, where gradients are there already.

    Args:
        rows, columns: of the padded batch.
        kept: positions of each row whose logits the loss stands on.
        precision: number format of the forward pass, where it is not that of the weights.
    """

    def step(model: torch.nn.Module) -> None:
        model.train()
        with autocast(torch.device("cpu"), precision):
            output = model(**_batch(rows, columns), logits_to_keep=kept, use_cache=False)
            loss = output.logits.flatten(0, 1).float().log_softmax(-1)[..., 0].mean()
            del output
        loss.backward()

    return _trace(shape, step, has_backward=True)


def trace_call(shape: Shape, rows: int, columns: int, keeps_cache: bool = False) -> Traced:
    """One forward pass that is asked for logits at the last position only.

    Args:
        keeps_cache: keys and values are kept, as in generation.
    """

    def call(model: torch.nn.Module) -> None:
        model.eval()
        model(**_batch(rows, columns), logits_to_keep=1, use_cache=keeps_cache)

    return _trace(shape, call, has_backward=False)


class _Calling(torch.nn.Module):
    """All that is done with the model, as one forward pass: weights put into it stay there till its end."""

    def __init__(self, model: torch.nn.Module, function: Callable[[torch.nn.Module], None]) -> None:
        super().__init__()
        self.model, self.function = model, function

    def forward(self) -> None:
        self.function(self.model)


class _Living(TorchDispatchMode):
    """Adds up the operations that make tensors, and their bytes while they or views of them are there."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.now = self.flops = 0
        self.peaks: dict[Phase, int] = {}
        """The most bytes in each phase that was entered."""
        self._holders: dict[int, int] = {}
        self._bytes: dict[int, int] = {}
        self.enter(("before", 0))

    @property
    def peak(self) -> int:
        return max(self.peaks.values())

    def enter(self, phase: Phase) -> None:
        self._phase = phase
        self._note()

    def follow(self, layers: torch.nn.ModuleList) -> list[RemovableHandle]:
        """Enters a phase with each layer, forwards, backwards, and where it is computed anew for that."""
        return [handle for at, layer in enumerate(layers) for handle in self._follow(at, layer, len(layers))]

    def _follow(self, at: int, layer: torch.nn.Module, layers: int) -> list[RemovableHandle]:
        def begins(*_: object) -> None:
            self.enter(("anew" if ("backward", at) in self.peaks else "forward", at))

        def ends(_: torch.nn.Module, __: object, output: object) -> None:
            for each in tree_leaves(output):
                if isinstance(each, torch.Tensor) and each.requires_grad:
                    each.register_hook(lambda gradient: self.enter(("backward", at)))
            if at == layers - 1 and self._phase == ("forward", at):
                self.enter(("head", 0))

        return [layer.register_forward_pre_hook(begins), layer.register_forward_hook(ends)]

    def __torch_dispatch__(
        self, func: OpOverload, types: object, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        counted = _OPERATIONS.get(func._overloadpacket)
        # torch's FlopCounterMode would hold on to tensors of layers that are computed anew.
        self.flops += counted(*args, **(kwargs or {}), out_val=made) if counted else 0
        for each in tree_leaves(made):
            if isinstance(each, torch.Tensor):
                self._hold(each)
        return made

    def _hold(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata not in self._holders:
            self._holders[storage._cdata] = 0
            self._bytes[storage._cdata] = storage.nbytes()
            self.now += storage.nbytes()
            self._note()
        self._holders[storage._cdata] += 1
        weakref.finalize(tensor, self._let_go, storage._cdata)

    def _note(self) -> None:
        self.peaks[self._phase] = max(self.peaks.get(self._phase, 0), self.now)

    def _let_go(self, storage: int) -> None:
        self._holders[storage] -= 1
        if self._holders[storage] == 0:
            del self._holders[storage]
            self.now -= self._bytes.pop(storage)


def _trace(shape: Shape, function: Callable[[torch.nn.Module], None], has_backward: bool) -> Traced:
    calling = _Calling(shape.model, function)
    stack = alike_layers(shape.model, shape.layers)
    if stack is None or shape.layers <= MORE:
        peaks, flops = _run(calling, has_backward)
        return Traced(max(peaks.values()), flops)
    with stack.cut(FEW) as layers:
        few, flops_of_few = _run(calling, has_backward, layers)
    with stack.cut(MORE) as layers:
        more, flops_of_more = _run(calling, has_backward, layers)
    return Traced(peak_of(few, more, shape.layers), operations_of(flops_of_few, flops_of_more, shape.layers))


def _run(
    calling: _Calling, has_backward: bool, layers: torch.nn.ModuleList | None = None
) -> tuple[Mapping[Phase, int], int]:
    """The most bytes that a call holds in each phase, and its operations.

    Args:
        layers: with which phases are entered; without them there is one phase.
    """
    described = [*calling.named_parameters(), *calling.named_buffers()]
    # Tensors kept for the backward pass have to stay Python's own, or they would be thought let go.
    kept = saved_tensors_hooks(lambda tensor: tensor, lambda tensor: tensor)
    context: AbstractContextManager[object] = kept if has_backward else torch.no_grad()
    with FakeTensorMode():
        weights = {
            name: torch.empty(tensor.shape, dtype=tensor.dtype, requires_grad=tensor.requires_grad)
            for name, tensor in described
        }
        for weight in weights.values():
            weight.grad = torch.zeros_like(weight) if weight.requires_grad and has_backward else None
        living = _Living()
        handles = [] if layers is None else living.follow(layers)
        with living, context:
            functional_call(calling, weights, ())
        for handle in handles:
            handle.remove()
        return living.peaks, living.flops


def _attention_operations(query: Any, key: Any, value: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
    """Two matrix products; shapes (rows, heads, columns, width)."""
    rows, heads, columns, width = query
    return int(2 * rows * heads * columns * key[2] * (width + value[3]))


def _attention_backward_operations(
    gradient: Any, query: Any, key: Any, value: Any, *_: Any, out_shape: Any = None, **__: Any
) -> int:
    """Five matrix products: the scores once more, and the gradients of scores, queries, keys and values."""
    rows, heads, columns, width = query
    return int(2 * rows * heads * columns * key[2] * (3 * width + 2 * value[3]))


def _grouped_operations(tokens: Any, experts: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
    """Every token through one expert; shapes (tokens, in) and (experts, in, out)."""
    return int(2 * tokens[-2] * tokens[-1] * experts[-1])


_OPERATIONS: Mapping[object, Callable[..., int]] = {
    **flop_registry,
    # What torch's counter does not know.
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: shape_wrapper(_attention_operations),
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: shape_wrapper(
        _attention_backward_operations
    ),
    torch.ops.aten._grouped_mm: shape_wrapper(_grouped_operations),
}


def _batch(rows: int, columns: int) -> dict[str, torch.Tensor]:
    """A batch in which some rows are padded, as nearly all are."""
    ones = torch.ones((rows, columns), dtype=torch.int64)
    return {"input_ids": ones, "attention_mask": ones, "position_ids": ones}


def _size(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
