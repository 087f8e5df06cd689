"""Errors by what they lead to: figures by hand, and what must hold of any panel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coupling.faithfulness import CostWeights, Evidence, Figures
from coupling.faithfulness.consequences import ALWAYS_UNCHANGED, EQUAL, consequence_rows
from coupling.faithfulness.figures import trajectory_rows
from coupling.faithfulness.judge import encoded_baselines
from coupling.faithfulness.rows import ALL_RUNS, OWN, TARGET, baseline_explainer, group_name
from coupling.faithfulness.subsets import groups_of
from synthetic_panels import drifting_panel, looked_up, panel_of, small_panel

UNCHANGED = baseline_explainer(ALWAYS_UNCHANGED)


def found(evidence: Evidence, weights: CostWeights = EQUAL, *tags: str) -> Figures:
    """Errors, and what is told of every checkpoint beside them."""
    panel = panel_of(evidence)
    unchanged = encoded_baselines(evidence, panel.table)[ALWAYS_UNCHANGED]
    groups = {group_name(group.tag, group.value): chosen for group, chosen in groups_of(panel.table, tags)}
    return looked_up(panel, consequence_rows(panel, weights, unchanged, groups), trajectory_rows(panel))


# Changed pairs: denied, right, misnamed, silent. Unchanged: invented, another answer, right, silent, right.
BY_HAND = small_panel(
    target=["BB", "BL", "OO", "BL", "LL", "LL", "OO", "RR", "BL"],
    behaviors={"a": ["BL", "BL", "BL", "BL", "LL", "OO", "OO", "RR", "SS"]},
    claims={"a": ["BB", "BL", "OL", None, "LB", "BB", "OO", None, "SS"]},
)


def test_by_hand() -> None:
    errors = found(BY_HAND)
    for name in ("denied", "misnamed", "unparseable_changed"):
        assert (errors(name).value, errors(name).n) == (pytest.approx(1 / 4), 4)
    for name in ("invented", "misnamed_unchanged", "unparseable_unchanged"):
        assert (errors(name).value, errors(name).n) == (pytest.approx(1 / 5), 5)
    assert (errors("cost").value, errors("cost").n) == (pytest.approx(6 / 9), 9)
    # The target: unchanged on two of the four, right on the others; on the rest a change only on the last.
    by_target = {
        "denied": 2 / 4,
        "misnamed": 0,
        "unparseable_changed": 0,
        "invented": 1 / 5,
        "misnamed_unchanged": 1 / 5,
    }
    for name, share in by_target.items():
        assert errors(name, explainer=TARGET).value == pytest.approx(share)


def test_weights() -> None:
    weighed = found(BY_HAND, CostWeights(denied=5, invented=2, misnamed=1, unparseable=0))
    assert weighed("cost").value == pytest.approx((5 + 2 + 2) / 9)
    assert weighed("cost", explainer=TARGET).value == pytest.approx((2 * 5 + 1 * 2 + 1) / 9)


def test_who_always_says_unchanged_denies_everything_and_invents_nothing() -> None:
    errors = found(drifting_panel(clusters=20, pairs_each=12))
    assert errors("denied", explainer=UNCHANGED).value == 1
    assert errors("invented", explainer=UNCHANGED).value == 0


def test_with_equal_weights_the_cost_is_one_minus_self() -> None:
    evidence = drifting_panel(clusters=20, pairs_each=12)
    figures = found(evidence)
    for run in (ALL_RUNS, *(run.name for run in evidence.runs)):
        own, cost = figures("self", run), figures("cost", run)
        assert own.value is not None and own.low is not None and own.high is not None
        assert cost.value == pytest.approx(1 - own.value)
        assert (cost.low, cost.high) == (pytest.approx(1 - own.high), pytest.approx(1 - own.low))
        similarity = figures("similarity", run).value
        assert similarity is not None
        assert figures("cost", run, explainer=TARGET).value == pytest.approx(1 - similarity)


def test_what_was_never_put_to_the_test_is_not_available() -> None:
    def of(evidence: Evidence) -> dict[str, float | None]:
        errors = found(evidence)
        return {name: errors(name).value for name in ("denied", "misnamed", "invented", "cost")}

    unmoved = small_panel(target=["BB", "LL"], behaviors={"a": ["BB", "LL"]}, claims={"a": ["BB", "LB"]})
    assert of(unmoved) == {"denied": None, "misnamed": None, "invented": pytest.approx(1 / 2), "cost": None}
    moved = small_panel(target=["BB"], behaviors={"a": ["BL"]}, claims={"a": ["BB"]})
    assert of(moved) == {"denied": 1, "misnamed": 0, "invented": None, "cost": None}


def test_without_a_target_nobody_repeats_it() -> None:
    errors = found(replace(BY_HAND, target={}))
    assert not [row for row in errors if row.explainer == TARGET]
    assert errors("cost") == found(BY_HAND)("cost")


def test_each_group_is_a_panel_of_its_own() -> None:
    evidence = drifting_panel(clusters=20, pairs_each=12)
    whole = found(evidence, EQUAL, "adviser")
    groups = {row.subset for row in whole if row.figure == "denied"} - {"all"}
    assert len(groups) == 4
    for group in groups:
        pairs = tuple(pair for pair in evidence.pairs if group_name("adviser", pair.tags["adviser"]) == group)
        alone = found(replace(evidence, pairs=pairs, **_about(evidence, {pair.id for pair in pairs})))
        for figure in ("denied", "invented", "misnamed", "cost"):
            for explainer in (OWN, TARGET):
                here, there = whole(figure, ALL_RUNS, group, explainer), alone(figure, explainer=explainer)
                assert (here.value, here.n) == (pytest.approx(there.value), there.n)


def _about(evidence: Evidence, ids: set[str]) -> dict[str, object]:
    runs = tuple(
        replace(
            run,
            behaviors={id_: run.behaviors[id_] for id_ in ids},
            explanations={id_: run.explanations[id_] for id_ in ids},
            remeasured=None,
            declared={},
        )
        for run in evidence.runs
    )
    target = {id_: evidence.target[id_] for id_ in ids}
    nothing: dict[str, object] = {"base": {}, "base_logprobs": {}, "base_explanations": {}}
    return {"runs": runs, "target": target, "twins": evidence.twins, **nothing}
