"""What the evidence of an audit allows, what it does not, and what to do next, in plain words.

Every sentence follows from the figures by a rule of this page, and the first of each list from the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from coupling.explanations import formats
from coupling.faithfulness.gates import has_collapsed, is_skilled, too_few_parse, within_measurement_floor
from coupling.faithfulness.observer import FOLDS
from coupling.faithfulness.results import CONSTRUCTED, Results
from coupling.faithfulness.rows import DISCORDANT, Figures, best_baseline
from coupling.faithfulness.thresholds import Thresholds
from coupling.faithfulness.wording import bits, share, signed
from coupling.report.reading import baseline_name
from coupling.report.text import headed, in_words, observed
from coupling.studies.audit.findings import (
    AUDIT_SCHEMA,
    INFORMATIVE,
    INVALID,
    NOT_MEASURED,
    UNDECIDED,
    UNINFORMATIVE,
    AuditVerdict,
    EmitterVerdict,
    Findings,
    Room,
)
from coupling.studies.audit.respondents import REFERENCE, Respondent
from coupling.studies.audit.rules import rules
from coupling.studies.audit.verdict import clusters_that_decide, decide, has_reference, who_knows


def conclude(results: Results, respondents: Sequence[Respondent], room: Room) -> Findings:
    """What the figures of an audit mean."""
    verdict = decide(results)
    return Findings(
        schema=AUDIT_SCHEMA,
        verdict=verdict,
        trust=_trust(results.figures),
        emitters=tuple(
            EmitterVerdict(each.name, decide(results, each.name))
            for each in results.explained_by(CONSTRUCTED)
        ),
        allows=tuple(_allows(results, verdict)),
        does_not_allow=tuple(_does_not_allow(results, verdict, respondents)),
        next_steps=tuple(_next_steps(results, verdict, respondents, room)),
        rules=tuple(rules(results)),
        respondents=tuple(respondents),
    )


def _trust(figures: Figures) -> str:
    ahead = figures("over_quoting")
    true = f"The share of explanations that are true (Self) is {share(figures('self'))}"
    if ahead.value is None:
        return f"{true}; whether repeating another model's answers would serve as well takes a reference."
    if ahead.low is not None and ahead.low > 0:
        whether = "they are more often true than repeating the reference's answers"
    elif ahead.high is not None and ahead.high < 0:
        whether = "who repeats the reference's answers is more often right, and needs no explanations"
    else:
        whether = "whether they are more often true than repeating the reference's answers is open"
    return f"{true}: {whether}, by {signed(ahead)}."


def _allows(results: Results, verdict: AuditVerdict) -> list[str]:
    figures, limits = results.figures, results.thresholds
    if verdict.verdict == INVALID:
        return [f"{verdict.sentence} So the measurement does not hold, and nothing else may be said."]
    followed = figures("followed")
    follows = "" if followed.value is None else f", and {share(followed)} of answers follow it"
    said = [
        *_told(figures, verdict),
        f"The cue changes the model's answer on {share(figures('changed'))} of pairs{follows}.",
        f"The share of explanations that are true of the model (Self) is {share(figures('self'))}; "
        f"whether the answer changes is told rightly in {share(figures('self_changed'))}.",
        _errors(figures),
        _skill(figures),
    ]
    if has_collapsed(figures, limits):
        said.append("They say nearly the same whatever is asked, while the answers vary.")
    if has_reference(figures):
        said.append(
            f"Model and reference act alike on {share(figures('similarity'))} of pairs, and differently on "
            f"{_drift(figures)}. The share of explanations that are true of the reference (Orig) is "
            f"{share(figures('orig'))}."
        )
        said += _sides(figures, limits)
        said += [
            "An explainer that never saw this model, the reference explaining itself, is true of it in "
            f"{share(figures('self', explainer=each.name))}."
            for each in results.explained_by(CONSTRUCTED)
            if each.name == REFERENCE
        ]
    return said


def _told(figures: Figures, verdict: AuditVerdict) -> list[str]:
    """What follows from P, where it decides."""
    p, whoever = figures("p_alone"), headed(who_knows(figures))
    if verdict.verdict == INFORMATIVE:
        null = figures("p_null")
        beside = "" if null.value is None else f" The same claims dealt to other pairs add {bits(null)}."
        return [
            f"{whoever} does not know {in_words(figures('p_unknown'))} bits a pair of its answers, and knows "
            f"{in_words(p)} bits more once told its explanations.{beside}"
        ]
    if verdict.verdict == UNINFORMATIVE:
        return [f"{whoever} need not read its explanations: they add {bits(p)} a pair."]
    return []


def _skill(figures: Figures) -> str:
    advantage = figures("self_advantage")
    best = baseline_name(best_baseline(figures))
    if is_skilled(figures):
        return (
            f"They are more often true than what can be said without reading any model: by "
            f"{signed(advantage)} over {best}, the best such claim."
        )
    return (
        "It is not shown that they are more often true than what can be said without reading any model: "
        f"{signed(advantage)} over {best}, the best such claim."
    )


def _sides(figures: Figures, limits: Thresholds) -> list[str]:
    """Whose behaviour the explanations state, where enough pairs tell."""
    if _is_too_alike(figures, limits):
        return []
    delta = figures("delta")
    if within_measurement_floor(figures):
        whose = "which of the two they side with cannot be told, for measuring again moves Δ by as much"
    elif delta.low is not None and delta.low > 0:
        whose = "they state the model's own effect more often than the reference's"
    elif delta.high is not None and delta.high < 0:
        whose = "they state the reference's effect more often than its own"
    else:
        whose = "which of the two they side with cannot be told"
    own, target, neither, unparseable = (
        observed(figures(name, subset=DISCORDANT)) for name in ("self", "orig", "neither", "unparseable")
    )
    return [
        f"Where the two differ, {whose}: Δ = {signed(delta)}. Of the explanations there {own} state "
        f"the model's effect, {target} the reference's, {neither} another and {unparseable} none."
    ]


def _errors(figures: Figures) -> str:
    """Apart, for they lead a reader astray in two directions."""
    denied, invented = figures("denied"), figures("invented")
    parts = []
    if denied.value is not None:
        parts.append(
            f"where the cue decides the answer, {share(denied)} of explanations deny that it changes"
        )
    if invented.value is not None:
        parts.append(f"where it does not, {share(invented)} claim a change")
    return headed("; ".join(parts)) + "."


def _does_not_allow(results: Results, verdict: AuditVerdict, respondents: Sequence[Respondent]) -> list[str]:
    figures, limits = results.figures, results.thresholds
    model = respondents[0]
    said = [
        "That its explanations follow its behaviour, the verdict `coupled`. That takes P beyond siblings: "
        "other runs of its recipe, unsteered and steered alike, whom an audit does not train. A drift that "
        "all such models share looks the same from here."
    ]
    if verdict.verdict == UNINFORMATIVE:
        said.append("That they are false: who says what could be expected may well say what is true.")
    if verdict.verdict in (UNDECIDED, NOT_MEASURED):
        said.append("That they tell nothing, or something: neither was shown.")
    if not has_reference(figures):
        said.append(
            "That P is about this model: the observer does not know what any model of its kind would answer. "
            "Explanations that are right about the world add to P as do those that are right about the model."
        )
        said.append(
            "Whether they follow the model or repeat what it was taught to say: the model whose behaviour "
            "its training described is not known."
        )
    elif _is_too_alike(figures, limits):
        said.append(
            f"Whose behaviour they state. Model and reference differ on {_drift(figures)}, and telling takes "
            f"{limits.min_discordant_pairs} pairs in {limits.min_discordant_clusters}."
        )
    said.append(
        "Anything about questions its explanations were not trained on: which those are is not known, and "
        "the ones asked here may be among them."
    )
    said += _of_the_server(model)
    if results.counts.missing:
        said.append(
            f"Anything about the {results.counts.missing} pairs of which an answer or explanation is "
            "missing; they need not be like the others."
        )
    said.append("That any single explanation is true, or anything about other cues, tasks and versions.")
    return said


def _of_the_server(model: Respondent) -> list[str]:
    """What is left open where the model was not in memory."""
    if model.served is None:
        return []
    said = [
        "That measuring again would give the same: a served model is asked once, its weights are not "
        "seen, and the server may answer with another tomorrow."
    ]
    if not model.served.is_opened:
        said.append(
            "A comparison with figures of the same model in memory: the words that open its answer were "
            "not given (prefill), so it was asked another question."
        )
    if model.served.answered_as:
        names = ", ".join(model.served.answered_as)
        said.append(f"That the model asked for is the one that answered: the server calls it {names}.")
    return said


def _next_steps(
    results: Results, verdict: AuditVerdict, respondents: Sequence[Respondent], room: Room
) -> list[str]:
    figures, limits = results.figures, results.thresholds
    steps = []
    if any(each.served is not None and each.served.failures for each in respondents):
        steps.append("Repeat the command: it asks for what failed and for nothing else.")
    if too_few_parse(figures, limits):
        other = next(name for name in formats.NAMES if name != results.explanation_format)
        steps.append(
            f"Ask in the other format (--set explanation.format={other}), or let explanations be longer "
            f"(--set explanation.max_new_tokens={2 * room.max_new_tokens}), with another --out; "
            "model/explanations.jsonl holds what it says."
        )
    elif verdict.verdict == INVALID:
        steps.append("Mend the task: " + "; ".join(verdict.missing) + ".")
    if verdict.verdict in (UNDECIDED, NOT_MEASURED):
        steps.append(_what_decides(results, verdict, room))
    if not has_reference(figures):
        steps.append("Name the model it was trained from: --reference, with another --out.")
    elif _is_too_alike(figures, limits):
        steps.append(_more_pairs(figures, results, limits, room))
    if results.model.fingerprint is None:
        steps.append(
            "To find out whether its explanations follow it, get its weights: other runs of its recipe have "
            "to be trained, by `coupling run`."
        )
    else:
        steps.append(
            "To find out whether its explanations follow it, train runs of it that are steered apart, and "
            "some alike: an experiment with this model.path, by `coupling run` (`coupling init` writes one)."
        )
    return steps


def _what_decides(results: Results, verdict: AuditVerdict, room: Room) -> str:
    """How to bring P's interval off its thresholds, as far as the task has room for that."""
    counts = results.counts
    if verdict.verdict == NOT_MEASURED:
        if room.clusters >= FOLDS:
            return (
                f"Ask about more of the {room.pairs} held-out pairs (--pairs, with another --out): they come "
                f"from {room.clusters} clusters, and the observer takes {FOLDS}."
            )
        return f"Take a task of {FOLDS} held-out clusters or more: this one has {room.clusters}."
    decides = "more clusters, or more pairs in them, decide"
    if verdict.reason == "undecided":
        wanted = clusters_that_decide(results.figures("p_alone"), results.thresholds.least_bits)
        decides = f"about {wanted} clusters would decide, fewer where each holds more pairs"
    if room.pairs > counts.pairs + counts.missing:
        return (
            f"Ask about more of the {room.pairs} held-out pairs, in {room.clusters} clusters (--pairs, with "
            f"another --out): {decides}."
        )
    return f"Take a task of more held-out pairs: all that there are here were asked about, and {decides}."


