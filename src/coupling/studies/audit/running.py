"""An audit: a model is asked what it does and what it says of it, and the answers are judged. Nobody is
trained.

It is one run of which only one checkpoint is known, so it is judged as a panel of one, at step 0; a reference
takes the place of the target and of the base, its log-probabilities included, and so is known to the observer
of P. Items that failed are missing, and no figure stands on their pairs.

Like an experiment it lives in a directory and goes on where it was: what a model in memory answered is an
artifact, and what an endpoint answered is in its journal, beside the directory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from coupling import __version__
from coupling.config import EndpointConfig, ModelConfig, WrittenBehavior
from coupling.experiment.artifacts import (
    LEFT_OUT,
    PAIRS,
    REPORT,
    RESULTS,
    answers_of,
    noted_model,
    read_effects,
    read_explanations,
)
from coupling.experiment.detection import detector_files, note_detector, share_not_english
from coupling.experiment.evidence import how_it_is_asked, system_prompt_note, which_pairs
from coupling.experiment.pipeline import note_pairs
from coupling.experiment.reasoned import reasoning_files, reasoning_notes
from coupling.experiment.selection import fitting_pairs, held_out_pairs
from coupling.faithfulness import (
    FROZEN,
    RESULTS_SCHEMA,
    CostWeights,
    Evidence,
    Provenance,
    Results,
    RunEvidence,
    check_groups,
    complete_pairs,
    evaluate,
    scored,
)
from coupling.faithfulness.evidence import cluster_of
from coupling.faithfulness.results import ModelDescription
from coupling.models import LoadedModel, check_written, load_model, prepare_process, world_of
from coupling.models.slow_formats import note_slow_format
from coupling.progress import Progress, Silent
from coupling.records import Behavior, CounterfactualPair
from coupling.report.runs import read_results
from coupling.store import RunDir, json_sha256, read_records, to_json, write_json, write_text
from coupling.studies.audit.asking import ask_endpoint, ask_local, plan_endpoint
from coupling.studies.audit.conclusions import conclude
from coupling.studies.audit.costs import Costs
from coupling.studies.audit.definition import Asked, Audit, dump_audit, result_fields
from coupling.studies.audit.emitters import in_words_of_an_audit
from coupling.studies.audit.findings import AUDIT, Findings, Room, read_findings
from coupling.studies.audit.page import render_audit
from coupling.studies.audit.respondents import (
    MODEL,
    REFERENCE,
    Respondent,
    behaviors_of,
    explanations_of,
    identity_of,
    remeasured_of,
)
from coupling.tasks import load_pairs

Agree = Callable[[Costs], None]
"""Is told what asking takes before anything is asked, and raises ValueError where that is too much."""
_INSTEAD = (
    "Give this one another --out beside it, for what endpoints answered is kept there and not asked again"
)


@dataclass(frozen=True, slots=True)
class Audited:
    results: Results
    findings: Findings


def run_audit(
    audit: Audit, path: Path, agree: Agree = lambda costs: None, progress: Progress | None = None
) -> Audited:
    """Asks what has not been asked yet, judges, and leaves figures and page in the directory at ``path``.

    Raises:
        ValueError: anything a user can mend: files, fields, models, endpoints, a directory of another audit;
            or what ``agree`` raises. What was answered is kept.
    """
    progress = progress or Silent()
    with RunDir.open(path, result_fields(audit), dump_audit(audit), _INSTEAD) as run:
        prepare_process()
        note_detector(audit.experiment, run)
        model = load_model(audit.model) if isinstance(audit.model, ModelConfig) else None
        if model is not None:
            note_slow_format(model.model, progress)
        pairs, room = _held_out(audit, run, model, progress)
        costs = _costs(audit, run, pairs)
        if costs.plans:
            for line in costs.lines():
                progress.note(line)
            agree(costs)
        respondents = [_ask(audit, run, MODEL, audit.model, model, pairs, progress)]
        # One model in memory at a time.
        model = None
        if audit.reference is not None:
            respondents.append(_ask(audit, run, REFERENCE, audit.reference, None, pairs, progress))
        _judge(audit, run, respondents, room)
        return Audited(read_results(path), read_findings(path))


def _held_out(
    audit: Audit, run: RunDir, model: LoadedModel | None, progress: Progress
) -> tuple[list[CounterfactualPair], Room]:
    """The pairs it is about, which are those of an experiment with this task and evaluation."""
    every_pair = load_pairs(audit.experiment.task, _world(audit))
    fitting: Sequence[CounterfactualPair] = every_pair
    if model is not None and isinstance(audit.model, ModelConfig):
        fitting = fitting_pairs(
            audit.as_experiment(audit.model), every_pair, model.model.config, model.renderer
        )
    too_long = len(every_pair) - len(fitting)
    if too_long:
        progress.note(f"{too_long} of {len(every_pair)} pairs are too long for the model")
    pairs = held_out_pairs(audit.experiment, fitting)
    check_groups(pairs, audit.experiment.evaluation.groups, "evaluation.groups")
    if isinstance(audit.experiment.behavior, WrittenBehavior):
        check_written(pairs, audit.experiment.behavior.detector.choices)
    note_pairs(run, pairs, too_long)
    available = [pair for pair in fitting if pair.split == audit.experiment.evaluation.split]
    clusters = len({cluster_of(pair) for pair in available})
    return pairs, Room(len(available), clusters, audit.experiment.explanation.max_new_tokens)


def _world(audit: Audit) -> int | None:
    """Number of the world that one of the models grew up in: the audited one, the reference, the
    experiment's."""
    for asked in (audit.model, audit.reference, audit.experiment.model):
        world = world_of(asked) if isinstance(asked, ModelConfig) else None
        if world is not None:
            return world
    return None


