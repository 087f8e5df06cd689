"""Where a model comes from, told so that other processes can load the same one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from coupling.config import ModelConfig
from coupling.models import LoadedModel, load_model, prepare_process
from coupling.training.checkpoints import load_checkpoint


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


_held: dict[tuple[str, Path | None], LoadedModel] = {}
"""By the fingerprint of the model before training, and the checkpoint's folder."""


def elsewhere(origin: Origin) -> Source:
    """The source of a process that does not lead, as it is sent there."""
    return Source(partial(_loaded, origin), _tell_nobody)


def let_go() -> None:
    """Forgets the models that were loaded for the leader, before others take their place."""
    _held.clear()


def _loaded(origin: Origin) -> LoadedModel:
    """Keeps the last model, and a checkpoint beside it, as the leader does."""
    base = _held.get((origin.fingerprint, None))
    if base is None:
        let_go()
        prepare_process()
        base = load_model(origin.model)
        if base.fingerprint != origin.fingerprint:
            raise ValueError(
                f"model {origin.model.path!r}: its weights, configuration or tokenizer are not those that "
                "the leading process has loaded; give all machines the same"
            )
        _held[origin.fingerprint, None] = base
    wanted = (origin.fingerprint, origin.checkpoint)
    if origin.checkpoint is not None and wanted not in _held:
        let_go()
        _held[origin.fingerprint, None] = base
        loaded = load_checkpoint(origin.checkpoint, base.model)
        _held[wanted] = LoadedModel(loaded, base.renderer, base.fingerprint)
    return _held[wanted]


def _tell_nobody(rows: int) -> None:
    pass
