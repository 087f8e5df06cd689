"""Models that explain the runs and do not read them: trained on the labels alone, and asked once.

A language model of M0's architecture begins from random weights; other models begin from their own, and are
asked beforehand what they do themselves. Each is trained and sampled beside the runs, in a process of its
own, and leaves its artifacts in ``readers/NAME``. Where a model reads with another tokenizer, the texts of
pairs and labels are what it shares with M0.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from transformers import AutoModelForCausalLM

from coupling.config import (
    ExperimentConfig,
    KLConfig,
    LanguageModelReader,
    ModelConfig,
    ModelReader,
    SteeringConfig,
    TrainingConfig,
    training_fields,
)
from coupling.config.model import told
from coupling.config.readers import LANGUAGE_MODEL_NAME
from coupling.config.training import ExplanationTerm
from coupling.experiment.artifacts import (
    LABELS,
    MODEL,
    PAIRS,
    checkpoint_in,
    explanations_of,
    identify,
    note_model,
    noted_model,
    read_effects,
    read_explanations,
)
from coupling.experiment.asking import Asking, Sample, Tally, rows_of_a_pair
from coupling.experiment.members import load_base, prepare_training, train_checkpoints
from coupling.experiment.origin import Origin, let_go
from coupling.experiment.selection import fitting_pairs, held_out_pairs, labelled_pairs
from coupling.experiment.target import told_of
from coupling.explanations import formats
from coupling.faithfulness import ReaderEvidence
from coupling.faithfulness.readers import LANGUAGE_MODEL, OTHER_MODEL
from coupling.models import LoadedModel, load_model, prepare_process
from coupling.models.memory import out_of_memory_told, release_memory
from coupling.progress import Progress
from coupling.records import CounterfactualPair, Effect, Explanation, Label
from coupling.store import RunDir, json_sha256, read_records
from coupling.training.checkpoints import CheckpointSlot
from coupling.training.dataset import build_training_data

Reader = LanguageModelReader | ModelReader
_Found = TypeVar("_Found", Effect, Explanation)


def readers_of(config: ExperimentConfig) -> list[Reader]:
    """The models that explain the runs, in the order in which they are told of."""
    language_model = config.readers.language_model
    return [*([] if language_model is None else [language_model]), *config.readers.models]


def ask_readers(
    config: ExperimentConfig, run: RunDir, pairs: Sequence[CounterfactualPair], progress: Progress
) -> None:
    """Asks each other model what it does itself, before any training.

    Raises:
        ValueError: it cannot be loaded, has no room for the pairs, cannot answer them, or is another one than
            when the run was begun.
    """
    for number, reader in enumerate(config.readers.models):
        release_memory()
        _ask_reader(config, run, reader, f"readers.models.{number}.path", pairs, progress)


def _ask_reader(
    config: ExperimentConfig,
    run: RunDir,
    reader: ModelReader,
    field: str,
    pairs: Sequence[CounterfactualPair],
    progress: Progress,
) -> None:
    held_out = held_out_pairs(config, pairs)
    asked = [*labelled_pairs(config, pairs), *held_out]
    model, name = _its_model(config, reader), _model_of(reader)
    with told_of(field, reader.path):
        loaded = load_model(model)
        if config.behavior.kind != "written":
            loaded.renderer.choice_tokens(held_out)
        its_own = config.model_copy(update={"model": model})
        room = len(fitting_pairs(its_own, asked, loaded.model.config, loaded.renderer))
        if room < len(asked):
            raise ValueError(
                f"it has room for {room} of the {len(asked)} pairs that it is trained on and asked about; "
                "give shorter pairs, or a model with a longer context"
            )
        identity = identify(loaded, asked, config)
    note_model(run, name, reader.path, identity)
    advance = Tally(progress, f"ask {reader.name}", rows_of_a_pair(config) * len(held_out))
    origin = Origin(model, loaded.fingerprint)
    asking = Asking(config, run, loaded.fingerprint, origin, lambda: loaded, held_out, advance, name)
    asking.behaviors(_behaviors_of(reader)).make(run)


@out_of_memory_told(
    "training a reader",
    "lower training.micro_batch_size or set training.gradient_checkpointing: true, with which a run that was "
    "begun goes on",
)
def train_reader(config: ExperimentConfig, path: Path, reader: Reader, progress: Progress) -> None:
    """Trains one reader on the labels; goes on from the saved state where there is one.

    Raises:
        ValueError: the model or the labels are no longer those the run directory was begun with.
    """
    let_go()
    training = training_of(config, reader)
    with RunDir.join(path) as run:
        made_from = _trained_from(config, run, reader)
        loaded = _begin(config, run, reader)
        prepare_training(loaded, _its_model(config, reader).path, training)
        data = build_training_data(
            loaded.model,
            loaded.renderer,
            read_records(run.file(PAIRS), CounterfactualPair),
            read_records(run.file(LABELS), Label),
            {},
            formats.get(config.explanation.format),
            None,
            training.kl,
            config.evaluation.batch_size,
            config.explanation.max_new_tokens,
            precision=training.autocast,
        )
        train_checkpoints(run, _folder(reader), loaded, data, training, reader.seed, made_from, progress)


def is_reader_trained(config: ExperimentConfig, run: RunDir, reader: Reader) -> bool:
    return run.is_done(_checkpoint(reader), _trained_from(config, run, reader))


def sample_reader(config: ExperimentConfig, path: Path, reader: Reader, progress: Progress) -> None:
    """Has one reader explain the held-out pairs."""
    release_memory()
    with RunDir.join(path) as run:
        _explanations(config, run, reader).make(run)
    progress.update(f"evaluate {name_of(reader)}", 1, 1)


def is_reader_sampled(config: ExperimentConfig, run: RunDir, reader: Reader) -> bool:
    return _explanations(config, run, reader).is_done(run)


def reader_files(config: ExperimentConfig) -> list[str]:
    """The artifacts that the figures of the readers are made from."""
    files = [explanations_of(_checkpoint(reader)) for reader in readers_of(config)]
    for reader in config.readers.models:
        files += [_model_of(reader), _behaviors_of(reader)]
    return files


def reader_behaviors(config: ExperimentConfig) -> list[str]:
    """What those readers do that do anything."""
    return [_behaviors_of(reader) for reader in config.readers.models]


def reader_evidence(
    config: ExperimentConfig, run: RunDir, wanted: Collection[str]
) -> tuple[ReaderEvidence, ...]:
    """What the readers say of the pairs with the ids wanted, and what those did that do anything. No model is
    loaded."""

    def of_wanted(found: Mapping[str, _Found]) -> dict[str, _Found]:
        return {pair_id: each for pair_id, each in found.items() if pair_id in wanted}

    found = []
    for reader in readers_of(config):
        is_fresh = isinstance(reader, LanguageModelReader)
        weights = "random weights, as large as M0" if is_fresh else told(reader.model_dump()["path"])
        found.append(
            ReaderEvidence(
                name=name_of(reader),
                kind=LANGUAGE_MODEL if is_fresh else OTHER_MODEL,
                description=f"{weights}; {reader.steps} steps on the labels",
                explanations=of_wanted(read_explanations(run, explanations_of(_checkpoint(reader)))),
                behaviors=None if is_fresh else of_wanted(read_effects(run, _behaviors_of(reader))),
            )
        )
    return tuple(found)


def name_of(reader: Reader) -> str:
    return LANGUAGE_MODEL_NAME if isinstance(reader, LanguageModelReader) else reader.name


def training_of(config: ExperimentConfig, reader: Reader) -> TrainingConfig:
    """The training of the runs, with the reader's own steps, and of its terms the explanations alone. Random
    weights are trained all of them: there is nothing that an adapter could adapt."""
    update = {
        "steps": reader.steps,
        "batch_size": reader.batch_size,
        "learning_rate": reader.learning_rate,
        "warmup_steps": reader.warmup_steps,
        "explanations": ExplanationTerm(),
        "kl": KLConfig(weight=0),
        "steering": SteeringConfig(),
        "checkpoints": (0, reader.steps),
    }
    if isinstance(reader, LanguageModelReader):
        update["lora"] = None
    return config.training.model_copy(update=update)


def fresh_model(base: LoadedModel, seed: int) -> LoadedModel:
    """A model of the same architecture with weights as its class initialises them; equal seeds give equal
    ones."""
    description = base.model.config.__class__.from_dict(base.model.config.to_dict())
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(
        description, dtype=base.model.dtype, attn_implementation=base.model.config._attn_implementation
    )
    model.name_or_path = model.config.name_or_path = base.model.name_or_path
    model.to(base.model.device)
    return LoadedModel(model, base.renderer, base.fingerprint)


def _folder(reader: Reader) -> str:
    return f"readers/{name_of(reader)}"


def _checkpoint(reader: Reader) -> str:
    return checkpoint_in(_folder(reader), reader.steps)


def _behaviors_of(reader: Reader) -> str:
    return f"{_folder(reader)}/behaviors.jsonl"


def _model_of(reader: Reader) -> str:
    """The artifact that says which model a reader begins from, or takes its architecture from."""
    return MODEL if isinstance(reader, LanguageModelReader) else f"{_folder(reader)}/model.json"


def _its_model(config: ExperimentConfig, reader: Reader) -> ModelConfig:
    return config.model if isinstance(reader, LanguageModelReader) else config.model.another(reader.path)


def _begin(config: ExperimentConfig, run: RunDir, reader: Reader) -> LoadedModel:
    """A reader before its first step."""
    if not isinstance(reader, LanguageModelReader):
        return _load_noted(config, run, reader)
    base = load_base(config, run)
    if base.is_quantised:
        raise ValueError(
            f"readers.language_model: {config.model.path} is quantised, and such weights cannot begin at "
            "random; set it to null, or give the checkpoint it was made from in model.path"
        )
    return fresh_model(base, reader.seed)


def _load_noted(config: ExperimentConfig, run: RunDir, reader: Reader) -> LoadedModel:
    """The model a reader begins from, made sure to be the one that was asked."""
    if isinstance(reader, LanguageModelReader):
        return load_base(config, run)
    prepare_process()
    loaded = load_model(_its_model(config, reader))
    pairs = read_records(run.file(PAIRS), CounterfactualPair)
    asked = [*labelled_pairs(config, pairs), *held_out_pairs(config, pairs)]
    run.sha(_model_of(reader))
    noted = run.file(_model_of(reader))
    noted_model(noted).require(identify(loaded, asked, config), reader.path, noted)
    return loaded


def _trained_from(config: ExperimentConfig, run: RunDir, reader: Reader) -> dict[str, str]:
    """The hashes of all that a reader's checkpoint follows from."""
    return {
        "model": run.sha(_model_of(reader)),
        "pairs": run.sha(PAIRS),
        "labels": run.sha(LABELS),
        "training": json_sha256(training_fields(training_of(config, reader))),
        "reader": json_sha256(reader.model_dump(mode="json")),
    }


def _explanations(config: ExperimentConfig, run: RunDir, reader: Reader) -> Sample:
    pairs = held_out_pairs(config, read_records(run.file(PAIRS), CounterfactualPair))
    stem, name = _checkpoint(reader), _model_of(reader)

    def load() -> LoadedModel:
        before = _load_noted(config, run, reader)
        trained = CheckpointSlot(before.model).load(run.file(stem))
        return LoadedModel(trained, before.renderer, run.sha(stem))

    fingerprint = noted_model(run.file(name)).fingerprint
    origin = Origin(_its_model(config, reader), fingerprint, run.file(stem))
    asking = Asking(config, run, run.sha(stem), origin, load, pairs, identity=name)
    return asking.explanations(explanations_of(stem))
