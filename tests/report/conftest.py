"""Results for the reports to tell."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from coupling.faithfulness import Results, judge
from coupling.faithfulness.results import CONSTRUCTED, ModelDescription
from synthetic_results import HOSTILE, LAST_STEP, evidence_at, results_of


@pytest.fixture(scope="session")
def coupled() -> Results:
    """Explanations that state what their own run does."""
    return results_of("self")


@pytest.fixture(scope="session")
def drifting() -> Results:
    """Explanations that state what all runs drifted to."""
    return results_of("shared", steps=(0, LAST_STEP))


@pytest.fixture(scope="session")
def empty() -> Results:
    """One run that never moved, judged once: no discordant pair, no twins, no panel, nothing constructed."""
    still = evidence_at(0)
    alone = replace(still, base_explanations={}, runs=still.runs[:1], twins=())
    results = judge(alone, resamples=50)
    return replace(
        results,
        explainers=tuple(each for each in results.explainers if each.kind != CONSTRUCTED),
        examples=(),
        model=ModelDescription("model", None),
    )


@pytest.fixture(scope="session")
def hostile(coupled: Results) -> Results:
    """The same figures, with hostile text wherever text comes from outside."""
    dressed = f"\x1b[31m{HOSTILE}\x1b]0;title\x07\x00\u202e"
    document = json.dumps(coupled.to_json())
    for name in (
        "follow Chen",
        coupled.experiment,
        "organism:coupled",
        "Chen",
        "adviser",
        "hint",
        "Lima",
        "Peru-01",
        "p0001",
    ):
        # Within strings too: rows name twins, groups and explainers by what they are made of.
        document = document.replace(json.dumps(name)[1:-1], json.dumps(dressed)[1:-1])
    hostile = Results.from_json(json.loads(document))
    examples = tuple(replace(example, text=dressed, question=dressed) for example in hostile.examples)
    gates = tuple(replace(gate, words=dressed) for gate in hostile.gates)
    verdicts = tuple(
        replace(each, verdict=replace(each.verdict, sentence=dressed, missing=(dressed,)))
        for each in hostile.verdicts
    )
    return replace(
        hostile,
        verdicts=verdicts,
        gates=gates,
        examples=examples,
        notes=(dressed,),
        artifacts={dressed: "b" * 64},
    )