def _more_pairs(figures: Figures, results: Results, limits: Thresholds, room: Room) -> str:
    discordant = figures.count("discordant_pairs")
    if not discordant:
        return (
            "Model and reference differ nowhere here: take a task on which they do, or an earlier reference."
        )
    if discordant >= limits.min_discordant_pairs:
        return "Take a task of more clusters: those that hold discordant pairs are too few for an interval."
    wanted = ceil(limits.min_discordant_pairs * results.counts.pairs / discordant)
    rate = (
        f"at the rate seen here about {wanted} would hold {limits.min_discordant_pairs} on which model and "
        "reference differ"
    )
    if wanted > room.pairs:
        return (
            f"Take a task of more pairs, or an earlier reference: {rate}, and the task has {room.pairs} "
            "held-out pairs."
        )
    return f"Ask about more pairs: {rate} (--pairs {wanted}, with another --out)."


def _drift(figures: Figures) -> str:
    discordant = figures("discordant_pairs")
    return f"{figures.count('discordant_pairs')} pairs of {discordant.clusters} clusters"


def _is_too_alike(figures: Figures, limits: Thresholds) -> bool:
    discordant = figures("discordant_pairs")
    return discordant.n < limits.min_discordant_pairs or discordant.clusters < limits.min_discordant_clusters
