"""Stress: one model's explanations under adversarial questions, moved behaviour, and by what errors cost.

    probes   each probe is put to the model on the same held-out pairs, and held against the plain question
    stakes   the errors on the plain question, by consequence
    shifts   experiments that move behaviour, run on the model

The findings live in the run's directory, or in one of their own. Whatever was asked is an artifact with the
hashes of model, texts and options, so a killed command goes on, and a section that is not asked for stays as
it was found before of the same model and pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from coupling import __version__
from coupling.config import ExperimentConfig, ReasonedBehavior
from coupling.experiment.artifacts import noted_model
from coupling.experiment.evidence import how_it_is_asked
from coupling.experiment.pipeline import write_report
from coupling.explanations import formats
from coupling.faithfulness import CostWeights
from coupling.faithfulness.results import FAIL
from coupling.models import prepare_process
from coupling.progress import Progress, Silent
from coupling.report.runs import read_results
from coupling.store import RunDir, json_sha256, to_json, write_json, write_text
from coupling.studies.stress.asking import ask_all, ways_of
from coupling.studies.stress.definition import (
    PROBES_SECTION,
    QUICK_PAIRS,
    SHIFTS_SECTION,
    STAKES_SECTION,
    Stress,
)
from coupling.studies.stress.findings import (
    PAGE,
    STRESS,
    STRESS_SCHEMA,
    Findings,
    RunFound,
    ShiftsFound,
    clusters_of,
    probes_found,
    read_stress,
    stakes_found,
)
from coupling.studies.stress.page import render_stress
from coupling.studies.stress.probes import PROBES, UNPROBED, Probe
from coupling.studies.stress.putting import Put, Unasked, put
from coupling.studies.stress.shifts import run_shifts, shift_experiments, world_for
from coupling.studies.stress.target import Target, folder_of, model_of, open_target

_INSTEAD = "Give this one another --out"
_OF_A_RUN = "Name the experiment that it was begun with as --experiment"


def run_stress(stress: Stress, progress: Progress | None = None) -> Findings:
    """Makes what is missing of the sections asked for, and leaves figures and page in the directory.

    Raises:
        ValueError: anything a user can mend: model, task, checkpoint, a directory of another configuration.
    """
    progress = progress or Silent()
    instead = _INSTEAD if stress.checkpoint is None else _OF_A_RUN
    with RunDir.open(stress.path, stress.fields(), stress.as_yaml(), instead) as run:
        prepare_process()
        found = _ask(stress, run, progress)
        if SHIFTS_SECTION in stress.sections:
            found = replace(found, shifts=_shifts(stress, run, progress))
        _write(run, found)
        if stress.checkpoint is not None:
            write_report(stress.config, run, progress)
        return found


def _ask(stress: Stress, run: RunDir, progress: Progress) -> Findings:
    """Probes and stakes; the model is in memory here, and here only."""
    config = stress.config
    target = open_target(stress, run, progress)
    options = config.evaluation
    clusters, bootstrap = clusters_of(target.pairs, options.resamples, options.seed)
    found = Findings(
        schema=STRESS_SCHEMA,
        name=stress.name,
        model=config.model.name,
        fingerprint=target.source,
        explanation_format=config.explanation.format,
        split=options.split,
        pairs=len(target.pairs),
        clusters=clusters,
        resamples=options.resamples,
        seed=options.seed,
        run=_of_the_run(stress, run),
        probes=None,
        stakes=None,
        shifts=None,
        notes=(*how_it_is_asked(config, noted_model(run.file(target.identity))), *_of_reasoning(config)),
        artifacts={target.pairs_file: run.sha(target.pairs_file), target.identity: run.sha(target.identity)},
    )
    found = _with_earlier(run, found)
    probes = _probes(stress, found)
    if not probes and STAKES_SECTION not in stress.sections:
        return found
    puts, unasked = _put(stress, target, probes)
    for each in unasked:
        progress.note(f"not asked: {each.probe}: {each.reason}")
    ways = ways_of(config, target, progress)
    answered, made = ask_all(config, run, target, puts, ways, progress)
    found = replace(found, artifacts={**found.artifacts, **made})
    unprobed = answered[0]
    if probes:
        found = replace(found, probes=probes_found(unprobed, answered[1:], unasked, bootstrap))
    if STAKES_SECTION in stress.sections:
        weights = CostWeights(**options.consequences.model_dump())
        found = replace(found, stakes=stakes_found(unprobed, bootstrap, weights))
    return found


def _of_the_run(stress: Stress, run: RunDir) -> RunFound | None:
    if stress.checkpoint is None:
        return None
    results, name = read_results(run.path), stress.checkpoint.member.name
    verdict = results.verdict()
    failed = [gate.name for gate in results.gates if gate.status == FAIL and gate.run in (None, name)]
    return RunFound(verdict.verdict, verdict.sentence, results.step, tuple(dict.fromkeys(failed)))


def _of_reasoning(config: ExperimentConfig) -> tuple[str, ...]:
    behavior = config.behavior
    if not isinstance(behavior, ReasonedBehavior) or behavior.shown is None:
        return ()
    return ("No prompt of an explanation shows a reasoning here, though behavior.shown says that it should.",)


def _probes(stress: Stress, found: Findings) -> tuple[Probe, ...]:
    """Those asked for, and those that were asked before: they are compared, so they stand together."""
    if PROBES_SECTION not in stress.sections:
        return ()
    before: set[str] = set()
    if found.probes is not None:
        before = {each.name for each in found.probes.results} | {each.probe for each in found.probes.unasked}
    return tuple(probe for probe in PROBES if probe in stress.probes or probe.name in before)


def _put(stress: Stress, target: Target, probes: Sequence[Probe]) -> tuple[list[Put], list[Unasked]]:
    """The plain question, and every probe that can be put to the model.

    Raises:
        ValueError: not even the plain question can be.
    """
    format = formats.get(stress.config.explanation.format)
    puts, unasked = [], []
    for probe in (UNPROBED, *probes):
        made = put(
            probe,
            target.pairs,
            format,
            target.loaded.renderer,
            target.room,
            stress.config.explanation.max_new_tokens,
        )
        if isinstance(made, Put):
            puts.append(made)
        elif probe is UNPROBED:
            raise ValueError(f"{stress.name}: the plain question cannot be asked: {made.reason}")
        else:
            unasked.append(made)
    return puts, unasked


def _with_earlier(run: RunDir, found: Findings) -> Findings:
    """With the sections that were found before, of the same model on the same pairs."""
    if not run.file(STRESS).is_file():
        return found
    try:
        earlier = read_stress(run.path)
    except ValueError:  # Of another version: what was asked is kept, and told of anew.
        return found
    same = replace(
        earlier,
        probes=None,
        stakes=None,
        shifts=None,
        artifacts={},
        name=found.name,
        notes=found.notes,
        run=found.run,
    ) == replace(found, artifacts={})
    if not same or any(earlier.artifacts.get(name) != sha for name, sha in found.artifacts.items()):
        return found
    return replace(
        found,
        probes=earlier.probes,
        stakes=earlier.stakes,
        shifts=earlier.shifts,
        artifacts={**earlier.artifacts, **found.artifacts},
    )


def _shifts(stress: Stress, run: RunDir, progress: Progress) -> ShiftsFound:
    world = world_for(stress.config)
    if world is None:
        return ShiftsFound(
            (),
            "The shipped experiments that move behaviour ask about an organism's world, and this model has "
            "none; to move its behaviour on a task of its own, write an experiment (docs/objectives.md).",
        )
    quick = QUICK_PAIRS if stress.pairs <= QUICK_PAIRS else None
    experiments = shift_experiments(stress.config, model_of(stress, run), world, quick)
    # A quick look has directories of its own: a run directory holds one configuration.
    which = folder_of(stress).partition("/")[2] + ("-quick" if quick else "")
    folder: Path = run.file(f"stress/shifts/{which}")
    return ShiftsFound(tuple(run_shifts(experiments, folder, progress)))


def _write(run: RunDir, found: Findings) -> None:
    made_from = {"content": json_sha256(to_json(found)), "coupling": __version__}
    run.make(STRESS, made_from, lambda path: write_json(path, to_json(found)))
    shown_from = {"stress": run.sha(STRESS), "coupling": __version__}
    run.make(PAGE, shown_from, lambda path: write_text(path, render_stress(found)))
