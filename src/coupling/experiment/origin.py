"""Where a model comes from, told so that other processes can load the same one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from coupling.config import ModelConfig
from coupling.models import LoadedModel, load_model, prepare_process
from coupling.models.memory import release_memory
from coupling.training.checkpoints import CheckpointSlot


@dataclass(frozen=True, slots=True)
class Origin:
    """A model before training, or a checkpoint of it."""

    model: ModelConfig
    fingerprint: str
    """Of the model before training, as the leader has it."""
    checkpoint: Path | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """How a process comes by a model, and to whom it tells how many rows it has asked."""

    load: Callable[[], LoadedModel]
    advance: Callable[[int], None]


@dataclass(slots=True)
class _Held:
    """The model before training that was loaded last, and one checkpoint of it."""

    base: LoadedModel
    slot: CheckpointSlot
    checkpoint: tuple[Path, LoadedModel] | None = None

    def model(self, checkpoint: Path | None) -> LoadedModel:
        if self.checkpoint is not None and self.checkpoint[0] == checkpoint:
            return self.checkpoint[1]
        self.checkpoint = None
        if checkpoint is None:
            self.slot.clear()
            return self.base
        loaded = LoadedModel(self.slot.load(checkpoint), self.base.renderer, self.base.fingerprint)
        self.checkpoint = (checkpoint, loaded)
        return loaded


_held: _Held | None = None


def elsewhere(origin: Origin) -> Source:
    """The source of a process that does not lead, as it is sent there."""
    return Source(partial(_loaded, origin), _tell_nobody)


def let_go() -> None:
    """Forgets the models that were loaded for the leader, before others take their place."""
    global _held
    _held = None
    release_memory()


def _loaded(origin: Origin) -> LoadedModel:
    """Keeps the last model, and a checkpoint beside it, as the leader does."""
    global _held
    if _held is None or _held.base.fingerprint != origin.fingerprint:
        let_go()
        prepare_process()
        base = load_model(origin.model)
        if base.fingerprint != origin.fingerprint:
            raise ValueError(
                f"model {origin.model.path!r}: its weights, configuration or tokenizer are not those that "
                "the leading process has loaded; give all machines the same"
            )
        _held = _Held(base, CheckpointSlot(base.model))
    return _held.model(origin.checkpoint)


def _tell_nobody(rows: int) -> None:
    pass
