"""The stages of an experiment, in order.

    behaviors   the pairs; what M0, the target and other models answer to them
    supervise   the fixed dataset of explanations
    train       the runs of the panel, side by side, and models that are to explain them beside them
    evaluate    behaviours and explanations of each checkpoint; then the figures and the verdict.
                (M0 explains itself here as well where labels are shown as examples.)
    report      one page

Each stage reads artifacts of the run directory and leaves artifacts there, with the hashes of what they were
made from. A stage makes what is missing and passes over what is done, so a killed command is mended by
repeating it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from coupling import __version__, ranks
from coupling.config import ExperimentConfig, RunConfig, result_fields
from coupling.experiment.artifacts import (
    BASE,
    GIVEN,
    LABELS,
    LEFT_OUT,
    MECHANISM,
    MODEL,
    PAIRS,
    REPORT,
    RESULTS,
    behaviors_of,
    identify,
    note_model,
)
from coupling.experiment.asking import (
    Asking,
    Tally,
    explanation_texts,
    rows_of_a_pair,
)
from coupling.experiment.base import explain_base, make_explanations, rows_of_explanations
from coupling.experiment.detection import note_detector
from coupling.experiment.directory import open_run
from coupling.experiment.evidence import evidence_files, judge_run
from coupling.experiment.given import keep_given_effects, keep_given_labels
from coupling.experiment.members import ask_reference, is_sampled, is_trained, sample_run, train_run
from coupling.experiment.origin import Origin
from coupling.experiment.readers import (
    Reader,
    ask_readers,
    is_reader_sampled,
    is_reader_trained,
    name_of,
    readers_of,
    sample_reader,
    train_reader,
)
from coupling.experiment.reference import remove_reference
from coupling.experiment.selection import (
    fitting_pairs,
    held_out_pairs,
    labelled_pairs,
    select_pairs,
)
from coupling.experiment.sources import asks_target, behaviors_stated, effects_by_source, source_of
from coupling.experiment.target import ask_target
from coupling.explanations import formats
from coupling.faithfulness import FROZEN, RESULTS_SCHEMA, Results
from coupling.faithfulness.circuits import CircuitResults
from coupling.models import load_model, prepare_process, world_of
from coupling.models.loading import device_named
from coupling.models.memory import release_memory
from coupling.models.slow_formats import note_slow_format
from coupling.processes import side_by_side
from coupling.progress import Progress, Silent
from coupling.records import CounterfactualPair, Label
from coupling.report.page import render_page
from coupling.report.runs import STRESS_PAGE, is_stressed, pages_beside, read_circuits, read_results
from coupling.store import RunDir, json_sha256, read_records, to_json, write_json, write_records, write_text
from coupling.supervision import build_labels, disturb_labels
from coupling.tasks import load_pairs

STAGES = ("behaviors", "supervise", "train", "evaluate", "report")


def run_experiment(
    config: ExperimentConfig, runs_dir: Path, progress: Progress | None = None, shares: bool = False
) -> Results:
    """Runs all stages, or what of them is not done yet, and returns the figures.

    Args:
        shares: takes over what M0 and the target answered from other experiments in ``runs_dir``, where they
            were asked the very same (`SharingRunDir`).

    Raises:
        ValueError: anything a user can mend: files, fields, models, a directory of another experiment.
    """
    for stage in STAGES:
        run_stage(stage, config, runs_dir, progress, shares)
    return read_results(run_path(config, runs_dir))


def run_stage(
    stage: str,
    config: ExperimentConfig,
    runs_dir: Path,
    progress: Progress | None = None,
    shares: bool = False,
) -> None:
    """Runs one stage on the artifacts of the stages before it.

    Args:
        shares: as for ``run_experiment``.

    Raises:
        ValueError: as ``run_experiment``; and a stage before it has not been run.
    """
    work = {
        "behaviors": sample_behaviors,
        "supervise": supervise,
        "train": train_panel,
        "evaluate": evaluate_panel,
        "report": write_report,
    }[stage]
    progress = progress or Silent()
    ranks.require_led(config.model.device, config.model.device_map)
    release_memory()
    progress.note(f"{STAGES.index(stage) + 1}/{len(STAGES)} {stage}")
    path = run_path(config, runs_dir)
    with open_run(path, config, shares) as run:
        work(config, run, progress)


def is_done(config: ExperimentConfig, runs_dir: Path) -> bool:
    """Whether figures and page are there, made from artifacts that are still the same. Loads no model.

    Raises:
        ValueError: the directory is another experiment's.
    """
    path = run_path(config, runs_dir)
    RunDir.check(path, result_fields(config))
    if not (path / REPORT).is_file():
        return False
    run = RunDir(path)
    try:
        judged_from = _judged_from(run, {name: run.sha(name) for name in evidence_files(config)})
        return run.is_done(RESULTS, judged_from) and run.is_done(REPORT, _reported_from(run))
    except ValueError:  # An artifact is missing or changed, and will be made again.
        return False


def run_path(config: ExperimentConfig, runs_dir: Path) -> Path:
    return runs_dir / config.name


def sample_behaviors(config: ExperimentConfig, run: RunDir, progress: Progress) -> None:
    """Stage 1: the pairs, and the behaviour of M0, of the target and of other models on them."""
    prepare_process()
    pairs = _ask_base(config, run, progress)
    if asks_target(config):
        # Nobody holds M0 any more.
        release_memory()
        ask_target(config, run, [*labelled_pairs(config, pairs), *held_out_pairs(config, pairs)], progress)
    ask_readers(config, run, pairs, progress)


def _ask_base(config: ExperimentConfig, run: RunDir, progress: Progress) -> Sequence[CounterfactualPair]:
    """Selects the pairs and asks M0 about them."""
    # First, so that a folder that is no model is told of as such, and not as a model without a world.
    base = load_model(config.model)
    note_slow_format(base.model, progress)
    every_pair = load_pairs(config.task, world_of(config.model))
    fitting = fitting_pairs(config, every_pair, base.model.config, base.renderer)
    if len(fitting) < len(every_pair):
        progress.note(
            f"{len(every_pair) - len(fitting)} of {len(every_pair)} pairs are too long for the model"
        )
    pairs = select_pairs(config, fitting)
    note_pairs(run, pairs, len(every_pair) - len(fitting))
    held_out = held_out_pairs(config, pairs)
    if config.supervision.file is not None:
        keep_given_labels(config, run, fitting, progress)
    if config.supervision.effects is not None:
        keep_given_effects(config, run, every_pair, held_out)
    note_model(run, MODEL, config.model.path, identify(base, pairs, config))
    note_detector(config, run)

    total = rows_of_a_pair(config) * len(pairs)
    explains_now = config.explanation.examples == 0
    if explains_now:
        total += rows_of_explanations(config, held_out)
    advance, origin = Tally(progress, "ask M0", total), Origin(config.model, base.fingerprint)
    asking = Asking(config, run, base.fingerprint, origin, lambda: base, pairs, advance)
    asking.behaviors(behaviors_of(BASE)).make(run)
    if explains_now:
        make_explanations(Asking(config, run, base.fingerprint, origin, lambda: base, held_out, advance))
    return pairs


def supervise(config: ExperimentConfig, run: RunDir, progress: Progress) -> None:
    """Stage 2: the fixed dataset, from the target's behaviour or from the labels of a file."""
    is_given = config.supervision.file is not None
    stated = [GIVEN] if is_given else behaviors_stated(config)
    made_from = {
        "pairs": run.sha(PAIRS),
        **{name: run.sha(name) for name in stated},
        "supervision": json_sha256(config.supervision.model_dump(mode="json")),
        "explanation": json_sha256(explanation_texts(config)),
    }
    pairs = read_records(run.file(PAIRS), CounterfactualPair)
    labels = _labels_of_file(config, run, pairs) if is_given else _labels_of_models(config, run, pairs)
    run.make(LABELS, made_from, lambda path: write_records(path, labels))
    progress.note(
        f"{len(labels)} labels, {sum(label.effect.changed for label in labels)} of them of a change"
    )