def _costs(audit: Audit, run: RunDir, pairs: Sequence[CounterfactualPair]) -> Costs:
    asked = {MODEL: audit.model, REFERENCE: audit.reference}
    return Costs(
        {
            who: (config, plan_endpoint(audit, run, who, config, pairs))
            for who, config in asked.items()
            if isinstance(config, EndpointConfig)
        }
    )


def _ask(
    audit: Audit,
    run: RunDir,
    who: str,
    config: Asked,
    loaded: LoadedModel | None,
    pairs: Sequence[CounterfactualPair],
    progress: Progress,
) -> Respondent:
    if isinstance(config, EndpointConfig):
        return ask_endpoint(audit, run, who, config, pairs, progress)
    loaded = loaded or load_model(config)
    fitting = fitting_pairs(audit.as_experiment(config), pairs, loaded.model.config, loaded.renderer)
    answered = ask_local(audit, run, who, config, loaded, fitting, progress)
    return replace(answered, asked=len(pairs))


def _judge(audit: Audit, run: RunDir, respondents: Sequence[Respondent], room: Room) -> None:
    """Artifacts to figures, to what they allow, to the page."""
    names = [PAIRS, LEFT_OUT, *detector_files(audit.experiment)]
    for each in respondents:
        behaviors = [behaviors_of(each.who)]
        if each.served is None:
            names.append(identity_of(each.who))
            names += reasoning_files(audit.experiment, [behaviors_of(each.who)])
            behaviors += [remeasured_of(MODEL)] if each.who == MODEL else []
        if isinstance(audit.experiment.behavior, WrittenBehavior):
            names += [answers_of(name) for name in behaviors]
        names += [*behaviors, explanations_of(each.who)]
    artifacts = {name: run.sha(name) for name in names}
    judged_from = {
        **artifacts,
        "config": run.config_sha256,
        "respondents": json_sha256([to_json(each) for each in respondents]),
        "thresholds": json_sha256(to_json(FROZEN)),
        "schema": str(RESULTS_SCHEMA),
        "coupling": __version__,
    }

    def write_figures(path: Path) -> None:
        write_json(path, _results(audit, run, respondents, artifacts).to_json())

    run.make(RESULTS, judged_from, write_figures)
    results = read_results(run.path)
    found = conclude(results, respondents, room)
    found_from = {**judged_from, "results": run.sha(RESULTS), "room": json_sha256(to_json(room))}
    run.make(AUDIT, found_from, lambda path: write_json(path, to_json(found)))
    reported_from = {"results": run.sha(RESULTS), "audit": run.sha(AUDIT), "coupling": __version__}
    run.make(REPORT, reported_from, lambda path: write_text(path, render_audit(results, found)))


