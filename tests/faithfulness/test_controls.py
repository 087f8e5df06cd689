"""Constructed emitters: the verdict where the truth is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from coupling.faithfulness import Results
from coupling.faithfulness.controls import constructed, nearest_of, siblings_of
from coupling.faithfulness.results import CONSTRUCTED
from coupling.faithfulness.scores import parsed
from coupling.records import Estimate
from synthetic_panels import drifting_panel, judged, panel_of, small_panel

READERS = ("self", "shared", "target")


@pytest.fixture(params=READERS)
def results(request: pytest.FixtureRequest) -> Results:
    """On three kinds of panel: what its own explanations read must not matter."""
    return judged(request.param)


def of(results: Results, explainer: str, figure: str) -> Estimate:
    return results.figures(figure, explainer=explainer)


def test_verdicts(results: Results) -> None:
    names = [explainer.name for explainer in results.explained_by(CONSTRUCTED)]
    verdicts = {name: results.verdict(explainer=name).verdict for name in names}
    assert verdicts["oracle"] == "coupled"
    assert verdicts["sibling"] in ("shared drift", "imitates target", "not shown")
    assert verdicts["nearest"] != "coupled"
    rivalry = of(results, "nearest", "r")
    assert rivalry.high is not None and rivalry.high <= 0
    assert verdicts["frozen_base"] == "imitates target"
    assert verdicts["constant"] == "collapsed"
    assert verdicts["garbled"] == "invalid"
    assert verdicts["shuffled"] in ("not shown", "collapsed")


def test_figures_that_are_exact(results: Results) -> None:
    assert [of(results, "oracle", figure).value for figure in ("delta", "t", "self")] == [1, 1, 1]
    for name in ("sibling", "frozen_base", "constant"):
        assert of(results, name, "t").value == 0.5
    assert of(results, "frozen_base", "delta").value == -1
    assert of(results, "frozen_base", "a").value == pytest.approx(0)
    assert of(results, "garbled", "parse_rate").value == 0
    assert of(results, "garbled", "t").value is None


def test_p_and_t_rise_with_the_oracles_share(results: Results) -> None:
    order = ("sibling", "mixture_25", "mixture_50", "mixture_75", "oracle")
    for figure in ("p", "t"):
        rising = [of(results, name, figure).value for name in order]
        assert rising == sorted(set(rising))
    shares = {explainer.name: explainer.oracle_share for explainer in results.explainers}
    assert [shares[name] for name in order] == [0, 0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize(
    ("reads", "verdict"), [("self", "coupled"), ("shared", "shared drift"), ("target", "imitates target")]
)
def test_the_panels_own_verdict(reads: str, verdict: str) -> None:
    assert judged(reads).verdict().verdict == verdict


def test_twins_take_the_same_sibling_from_another_family() -> None:
    evidence = drifting_panel(clusters=2, pairs_each=2)
    assert siblings_of([run.name for run in evidence.runs], evidence.twins) == {
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
    table = panel_of(small_panel(["BB"] * 3, behaviors, said)).table
    assert nearest_of(table) == {"a": "b", "b": "c", "c": "b"}


def test_two_twins_explain_each_other_and_one_run_nobody() -> None:
    assert siblings_of(["a", "b"], [("a", "b")]) == {"a": "b", "b": "a"}
    assert siblings_of(["a"], []) == {}
    one = panel_of(small_panel(["BB"], {"a": ["LL"]}, {"a": ["LL"]}))
    names = {control.explainer.name for control in constructed(one, seed=0, guess=None)}
    assert names == {"oracle", "shuffled", "constant", "garbled"}


def claims(seed: int) -> dict[str, npt.NDArray[np.int64]]:
    panel = panel_of(drifting_panel(clusters=3, pairs_each=10))
    found = {}
    for control in constructed(panel, seed, None):
        assert control.claims is not None and control.claims.shape == panel.table.claims.shape
        found[control.explainer.name] = control.claims
    return found


def test_shuffled_explanations_are_the_same_ones_elsewhere() -> None:
    before = panel_of(drifting_panel(clusters=3, pairs_each=10)).table.claims
    after = claims(seed=0)["shuffled"]
    for said, moved in zip(before.tolist(), after.tolist(), strict=True):
        assert said != moved and sorted(said) == sorted(moved)


def test_a_larger_share_only_adds_pairs_to_the_oracles() -> None:
    found = claims(seed=0)
    by_oracle = [(found[f"mixture_{share}"] == found["oracle"]).all(axis=(0, 2)) for share in (25, 50, 75)]
    assert 0 < by_oracle[0].sum() < by_oracle[1].sum() < by_oracle[2].sum()
    assert (by_oracle[0] <= by_oracle[1]).all() and (by_oracle[1] <= by_oracle[2]).all()


def test_the_seed_decides_draws() -> None:
    one, same, other = claims(seed=1), claims(seed=1), claims(seed=2)
    assert all(np.array_equal(one[name], same[name]) for name in one)
    drawn = {name for name in one if not np.array_equal(one[name], other[name])}
    assert drawn == {"mixture_25", "mixture_50", "mixture_75", "shuffled"}


def test_explanations_that_never_parse_leave_no_constant_claim() -> None:
    silent = panel_of(small_panel(["BB"], {"a": ["LL"]}, {"a": [None]}))
    assert not parsed(silent.table.claims).any()
    assert "constant" not in {control.explainer.name for control in constructed(silent, seed=0, guess=None)}