def train_panel(config: ExperimentConfig, run: RunDir, progress: Progress) -> None:
    """Stage 3: every run of the panel and every reader, side by side in one-thread processes, or one after
    another by all processes that were launched."""
    members = [member for member in config.panel if not is_trained(config, run, member)]
    if len(members) < len(config.panel):
        progress.note(f"trained before: {len(config.panel) - len(members)} of {len(config.panel)} runs")
    readers = [reader for reader in readers_of(config) if not is_reader_trained(config, run, reader)]
    passed_over = [name_of(reader) for reader in readers_of(config) if reader not in readers]
    if passed_over:
        progress.note(f"trained before: {', '.join(passed_over)}")
    jobs = [(config, run.path, each) for each in (*members, *readers)]
    if ranks.launched() == 1:
        workers = _workers(config)
        if len(members) > 1 and config.training.kl.weight > 0:
            parts = [(config, run.path, number, workers) for number in range(workers)]
            side_by_side(ask_reference, parts, workers, progress)
        side_by_side(_train, jobs, workers, progress)
        remove_reference(run)
        return
    progress.note(f"{ranks.launched()} processes train each run together, one run after another")
    for job in jobs:
        ranks.together(_train, job, progress, Silent())


def _train(config: ExperimentConfig, path: Path, trained: RunConfig | Reader, progress: Progress) -> None:
    if isinstance(trained, RunConfig):
        train_run(config, path, trained, progress)
    else:
        train_reader(config, path, trained, progress)


def _sample(config: ExperimentConfig, path: Path, asked: RunConfig | Reader, progress: Progress) -> None:
    if isinstance(asked, RunConfig):
        sample_run(config, path, asked, progress)
    else:
        sample_reader(config, path, asked, progress)


