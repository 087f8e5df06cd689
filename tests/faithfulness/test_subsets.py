"""Figures over some of the pairs: each group is a panel of its own, and the parts make up the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import pytest

from coupling.faithfulness import Evidence, Figures
from coupling.faithfulness.figures import judged_rows, trajectory_rows
from coupling.faithfulness.following import following_rows
from coupling.faithfulness.judge import encoded_baselines
from coupling.faithfulness.rows import (
    ALL,
    ALL_RUNS,
    ASKED,
    BESIDE,
    OTHER,
    STEERED,
    STEERED_RUNS,
    group_name,
)
from coupling.faithfulness.subsets import group_rows, groups_of, parts_rows, steered_rows
from coupling.faithfulness.twins import twin_rows
from synthetic_panels import drifting_panel, looked_up, panel_of, small_panel

PANEL = drifting_panel(clusters=20, pairs_each=12)


def figures_of(evidence: Evidence, *tags: str) -> Figures:
    """The whole, its parts and its groups."""
    panel = panel_of(evidence)
    groups = {group_name(group.tag, group.value): chosen for group, chosen in groups_of(panel.table, tags)}
    whole, _ = judged_rows(panel, encoded_baselines(evidence, panel.table), panel.every_run)
    told = (trajectory_rows(panel), steered_rows(panel), following_rows(panel), parts_rows(panel))
    return looked_up(panel, whole, *told, group_rows(panel, groups), twin_rows(panel, groups))


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
    found = figures_of(FIVE, "adviser")
    told = {
        # Chen: a says BB (own), OO (wrong); b says BB (own), LO (own, where the target does LL). The twins
        # differ on the second pair only: a names neither effect, b its own.
        "adviser=Chen": {
            "pairs": (2, 0),
            "discordant_pairs": (1, 0),
            "self": (3 / 4, 4),
            "orig": (2 / 4, 4),
            "delta": (1, 1),
            "parse_rate": (1, 4),
            "changed": (1 / 4, 4),
            "followed": (2 / 4, 4),
            "t": (1, 1),
            "twin_pairs": (1, 0),
            "twin_neither": (1 / 2, 2),
            "twin_unparseable": (0, 2),
        },
        # Diaz: a sides with itself (BB), then with the target (BL); b says nothing, then what its twin does.
        "adviser=Diaz": {
            "pairs": (2, 0),
            "discordant_pairs": (2, 0),
            "delta": ((1 - 1 + 0) / 3, 3),
            "parse_rate": (3 / 4, 4),
            "t": (1 / 2, 2),
        },
    }
    for group, figures in told.items():
        for name, (value, n) in figures.items():
            estimate = found(name, subset=group)
            assert estimate.value == pytest.approx(value), (group, name)
            assert estimate.n == n or name.endswith("pairs"), (group, name)
    assert {row.subset for row in found if "=" in row.subset} == set(told)


Kept = TypeVar("Kept")


def kept(by_pair: Mapping[str, Kept], ids: set[str]) -> dict[str, Kept]:
    return {pair_id: found for pair_id, found in by_pair.items() if pair_id in ids}


def test_a_group_is_the_panel_kept_to_its_pairs() -> None:
    found = figures_of(PANEL, "adviser")
    for adviser in sorted({pair.tags["adviser"] for pair in PANEL.pairs}):
        ids = {pair.id for pair in PANEL.pairs if pair.tags["adviser"] == adviser}
        runs = tuple(
            replace(
                run,
                behaviors=kept(run.behaviors, ids),
                explanations=kept(run.explanations, ids),
                remeasured=None,
                declared={},
            )
            for run in PANEL.runs
        )
        alone = replace(
            PANEL,
            pairs=tuple(pair for pair in PANEL.pairs if pair.id in ids),
            target=kept(PANEL.target, ids),
            base=kept(PANEL.base, ids),
            base_logprobs={},
            base_explanations={},
            runs=runs,
        )
        judged, group = figures_of(alone), group_name("adviser", adviser)
        assert found.count("pairs", subset=group) == len(ids)
        for name in ("delta", "self", "discordant_pairs", "t"):
            assert found(name, subset=group).value == judged(name).value is not None


def test_a_group_of_all_pairs_is_the_headline() -> None:
    everywhere = replace(
        PANEL, pairs=tuple(replace(pair, tags={**pair.tags, "kind": "any"}) for pair in PANEL.pairs)
    )
    found = figures_of(everywhere, "kind")
    for name in ("delta", "self", "t", "twin_neither", "twin_pairs", "discordant_pairs"):
        assert found(name, subset="kind=any") == found(name)


def test_without_twins_there_is_no_twin_test_in_a_group() -> None:
    found = figures_of(replace(PANEL, twins=()), "adviser")
    assert not [row for row in found if row.figure in ("t", "twin_pairs")]


def test_a_tag_that_no_pair_bears_is_refused() -> None:
    with pytest.raises(ValueError, match=r"groups: 'advisor' is a tag of no held-out pair; .* are: adviser"):
        figures_of(PANEL, "adviser", "advisor")


FOUND = figures_of(PANEL)


def observations(run: str, subset: str = ALL) -> tuple[int, int]:
    return FOUND("self", run, subset).n, FOUND("delta", run, subset).n


def test_steered_and_other_pairs_make_up_each_run() -> None:
    for run in PANEL.runs:
        steered, others = observations(run.name, STEERED), observations(run.name, OTHER)
        assert (steered[0] + others[0], steered[1] + others[1]) == observations(run.name)
        if not run.steered:
            assert not [row for row in FOUND if (row.run, row.subset) == (run.name, STEERED)]
            assert FOUND("delta", run.name, OTHER) == FOUND("delta", run.name)
            continue
        (adviser,) = run.steered["adviser"]
        borne = sum(pair.tags["adviser"] == adviser for pair in PANEL.pairs)
        assert FOUND.count("pairs", run.name, STEERED) == borne


def test_pooled_they_stand_on_the_steered_runs_alone() -> None:
    steered = [run.name for run in PANEL.runs if run.steered]
    for subset in (STEERED, OTHER):
        of_each = sum(FOUND("delta", run, subset).n for run in steered)
        assert FOUND("delta", STEERED_RUNS, subset).n == of_each
    unsteered = figures_of(replace(PANEL, runs=PANEL.runs[:1], twins=()))
    assert not [row for row in unsteered if row.run == STEERED_RUNS]


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
    found = figures_of(replace(evidence, pairs=pairs, runs=runs))
    for run in (STEERED_RUNS, "a"):
        pairs_of = {subset: found.count("pairs", run, subset) for subset in (STEERED, ASKED, BESIDE)}
        assert pairs_of == {STEERED: 3, ASKED: 2, BESIDE: 1}
        assert found("self", run, ASKED).value == pytest.approx(0.5)
        assert found("delta", run, ASKED).value == pytest.approx(0)
        assert (found("self", run, BESIDE).value, found("delta", run, BESIDE).value) == (0, -1)
        assert found("followed", run, ASKED).value == 0
        assert found("followed", run, BESIDE).value is None
    assert not [row for row in FOUND if row.subset == BESIDE]
    assert FOUND.count("pairs", STEERED_RUNS, ASKED) is None


def test_every_figure_is_computed_once() -> None:
    """`Figures` refuses two rows about the same thing."""
    assert ("delta", ALL_RUNS, 120, STEERED, "own") in FOUND
    assert len(list(FOUND)) == len({(row.figure, row.run, row.subset, row.explainer) for row in FOUND})
