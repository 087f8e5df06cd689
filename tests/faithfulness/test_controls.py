"""Constructed emitters: the verdict where the truth is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coupling.faithfulness import constructed_emitters, judge
from coupling.faithfulness.controls import constructed, nearest_of, sibling_of
from coupling.faithfulness.results import EmitterResult
from synthetic_panels import drifting_panel, small_panel

READERS = ("self", "shared", "target")


@pytest.fixture(scope="module", params=READERS)
def emitters(request: pytest.FixtureRequest) -> dict[str, EmitterResult]:
    """On three kinds of panel: what its own explanations read must not matter."""
    return {
        emitter.name: emitter
        for emitter in constructed_emitters(drifting_panel(request.param), resamples=500)
    }


def test_verdicts(emitters: dict[str, EmitterResult]) -> None:
    verdicts = {name: emitter.verdict.verdict for name, emitter in emitters.items()}
    assert verdicts["oracle"] == "coupled"
    assert verdicts["sibling"] in ("shared drift", "imitates target", "not shown")
    assert verdicts["nearest"] != "coupled"
    assert emitters["nearest"].rivalry.high is not None and emitters["nearest"].rivalry.high <= 0
    assert verdicts["frozen_base"] == "imitates target"
    assert verdicts["constant"] == "collapsed"
    assert verdicts["garbled"] == "invalid"
    assert verdicts["shuffled"] in ("not shown", "collapsed")


def test_figures_that_are_exact(emitters: dict[str, EmitterResult]) -> None:
    assert (
        emitters["oracle"].delta.value
        == emitters["oracle"].t.value
        == emitters["oracle"].self_share.value
        == 1
    )
    assert (
        emitters["sibling"].t.value == emitters["frozen_base"].t.value == emitters["constant"].t.value == 0.5
    )
    assert emitters["frozen_base"].delta.value == -1
    assert emitters["frozen_base"].advantage.value == pytest.approx(0)
    assert emitters["garbled"].parse_rate.value == 0
    assert emitters["garbled"].t.value is None


def test_t_rises_with_the_oracles_share(emitters: dict[str, EmitterResult]) -> None:
    order = ("sibling", "mixture_25", "mixture_50", "mixture_75", "oracle")
    rising = [emitters[name].t.value for name in order]
    assert rising == sorted(set(rising))
    assert [emitters[name].oracle_share for name in order] == [0, 0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize(
    ("reads", "verdict"), [("self", "coupled"), ("shared", "shared drift"), ("target", "imitates target")]
)
def test_the_panels_own_verdict(reads: str, verdict: str) -> None:
    assert judge(drifting_panel(reads), resamples=500).verdict.verdict == verdict


def test_twins_take_the_same_sibling_from_another_family() -> None:
    assert sibling_of(drifting_panel(clusters=2, pairs_each=2)) == {
        "plain": "follow-Chen",
        "follow-Chen": "follow-Diaz",
        "ignore-Chen": "follow-Diaz",
        "follow-Diaz": "plain",
        "ignore-Diaz": "plain",
    }


def test_the_nearest_run_acts_alike_on_most_pairs() -> None:
    behaviors = {"a": ["LL", "LL", "BB"], "b": ["LL", "OO", "OO"], "c": ["RR", "OO", "OO"]}
    said: dict[str, list[str | None]] = {name: ["BB"] * 3 for name in behaviors}
    # b agrees with a on one pair and with c on two; a agrees with nobody else, and takes the first of equals.
    assert nearest_of(small_panel(["BB"] * 3, behaviors, said)) == {"a": "b", "b": "c", "c": "b"}


def test_two_twins_explain_each_other_and_one_run_nobody() -> None:
    two = {"a": ["LL"], "b": ["OO"]}
    assert sibling_of(small_panel(["BB"], two, two, twins=(("a", "b"),))) == {"a": "b", "b": "a"}
    one = small_panel(["BB"], {"a": ["LL"]}, {"a": ["LL"]})
    assert sibling_of(one) == {}
    assert {emitter.name for emitter in constructed(one, seed=0)} == {
        "oracle",
        "shuffled",
        "constant",
        "garbled",
    }


def test_emitters_change_what_is_said_and_nothing_else() -> None:
    evidence = drifting_panel(clusters=3, pairs_each=10)
    for emitter in constructed(evidence, seed=0):
        silenced = emitter.evidence.explained_by({run.name: run.explanations for run in evidence.runs})
        assert silenced == evidence


def test_shuffled_explanations_are_the_same_ones_elsewhere() -> None:
    evidence = drifting_panel(clusters=3, pairs_each=10)
    shuffled = next(emitter for emitter in constructed(evidence, seed=0) if emitter.name == "shuffled")
    for before, after in zip(evidence.runs, shuffled.evidence.runs, strict=True):
        claims = [explanation.claim for explanation in before.explanations.values()]
        moved = [explanation.claim for explanation in after.explanations.values()]
        assert claims != moved
        assert sorted(map(repr, claims)) == sorted(map(repr, moved))


def test_the_seed_decides_draws() -> None:
    evidence = drifting_panel(clusters=3, pairs_each=10)
    assert constructed(evidence, seed=1) == constructed(evidence, seed=1)
    assert constructed(evidence, seed=1) != constructed(evidence, seed=2)


def test_explanations_that_never_parse_leave_no_constant_claim() -> None:
    evidence = replace(small_panel(["BB"], {"a": ["LL"]}, {"a": [None]}))
    assert "constant" not in {emitter.name for emitter in constructed(evidence, seed=0)}
