"""Behaviours and explanations of one model, local or served, as artifacts of the audit's run directory."""

from __future__ import annotations

from collections.abc import Sequence

from coupling.config import EndpointConfig, ModelConfig, WrittenBehavior
from coupling.experiment.artifacts import answers_of, identify, note_model
from coupling.experiment.asking import Asking, Tally, rows_of_a_pair, rows_of_an_explanation
from coupling.experiment.detection import detector_sha256, noted_detector
from coupling.experiment.origin import Origin
from coupling.explanations import formats
from coupling.models import EndpointSampler, Journal, LoadedModel, WrittenSampler
from coupling.models.endpoint import Plan
from coupling.progress import Progress
from coupling.records import Answers, Behavior, CounterfactualPair, Explanation
from coupling.store import RunDir, json_sha256, read_records, to_json, write_records
from coupling.studies.audit.definition import Audit, name_of
from coupling.studies.audit.respondents import (
    MODEL,
    Respondent,
    Served,
    behaviors_of,
    explanations_of,
    identity_of,
    journal_of,
    remeasured_of,
)


def ask_local(
    audit: Audit,
    run: RunDir,
    who: str,
    config: ModelConfig,
    loaded: LoadedModel,
    pairs: Sequence[CounterfactualPair],
    progress: Progress,
) -> Respondent:
    """Asks a model in memory what has not been asked yet."""
    experiment = audit.as_experiment(config)
    note_model(run, identity_of(who), config.path, identify(loaded, pairs, experiment))
    twice = who == MODEL
    rows = (2 if twice else 1) * rows_of_a_pair(experiment) + rows_of_an_explanation(experiment)
    advance = Tally(progress, f"ask the {who}", rows * len(pairs))
    asking = Asking(
        experiment,
        run,
        loaded.fingerprint,
        Origin(config, loaded.fingerprint),
        lambda: loaded,
        pairs,
        advance,
        identity_of(who),
    )
    asking.behaviors(behaviors_of(who)).make(run)
    asking.explanations(explanations_of(who)).make(run)
    if twice:
        asking.behaviors_again(remeasured_of(who)).make(run)
    behaviors = read_records(run.file(behaviors_of(who)), Behavior)
    return Respondent(
        who=who,
        name=name_of(config),
        fingerprint=loaded.fingerprint,
        asked=len(pairs),
        behaviors=len(behaviors),
        scored=_scored(behaviors),
        explanations=len(pairs),
        served=None,
    )


def plan_endpoint(
    audit: Audit, run: RunDir, who: str, config: EndpointConfig, pairs: Sequence[CounterfactualPair]
) -> Plan:
    """What asking an endpoint still takes."""
    with Journal(journal_of(run.path, config)) as journal:
        sampler = _sampler(audit, config, journal, f"ask the {who}")
        return sampler.plan(pairs, formats.get(audit.experiment.explanation.format))


def ask_endpoint(
    audit: Audit,
    run: RunDir,
    who: str,
    config: EndpointConfig,
    pairs: Sequence[CounterfactualPair],
    progress: Progress,
) -> Respondent:
    """Asks an endpoint what it has not answered yet.

    Raises:
        ValueError: the endpoint cannot be asked, or fails too often; what was answered is kept.
    """
    experiment = audit.experiment
    with Journal(journal_of(run.path, config)) as journal:
        sampler = _sampler(audit, config, journal, f"ask the {who}", progress)
        if isinstance(experiment.behavior, WrittenBehavior):
            detector = noted_detector(experiment, detector_sha256(experiment, run), "cpu")
            answers = WrittenSampler(sampler, detector).answers(pairs)
            _keep(run, answers_of(behaviors_of(who)), answers)
            behaviors = [each.behavior for each in answers]
        else:
            behaviors = sampler.behaviors(pairs)
        explanations = sampler.explanations(pairs, formats.get(experiment.explanation.format))
    _keep(run, behaviors_of(who), behaviors)
    _keep(run, explanations_of(who), explanations)
    for reason in sampler.completions.told_of_failures():
        progress.note(f"the {who}: {reason}")
    if sampler.unread:
        progress.note(
            f"the {who}: {sampler.unread} replies come to nothing: they name no choice, or several, or were "
            "cut off before one (more tokens: answer_tokens of --endpoint, explanation.max_new_tokens)"
        )
    return Respondent(
        who=who,
        name=name_of(config),
        fingerprint=None,
        asked=len(pairs),
        behaviors=len(behaviors),
        scored=_scored(behaviors),
        explanations=len(explanations),
        served=_served(sampler, config, pairs),
    )


def _sampler(
    audit: Audit, config: EndpointConfig, journal: Journal, name: str, progress: Progress | None = None
) -> EndpointSampler:
    behavior = audit.experiment.behavior
    return EndpointSampler(
        config,
        journal,
        audit.experiment.explanation.max_new_tokens,
        progress,
        name,
        behavior.max_new_tokens if isinstance(behavior, WrittenBehavior) else None,
    )


def _scored(behaviors: Sequence[Behavior]) -> int:
    return sum(bool(each.logprobs_with and each.logprobs_without) for each in behaviors)


def _served(sampler: EndpointSampler, config: EndpointConfig, pairs: Sequence[CounterfactualPair]) -> Served:
    answers = list(sampler.answers_used.values())
    read = _sum([answer.prompt_tokens for answer in answers])
    written = _sum([answer.completion_tokens for answer in answers])
    per_input, per_output = config.price_per_million_input, config.price_per_million_output
    price = None
    if read is not None and written is not None and per_input is not None and per_output is not None:
        price = (read * per_input + written * per_output) / 1e6
    return Served(
        requests=len(answers),
        input_tokens=read,
        output_tokens=written,
        price=price,
        failures=tuple(sampler.completions.told_of_failures()),
        unread=sampler.unread,
        answered_as=tuple(sorted({answer.model for answer in answers if answer.model} - {config.model})),
        is_opened=config.prefill or not any(pair.answer_prefix for pair in pairs),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _keep(run: RunDir, name: str, records: Sequence[Behavior | Answers | Explanation]) -> None:
    content = {"content": json_sha256([to_json(record) for record in records])}
    run.make(name, content, lambda path: write_records(path, records))
