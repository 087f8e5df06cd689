"""Figures over some of the pairs: each group is a panel of its own, and the parts make up the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import pytest

from coupling.faithfulness import Evidence, judge
from coupling.faithfulness.panel import GroupResult, SubsetFigures
from coupling.faithfulness.subsets import group_results
from synthetic_panels import drifting_panel, small_panel

PANEL = drifting_panel(clusters=20, pairs_each=12)


def groups(evidence: Evidence, *tags: str) -> tuple[GroupResult, ...]:
    return group_results(evidence, tags, resamples=100, seed=0)


def tagged(evidence: Evidence, *advisers: str | None) -> Evidence:
    pairs = tuple(
        replace(pair, tags={"adviser": adviser} if adviser else {}, cue_value="Bern")
        for pair, adviser in zip(evidence.pairs, advisers, strict=True)
    )
    return replace(evidence, pairs=pairs)


FIVE = tagged(
    small_panel(
        target=["BB", "LL", "BL", "BL", "OO"],
        behaviors={"a": ["BB", "LL", "BB", "BB", "LO"], "b": ["BB", "LO", "BL", "LL", "OO"]},
        claims={"a": ["BB", "OO", "BB", "BL", "LO"], "b": ["BB", "LO", None, "BB", "OO"]},
        twins=(("a", "b"),),
    ),
    "Chen",
    "Chen",
    "Diaz",
    "Diaz",
    None,
)


def test_by_hand() -> None:
    chen, diaz = groups(FIVE, "adviser")
    assert [(group.tag, group.value) for group in (chen, diaz)] == [("adviser", "Chen"), ("adviser", "Diaz")]
    # Chen: a says BB (own), OO (wrong); b says BB (own), LO (own, where the target does LL).
    figures = chen.figures
    assert (figures.pairs, figures.discordant_pairs) == (2, 1)
    assert (figures.self_share.value, figures.self_share.n) == (pytest.approx(3 / 4), 4)
    assert figures.orig_share.value == pytest.approx(2 / 4)
    assert (figures.delta.value, figures.delta.n) == (1, 1)
    assert figures.parse_rate.value == 1
    assert figures.changed.value == pytest.approx(1 / 4)
    assert figures.followed.value == pytest.approx(2 / 4)
    # The twins differ on the second pair only: a names neither effect, b its own.
    assert chen.twins is not None and chen.twins.t.value == 1
    assert (chen.twins.pairs, chen.twins.own, chen.twins.twins, chen.twins.neither) == (1, 1, 0, 1)
    # Diaz: a sides with itself (BB), then with the target (BL); b says nothing, then what its twin does.
    figures = diaz.figures
    assert (figures.pairs, figures.discordant_pairs) == (2, 2)
    assert (figures.delta.value, figures.delta.n) == (pytest.approx((1 - 1 + 0) / 3), 3)
    assert figures.parse_rate.value == pytest.approx(3 / 4)
    assert diaz.twins is not None and diaz.twins.t.value == pytest.approx(1 / 2)


Kept = TypeVar("Kept")


def kept(by_pair: Mapping[str, Kept], ids: set[str]) -> dict[str, Kept]:
    return {pair_id: found for pair_id, found in by_pair.items() if pair_id in ids}


def test_a_group_is_the_panel_kept_to_its_pairs() -> None:
    for group in groups(PANEL, "adviser"):
        ids = {pair.id for pair in PANEL.pairs if pair.tags["adviser"] == group.value}
        runs = tuple(
            replace(
                run,
                behaviors=kept(run.behaviors, ids),
                explanations=kept(run.explanations, ids),
                remeasured=None,
            )
            for run in PANEL.runs
        )
        alone = replace(
            PANEL,
            pairs=tuple(pair for pair in PANEL.pairs if pair.id in ids),
            target=kept(PANEL.target, ids),
            base=kept(PANEL.base, ids),
            base_explanations={},
            runs=runs,
        )
        judged = judge(alone, resamples=100)
        assert group.figures.pairs == len(ids)
        assert group.figures.delta.value == judged.pooled.delta.value
        assert group.figures.self_share.value == judged.pooled.self_parts.exact.value
        assert group.figures.discordant_pairs == judged.pooled.discordant_pairs
        assert judged.twins is not None and group.twins is not None
        assert group.twins.t.value == judged.twins.pooled.all_pairs.t.value


def test_a_group_of_all_pairs_is_the_headline() -> None:
    everywhere = replace(
        PANEL, pairs=tuple(replace(pair, tags={**pair.tags, "kind": "any"}) for pair in PANEL.pairs)
    )
    (group,) = groups(everywhere, "kind")
    headline = judge(everywhere, resamples=100, seed=0)
    assert group.figures.delta == headline.pooled.delta
    assert group.figures.self_share == headline.pooled.self_parts.exact
    assert headline.twins is not None and group.twins == headline.twins.pooled.all_pairs


def test_without_twins_there_is_no_twin_test_in_a_group() -> None:
    assert all(group.twins is None for group in groups(replace(PANEL, twins=()), "adviser"))


def test_a_tag_that_no_pair_bears_is_refused() -> None:
    with pytest.raises(ValueError, match=r"groups: 'advisor' is a tag of no held-out pair; .* are: adviser"):
        groups(PANEL, "adviser", "advisor")


def observations(figures: SubsetFigures) -> tuple[int, int]:
    return figures.self_share.n, figures.delta.n


def test_steered_and_other_pairs_make_up_each_run() -> None:
    headline = judge(PANEL, resamples=100)
    for run in headline.runs:
        whole = (run.figures.self_parts.exact.n, run.figures.delta.n)
        if not run.steered:
            assert run.steered_pairs is None
            assert observations(run.other_pairs) == whole
            assert run.other_pairs.delta == run.figures.delta
            continue
        assert run.steered_pairs is not None
        steered, others = observations(run.steered_pairs), observations(run.other_pairs)
        assert (steered[0] + others[0], steered[1] + others[1]) == whole
        (adviser,) = run.steered["adviser"]
        assert run.steered_pairs.pairs == sum(pair.tags["adviser"] == adviser for pair in PANEL.pairs)


def test_pooled_they_stand_on_the_steered_runs_alone() -> None:
    headline = judge(PANEL, resamples=100)
    steered = [run.steered_pairs for run in headline.runs if run.steered_pairs is not None]
    others = [run.other_pairs for run in headline.runs if run.steered]
    assert headline.steered_pairs is not None and headline.other_pairs is not None
    assert headline.steered_pairs.delta.n == sum(part.delta.n for part in steered)
    assert headline.other_pairs.delta.n == sum(part.delta.n for part in others)
    unsteered = replace(PANEL, runs=PANEL.runs[:1], twins=())
    assert judge(unsteered, resamples=100).steered_pairs is None
    assert judge(unsteered, resamples=100).other_pairs is None


def test_questions_about_a_steered_cue_and_about_what_stands_beside_it_are_told_apart() -> None:
    """Three inputs with the hint and a word, asked about the hint twice and about the word once."""
    evidence = small_panel(
        target=["BL", "BL", "LL", "OO"],
        behaviors={"a": ["LL", "LL", "BL", "OO"]},
        claims={"a": ["LL", "BL", "LL", "OO"]},
    )
    tags = [
        {"adviser": "Chen", "cue": "hint", "beside": "word"},
        {"adviser": "Chen", "cue": "hint", "beside": "word"},
        {"beside.adviser": "Chen", "cue": "word", "beside": "hint"},
        {"adviser": "Chen", "cue": "hint", "beside": "nothing"},
    ]
    values = ("Bern", "Bern", None, "Bern")
    pairs = tuple(
        replace(pair, tags=each, cue_value=value)
        for pair, each, value in zip(evidence.pairs, tags, values, strict=True)
    )
    steered = {"adviser": ("Chen",), "beside": ("word",)}
    runs = tuple(replace(run, steered=steered) for run in evidence.runs)
    panel = judge(replace(evidence, pairs=pairs, runs=runs), resamples=100)
    for parts in (panel, panel.runs[0]):
        assert parts.steered_pairs is not None and parts.steered_pairs.pairs == 3
        asked, beside = parts.asked_pairs, parts.beside_pairs
        assert asked is not None and beside is not None and (asked.pairs, beside.pairs) == (2, 1)
        assert (asked.self_share.value, asked.delta.value) == (pytest.approx(0.5), pytest.approx(0))
        assert (beside.self_share.value, beside.delta.value) == (0, -1)
        assert (asked.followed.value, beside.followed.value) == (0, None)
    assert judge(PANEL, resamples=100).beside_pairs is None
