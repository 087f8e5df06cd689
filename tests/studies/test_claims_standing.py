"""How claims stand, by hand-made panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from coupling.faithfulness import FROZEN, RESULTS_SCHEMA, Results
from coupling.faithfulness.circuits import (
    HEAD,
    WITHOUT_CUE,
    Agreement,
    ByReadOut,
    CircuitResults,
    Circuits,
    Overlap,
)
from coupling.faithfulness.consequences import EQUAL
from coupling.faithfulness.results import Counts, Judged, ModelDescription, RunInfo, Verdict
from coupling.faithfulness.rows import ALL, ALL_RUNS, OWN, STEERED, STEERED_RUNS, Row, counted, twins_name
from coupling.faithfulness.statistics import NO_DATA
from coupling.records import Estimate
from coupling.store import from_json, to_json
from coupling.studies.claims import findings, reads
from coupling.studies.claims.cases import Case
from coupling.studies.claims.findings import Finding
from coupling.studies.claims.pooling import pool
from coupling.studies.claims.reads import Found
from coupling.studies.claims.standing import (
    AGREES,
    BELOW,
    CLUSTERS,
    CONTRADICTS,
    NOT_RUN,
    OPEN,
    SEEDS,
    WORLDS,
    Question,
)
from coupling.studies.claims.table import BEYOND, CLAIMS, LIKENESS

TWINS = ("follow", "ignore")


def around(value: float, half: float = 0.01) -> Estimate:
    return Estimate(value, value - half, value + half, 100, 28)


def panel(
    reason: str = "undecided", verdict: str = "not shown", apart: int = 50, **shown: Estimate
) -> Results:
    """Results of two twins with these figures of all runs, and P of the steered ones."""
    rows = [Row(name, ALL_RUNS, 80, ALL, OWN, estimate) for name, estimate in shown.items()]
    if "p" in shown:
        rows.append(Row("p", STEERED_RUNS, 80, ALL, OWN, shown["p"]))
    rows += [Row("pairs", run, 80, STEERED, OWN, counted(100)) for run in TWINS]
    rows.append(Row("twin_pairs", twins_name(*TWINS), 80, STEERED, OWN, counted(apart)))
    model = ModelDescription("made-up", None)
    return Results(
        schema=RESULTS_SCHEMA,
        experiment="made-up",
        config_sha256="",
        model=model,
        target=model,
        explanation_format="answer_pair",
        split="test",
        step=80,
        steps=(80,),
        counts=Counts(100, 28, 0, 2),
        runs=tuple(RunInfo(run, {"adviser": ("Chen",)}, None) for run in TWINS),
        twins=(TWINS,),
        explainers=(),
        verdicts=(Judged(ALL_RUNS, OWN, Verdict(verdict, reason, "", ())),),
        rows=tuple(rows),
        spreads=(),
        gates=(),
        examples=(),
        groups=(),
        sources=(),
        weights=EQUAL,
        shift=None,
        thresholds=FROZEN,
        resamples=1,
        seed=0,
        notes=(),
        artifacts={},
    )


def finding(name: str, worlds: Sequence[Mapping[str, Results]]) -> Finding:
    """How a claim stands by the panels of its arms, a mapping for each world."""
    claim = next(each for each in (*CLAIMS, *BEYOND) if each.name == name)
    found = {Case(world, 0): Found(arms, {}) for world, arms in enumerate(worlds)}
    return findings._finding(claim, found)


@pytest.mark.parametrize(
    ("question", "value", "standing"),
    [
        (Question("", lambda _: NO_DATA), 0.05, AGREES),
        (Question("", lambda _: NO_DATA), 0.005, OPEN),
        (Question("", lambda _: NO_DATA), -0.05, CONTRADICTS),
        (Question("", lambda _: NO_DATA, BELOW), -0.05, AGREES),
        (Question("", lambda _: NO_DATA, BELOW), 0.05, CONTRADICTS),
        (Question("", lambda _: NO_DATA, BELOW, is_veto=True), -0.05, OPEN),
        (Question("", lambda _: NO_DATA, BELOW, is_veto=True), 0.05, CONTRADICTS),
        (Question("", lambda _: NO_DATA, BELOW, 0.05, refuted_at=0), 0.0, AGREES),
        (Question("", lambda _: NO_DATA, BELOW, 0.05, refuted_at=0), 0.02, CONTRADICTS),
        (Question("", lambda _: NO_DATA, paper=(0.07, 0.11)), 0.0, CONTRADICTS),
        (Question("", lambda _: NO_DATA, paper=(0.005, 0.11)), 0.0, OPEN),
        (Question("", lambda _: NO_DATA, paper=(0.07, 0.11)), 0.03, AGREES),
    ],
)
def test_what_an_interval_answers(question: Question, value: float, standing: str) -> None:
    pooled = pool({0: [around(value)]})
    assert question.standing(pooled) == standing
    p = question.p_value(pooled)
    assert (p is None) == (standing == OPEN) and (p is None or p < 0.05)


def test_a_gap_that_leaves_the_papers_figure_out_is_contradicted_though_no_world_says_so_alone() -> None:
    worlds = [{"unsteered": panel(gap=around(value, 0.08))} for value in (0.005, -0.01, 0.0)]
    gap = finding("gap", worlds)
    assert gap.standing == CONTRADICTS and gap.answers[0].excludes_paper
    assert [standing for _, standing in gap.by_case] == [OPEN] * 3


def test_a_gap_without_kl_contradicts_that_it_takes_kl() -> None:
    worlds = [
        {"unsteered": panel(delta=around(0.0, 0.3)), "without-kl": panel(delta=around(value, 0.2))}
        for value in (0.42, 0.44, 0.46)
    ]
    kl = finding("kl", worlds)
    assert kl.standing == CONTRADICTS
    assert [each.standing for each in kl.answers if each.is_veto] == [CONTRADICTS]
    reverse = [
        {"unsteered": panel(delta=around(0.44, 0.2)), "without-kl": panel(delta=around(value, 0.1))}
        for value in (-0.02, 0.0, 0.02)
    ]
    assert finding("kl", reverse).standing == AGREES


def test_accuracy_with_another_familys_labels_is_held_against_the_papers_number() -> None:
    def worlds(lower: float) -> list[dict[str, Results]]:
        own, other = panel(self=around(0.75, 0.02)), panel(self=around(0.75 - lower, 0.02))
        return [{"unsteered": own, "other-family": other}] * 3

    assert finding("family-accuracy", worlds(0.0)).standing == CONTRADICTS
    smaller = finding("family-accuracy", worlds(0.05))
    assert smaller.standing == AGREES and smaller.answers[0].excludes_paper
    assert not finding("family-accuracy", worlds(0.19)).answers[0].excludes_paper


def test_a_shift_is_followed_where_p_lies_above_zero() -> None:
    followed = finding("sft", [{"main": panel(p=around(value))} for value in (0.027, 0.03, 0.033)])
    assert followed.standing == AGREES and followed.rests_on == followed.answers[0]
    held = finding("sft", [{"main": panel(p=around(0.002))}] * 3)
    assert held.standing == OPEN and held.unit == WORLDS and held.needed is not None
    alone = finding("sft", [{"main": panel(p=around(0.005))}])
    assert (alone.standing, alone.needed, alone.unit) == (OPEN, 112, CLUSTERS)


def test_what_would_decide_without_worlds_is_counted_in_seeds_or_else_in_clusters() -> None:
    def gap(*values: float, half: float) -> Finding:
        claim = next(each for each in CLAIMS if each.name == "rate")
        arms = [{"fast": panel(gap=around(v, half)), "slow": panel(gap=around(0.0, 0.0))} for v in values]
        found = {Case(None, seed): Found(each, {}) for seed, each in enumerate(arms)}
        return findings._finding(claim, found)

    assert gap(0.04, 0.05, half=0.01).standing == AGREES
    apart = gap(0.02, 0.2, half=0.01)
    assert (apart.standing, apart.unit) == (OPEN, SEEDS) and apart.needed is not None and apart.needed > 2
    wide = gap(0.05, 0.05, half=0.1)
    assert (wide.standing, wide.needed, wide.unit) == (OPEN, 4 * 28, CLUSTERS)
    assert gap(0.05, half=0.1).unit == CLUSTERS


@pytest.mark.parametrize(
    "unread",
    [
        panel("parse_rate", "invalid", p=around(0.03)),
        panel("no_siblings", p=around(0.03)),
        panel("undeclared_steering", p=around(0.03)),
        panel(apart=10, p=around(0.03)),
    ],
)
def test_what_was_not_measured_bears_nothing_out(unread: Results) -> None:
    sft = finding("sft", [{"main": unread}] * 3)
    assert (sft.standing, sft.rests_on, sft.needed) == (OPEN, None, None)
    assert [each.estimate for each in sft.answers[0].cases] == [NO_DATA] * 3


def test_every_share_of_a_mix_must_agree_and_one_suffices_against() -> None:
    def mix(*deltas: float) -> Finding:
        arms = ("mixed-25", "mixed-50", "mixed-75")
        return finding("mix", [{a: panel(delta=around(d)) for a, d in zip(arms, deltas, strict=True)}] * 3)

    assert [mix(0.1, 0.2, 0.3).standing, mix(0.1, 0.2, 0.0).standing] == [AGREES, OPEN]
    against = mix(0.1, 0.2, -0.3)
    assert against.standing == CONTRADICTS
    assert against.rests_on == against.answers[2]
    agreed = mix(0.02, 0.2, 0.3)
    assert agreed.rests_on == agreed.answers[0]


def test_a_claim_whose_arm_was_not_run_is_not_counted() -> None:
    asked = tuple(each for each in CLAIMS if each.name in ("gap", "kl", "sft"))
    arms = {"unsteered": panel(gap=around(0.09)), "main": panel(p=around(0.002))}
    found = {Case(world, 0): Found(arms, {}) for world in range(3)}
    gap, kl, sft = findings._findings(asked, found)
    assert (kl.standing, kl.rests_on, kl.by_case) == (NOT_RUN, None, ())
    (about_gap,), (about_sft,) = gap.answers, sft.answers
    assert about_gap.p is not None and about_gap.p_holm == pytest.approx(2 * about_gap.p)
    assert about_sft.p_holm is None
    results = findings.ClaimsResults(
        findings.CLAIMS_SCHEMA, "made up", True, tuple(found), (), (), (gap, kl, sft)
    )
    assert from_json(findings.ClaimsResults, to_json(results), "claims.json") == results
    told = results.multiplicity
    assert (told.asked, told.intervals, told.decided, told.standing) == (2, 2, 1, ("gap",))
    assert told.expected == pytest.approx(0.1)


def test_circuits_beyond_what_shuffled_heads_give() -> None:
    def circuits(cosine: Estimate) -> CircuitResults:
        told = Agreement(cosine, 0.0, 0.6, 0.03)
        overlap = Overlap(WITHOUT_CUE, HEAD, 20, told, told, told)
        nothing = ByReadOut(cosine, cosine, cosine)
        models = (Circuits("M0", nothing, (), (overlap,)),)
        return CircuitResults(1, "made-up", "answer_pair", "test", 3, 100, 100, 0, models, {})

    read = reads.heads_beyond_chance("unsteered")
    beyond = read(Found({}, {"unsteered": circuits(around(0.7))}))
    assert (beyond.value, beyond.low, beyond.high) == pytest.approx((0.4, 0.1, 0.7))
    held = read(Found({}, {"unsteered": circuits(around(0.5))}))
    assert held.low is not None and held.low < 0
    assert reads.heads_in_common("unsteered")(Found({}, {"unsteered": circuits(NO_DATA)})) == NO_DATA


def test_similarity_sorts_arms_by_how_alike_labels_and_model_are() -> None:
    likeness = {"unsteered": 0.9, "other-world-0": 0.45, "other-world-25": 0.55}
    likeness |= {"other-world-50": 0.65, "other-world-75": 0.76}
    arms = {arm: panel(similarity=around(share), delta=around(share)) for arm, share in likeness.items()}
    works, collapses = (reads.alike(each, LIKENESS)(Found(arms, {})) for each in (True, False))
    assert works.value == pytest.approx((0.9 + 0.76) / 2)
    assert collapses.value == pytest.approx((0.45 + 0.55) / 2)
    far = {**arms, "other-world-0": replace(arms["other-world-0"], rows=())}
    assert reads.alike(True, LIKENESS)(Found(far, {})) == NO_DATA
