"""Through which components the cue reaches answers and explanations, before explanation training and after.

Asked for by a command of its own, beside the stages: every component is a forward pass.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from coupling import __version__
from coupling.config import ExperimentConfig, RunConfig, dump_experiment, load_experiment, result_fields
from coupling.experiment.artifacts import MECHANISM, MODEL, PAIRS, RESULTS, checkpoint
from coupling.experiment.members import load_base
from coupling.experiment.pipeline import write_report
from coupling.experiment.selection import fitting_pairs, held_out_pairs
from coupling.explanations import formats
from coupling.faithfulness.circuits import CIRCUITS_SCHEMA, CircuitResults, Circuits
from coupling.faithfulness.overlap import SHUFFLINGS, TOP
from coupling.mechanism.circuits import circuits_of
from coupling.models import LoadedModel, load_model, prepare_process, world_of
from coupling.progress import Progress, Silent
from coupling.records import CounterfactualPair
from coupling.report.runs import read_circuits
from coupling.store import Json, RunDir, json_sha256, read_records, write_json
from coupling.store.run_dir import EXPERIMENT_FILE
from coupling.tasks import load_pairs
from coupling.training.checkpoints import CheckpointSlot

HELD_OUT = ("dev", "test")


def patch_run(
    path: Path,
    member: str | None = None,
    pairs: int = 200,
    split: str | None = None,
    experiment: ExperimentConfig | None = None,
    progress: Progress | None = None,
) -> CircuitResults:
    """Patches M0 and one run's checkpoint of a run directory, leaves ``mechanism.json`` and a new report.

    Args:
        path: a run directory that holds the checkpoint at ``evaluation.checkpoint``.
        member: name of the run; by default the first that is not steered, else the first.
        pairs: changed pairs patched at the most, of each model its own.
        split: held-out pairs; the evaluated split by default.
        experiment: of the directory; needed only where its paths stand relative to another folder.

    Raises:
        ValueError: a stage is missing, no run has that name, no such pairs, answers are written, or the model
            cannot be patched.
    """
    RunDir(path)
    progress = progress or Silent()
    config = experiment or load_experiment(path / EXPERIMENT_FILE)
    _require_patchable(config)
    run_config = _member(config, member)
    with RunDir.open(path, result_fields(config), dump_experiment(config)) as run:
        stem = checkpoint(run_config, config.evaluation.checkpoint)
        artifacts = {name: run.sha(name) for name in dict.fromkeys((PAIRS, MODEL, stem))}
        if stem == checkpoint(run_config, 0):
            raise ValueError(
                f"{path}: its verdict is about step 0, where every run is the base; patch the base by "
                "`coupling patch --model`"
            )
        options: dict[str, Json] = {
            "member": run_config.name,
            "pairs": pairs,
            "split": split or config.evaluation.split,
        }
        made_from = {
            **artifacts,
            "config": run.config_sha256,
            "options": json_sha256(options),
            "coupling": __version__,
        }
        if run.is_done(MECHANISM, made_from):
            progress.note("patched before")
        else:
            drawn = _drawn(config, read_records(run.file(PAIRS), CounterfactualPair), split)
            base = load_base(config, run)
            before = _circuits(config, "M0", base, drawn, pairs, progress)
            # From here on M0 may be the checkpoint.
            trained = replace(base, model=CheckpointSlot(base.model).load(run.file(stem)))
            name = f"{run_config.name}, step {config.evaluation.checkpoint}"
            after = _circuits(config, name, trained, drawn, pairs, progress)
            results = _results(config, (before, after), split, artifacts)
            run.make(MECHANISM, made_from, lambda file: write_json(file, results.to_json()))
        if run.file(RESULTS).is_file():
            write_report(config, run, progress)
        found = read_circuits(path)
    assert found is not None
    return found


def patch_model(
    config: ExperimentConfig,
    pairs: int = 200,
    split: str | None = None,
    progress: Progress | None = None,
) -> CircuitResults:
    """Patches the model of an experiment as it stands before training; nothing is written.

    Raises:
        ValueError: as `patch_run`.
    """
    _require_patchable(config)
    prepare_process()
    base = load_model(config.model)
    fitting = fitting_pairs(
        config, load_pairs(config.task, world_of(config.model)), base.model.config, base.renderer
    )
    drawn = _drawn(config, fitting, split)
    circuits = _circuits(config, "M0", base, drawn, pairs, progress or Silent())
    return _results(config, (circuits,), split, {MODEL: base.fingerprint})


def _require_patchable(config: ExperimentConfig) -> None:
    if config.behavior.kind != "scored":
        raise ValueError(
            f"{config.name}: behavior.kind is {config.behavior.kind!r}, but patching follows the cue to the "
            "token that tells two choices apart; answers that are written have none, and those that are "
            "reasoned are decided before it; patch an experiment whose choices are scored"
        )
    if config.explanation.examples:
        raise ValueError(
            f"{config.name}: explanation.examples is {config.explanation.examples}, but patching asks for "
            "explanations without examples; patch an experiment with explanation.examples: 0"
        )


def _member(config: ExperimentConfig, name: str | None) -> RunConfig:
    named = {run.name: run for run in config.panel}
    if name is None:
        return next((run for run in config.panel if run.steer is None), config.panel[0])
    if name not in named:
        raise ValueError(
            f"--member {name}: the panel of {config.name} has no such run; there are {', '.join(named)}"
        )
    return named[name]


def _drawn(
    config: ExperimentConfig, pairs: list[CounterfactualPair], split: str | None
) -> list[CounterfactualPair]:
    """All pairs of the split, in the order of their lots."""
    if split not in (None, *HELD_OUT):
        raise ValueError(f"--split {split}: use {' or '.join(HELD_OUT)}, of which no label speaks")
    evaluation = config.evaluation.model_copy(
        update={"split": split or config.evaluation.split, "pairs": None}
    )
    return held_out_pairs(config.model_copy(update={"evaluation": evaluation}), pairs)


def _circuits(
    config: ExperimentConfig,
    name: str,
    model: LoadedModel,
    drawn: list[CounterfactualPair],
    pairs: int,
    progress: Progress,
) -> Circuits:
    return circuits_of(
        name,
        model,
        drawn,
        pairs,
        formats.get(config.explanation.format),
        config.evaluation.batch_size,
        config.evaluation.resamples,
        config.evaluation.seed,
        lambda done, total: progress.update(f"patch {name.partition(',')[0]}", done, total),
        config.behavior.normalization,
    )


def _results(
    config: ExperimentConfig, models: tuple[Circuits, ...], split: str | None, artifacts: dict[str, str]
) -> CircuitResults:
    return CircuitResults(
        schema=CIRCUITS_SCHEMA,
        experiment=config.name,
        explanation_format=config.explanation.format,
        split=split or config.evaluation.split,
        top=TOP,
        resamples=config.evaluation.resamples,
        shufflings=SHUFFLINGS,
        seed=config.evaluation.seed,
        models=models,
        artifacts=artifacts,
    )
