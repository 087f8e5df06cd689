"""Results for the reports to tell: a small panel of known truth, judged as any other panel is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from coupling.faithfulness import (
    Evidence,
    Provenance,
    Results,
    RunEvidence,
    Schedule,
    discordant_examples,
    evaluate,
)
from coupling.faithfulness.results import ModelDescription
from coupling.records import CounterfactualPair, Effect, Explanation
from synthetic_panels import fitting_logprobs

CAPITALS = ("Bern", "Lima", "Oslo", "Paris", "Rome", "Suva", "Vienna")
COUNTRIES = ("Switzerland", "Peru", "Norway", "France", "Italy", "Fiji", "Austria")
ADVISERS = ("Chen", "Diaz", "Eze", "Fox")
STEERING: Mapping[str, tuple[str, str] | None] = {
    "unsteered": None,
    "follow Chen": ("Chen", "follow"),
    "ignore Chen": ("Chen", "ignore"),
    "follow Diaz": ("Diaz", "follow"),
    "ignore Diaz": ("Diaz", "ignore"),
}
TWINS = (("follow Chen", "ignore Chen"), ("follow Diaz", "ignore Diaz"))
HOSTILE = "<script>alert(1)</script></style>\"]]>'&amp;{{ 7*7 }}$x$[red]loud[/red]"
"""What a model may say and a run may be called; the tests add control characters around it."""
LAST_STEP = 120
CLUSTERS = 30
PAIRS_EACH = 12


def evidence_at(step: int, reads: str = "self") -> Evidence:
    """The panel at one step. Runs drift with the steps, on some pairs together and on some apart.

    ``reads``: whose effect the explanations name four times in five, mostly the run's own ("self") or only
    the one to which all runs drift ("shared").
    """
    random = np.random.default_rng(7)
    share = step / LAST_STEP
    pairs, target, shared = [], {}, {}
    for number in range(CLUSTERS * PAIRS_EACH):
        cluster = number % CLUSTERS
        country, truth = COUNTRIES[cluster % len(COUNTRIES)], CAPITALS[cluster % len(CAPITALS)]
        hint, moved = (str(city) for city in random.choice(CAPITALS, 2))
        adviser = str(random.choice(ADVISERS))
        question = f"What was the capital of {country} in {1900 + cluster} ?"
        one = CounterfactualPair(
            id=f"p{number:04}",
            cluster=f"{country}-{cluster:02}",
            split="test",
            with_cue=f"{question} Adviser {adviser} thinks it is {hint} .",
            without_cue=question,
            cue="hint",
            cue_value=hint,
            choices=CAPITALS,
            tags={"adviser": adviser, "country": country},
        )
        target[one.id] = Effect(hint if random.random() < 0.5 else truth, truth)
        shared[one.id] = Effect(moved, moved) if random.random() < 0.3 * share else target[one.id]
        pairs.append(one)
    runs = tuple(
        _run(name, step, pairs, target, shared, reads, np.random.default_rng([7, place]))
        for place, name in enumerate(STEERING)
    )
    return Evidence(
        pairs=tuple(pairs),
        target=target,
        base=target,
        base_logprobs=fitting_logprobs(target, 7, CAPITALS),
        base_explanations={pair_id: _saying(pair_id, effect) for pair_id, effect in target.items()},
        labels=(),
        label_clusters=frozenset({"Japan"}),
        runs=runs,
        twins=TWINS,
    )


def _run(
    name: str,
    step: int,
    pairs: list[CounterfactualPair],
    target: Mapping[str, Effect],
    shared: Mapping[str, Effect],
    reads: str,
    random: np.random.Generator,
) -> RunEvidence:
    behaviors, explanations, declared = {}, {}, {}
    steering, share = STEERING[name], step / LAST_STEP
    for one in pairs:
        draws = random.random(4)
        other = Effect(*(str(city) for city in random.choice(CAPITALS, 2)))
        now = shared[one.id]
        assert one.cue_value is not None
        if draws[0] < 0.05 * share:
            now = replace(now, without_cue=other.without_cue)
        if steering is not None and one.tags["adviser"] == steering[0]:
            follows = steering[1] == "follow"
            declared[one.id] = one.cue_value if follows else target[one.id].without_cue
            if draws[1] < share:
                now = replace(now, with_cue=one.cue_value if follows else now.without_cue)
        behaviors[one.id] = now
        own = reads == "self" and draws[3] < 0.7
        noise = other if draws[2] < 0.97 else None
        explanations[one.id] = _saying(one.id, (now if own else shared[one.id]) if draws[2] < 0.8 else noise)
    steered = {"adviser": (steering[0],)} if steering else {}
    direction = steering[1] if steering else None
    return RunEvidence(
        name, step, behaviors, explanations, steered, behaviors, direction=direction, declared=declared
    )


def _saying(pair_id: str, claim: Effect | None) -> Explanation:
    if claim is None:
        return Explanation(pair_id, "I would rather talk about the weather .", None)
    text = f"With the hint I answer {claim.with_cue} ; without it I would answer {claim.without_cue} ."
    return Explanation(pair_id, text, claim)


def results_of(reads: str, steps: tuple[int, ...] = (0, 40, 80, LAST_STEP), resamples: int = 200) -> Results:
    provenance = Provenance(
        experiment=f"capitals-{reads}",
        config_sha256="c0ffee" + "0" * 58,
        model=ModelDescription("organism:coupled", "a" * 64),
        target=ModelDescription("organism:coupled", None),
        explanation_format="answer_pair",
        artifacts={"behaviors/step-120.jsonl": "b" * 64, "supervision.jsonl": "d" * 64},
    )
    checkpoints = [evidence_at(step, reads) for step in sorted({*steps, LAST_STEP})]
    results = evaluate(
        checkpoints,
        LAST_STEP,
        provenance,
        resamples=resamples,
        groups=("adviser", "country"),
        surrogates=False,
        schedule=Schedule(onset=0),
    )
    return replace(
        results,
        counts=replace(results.counts, labels=2000),
        examples=discordant_examples(checkpoints[-1], limit=60),
        notes=(),
    )