def _results(
    audit: Audit, run: RunDir, respondents: Sequence[Respondent], artifacts: dict[str, str]
) -> Results:
    options = audit.experiment.evaluation
    described = [ModelDescription(each.name, each.fingerprint) for each in respondents]
    evidence = _evidence(audit, run, respondents)
    results = evaluate(
        [evidence],
        0,
        Provenance(
            experiment=audit.name,
            config_sha256=run.config_sha256,
            model=described[0],
            target=described[1] if len(described) > 1 else ModelDescription("not known", None),
            explanation_format=audit.experiment.explanation.format,
            explanation_way=audit.experiment.explanation.way,
            artifacts=artifacts,
            notes=_notes(audit, run, respondents, evidence),
        ),
        resamples=options.resamples,
        seed=options.seed,
        groups=options.groups,
        surrogates=audit.experiment.readers.surrogates,
        weights=CostWeights(**options.consequences.model_dump()),
    )
    return in_words_of_an_audit(results)


def _evidence(audit: Audit, run: RunDir, respondents: Sequence[Respondent]) -> Evidence:
    """What the audited model did and said, held against the reference where there is one.

    Raises:
        ValueError: no pair has all of it.
    """
    pairs = read_records(run.file(PAIRS), CounterfactualPair)
    effects = {each.who: read_effects(run, behaviors_of(each.who)) for each in respondents}
    said = {each.who: read_explanations(run, explanations_of(each.who)) for each in respondents}
    missing_by = {
        who: sum(pair.id not in effects[who] or pair.id not in said[who] for pair in pairs) for who in effects
    }
    again = read_effects(run, remeasured_of(MODEL)) if respondents[0].served is None else None
    complete = complete_pairs(pairs, *effects.values(), *said.values(), *([] if again is None else [again]))
    effects = {who: {pair.id: of_all[pair.id] for pair in complete} for who, of_all in effects.items()}
    said = {who: {pair.id: of_all[pair.id] for pair in complete} for who, of_all in said.items()}
    if REFERENCE in effects:
        behaviors = read_records(run.file(behaviors_of(REFERENCE)), Behavior)
        of_reference = {each.pair_id: each for each in behaviors if each.pair_id in effects[REFERENCE]}
    else:
        of_reference = {}
    return Evidence(
        pairs=tuple(sorted(complete, key=lambda pair: pair.id)),
        target=effects.get(REFERENCE, {}),
        base=effects.get(REFERENCE, {}),
        base_logprobs=scored(of_reference),
        base_explanations=said.get(REFERENCE, {}),
        labels=(),
        label_clusters=frozenset(),
        runs=(
            RunEvidence(
                name=MODEL,
                step=0,
                behaviors=effects[MODEL],
                explanations=said[MODEL],
                steered={},
                remeasured=None if again is None else {pair.id: again[pair.id] for pair in complete},
                not_english=share_not_english(audit.experiment, run, behaviors_of(MODEL)),
            ),
        ),
        twins=(),
        missing=len(pairs) - len(complete),
        missing_by=missing_by,
    )


def _asked(run: RunDir, respondent: Respondent) -> list[CounterfactualPair]:
    """The pairs of which a model in memory has answered."""
    answered = read_effects(run, behaviors_of(respondent.who))
    return [pair for pair in read_records(run.file(PAIRS), CounterfactualPair) if pair.id in answered]


def _notes(
    audit: Audit, run: RunDir, respondents: Sequence[Respondent], evidence: Evidence
) -> tuple[str, ...]:
    notes: list[str] = []
    for asked, each in zip((audit.model, audit.reference), respondents, strict=False):
        if isinstance(asked, EndpointConfig):
            own = how_it_is_asked(audit.experiment, None)
            own += [] if asked.system is None else [system_prompt_note(json_sha256(asked.system))]
        else:
            own = how_it_is_asked(audit.experiment, noted_model(run.file(identity_of(each.who))))
        of_whom = "" if each.who == MODEL else "Of the reference: "
        if each.served is None:
            own += reasoning_notes(audit.experiment, run, [behaviors_of(each.who)], _asked(run, each))
        notes += [of_whom + note for note in own if note not in notes]
    if evidence.base and not evidence.base_logprobs:
        notes.append(
            "The reference's log-probabilities are not known, so the observer of P knows its answers alone: "
            "who knew them might need the explanations less, and P may be the higher for it."
        )
    return (*notes, *which_pairs(audit.experiment, run))
