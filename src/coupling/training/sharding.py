"""Gradients, weights and states over several processes.

Each process computes the part of a step's gradient that stands on its rows; the parts are summed. Either
every process holds all weights (data parallelism): then gradients are summed once a step, after the last
backward pass. Or each holds a slice of every tensor (FSDP2, torch's ``fully_shard``): then each layer is put
together where it is needed, and its gradient is summed and cut up again in the backward pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.distributed as dist
from peft import PeftModel
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from transformers.modeling_layers import GradientCheckpointingLayer

from coupling import ranks

NEEDS_TORCH = "2.9"


def shard(model: torch.nn.Module, dtype: torch.dtype | None) -> None:
    """Leaves each process a slice of the model's weights, layer by layer; what is on none stays at the root.

    Args:
        dtype: of the weights in a pass, and of what passes between layers; None for their own.

    Raises:
        ValueError: torch is too old, or the model has no layers that could be told apart.
    """
    if torch.__version__ < NEEDS_TORCH:
        raise ValueError(f"FSDP2 needs torch {NEEDS_TORCH} or later, this is {torch.__version__}")
    layers = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    if not layers:
        raise ValueError(
            f"{type(model).__name__}: has no layers that FSDP2 could spread; launch without FSDP"
        )
    mesh = init_device_mesh(next(model.parameters()).device.type, (ranks.count(),))
    precision = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32 if dtype else None)
    for module in (*layers, model):
        fully_shard(module, mesh=mesh, mp_policy=precision)
    for module in model.modules():
        if isinstance(module, FSDPModule):
            # A sum, not a mean: each process's loss is normalised by the rows of all.
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)


def sum_gradients(parameters: Sequence[torch.nn.Parameter]) -> None:
    """Adds up the gradients of all processes; those of sharded weights are summed already.

    What has a gradient in no process gets none: AdamW would decay it.
    """
    if ranks.count() == 1 or ranks.shards_weights():
        return
    having = ranks.total([float(parameter.grad is not None) for parameter in parameters])
    pulled = [parameter for parameter, count in zip(parameters, having, strict=True) if count > 0]
    for parameter in pulled:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    running = [dist.all_reduce(parameter.grad, async_op=True) for parameter in pulled]
    for each in running:
        assert each is not None
        each.wait()


@torch.no_grad()
def whole(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor put together from its slices, on the CPU of the leader; called by all. Others come back as
    they are."""
    if not isinstance(tensor, DTensor):
        return tensor
    full: torch.Tensor = tensor.full_tensor()
    return full.cpu() if ranks.leads() else full.new_empty(0)


def whole_state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The model's state, put together on the leader; tensors that are one and the same stay so.

    Of an adapter's model what trains alone: the rest is M0, and is never saved.
    """
    found: dict[int, torch.Tensor] = {}
    state = model.state_dict(keep_vars=True)
    if isinstance(model, PeftModel):
        state = {name: tensor for name, tensor in state.items() if tensor.requires_grad}
    for tensor in state.values():
        if id(tensor) not in found:
            found[id(tensor)] = whole(tensor).detach()
    return {name: found[id(tensor)] for name, tensor in state.items()}


def whole_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, object]:
    """The optimizer's state, put together on the leader; on what it is spread leaves no trace."""
    state = optimizer.state_dict()
    return {
        **state,
        "state": {
            number: {name: whole(tensor) for name, tensor in of_one.items()}
            for number, of_one in state["state"].items()
        },
    }


def load_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, object]) -> None:
    """Restores what ``whole_optimizer`` gave, each process its slices."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    of_each = state["state"]
    assert isinstance(of_each, dict)
    sliced = {
        number: {name: slices_like(parameters[number], tensor) for name, tensor in of_one.items()}
        for number, of_one in of_each.items()
    }
    optimizer.load_state_dict({**state, "state": sliced})


def slices_like(parameter: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
    """A whole tensor, cut up as ``parameter`` is; no process asks another for it. What is of another shape,
    as the optimizer's count of steps, stays as it is."""
    if not isinstance(parameter, DTensor) or tensor.shape != parameter.shape:
        return tensor
    tensor = tensor.to(parameter.device)
    return distribute_tensor(tensor, parameter.device_mesh, parameter.placements, src_data_rank=None)
