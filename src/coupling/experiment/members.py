"""One run of the panel: trained from M0, then sampled at each of its checkpoints.

These are called in processes of their own, side by side; or, of several that were launched, the training is
called in all of them together.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import cast

from transformers import PreTrainedModel

from coupling import ranks
from coupling.config import (
    ExperimentConfig,
    ReasonedBehavior,
    RunConfig,
    TrainingConfig,
    WrittenBehavior,
    training_fields,
)
from coupling.experiment.artifacts import (
    BASE,
    LABELS,
    MODEL,
    PAIRS,
    behaviors_of,
    checkpoint,
    checkpoint_in,
    explanations_of,
    identify,
    noted_model,
    reasoning_of,
    remeasured_of,
    written_of,
)
from coupling.experiment.asking import Asking, Sample
from coupling.experiment.origin import Origin, let_go
from coupling.experiment.reasoned import read_reasoning, shown_reasoning
from coupling.experiment.reference import keep_part, part_name, read_reference, reference_from
from coupling.experiment.renewal import Renew, renewal
from coupling.experiment.selection import held_out_pairs
from coupling.explanations import formats
from coupling.models import LoadedModel, Way, load_model, prepare_process
from coupling.models.memory import out_of_memory_told, release_memory
from coupling.progress import Progress
from coupling.records import Behavior, CounterfactualPair, Label
from coupling.store import RunDir, json_sha256, read_records
from coupling.training.checkpoints import (
    CheckpointSlot,
    add_adapter,
    checkpoint_activations,
    save_checkpoint,
)
from coupling.training.dataset import TrainingData, build_training_data, reference_logprobs
from coupling.training.loop import StepLosses, train
from coupling.training.reasoned import Reasoned
from coupling.training.sharding import whole_state
from coupling.training.state import remove_state


@out_of_memory_told(
    "training",
    "lower training.micro_batch_size or set training.gradient_checkpointing: true, with which a run that was "
    "begun goes on; or set training.lora, under another name",
)
def train_run(config: ExperimentConfig, path: Path, member: RunConfig, progress: Progress) -> None:
    """Trains one run and leaves its checkpoints; goes on from the saved state where there is one.

    Raises:
        ValueError: the base or the labels are no longer those the run directory was begun with.
    """
    let_go()
    with RunDir.join(path) as run:
        made_from = _trained_from(config, run, member)
        base = load_base(config, run)
        prepare_training(base, config.model.path, config.training)
        data = build_training_data(
            base.model,
            base.renderer,
            read_records(run.file(PAIRS), CounterfactualPair),
            read_records(run.file(LABELS), Label),
            {behavior.pair_id: behavior for behavior in read_records(run.file(behaviors_of(BASE)), Behavior)},
            formats.get(config.explanation.format),
            member.steer,
            config.training.kl,
            config.evaluation.batch_size,
            config.explanation.max_new_tokens,
            config.behavior.openings if isinstance(config.behavior, WrittenBehavior) else None,
            config.training.autocast,
            _reasoned(config, run),
            config.training.steering.undo is not None,
            config.behavior.normalization,
            read_reference(config, run),
        )
        folder = f"runs/{member.name}"
        renew = renewal(config, run, member, base.renderer, made_from)
        train_checkpoints(run, folder, base, data, config.training, member.seed, made_from, progress, renew)


def ask_reference(config: ExperimentConfig, path: Path, number: int, count: int, progress: Progress) -> None:
    """Asks M0 for part ``number`` of ``count`` of the answers that the KL term compares every run with.

    Raises:
        ValueError: the base or the labels are no longer those the run directory was begun with.
    """
    let_go()
    with RunDir.join(path) as run:
        if run.is_done(part_name(number, count), reference_from(config, run)):
            return
        base = load_base(config, run)
        by_id = {pair.id: pair for pair in read_records(run.file(PAIRS), CounterfactualPair)}
        found = reference_logprobs(
            base.model,
            base.renderer,
            [by_id[label.pair_id] for label in read_records(run.file(LABELS), Label)],
            config.training.kl,
            config.evaluation.batch_size,
            config.training.autocast,
            _reasoned(config, run),
            config.behavior.normalization,
            (number, count),
        )
        keep_part(config, run, number, count, found)
        progress.update("ask M0 for the KL term", number + 1, count)


def prepare_training(loaded: LoadedModel, path: str, training: TrainingConfig) -> None:
    """Makes a model ready to be trained.

    Raises:
        ValueError: its weights cannot be trained in this way; ``path`` is how the user knows it.
    """
    if loaded.is_quantised and training.lora is None:
        raise ValueError(
            f"training.lora: null trains all weights, but {path} is quantised; set training.lora, or give "
            "the checkpoint it was made from"
        )
    if loaded.is_quantised and ranks.shards_weights():
        raise ValueError(
            f"accelerate launch: FSDP2 cannot spread {path}, which is quantised; launch without FSDP, or "
            "give the checkpoint it was made from"
        )
    if training.gradient_checkpointing:
        checkpoint_activations(loaded.model)


def train_checkpoints(
    run: RunDir,
    folder: str,
    loaded: LoadedModel,
    data: TrainingData,
    training: TrainingConfig,
    seed: int,
    made_from: dict[str, str],
    progress: Progress,
    renew: Renew | None = None,
) -> None:
    """Trains a model and leaves its checkpoints in ``folder``; goes on from the saved state where there is
    one. ``renew``: how labels are made anew, where they are."""
    model = add_adapter(loaded.model, training.lora, seed) if training.lora else loaded.model
    state = run.file(f"{folder}/state")

    def save(step: int) -> None:
        weights = whole_state(model) if ranks.shards_weights() else None
        if ranks.leads():
            run.make(
                checkpoint_in(folder, step),
                made_from,
                lambda path: save_checkpoint(path, model, loaded.renderer.tokenizer, step, weights),
            )

    def tell(losses: StepLosses) -> None:
        progress.update(f"train {folder.rpartition('/')[2]}", losses.step, training.steps)

    # An adapter's model passes on whatever it does not know to the model it lies over.
    again = None if renew is None else partial(renew, cast(PreTrainedModel, model))
    train(model, data, training, loaded.renderer.pad, seed, state, made_from, save, tell, again)
    if ranks.leads():
        remove_state(state)


def _reasoned(config: ExperimentConfig, run: RunDir) -> Reasoned | None:
    """M0's reasoning about the pairs, where answers are reasoned."""
    behavior = config.behavior
    if not isinstance(behavior, ReasonedBehavior):
        return None
    name = behaviors_of(BASE)
    pairs = read_records(run.file(PAIRS), CounterfactualPair)
    shown = shown_reasoning(config, pairs, run, name)
    by_pair = {} if shown is None else dict(zip((pair.id for pair in pairs), shown, strict=True))
    return Reasoned(read_reasoning(run, name), behavior.instruction, by_pair)


