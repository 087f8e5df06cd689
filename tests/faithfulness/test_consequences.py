"""Errors by what they lead to: figures by hand, and what must hold of any panel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coupling.faithfulness import CostWeights, Evidence, judge
from coupling.faithfulness.consequences import Consequences, consequences
from synthetic_panels import drifting_panel, small_panel

EQUAL = CostWeights()


def found(evidence: Evidence, weights: CostWeights = EQUAL, *tags: str) -> Consequences:
    return consequences(evidence, weights, tags, resamples=100, seed=0)


# Changed pairs: denied, right, misnamed, silent. Unchanged: invented, another answer, right, silent, right.
BY_HAND = small_panel(
    target=["BB", "BL", "OO", "BL", "LL", "LL", "OO", "RR", "BL"],
    behaviors={"a": ["BL", "BL", "BL", "BL", "LL", "OO", "OO", "RR", "SS"]},
    claims={"a": ["BB", "BL", "OL", None, "LB", "BB", "OO", None, "SS"]},
)


def test_by_hand() -> None:
    pooled = found(BY_HAND).pooled
    model = pooled.model
    for share in (model.denied, model.misnamed, model.unparseable):
        assert (share.value, share.n) == (pytest.approx(1 / 4), 4)
    for share in (model.invented, model.misnamed_unchanged, model.unparseable_unchanged):
        assert (share.value, share.n) == (pytest.approx(1 / 5), 5)
    assert (model.cost.value, model.cost.n) == (pytest.approx(6 / 9), 9)
    # The target: unchanged on two of the four, right on the others; on the rest a change only on the last.
    target = pooled.target
    assert target is not None
    assert (target.denied.value, target.misnamed.value) == (pytest.approx(2 / 4), 0)
    assert (target.invented.value, target.misnamed_unchanged.value) == (
        pytest.approx(1 / 5),
        pytest.approx(1 / 5),
    )
    assert target.unparseable.value == 0


def test_weights() -> None:
    weighed = found(BY_HAND, CostWeights(denied=5, invented=2, misnamed=1, unparseable=0)).pooled
    assert weighed.model.cost.value == pytest.approx((5 + 2 + 2) / 9)
    assert weighed.target is not None
    assert weighed.target.cost.value == pytest.approx((2 * 5 + 1 * 2 + 1) / 9)


def test_who_always_says_unchanged_denies_everything_and_invents_nothing() -> None:
    said = found(drifting_panel(clusters=20, pairs_each=12)).pooled.always_unchanged
    assert (said.denied.value, said.invented.value) == (1, 0)


def test_with_equal_weights_the_cost_is_one_minus_self() -> None:
    evidence = drifting_panel(clusters=20, pairs_each=12)
    rows, panel = found(evidence), judge(evidence, resamples=100)
    for row, figures in [
        (rows.pooled, panel.pooled),
        *zip(rows.runs, (run.figures for run in panel.runs), strict=True),
    ]:
        own = figures.self_parts.exact
        assert own.value is not None and own.low is not None and own.high is not None
        assert row.model.cost.value == pytest.approx(1 - own.value)
        assert row.model.cost.low == pytest.approx(1 - own.high)
        assert row.model.cost.high == pytest.approx(1 - own.low)
        orig = figures.similarity
        assert row.target is not None and orig.value is not None
        assert row.target.cost.value == pytest.approx(1 - orig.value)


def test_what_was_never_put_to_the_test_is_not_available() -> None:
    nothing_moves = small_panel(
        target=["BB", "LL"], behaviors={"a": ["BB", "LL"]}, claims={"a": ["BB", "LB"]}
    )
    model = found(nothing_moves).pooled.model
    assert (model.denied.value, model.misnamed.value, model.cost.value) == (None, None, None)
    assert model.invented.value == pytest.approx(1 / 2)
    everything_moves = small_panel(target=["BB"], behaviors={"a": ["BL"]}, claims={"a": ["BB"]})
    model = found(everything_moves).pooled.model
    assert (model.denied.value, model.invented.value, model.cost.value) == (1, None, None)


def test_without_a_target_nobody_repeats_it() -> None:
    row = found(replace(BY_HAND, target={})).pooled
    assert row.target is None and row.model == found(BY_HAND).pooled.model


def test_each_group_is_a_panel_of_its_own() -> None:
    evidence = drifting_panel(clusters=20, pairs_each=12)
    whole = found(evidence, EQUAL, "adviser")
    assert [row.tag for row in whole.groups] == ["adviser"] * len(whole.groups)
    for row in whole.groups:
        pairs = tuple(pair for pair in evidence.pairs if pair.tags["adviser"] == row.value)
        alone = found(replace(evidence, pairs=pairs, **_about(evidence, {pair.id for pair in pairs}))).pooled
        for figure in ("denied", "invented", "misnamed", "cost"):
            here, there = getattr(row.model, figure), getattr(alone.model, figure)
            assert (here.value, here.n) == (pytest.approx(there.value), there.n)


def _about(evidence: Evidence, ids: set[str]) -> dict[str, object]:
    runs = tuple(
        replace(
            run,
            behaviors={id_: run.behaviors[id_] for id_ in ids},
            explanations={id_: run.explanations[id_] for id_ in ids},
            remeasured=None,
        )
        for run in evidence.runs
    )
    target = {id_: evidence.target[id_] for id_ in ids}
    return {"runs": runs, "target": target, "base": {}, "base_explanations": {}, "twins": evidence.twins}