def evaluate_panel(config: ExperimentConfig, run: RunDir, progress: Progress) -> None:
    """Stage 4: samples every checkpoint of every run, and every reader, then judges."""
    sample_panel(config, run, progress)
    artifacts = {name: run.sha(name) for name in evidence_files(config)}
    made_from = _judged_from(run, artifacts)
    if run.is_done(RESULTS, made_from):
        progress.note("judged before")
        return
    results = judge_run(config, run, artifacts)
    run.make(RESULTS, made_from, lambda path: write_json(path, results.to_json()))


def sample_panel(config: ExperimentConfig, run: RunDir, progress: Progress) -> None:
    """The first half of stage 4, for whoever judges by other means."""
    if config.explanation.examples:
        explain_base(config, run, progress)
        # Nobody holds M0 any more, and each worker loads one of its own.
        release_memory()
    members = [member for member in config.panel if not is_sampled(config, run, member)]
    readers = [reader for reader in readers_of(config) if not is_reader_sampled(config, run, reader)]
    # Launched processes share each sampling instead.
    workers = _workers(config) if ranks.launched() == 1 else 1
    jobs = [(config, run.path, each) for each in (*members, *readers)]
    side_by_side(_sample, jobs, workers, progress)


def write_report(config: ExperimentConfig, run: RunDir, progress: Progress) -> None:
    """Stage 5: one page, from the figures alone."""
    circuits = current_circuits(run)
    if circuits is None and run.file(MECHANISM).is_file():
        progress.note(f"{MECHANISM} is of other checkpoints and left out; `coupling patch` makes it anew")
    page = render_page(read_results(run.path), circuits, pages_beside(run.path))
    run.make(REPORT, _reported_from(run), lambda path: write_text(path, page))


def _workers(config: ExperimentConfig) -> int:
    """Runs side by side; a model that is laid over GPUs is on every one of them."""
    return config.workers_on("cuda" if config.model.device_map else device_named(config.model.device))


def _labels_of_models(
    config: ExperimentConfig, run: RunDir, pairs: Sequence[CounterfactualPair]
) -> list[Label]:
    labelled = labelled_pairs(config, pairs)
    source = {pair.id: source_of(config, pair) for pair in labelled}
    by_source = effects_by_source(config, run)
    # Where answers are written, one may be missing, and no label can state it.
    effects = {
        pair_id: by_source[name][pair_id] for pair_id, name in source.items() if pair_id in by_source[name]
    }
    labelled = [pair for pair in labelled if pair.id in effects]
    format = formats.get(config.explanation.format)
    return build_labels(labelled, effects, format, config.supervision, source)


def _labels_of_file(
    config: ExperimentConfig, run: RunDir, pairs: Sequence[CounterfactualPair]
) -> list[Label]:
    given = read_records(run.file(GIVEN), Label)
    format = formats.get(config.explanation.format)
    return disturb_labels(given, {pair.id: pair for pair in pairs}, format, config.supervision)


def _judged_from(run: RunDir, artifacts: Mapping[str, str]) -> dict[str, str]:
    """All that the figures follow from."""
    return {
        **artifacts,
        "config": run.config_sha256,
        "thresholds": json_sha256(to_json(FROZEN)),
        "schema": str(RESULTS_SCHEMA),
        "coupling": __version__,
    }


def _reported_from(run: RunDir) -> dict[str, str]:
    """All that the page follows from."""
    made_from = {"results": run.sha(RESULTS), "coupling": __version__}
    if current_circuits(run) is not None:
        made_from["mechanism"] = run.sha(MECHANISM)
    if is_stressed(run.path):
        made_from["stress_page"] = STRESS_PAGE
    return made_from


def current_circuits(run: RunDir) -> CircuitResults | None:
    """What `coupling patch` found, where it stands on the checkpoints that are there now."""
    circuits = read_circuits(run.path)
    if circuits is None or any(run.sha(name) != sha for name, sha in circuits.artifacts.items()):
        return None
    return circuits


def note_pairs(run: RunDir, pairs: Sequence[CounterfactualPair], too_long: int) -> None:
    """Keeps the pairs; raises ValueError when the directory holds others.

    ``too_long``: pairs of the task that are left out because the model has no room for them.
    """
    noted = run.file(PAIRS)
    if noted.is_file() and read_records(noted, CounterfactualPair) != list(pairs):
        raise ValueError(
            f"{noted}: holds other pairs than the task gives now; its data, or this file, changed since the "
            "run was begun; restore them, or run under another name"
        )
    content = {"pairs": json_sha256([to_json(pair) for pair in pairs])}
    run.make(PAIRS, content, lambda path: write_records(path, pairs))
    run.make(LEFT_OUT, content, lambda path: write_json(path, {"too_long": too_long}))