def is_trained(config: ExperimentConfig, run: RunDir, member: RunConfig) -> bool:
    """Whether every checkpoint of a run is there."""
    made_from = _trained_from(config, run, member)
    return all(run.is_done(checkpoint(member, step), made_from) for step in _trained_steps(config))


def sample_run(config: ExperimentConfig, path: Path, member: RunConfig, progress: Progress) -> None:
    """Samples behaviours and explanations of each checkpoint on the held-out pairs."""
    release_memory()
    with RunDir.join(path) as run:
        samples = _samples(config, run, member)
        for number, sample in enumerate(samples, start=1):
            sample.make(run)
            progress.update(f"evaluate {member.name}", number, len(samples))


def is_sampled(config: ExperimentConfig, run: RunDir, member: RunConfig) -> bool:
    """Whether every checkpoint of a run has been asked all that it is asked."""
    return all(sample.is_done(run) for sample in _samples(config, run, member))


def load_base(config: ExperimentConfig, run: RunDir) -> LoadedModel:
    """M0, made sure to be the model whose behaviour was sampled."""
    prepare_process()
    loaded = load_model(config.model)
    run.sha(MODEL)
    pairs = read_records(run.file(PAIRS), CounterfactualPair)
    noted_model(run.file(MODEL)).require(identify(loaded, pairs, config), config.model.path, run.file(MODEL))
    return loaded


def _trained_steps(config: ExperimentConfig) -> list[int]:
    return [step for step in config.training.checkpoints if step > 0]


def _trained_from(config: ExperimentConfig, run: RunDir, member: RunConfig) -> dict[str, str]:
    """The hashes of all that a run's checkpoints follow from."""
    behavior = config.behavior
    answered: dict[str, str] = {}
    if isinstance(behavior, WrittenBehavior):
        answered = {"openings": json_sha256(dict(behavior.openings))}
    elif isinstance(behavior, ReasonedBehavior):
        answered = {
            "behavior": json_sha256(behavior.model_dump(mode="json")),
            "reasoning": run.sha(reasoning_of(behaviors_of(BASE))),
        }
    return {
        **answered,
        "base": run.sha(MODEL),
        "pairs": run.sha(PAIRS),
        "base_behaviors": run.sha(behaviors_of(BASE)),
        "labels": run.sha(LABELS),
        "training": json_sha256(training_fields(config.training)),
        "run": json_sha256(member.model_dump(mode="json")),
    }


def _samples(config: ExperimentConfig, run: RunDir, member: RunConfig) -> list[Sample]:
    """What the checkpoints of a run are asked."""
    run.sha(PAIRS)
    pairs = held_out_pairs(config, read_records(run.file(PAIRS), CounterfactualPair))
    fingerprint = noted_model(run.file(MODEL)).fingerprint
    checkpoints = _Checkpoints(config, run)
    samples = []
    for step in _trained_steps(config):
        stem = checkpoint(member, step)
        origin = Origin(config.model, fingerprint, run.file(stem))
        asking = Asking(config, run, run.sha(stem), origin, partial(checkpoints.load, stem), pairs)
        samples.append(asking.behaviors(behaviors_of(stem)))
        samples.append(asking.explanations(explanations_of(stem)))
        if step == config.evaluation.checkpoint:
            samples.append(asking.behaviors_again(remeasured_of(stem)))
            if config.explanation.is_filled:
                samples.append(asking.explanations(written_of(stem), Way.FREE))
    return samples


class _Checkpoints:
    """The checkpoints of a run: one in memory at a time, and none before it is asked."""

    def __init__(self, config: ExperimentConfig, run: RunDir) -> None:
        self._config, self._run = config, run
        self._base: LoadedModel | None = None
        self._slot: CheckpointSlot | None = None
        self._held: tuple[str, LoadedModel] | None = None

    def load(self, stem: str) -> LoadedModel:
        if self._base is None or self._slot is None:
            self._base = load_base(self._config, self._run)
            self._slot = CheckpointSlot(self._base.model)
        if self._held is None or self._held[0] != stem:
            self._held = None
            model = self._slot.load(self._run.file(stem))
            self._held = (stem, LoadedModel(model, self._base.renderer, self._run.sha(stem)))
        return self._held[1]
