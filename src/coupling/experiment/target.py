"""The target: whose behaviour the labels state, where that is not M0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from coupling.config import ExperimentConfig
from coupling.experiment.artifacts import (
    MODEL,
    TARGET,
    TARGET_MODEL,
    behaviors_of,
    identify,
    note_model,
    noted_model,
)
from coupling.experiment.asking import Asking, Tally, rows_of_a_pair
from coupling.experiment.origin import Origin
from coupling.experiment.selection import require_room
from coupling.models import LoadedModel, fingerprint, load_model
from coupling.progress import Progress
from coupling.records import CounterfactualPair
from coupling.store import RunDir, read_complete, read_json
from coupling.training.checkpoints import ADAPTER_CONFIG, CheckpointSlot


def ask_target(
    config: ExperimentConfig, run: RunDir, asked: Sequence[CounterfactualPair], progress: Progress
) -> None:
    """Asks the target for its behaviour: a model by itself, or a LoRA checkpoint of a run from M0.

    Raises:
        ValueError: it cannot be loaded, has no room for the pairs, cannot answer them, or is another one than
            when the run was begun.
    """
    path = config.supervision.target
    with told_of("supervision.target", path):
        target, origin = _load(config)
        if config.behavior.kind != "written":
            target.renderer.choice_tokens(asked)
        require_room(config, asked, target.model.config, target.renderer)
        identity = identify(target, asked, config)
    note_model(run, TARGET_MODEL, path, identity)
    advance = Tally(progress, "ask the target", rows_of_a_pair(config) * len(asked))
    asking = Asking(config, run, target.fingerprint, origin, lambda: target, asked, advance, TARGET_MODEL)
    asking.behaviors(behaviors_of(TARGET)).make(run)


@contextmanager
def told_of(field: str, path: str) -> Iterator[None]:
    """Names the field by which another model is given: those of ``model`` are of M0."""
    try:
        yield
    except ValueError as error:
        raise ValueError(
            f"{field}: {path!r} cannot be asked what the base is asked: {error}. (It is run as "
            "the model section says, but for revision, adapter, adapter_revision, chat_template and "
            "pad_token, which are the base's: give a folder that needs none of them, or name another model)"
        ) from error


def _load(config: ExperimentConfig) -> tuple[LoadedModel, Origin]:
    path = config.supervision.target
    folder = Path(path)
    if not (folder / ADAPTER_CONFIG).is_file():
        model = config.model.another(path)
        target = load_model(model)
        return target, Origin(model, target.fingerprint)
    base = load_model(config.model)
    _require_of_base(folder, base, config)
    trained = CheckpointSlot(base.model).load(folder)
    target = LoadedModel(trained, base.renderer, fingerprint(trained, base.renderer), base.commit)
    return target, Origin(config.model, base.fingerprint, folder)


def _require_of_base(folder: Path, base: LoadedModel, config: ExperimentConfig) -> None:
    """Raises ValueError unless an adapter is a checkpoint that was trained from M0."""
    if read_complete(folder) is None:
        raise ValueError(
            "it is an adapter, and no checkpoint of a run; merge it into the model it was trained on, and "
            "give the folder of both"
        )
    noted = folder.resolve().parent.parent.parent / MODEL
    if noted.is_file():
        is_of_base = noted_model(noted).fingerprint == base.fingerprint
    else:
        described = read_json(folder / ADAPTER_CONFIG)
        assert isinstance(described, dict)
        is_of_base = described.get("base_model_name_or_path") == config.model.name
    if not is_of_base:
        raise ValueError(
            f"it is a LoRA checkpoint that was trained from another model than {config.model.name}; give one "
            "of this model, or train all weights (training.lora: null) where the target is trained"
        )
