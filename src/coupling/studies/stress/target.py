"""The model under stress, its held-out pairs, and its place among the artifacts of the directory.

    stress/MODEL/pairs.jsonl                       the pairs, as they stand
    stress/MODEL/PROBE.pairs.jsonl                 as they stand under a probe that changes them
    stress/MODEL/PROBE.behaviors.jsonl             what it does there
    stress/MODEL/PROBE.free.jsonl                  what it says freely,
    stress/MODEL/PROBE.opened.jsonl                with the opening of its sentence given,
    stress/MODEL/PROBE.filled.jsonl                with all of its sentence given but for the answers
    stress/shifts/MODEL/EXPERIMENT/                the run of an experiment that moves its behaviour
    stress.json, stress.html                       what came of it

where MODEL is a run of the panel and a step, or just "model".
"""

from __future__ import annotations

from dataclasses import dataclass

from coupling.config import ModelConfig
from coupling.experiment.artifacts import MODEL, PAIRS, checkpoint, identify, note_model
from coupling.experiment.detection import note_detector
from coupling.experiment.members import load_base
from coupling.experiment.origin import Origin
from coupling.experiment.selection import fitting_pairs, held_out_pairs
from coupling.models import LoadedModel, context_length, load_model, world_of
from coupling.models.slow_formats import note_slow_format
from coupling.progress import Progress
from coupling.records import CounterfactualPair
from coupling.store import RunDir, json_sha256, read_records, to_json, write_records
from coupling.studies.stress.definition import Stress
from coupling.tasks import load_pairs
from coupling.training.checkpoints import ADAPTER_CONFIG, CheckpointSlot

ALONE = "model"
"""What stands for a run of the panel where a model is by itself."""


@dataclass(frozen=True, slots=True)
class Target:
    loaded: LoadedModel
    origin: Origin
    source: str
    """Hash of the model, as its artifacts bear it."""
    identity: str
    """The artifact that says which model it is."""
    folder: str
    pairs: tuple[CounterfactualPair, ...]

    @property
    def pairs_file(self) -> str:
        return f"{self.folder}/pairs.jsonl"

    @property
    def room(self) -> int:
        """Tokens that it has room for."""
        return context_length(self.loaded.model.config, self.loaded.renderer.tokenizer)


def folder_of(stress: Stress) -> str:
    if stress.checkpoint is None:
        return f"stress/{ALONE}"
    return f"stress/{stress.checkpoint.member.name}-{stress.checkpoint.step:06d}"


def open_target(stress: Stress, run: RunDir, progress: Progress) -> Target:
    """Loads the model, and keeps which pairs it is asked about.

    Raises:
        ValueError: the checkpoint is not there, or anything about model and task that a user can mend.
    """
    opened = _model(stress, run, progress) if stress.checkpoint is None else _checkpoint(stress, run)
    content = {"pairs": json_sha256([to_json(pair) for pair in opened.pairs])}
    run.make(opened.pairs_file, content, lambda path: write_records(path, opened.pairs))
    return opened


def model_of(stress: Stress, run: RunDir) -> ModelConfig:
    """The same model as an experiment names one."""
    config = stress.config.model
    if stress.checkpoint is None or stress.checkpoint.step == 0:
        return config
    folder = run.file(checkpoint(stress.checkpoint.member, stress.checkpoint.step))
    if (folder / ADAPTER_CONFIG).is_file():
        return config.model_copy(update={"adapter": str(folder), "adapter_revision": None})
    # Words that were new to the base are tokens of the checkpoint.
    return config.another(str(folder)).model_copy(update={"new_words": ()})


def _checkpoint(stress: Stress, run: RunDir) -> Target:
    assert stress.checkpoint is not None
    config, stem = stress.config, checkpoint(stress.checkpoint.member, stress.checkpoint.step)
    run.sha(PAIRS)
    is_trained = stress.checkpoint.step > 0
    source = run.sha(stem) if is_trained else ""
    base = load_base(config, run)
    origin = Origin(config.model, base.fingerprint, run.file(stem) if is_trained else None)
    loaded = base
    if is_trained:
        loaded = LoadedModel(CheckpointSlot(base.model).load(run.file(stem)), base.renderer, source)
    pairs = held_out_pairs(config, read_records(run.file(PAIRS), CounterfactualPair))[: stress.pairs]
    return Target(loaded, origin, loaded.fingerprint, MODEL, folder_of(stress), tuple(pairs))


def _model(stress: Stress, run: RunDir, progress: Progress) -> Target:
    config = stress.config
    note_detector(config, run)
    loaded = load_model(config.model)
    note_slow_format(loaded.model, progress)
    every_pair = load_pairs(config.task, world_of(config.model))
    fitting = fitting_pairs(config, every_pair, loaded.model.config, loaded.renderer)
    if len(fitting) < len(every_pair):
        progress.note(
            f"{len(every_pair) - len(fitting)} of {len(every_pair)} pairs are too long for the model"
        )
    held_out = held_out_pairs(config, fitting)
    identity = f"{folder_of(stress)}/model.json"
    note_model(run, identity, config.model.path, identify(loaded, held_out, config))
    return Target(
        loaded,
        Origin(config.model, loaded.fingerprint),
        loaded.fingerprint,
        identity,
        folder_of(stress),
        tuple(held_out[: stress.pairs]),
    )
