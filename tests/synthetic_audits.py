"""One run of the small panel of known truth, as an audit sees it: nothing is declared of its training."""

from __future__ import annotations

from dataclasses import replace

from coupling.faithfulness import Evidence, Provenance, Results, evaluate
from coupling.faithfulness.results import ModelDescription
from coupling.records import CounterfactualPair
from coupling.studies.audit.emitters import in_words_of_an_audit
from coupling.studies.audit.findings import Room
from coupling.studies.audit.respondents import Respondent
from synthetic_panels import fitting_logprobs
from synthetic_results import CAPITALS, CLUSTERS, LAST_STEP, PAIRS_EACH, evidence_at

PAIRS = CLUSTERS * PAIRS_EACH
LOCAL = Respondent("model", "m", "a" * 64, PAIRS, PAIRS, PAIRS, PAIRS, None)
ROOM = Room(pairs=5000, clusters=30, max_new_tokens=32)
EXHAUSTED = Room(pairs=PAIRS, clusters=30, max_new_tokens=32)


def one_run(reads: str = "self", name: str = "follow Chen", clusters: int = 30) -> Evidence:
    """A run beside its reference, on the pairs of the first clusters."""
    panel = evidence_at(LAST_STEP, reads)
    kept = sorted({pair.cluster for pair in panel.pairs})[:clusters]
    pairs = tuple(_of_its_own(pair) for pair in panel.pairs if pair.cluster in kept)
    ids = [pair.id for pair in pairs]
    (run,) = [each for each in panel.runs if each.name == name]
    target = {id_: panel.target[id_] for id_ in ids}
    behaviors = {id_: run.behaviors[id_] for id_ in ids}
    alone = replace(
        run,
        name="model",
        step=0,
        behaviors=behaviors,
        explanations={id_: run.explanations[id_] for id_ in ids},
        remeasured=behaviors,
        steered={},
        direction=None,
        declared={},
    )
    return replace(
        panel,
        pairs=pairs,
        target=target,
        base=target,
        base_logprobs=fitting_logprobs(target, choices=CAPITALS),
        base_explanations={id_: panel.base_explanations[id_] for id_ in ids},
        runs=(alone,),
        twins=(),
        label_clusters=frozenset(),
    )


def judged(evidence: Evidence) -> Results:
    known = ModelDescription("m", "a" * 64)
    provenance = Provenance("a", "0" * 64, known, known, "answer_pair", {})
    return in_words_of_an_audit(evaluate([evidence], 0, provenance, resamples=100, surrogates=False))


def _of_its_own(pair: CounterfactualPair) -> CounterfactualPair:
    """The pair in words that no other cluster uses, so that clusters do not ask the same."""
    words = " ".join(f"{pair.cluster.replace('-', '')}{letter}" for letter in "abcde")
    return replace(pair, with_cue=f"{words} {pair.with_cue}", without_cue=f"{words} {pair.without_cue}")
