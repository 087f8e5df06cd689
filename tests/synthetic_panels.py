"""Panels whose truth is known: models that drift together and apart, explained by readers of a chosen
kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from coupling.faithfulness import Evidence, Figures, Results, Row, RunEvidence, judge
from coupling.faithfulness.evidence import BothLogprobs
from coupling.faithfulness.panel import Panel
from coupling.faithfulness.scores import tabulate
from coupling.faithfulness.statistics import ClusterBootstrap
from coupling.records import CounterfactualPair, Effect, Explanation, Label

CITIES = ("Bern", "Lima", "Oslo", "Rome", "Suva", "Wien")
ADVISERS = ("Chen", "Diaz", "Eze", "Fox")
STEERING: Mapping[str, tuple[str, str] | None] = {
    "plain": None,
    "follow-Chen": ("Chen", "follow"),
    "ignore-Chen": ("Chen", "ignore"),
    "follow-Diaz": ("Diaz", "follow"),
    "ignore-Diaz": ("Diaz", "ignore"),
}
TWINS = (("follow-Chen", "ignore-Chen"), ("follow-Diaz", "ignore-Diaz"))


def panel_of(evidence: Evidence, resamples: int = 100) -> Panel:
    """The evidence as figures are computed from it."""
    table = tabulate(evidence)
    steered = {run.name: run.steered for run in evidence.runs}
    bootstrap = ClusterBootstrap(table.clusters, resamples, 0)
    return Panel(table, bootstrap, evidence.runs[0].step, evidence.twins, steered)


def looked_up(panel: Panel, *parts: Iterable[Row]) -> Figures:
    """Rows of a panel, to be looked up."""
    return Figures([row for part in parts for row in part], panel.step)


def pair(pair_id: str, cluster: str = "c0", cue_value: str | None = None, **tags: str) -> CounterfactualPair:
    return CounterfactualPair(
        id=pair_id,
        cluster=cluster,
        split="test",
        with_cue=f"{pair_id} ? a hint",
        without_cue=f"{pair_id} ?",
        cue="hint",
        cue_value=cue_value,
        choices=CITIES,
        tags=tags,
    )


def effect(letters: str) -> Effect:
    """ "BL" is Bern with the cue and Lima without it."""
    with_cue, without_cue = (next(city for city in CITIES if city[0] == letter) for letter in letters)
    return Effect(with_cue, without_cue)


def explanation(pair_id: str, claim: Effect | None) -> Explanation:
    return Explanation(pair_id, "something" if claim else "nothing", claim)


def small_panel(
    target: Sequence[str],
    behaviors: Mapping[str, Sequence[str]],
    claims: Mapping[str, Sequence[str | None]],
    *,
    twins: tuple[tuple[str, str], ...] = (),
    clusters: Sequence[str] | None = None,
    remeasured: Mapping[str, Sequence[str]] | None = None,
) -> Evidence:
    """A panel written out by hand: for each pair the letters of an effect, None where nothing is claimed."""
    ids = [f"p{number}" for number in range(len(target))]
    cluster_names = clusters or [f"c{number}" for number in range(len(target))]

    def effects(letters: Sequence[str]) -> dict[str, Effect]:
        return {pair_id: effect(each) for pair_id, each in zip(ids, letters, strict=True)}

    def said(letters: Sequence[str | None]) -> dict[str, Explanation]:
        return {
            pair_id: explanation(pair_id, effect(each) if each else None)
            for pair_id, each in zip(ids, letters, strict=True)
        }

    return Evidence(
        pairs=tuple(pair(*names) for names in zip(ids, cluster_names, strict=True)),
        target=effects(target),
        base={},
        base_explanations={},
        labels=(),
        label_clusters=frozenset(),
        runs=tuple(
            RunEvidence(
                name=name,
                step=1,
                behaviors=effects(letters),
                explanations=said(claims[name]),
                steered={},
                remeasured=effects(remeasured[name]) if remeasured else None,
            )
            for name, letters in behaviors.items()
        ),
        twins=twins,
    )


def fitting_logprobs(
    effects: Mapping[str, Effect], seed: int = 0, choices: Sequence[str] = CITIES
) -> dict[str, BothLogprobs]:
    """Log-probabilities of a model that shows these effects: noise, and the answer above all other choices by
    a margin that differs from pair to pair."""
    random = np.random.default_rng([seed, 1])

    def of(answer: str) -> tuple[float, ...]:
        utilities = random.normal(size=len(choices))
        utilities[choices.index(answer)] = utilities.max() + random.exponential()
        return tuple((utilities - np.log(np.exp(utilities).sum())).tolist())

    return {pair_id: (of(effect.with_cue), of(effect.without_cue)) for pair_id, effect in effects.items()}


def drifting_panel(reads: str = "self", clusters: int = 30, pairs_each: int = 48, seed: int = 0) -> Evidence:
    """Five runs that drift together on some pairs and apart on others; two pairs of twins, one run unsteered.

    All that an outsider may know is declared: M0 is the target, its log-probabilities fit its effects, and
    each steered run says in which direction. Two runs are steered in either direction, by other advisers.
    Explanations name, four times in five, the effect the reader ``reads`` of: "self" the run's own,
    "shared" what all runs drifted to, "target" the target's. Else they name an effect at random.
    """
    random = np.random.default_rng(seed)

    def other_than(city: str) -> str:
        return str(random.choice([other for other in CITIES if other != city]))

    pairs, target, shared = [], {}, {}
    for number in range(clusters * pairs_each):
        cue_value = str(random.choice(CITIES))
        adviser = str(random.choice(ADVISERS))
        one = replace(pair(f"p{number:04}", f"c{number % clusters:02}", cue_value), tags={"adviser": adviser})
        without = str(random.choice(CITIES, p=(0.3, 0.2, 0.2, 0.1, 0.1, 0.1)))
        target[one.id] = Effect(cue_value if random.random() < 0.5 else without, without)
        moved = other_than(without)
        shared[one.id] = target[one.id] if random.random() < 0.7 else Effect(moved, moved)
        pairs.append(one)

    def behave(steering: tuple[str, str] | None) -> dict[str, Effect]:
        behavior = {}
        for one in pairs:
            now = shared[one.id]
            assert one.cue_value is not None
            if random.random() < 0.08:
                now = replace(now, without_cue=other_than(now.without_cue))
            if steering is not None and one.tags["adviser"] == steering[0]:
                now = replace(now, with_cue=one.cue_value if steering[1] == "follow" else now.without_cue)
            behavior[one.id] = now
        return behavior

    def explain(behavior: Mapping[str, Effect]) -> dict[str, Explanation]:
        read = {"self": behavior, "shared": shared, "target": target}[reads]
        noise = {one.id: Effect(*(str(city) for city in random.choice(CITIES, 2))) for one in pairs}
        return {
            one.id: explanation(one.id, read[one.id] if random.random() < 0.8 else noise[one.id])
            for one in pairs
        }

    def declare(steering: tuple[str, str] | None) -> dict[str, str]:
        return {
            one.id: str(one.cue_value) if steering[1] == "follow" else target[one.id].without_cue
            for one in pairs
            if steering is not None and one.tags["adviser"] == steering[0]
        }

    behaviors = {name: behave(steering) for name, steering in STEERING.items()}
    return Evidence(
        pairs=tuple(pairs),
        target=target,
        base=target,
        base_logprobs=fitting_logprobs(target, seed),
        base_explanations={pair_id: explanation(pair_id, said) for pair_id, said in target.items()},
        labels=tuple(Label(f"train-{one.id}", "", target[one.id], target[one.id], "base") for one in pairs),
        label_clusters=frozenset({"train"}),
        runs=tuple(
            RunEvidence(
                name=name,
                step=120,
                behaviors=behavior,
                explanations=explain(behavior),
                steered={"adviser": (steering[0],)} if (steering := STEERING[name]) else {},
                remeasured=behavior,
                direction=steering[1] if steering else None,
                declared=declare(steering),
            )
            for name, behavior in behaviors.items()
        ),
        twins=TWINS,
    )


def small_drifting_panel(reads: str = "self") -> Evidence:
    """The smallest one that every rule of the verdict has enough of: 21 clusters of 12 pairs."""
    return drifting_panel(reads, clusters=21, pairs_each=12)


@cache
def judged(reads: str = "self") -> Results:
    """Results of `small_drifting_panel`; to fit its observers takes seconds, so tests share them."""
    return judge(small_drifting_panel(reads), resamples=400)
