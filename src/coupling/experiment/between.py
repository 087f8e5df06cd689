"""The weights between two checkpoints: θ(a) = (1 - a) θ_first + a θ_second, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedModel

from coupling.config import ExperimentConfig
from coupling.experiment.members import load_base
from coupling.models import LoadedModel, load_model
from coupling.models.adapters import merge_adapter
from coupling.store import RunDir, read_complete
from coupling.training.checkpoints import CheckpointSlot

State = Mapping[str, torch.Tensor]


@dataclass(slots=True)
class _Held:
    model: LoadedModel
    """Whose weights are replaced."""
    first: State
    second: State


class Between:
    """Two checkpoints of one model, and one model that has the weights of a point between them.

    Nothing is loaded before a point is asked for. Of LoRA the adapters are merged into M0 first: their sum
    is what has weights to be interpolated.

    Args:
        first, second: names of the checkpoints' folders in the run directory.
    """

    def __init__(self, config: ExperimentConfig, run: RunDir, first: str, second: str) -> None:
        self._config, self._run, self._stems = config, run, (first, second)
        self._held: _Held | None = None

    def load(self, point: float) -> LoadedModel:
        """The model at a point from 0 to 1, until the next one is asked for.

        Raises:
            ValueError: a checkpoint is incomplete, or its adapter cannot be merged.
        """
        if self._held is None:
            self._held = self._load()
        held = self._held
        with torch.no_grad():
            for name, tensor in held.model.model.state_dict().items():
                tensor.copy_(blend(held.first[name], held.second[name], point))
        return held.model

    def _load(self) -> _Held:
        base = load_base(self._config, self._run)
        first, second = (self._run.file(stem) for stem in self._stems)
        if self._config.training.lora is None:
            slot = CheckpointSlot(base.model)
            start = _kept(slot.load(first))
            model = slot.load(second)
        else:
            start = _kept(self._merged(base, first))
            # The first adapter is a part of that M0 now.
            model = self._merged(load_model(self._config.model), second)
        assert start.keys() == model.state_dict().keys()
        return _Held(LoadedModel(model, base.renderer, base.fingerprint), start, _kept(model))

    def _merged(self, base: LoadedModel, folder: Path) -> PreTrainedModel:
        if base.is_quantised:
            raise ValueError(
                f"training.lora over {self._config.model.path}, which is quantised: its adapters "
                "cannot be merged into such weights, so there is nothing to interpolate; train the run on "
                "the checkpoint it was made from"
            )
        if read_complete(folder) is None:
            raise ValueError(f"{folder}: not a complete checkpoint; run `coupling train` to finish it")
        adapter = self._config.model.model_copy(update={"adapter": str(folder), "adapter_revision": None})
        return merge_adapter(base.model, adapter)[0]


def _kept(model: PreTrainedModel) -> State:
    # Beside the model only one end would fit on many a GPU.
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in model.state_dict().items()}


def blend(first: torch.Tensor, second: torch.Tensor, point: float) -> torch.Tensor:
    """(1 - a) first + a second; the ends, and what is the same in both, to the last bit."""
    if point in (0, 1) or not first.is_floating_point():
        return second if point == 1 else first
    return torch.lerp(first, second, point)
