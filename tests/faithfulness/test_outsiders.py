"""Outsiders: what they say, by hand, and that none of them is ever called coupled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from coupling.faithfulness import Evidence
from coupling.faithfulness.judge import encoded_baselines, headline_rows
from coupling.faithfulness.outsiders import (
    ABSTENTION,
    DIRECTION,
    GUESS,
    NAMES,
    OUTSIDE,
    QUOTING,
    RUNNER_UP,
    UNSTEERED_DIRECTION,
    moved_outside,
    outsiders,
)
from coupling.faithfulness.privilege import observed
from coupling.faithfulness.scores import UNSTATED, tabulate
from coupling.records import Effect
from synthetic_panels import (
    CITIES,
    drifting_panel,
    effect,
    explanation,
    judged,
    panel_of,
    small_drifting_panel,
    small_panel,
)

BASE = ["BB", "LL", "OO", "RR"]
SURE = (0.0, -3.0, -4.0, -9.0, -9.0, -9.0)
UNSURE = (-1.0, -1.1, -4.0, -9.0, -9.0, -9.0)


def by_hand() -> Evidence:
    """Four pairs. M0 is unsure of the first one without the cue, where Lima comes second; "moved" is steered
    towards Suva on the second."""
    ids = [f"p{number}" for number in range(4)]
    evidence = small_panel(
        BASE, {"still": BASE, "moved": BASE}, {"still": ["BO", "LO", "OO", "RO"], "moved": ["WW"] * 4}
    )
    still, moved = evidence.runs
    moved = replace(moved, steered={"adviser": ("Chen",)}, direction="follow", declared={"p1": "Suva"})

    def logprobs(letters: str, likely: tuple[float, ...]) -> tuple[float, ...]:
        """The likeliest is the pair's own, the second the next of `CITIES`."""
        return tuple(np.roll(likely, [city[0] for city in CITIES].index(letters[0])).tolist())

    return replace(
        evidence,
        base=evidence.target,
        base_logprobs={
            id_: (logprobs(each, SURE), logprobs(each, UNSURE if id_ == "p0" else SURE))
            for id_, each in zip(ids, BASE, strict=True)
        },
        base_explanations={id_: explanation(id_, effect("SS")) for id_ in ids},
        runs=(still, moved),
    )


def said_by(evidence: Evidence) -> dict[str, list[list[str | None]]]:
    """Outsider → run → letters of what it says of each pair."""
    table = tabulate(evidence)

    def letters(claim: npt.NDArray[np.int64]) -> str | None:
        return None if (claim == UNSTATED).all() else "".join(table.answers[answer][0] for answer in claim)

    return {
        each.explainer.name: [[letters(claim) for claim in run] for run in each.claims]
        for each in outsiders(table, None)
        if each.claims is not None
    }


def test_what_they_say_by_hand() -> None:
    said = said_by(by_hand())
    assert said[QUOTING] == [BASE, BASE]
    # Of a quarter of the pairs M0 is unsure: its second choice there; and the direction, where it has one.
    assert said[RUNNER_UP] == [["BL", "LL", "OO", "RR"], ["BL", "SL", "OO", "RR"]]
    assert said[DIRECTION] == [["SS"] * 4, ["SS"] * 4]
    assert said[ABSTENTION] == [[None, "SS", "SS", "SS"], [None, "SS", "SS", "SS"]]
    # The unsteered run is told by the steered one, every other run by the unsteered one.
    assert said[UNSTEERED_DIRECTION] == [["WW"] * 4, ["BO", "SO", "OO", "RO"]]
    assert GUESS not in said


def test_what_the_evidence_lacks_nobody_says() -> None:
    whole = by_hand()
    without = said_by(replace(whole, base_logprobs={}))
    assert without.keys() == {QUOTING, DIRECTION, UNSTEERED_DIRECTION}
    silent = said_by(replace(whole, base={}, base_logprobs={}, base_explanations={}))
    assert silent.keys() == {UNSTEERED_DIRECTION}
    assert said_by(replace(whole, runs=whole.runs[:1])).keys() == {QUOTING, RUNNER_UP, DIRECTION, ABSTENTION}
    every_one = outsiders(tabulate(whole), guess=tabulate(whole).claims)
    assert {each.explainer.name for each in every_one} == set(NAMES)


def test_behaviour_moved_outside_by_hand() -> None:
    """A wrapper raises the declared answer by 2 nats: too little where M0 is sure of another by more."""
    whole = by_hand()
    moved = moved_outside(tabulate(whole))
    assert moved is not None and (moved.behaviors == np.asarray(moved.base)).all()
    still, run = whole.runs
    nearly = (-9.0, -1.0, -1.5, -9.0, -9.0, -9.0)
    unsure = {**whole.base_logprobs, "p1": (nearly, nearly)}
    to_oslo = (still, replace(run, declared={"p1": "Oslo"}))
    near = moved_outside(tabulate(replace(whole, base_logprobs=unsure, runs=to_oslo)))
    assert near is not None
    assert near.decode(near.behaviors[1, 1]) == Effect("Oslo", "Lima")
    assert near.decode(near.behaviors[0, 1]) == Effect("Lima", "Lima")
    assert near.decode(near.claims[1, 1]) == effect("SS")


def test_nothing_is_moved_outside_where_nothing_is_declared() -> None:
    whole = by_hand()
    undeclared = tuple(replace(run, declared={}) for run in whole.runs)
    assert moved_outside(tabulate(replace(whole, runs=undeclared))) is None
    assert moved_outside(tabulate(replace(whole, base_logprobs={}))) is None
    assert moved_outside(tabulate(replace(whole, base_explanations={}))) is None


def test_no_outsider_is_coupled_and_the_run_is() -> None:
    found = judged("self")
    assert found.verdict().verdict == "coupled"
    own = found.figures("p")
    assert own.low is not None
    for name in (*NAMES, OUTSIDE):
        assert found.verdict(explainer=name).verdict != "coupled", name
        theirs = found.figures("p", explainer=name)
        assert theirs.high is not None and theirs.high < own.low / 5, name


def test_behaviour_moved_outside_is_not_coupled() -> None:
    evidence = small_drifting_panel()
    moved = moved_outside(tabulate(evidence))
    assert moved is not None
    panel = panel_of(evidence)
    verdict = headline_rows(
        moved,
        encoded_baselines(evidence, moved),
        panel.twins,
        panel.steered,
        panel.bootstrap,
        observed(moved),
    )[1]
    assert verdict.verdict != "coupled"


@pytest.mark.parametrize("name", [DIRECTION, RUNNER_UP])
def test_who_knows_the_direction_is_right_where_runs_are_steered(name: str) -> None:
    """So it is no straw man: on the pairs that are steered it states the answer with the cue of most runs."""
    table = tabulate(drifting_panel(clusters=8, pairs_each=12))
    (said,) = [each.claims for each in outsiders(table, None) if each.explainer.name == name]
    assert said is not None
    declared = table.declared != UNSTATED
    right = (said[..., 0] == table.behaviors[..., 0])[declared]
    assert declared.any() and right.mean() > 0.7
