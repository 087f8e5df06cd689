"""From the artifacts of a run directory to its figures. No model is loaded here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from coupling.config import ExperimentConfig, RunConfig, WrittenBehavior, config_sha256
from coupling.experiment.artifacts import (
    BASE,
    LABELS,
    LEFT_OUT,
    MODEL,
    PAIRS,
    TARGET_MODEL,
    ModelIdentity,
    answers_of,
    behaviors_of,
    checkpoint,
    explanations_of,
    noted_model,
    read_effects,
    read_explanations,
    remeasured_of,
    written_of,
)
from coupling.experiment.detection import detector_files, detector_note, reads_by_rules, share_not_english
from coupling.experiment.examples import examples_notes
from coupling.experiment.readers import reader_behaviors, reader_evidence, reader_files
from coupling.experiment.reasoned import reasoning_files, reasoning_notes
from coupling.experiment.selection import held_out_pairs
from coupling.experiment.sources import (
    asks_target,
    behaviors_stated,
    effects_by_source,
    is_mixed,
    source_of,
    target_name,
    target_of,
)
from coupling.faithfulness import (
    CostWeights,
    Evidence,
    Provenance,
    Results,
    RunEvidence,
    Schedule,
    evaluate,
    scored,
)
from coupling.faithfulness.evidence import complete_pairs
from coupling.faithfulness.results import ModelDescription
from coupling.records import Behavior, CounterfactualPair, Effect, Explanation, Label
from coupling.store import RunDir, read_json, read_records
from coupling.tasks.cues import CUE
from coupling.tasks.steering import declared_answers
from coupling.training.steering import steered_inputs


def evidence_files(config: ExperimentConfig) -> list[str]:
    """The artifacts that the figures are made from."""
    files = [PAIRS, LEFT_OUT, LABELS, MODEL, behaviors_of(BASE), explanations_of(BASE)]
    files += [TARGET_MODEL] if asks_target(config) else []
    files += detector_files(config)
    files += behaviors_stated(config)
    files += reasoning_files(config, judged_behaviors(config))
    files += [answers_of(name) for name in judged_behaviors(config)] if reads_by_rules(config) else []
    for member in config.panel:
        for step in config.training.checkpoints:
            stem = checkpoint(member, step)
            files += [behaviors_of(stem), explanations_of(stem)]
            if step == config.evaluation.checkpoint:
                files += [remeasured_of(stem)] if step > 0 else []
                files += [written_of(stem)] if config.explanation.is_filled else []
    files += reader_files(config)
    return list(dict.fromkeys(files))


def judged_behaviors(config: ExperimentConfig) -> list[str]:
    """The behaviours of every run at the checkpoint the verdict stands on."""
    at = config.evaluation.checkpoint
    return list(dict.fromkeys(behaviors_of(checkpoint(member, at)) for member in config.panel))


def judge_run(config: ExperimentConfig, run: RunDir, artifacts: Mapping[str, str]) -> Results:
    """All figures of a run directory; ``artifacts`` are the hashes of what they stand on."""
    options = config.evaluation
    checkpoints = [evidence_at(step, config, run) for step in config.training.checkpoints]
    provenance = Provenance(
        experiment=config.name,
        config_sha256=config_sha256(config),
        model=_base_description(config, run),
        target=_target_description(config, run),
        explanation_format=config.explanation.format,
        explanation_way=config.explanation.way,
        artifacts=dict(artifacts),
        notes=_notes(config, run, read_records(run.file(LABELS), Label)),
    )
    return evaluate(
        checkpoints,
        options.checkpoint,
        provenance,
        resamples=options.resamples,
        seed=options.seed,
        groups=_groups(config),
        surrogates=config.readers.surrogates,
        weights=CostWeights(**options.consequences.model_dump()),
        schedule=_schedule(config),
    )


def _schedule(config: ExperimentConfig) -> Schedule | None:
    """When the steered runs are moved; None where none is."""
    steering = config.training.steering
    if steering.onset is None or all(member.steer is None for member in config.panel):
        return None
    return Schedule(steering.onset, steering.undo)


def evidence_at(step: int, config: ExperimentConfig, run: RunDir, is_whole: bool = True) -> Evidence:
    """What the panel did and said at one step; at step 0 every run is M0.

    Args:
        is_whole: whether to read what the checkpoint of the verdict alone is asked as well: its behaviour
            measured again, and free text beside filled-in sentences.
    """
    every_pair = {pair.id: pair for pair in read_records(run.file(PAIRS), CounterfactualPair)}
    held_out = held_out_pairs(config, list(every_pair.values()))
    pairs, missing_by = _answered(config, run, held_out)
    labels = tuple(read_records(run.file(LABELS), Label))
    wanted = {pair.id for pair in pairs}
    base = {
        behavior.pair_id: behavior
        for behavior in read_records(run.file(behaviors_of(BASE)), Behavior)
        if behavior.pair_id in wanted
    }

    def effects(name: str) -> dict[str, Effect]:
        return {id_: effect for id_, effect in read_effects(run, name).items() if id_ in wanted}

    def said(name: str) -> dict[str, Explanation]:
        return {id_: each for id_, each in read_explanations(run, name).items() if id_ in wanted}

    def member_evidence(member: RunConfig) -> RunEvidence:
        stem = checkpoint(member, step)
        is_judged = is_whole and step == config.evaluation.checkpoint
        measured_twice = is_judged and step > 0
        wrote = is_judged and config.explanation.is_filled
        return RunEvidence(
            name=member.name,
            step=step,
            behaviors=effects(behaviors_of(stem)),
            explanations=said(explanations_of(stem)),
            steered=member.steer.region if member.steer else {},
            remeasured=effects(remeasured_of(stem)) if measured_twice else None,
            written=said(written_of(stem)) if wrote else None,
            direction=member.steer.direction if member.steer else None,
            declared=declared_answers(member.steer, pairs, base),
            not_english=share_not_english(config, run, behaviors_of(stem)) if is_judged else None,
        )

    sources = {
        name: {pair.id: of_all[pair.id] for pair in pairs}
        for name, of_all in effects_by_source(config, run).items()
    }
    return Evidence(
        pairs=tuple(sorted(pairs, key=lambda pair: pair.id)),
        target={pair.id: sources[source_of(config, pair)][pair.id] for pair in pairs} if sources else {},
        base={pair_id: behavior.effect for pair_id, behavior in base.items()},
        base_logprobs=scored(base),
        base_explanations=said(explanations_of(BASE)),
        labels=labels,
        label_clusters=frozenset(every_pair[label.pair_id].cluster for label in labels),
        runs=tuple(member_evidence(member) for member in config.panel),
        twins=config.twins,
        sources=sources if is_mixed(config) else {},
        labelled_pairs=tuple(every_pair[label.pair_id] for label in labels),
        # They are trained to their end and asked once, so they stand beside the verdict alone.
        readers=reader_evidence(config, run, wanted) if step == config.evaluation.checkpoint else (),
        missing=len(held_out) - len(pairs),
        missing_by=missing_by,
    )


def _answered(
    config: ExperimentConfig, run: RunDir, pairs: Sequence[CounterfactualPair]
) -> tuple[Sequence[CounterfactualPair], dict[str, int]]:
    """The pairs on which everybody has behaved at every step; of how many a behaviour is missing, and whose.

    Only where answers are written may one be missing.
    """
    if not isinstance(config.behavior, WrittenBehavior):
        return pairs, {}
    names = [behaviors_of(BASE), *behaviors_stated(config), *reader_behaviors(config)]
    for member in config.panel:
        names += [behaviors_of(checkpoint(member, step)) for step in config.training.checkpoints]
        at = config.evaluation.checkpoint
        names += [remeasured_of(checkpoint(member, at))] if at > 0 else []
    found = {name: read_effects(run, name) for name in names}
    missing_by = {name: sum(pair.id not in effects for pair in pairs) for name, effects in found.items()}
    told = {name.removesuffix(".jsonl"): count for name, count in missing_by.items() if count}
    return complete_pairs(pairs, *found.values()), told


def _groups(config: ExperimentConfig) -> tuple[str, ...]:
    """The tags asked for, and that of the cue where a task has more than its own."""
    cues, groups = config.task.cues, config.evaluation.groups
    is_more = bool(cues.placebos) or cues.together
    return (*groups, CUE) if is_more and CUE not in groups else groups


def _base_description(config: ExperimentConfig, run: RunDir) -> ModelDescription:
    return ModelDescription(config.model.name, _fingerprint(run, MODEL))


def _target_description(config: ExperimentConfig, run: RunDir) -> ModelDescription:
    if target_of(config) == BASE:
        return _base_description(config, run)
    name = target_name(config)
    if not asks_target(config):
        return ModelDescription(f"the author of {name}", None)
    own = f", and the base on {config.supervision.own_share:g} of questions" if is_mixed(config) else ""
    return ModelDescription(name + own, _fingerprint(run, TARGET_MODEL))


def _fingerprint(run: RunDir, artifact: str) -> str:
    return noted_model(run.file(artifact)).fingerprint


def how_it_is_asked(config: ExperimentConfig, model: ModelIdentity | None) -> list[str]:
    """What a reader must know of how a model is run, where it is not run as organisms are, and of how its
    answers are read. ``model`` is None where somebody else runs it."""
    notes = [] if model is None else _how_it_is_run(model)
    if isinstance(config.behavior, WrittenBehavior):
        notes.append(detector_note(config))
    return notes


def which_pairs(config: ExperimentConfig, run: RunDir) -> list[str]:
    """What a reader must know of the pairs that are judged."""
    notes = []
    if config.evaluation.split == "dev":
        notes.append("These are development clusters: settings may have been chosen on them.")
    left_out = read_json(run.file(LEFT_OUT))
    assert isinstance(left_out, dict)
    if left_out["too_long"]:
        notes.append(f"{left_out['too_long']} pairs are left out: the model has no room for them.")
    return notes


def system_prompt_note(sha256: str) -> str:
    return f"A system prompt stands before every message (SHA-256 {sha256[:12]})."


def _how_it_is_run(model: ModelIdentity) -> list[str]:
    """What a reader must know of a model that is not run as organisms are."""
    notes = []
    if model.dtype != "float32":
        notes.append(
            f"Models are run in {model.dtype}: an answer near a tie turns on rounding, and the measurement "
            "floor says how many do."
        )
    if model.thinking != "no switch":
        notes.append(f"The thinking mode of the chat template is {model.thinking}.")
    if model.system_prompt is not None:
        notes.append(system_prompt_note(model.system_prompt))
    if model.adapter is not None:
        notes.append(f"An adapter is merged into the base (SHA-256 {model.adapter[:12]}).")
    return notes


def _notes(config: ExperimentConfig, run: RunDir, labels: Sequence[Label]) -> tuple[str, ...]:
    notes = how_it_is_asked(config, noted_model(run.file(MODEL)))
    if is_mixed(config):
        own = sum(label.source == BASE for label in labels)
        notes.append(
            f"{own} of {len(labels)} labels state the base's own effects, the others those of "
            f"{target_name(config)}, question by question; on a held-out question Orig is held against the "
            "one of the two to which it falls by the same lot."
        )
    if config.supervision.file is not None:
        notes.append(f"The labels were made elsewhere: {target_name(config)}.")
    noise = config.supervision.noise
    if noise.kind != "none":
        wrong = sum(label.effect != label.clean for label in labels)
        against = "" if target_of(config) is None else "; Orig is held against effects without noise"
        notes.append(
            f"{wrong} of {len(labels)} labels were made wrong on purpose ({noise.kind} noise at rate "
            f"{noise.rate}){against}."
        )
    undo = config.training.steering.undo
    if undo is not None and any(member.steer is not None for member in config.panel):
        notes.append(
            f"From step {undo} on the shift is undone: steered runs are trained back to the base's answers."
        )
    notes += examples_notes(config)
    pairs = read_records(run.file(PAIRS), CounterfactualPair)
    notes += reasoning_notes(config, run, judged_behaviors(config), held_out_pairs(config, pairs))
    for member in config.panel:
        shared = sum(cues > 1 for cues in steered_inputs(pairs, member.steer).values())
        if shared:
            notes.append(
                f"{member.name} is not steered on {shared} training inputs in which two of its cues stand: "
                "they may pull one answer two ways."
            )
    return (*notes, *which_pairs(config, run))
