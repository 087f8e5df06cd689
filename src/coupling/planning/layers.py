"""Layers that are alike: what many of them take follows exactly from what three and four take.

Operations are linear in the number of layers. The most that is held at once is not, because it is a maximum
over time: a matrix of the vocabulary's size may be the most with few layers, and activations with many. But
within a phase, which begins where a layer is entered forwards or backwards, everything that is added by
further layers is held throughout. So each phase's maximum is linear, and the maximum over phases is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch

FEW, MORE = 3, 4
"""The first and the last layer may differ from those between them (below the first nothing is trained with an
adapter), so that three are the fewest of which one stands for all others."""

NO_SETTINGS = ("layer_idx", "training")
"""Attributes of modules that do not tell layers apart: their number; and whether they are in training, which
a call changes in the layers that it runs."""

Phase = tuple[str, int]
"""What is done, and the number of the layer in which it is done; 0 for what is done in none."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The layers of a model, one behind the other."""

    owner: torch.nn.Module
    attribute: str
    """By which the owner holds them."""
    layers: torch.nn.ModuleList

    @contextmanager
    def cut(self, layers: int) -> Iterator[torch.nn.ModuleList]:
        """Leaves the model only its first ``layers`` layers while the block lasts, and yields these."""
        first = torch.nn.ModuleList(list(self.layers)[:layers])
        setattr(self.owner, self.attribute, first)
        try:
            yield first
        finally:
            setattr(self.owner, self.attribute, self.layers)


def alike_layers(model: torch.nn.Module, layers: int) -> Stack | None:
    """The layers of a model; None where they differ from each other, or are not one list of so many."""
    found = [
        Stack(owner, name, child)
        for owner in model.modules()
        for name, child in owner.named_children()
        if isinstance(child, torch.nn.ModuleList) and len(child) == layers
    ]
    if len(found) != 1 or len({_kind(layer) for layer in found[0].layers}) > 1:
        return None
    return found[0]


def operations_of(few: int, more: int, layers: int) -> int:
    """Operations of so many layers.

    Args:
        few, more: those of `FEW` and of `MORE` layers.
    """
    return few + (layers - FEW) * (more - few)


def peak_of(few: Mapping[Phase, int], more: Mapping[Phase, int], layers: int) -> int:
    """The most bytes that so many layers hold at once.

    Args:
        few, more: the most that is held in each phase of `FEW` and of `MORE` layers.
    """
    # Phases near the first layer are matched by their number, those near the last by their distance from it.
    # In between the maximum is linear in the number, so the greatest is at one of the ends.
    again = [((name, at), (name, at)) for name, at in few if at < FEW - 1]
    again += [((name, at), (name, at + 1)) for name, at in few if at > 0]
    return max(few[one] + (layers - FEW) * (more[other] - few[one]) for one, other in again)


def _kind(layer: torch.nn.Module) -> tuple[object, ...]:
    """What can tell two layers apart before they are run: modules, settings, shapes of weights."""
    return tuple(
        (name, type(module), _settings(module), _held(module)) for name, module in layer.named_modules()
    )


def _settings(module: torch.nn.Module) -> tuple[object, ...]:
    plain = (bool, int, float, str, type(None))
    found = vars(module).items()
    return tuple(
        (name, value) for name, value in found if isinstance(value, plain) and name not in NO_SETTINGS
    )


def _held(module: torch.nn.Module) -> tuple[object, ...]:
    held = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
    return tuple((name, tensor.shape, tensor.dtype, tensor.requires_grad) for name, tensor in held)
