"""Every row of the verdict's table, and which comes first where several apply."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from coupling.faithfulness import FROZEN, Figures, Row, Verdict
from coupling.faithfulness.results import INVALID, VERDICTS
from coupling.faithfulness.rows import ALL, ALL_RUNS, OWN, STEERED_RUNS, Spread, counted, measured
from coupling.faithfulness.settling import ENOUGH
from coupling.faithfulness.statistics import NO_DATA
from coupling.faithfulness.verdict import REASONS, decide
from coupling.records import Estimate

OF_STRUCTURE = ("duplicates", "label_duplicates", "identical_runs")
"""Reasons that `structure` gives, before any figure is read."""


def between(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, 1000, 30)


@dataclass(frozen=True)
class Case:
    """A panel on which all is well, but for what a row says otherwise."""

    p: Estimate = field(default=between(0.02, 0.06))
    p_worst: Estimate = field(default=between(0.01, 0.05))
    p_alone: Estimate = field(default=between(0.04, 0.08))
    p_shared: Estimate = field(default=between(0.01, 0.03))
    p_null: Estimate = field(default=between(-0.001, 0.001))
    delta: Estimate = field(default=between(0.3, 0.4))
    delta_worst: Estimate = field(default=between(0.2, 0.3))
    p_errors: float | None = 100.0
    alone_errors: float | None = 100.0
    delta_errors: float | None = 100.0
    unsteered: int = 1
    alike: int = 1
    undeclared: int = 0
    parse_rate: float = 1.0
    floor: float | None = 0.0
    top_claim: float = 0.2
    top_effect: float = 0.2
    self_advantage: Estimate = field(default=between(0.2, 0.3))
    discordant_pairs: int | None = 500
    discordant_clusters: int = 30

    def verdict(self, run: str = ALL_RUNS, forced: Verdict | None = None) -> Verdict:
        spread = Spread(run, ("Bern", "Lima"), ("Oslo", "Oslo"))
        return decide(Figures(self.rows(run), 120), FROZEN, run, OWN, spread, forced)

    def rows(self, run: str) -> list[Row]:
        pairs = self.discordant_pairs
        of_run = {
            "p": self.p,
            "p_worst": self.p_worst,
            "p_alone": self.p_alone,
            "p_shared": self.p_shared,
            "p_share": measured(0.06),
            "p_null": self.p_null,
            "delta": self.delta,
            "delta_worst": self.delta_worst,
            "p_errors": measured(self.p_errors),
            "p_alone_errors": measured(self.alone_errors),
            "p_shared_errors": measured(100.0),
            "delta_errors": measured(self.delta_errors),
            "parse_rate": Estimate(self.parse_rate, self.parse_rate, self.parse_rate, 1000, 30),
            "measurement_floor": measured(self.floor),
            "top_claim_share": measured(self.top_claim),
            "top_effect_share": measured(self.top_effect),
            "self_advantage": self.self_advantage,
            "discordant_pairs": NO_DATA if pairs is None else counted(pairs, self.discordant_clusters),
        }
        of_panel = {
            "unsteered_siblings": counted(self.unsteered),
            "alike_siblings": counted(self.alike),
            "undeclared_runs": counted(self.undeclared),
        }
        named = [(run, each) for each in of_run.items()] + [(ALL_RUNS, each) for each in of_panel.items()]
        return [Row(name, of, 120, ALL, OWN, each) for of, (name, each) in named if each.value is not None]


BELOW, AROUND, BARE = between(-0.4, -0.3), between(-0.1, 0.1), Estimate(0.9, None, None, 500, 1)
P_AROUND, P_BELOW, P_NONE = between(-0.02, 0.03), between(-0.03, -0.01), between(-0.005, 0.005)
FEW = ENOUGH - 0.1

TABLE: dict[str, tuple[Case, str, str]] = {
    "all is well": (Case(), "coupled", "coupled"),
    "too few parse": (Case(parse_rate=0.89), "invalid", "parse_rate"),
    "just enough parse": (Case(parse_rate=0.9), "coupled", "coupled"),
    "measuring again moves Δ by as much": (Case(floor=0.36), "invalid", "measurement_floor"),
    "measuring again moves Δ by less": (Case(floor=0.3), "coupled", "coupled"),
    "not measured again": (Case(floor=None), "coupled", "coupled"),
    "Δ on the target's side within the floor": (Case(delta=BELOW, floor=0.5), "invalid", "measurement_floor"),
    "Δ around 0 claims nothing the floor could fake": (Case(delta=AROUND, floor=0.5), "coupled", "coupled"),
    "one claim everywhere": (Case(top_claim=0.95, self_advantage=AROUND), "collapsed", "collapsed"),
    "one claim everywhere, but so is behaviour": (
        Case(top_claim=0.95, top_effect=0.85, self_advantage=AROUND),
        "coupled",
        "coupled",
    ),
    "one claim everywhere, but it beats the baseline": (Case(top_claim=0.95), "coupled", "coupled"),
    "no target": (Case(discordant_pairs=None, delta=NO_DATA, floor=None), "not shown", "no_target"),
    "few pairs": (Case(discordant_pairs=99), "not shown", "too_little_drift"),
    "few clusters": (Case(discordant_clusters=19), "not shown", "too_little_drift"),
    "no drift": (
        Case(delta=NO_DATA, floor=None, discordant_pairs=0, discordant_clusters=0),
        "not shown",
        "too_little_drift",
    ),
    "a direction is not declared": (Case(undeclared=1), "not shown", "undeclared_steering"),
    "no observer": (Case(p=NO_DATA), "not shown", "no_observer"),
    "P without interval": (Case(p=BARE), "not shown", "no_observer"),
    "no unsteered sibling": (Case(unsteered=0), "not shown", "no_siblings"),
    "none steered alike": (Case(alike=0), "not shown", "no_siblings"),
    "P near 0": (Case(p_errors=FEW), "not shown", "undecided_by_resampling"),
    "P near 0 from below": (Case(p=P_BELOW, p_errors=FEW), "not shown", "undecided_by_resampling"),
    "P just far enough": (Case(p_errors=ENOUGH), "coupled", "coupled"),
    "Δ near 0": (Case(delta_errors=FEW), "not shown", "undecided_by_resampling"),
    "Δ near 0 from below": (Case(delta=BELOW, delta_errors=FEW), "not shown", "undecided_by_resampling"),
    "imitation near 0": (
        Case(p=P_AROUND, delta=BELOW, delta_errors=FEW),
        "not shown",
        "undecided_by_resampling",
    ),
    "P without siblings near 0": (
        Case(p=P_AROUND, alone_errors=FEW),
        "not shown",
        "undecided_by_resampling",
    ),
    "claims about other pairs tell as much": (
        Case(p_null=between(0.0, 0.02)),
        "not shown",
        "within_null",
    ),
    "P would be gone were missing claims the target's": (
        Case(p_worst=P_AROUND),
        "not shown",
        "missing_claims",
    ),
    "Δ would be on its side": (Case(delta_worst=BELOW), "not shown", "missing_claims"),
    "all claims are there": (Case(p_worst=NO_DATA, delta_worst=NO_DATA), "coupled", "coupled"),
    "Δ around 0 is not on the target's side": (Case(delta=AROUND), "coupled", "coupled"),
    "private, on the target's side": (Case(delta=BELOW, delta_worst=BELOW), "not shown", "mixed"),
    "nothing private, on the target's side": (
        Case(p=P_AROUND, delta=BELOW),
        "imitates target",
        "imitates_target",
    ),
    "siblings tell as much": (Case(p=P_AROUND), "shared drift", "shared_drift"),
    "siblings tell more": (Case(p=P_BELOW), "shared drift", "shared_drift"),
    "siblings tell nothing": (Case(p=P_NONE, p_shared=P_NONE), "not shown", "nothing_private"),
    "no bits to anybody": (Case(p=P_NONE, p_alone=P_NONE), "not shown", "nothing_private"),
    "P touches 0": (Case(p=between(0.0, 0.04), p_alone=P_AROUND), "not shown", "undecided"),
    "neither shown nor denied": (Case(p=P_AROUND, p_alone=P_AROUND), "not shown", "undecided"),
}
FIRM = {"coupled", "imitates_target", "shared_drift", "nothing_private"}
"""Nothing is missing for these."""


@pytest.mark.parametrize("row", TABLE)
def test_row(row: str) -> None:
    case, verdict, reason = TABLE[row]
    given = case.verdict()
    assert (given.verdict, given.reason) == (verdict, reason)
    assert bool(given.missing) is (reason not in FIRM)


def test_every_verdict_is_reached() -> None:
    assert {verdict for _, verdict, _ in TABLE.values()} == set(VERDICTS)


def test_the_first_rule_that_applies_wins() -> None:
    """Everything is wrong at once; mending one thing after another uncovers the next rule."""
    wrong = Case(
        p=NO_DATA,
        p_null=P_AROUND,
        p_worst=P_AROUND,
        delta=BELOW,
        delta_worst=BELOW,
        p_errors=FEW,
        unsteered=0,
        undeclared=1,
        parse_rate=0.5,
        floor=1.0,
        top_claim=1.0,
        self_advantage=BELOW,
        discordant_pairs=5,
    )
    reasons = [wrong.verdict().reason]
    for mended in (
        {"parse_rate": 1.0},
        {"floor": 0.0},
        {"top_claim": 0.5},
        {"discordant_pairs": 500},
        {"undeclared": 0},
        {"p": between(0.02, 0.06)},
        {"unsteered": 1},
        {"p_errors": 100.0},
        {"p_null": P_NONE},
        {"p_worst": between(0.01, 0.05)},
        {"delta": between(0.3, 0.4)},
        {"delta_worst": AROUND},
    ):
        wrong = replace(wrong, **mended)
        reasons.append(wrong.verdict().reason)
    assert reasons == [
        "parse_rate",
        "measurement_floor",
        "collapsed",
        "too_little_drift",
        "undeclared_steering",
        "no_observer",
        "no_siblings",
        "undecided_by_resampling",
        "within_null",
        "missing_claims",
        "mixed",
        "missing_claims",
        "coupled",
    ]


def test_structure_comes_before_any_figure() -> None:
    forced = Verdict(INVALID, "duplicates", "Asked twice.", ("each question once",))
    assert Case().verdict(forced=forced) == forced
    assert Case(parse_rate=0.1).verdict(forced=forced) == forced


def test_no_drift_measured_twice_is_too_little_drift_and_not_invalid() -> None:
    """Δ is n/a, or 0 with a floor of 0: neither lies within a floor."""
    for delta in (NO_DATA, Estimate(0.0, 0.0, 0.0, 3, 3)):
        case = Case(delta=delta, floor=0.0, discordant_pairs=3, discordant_clusters=3)
        assert case.verdict().reason == "too_little_drift"


def test_pooled_the_steered_runs_decide_where_there_are_any() -> None:
    """A run that nothing moves has little to tell; P and Δ are those of the runs that were moved."""
    rows = Case(p=P_AROUND, delta=BELOW).rows(ALL_RUNS)
    assert decide(Figures(rows, 120), FROZEN).reason == "imitates_target"
    moved = [
        replace(row, run=STEERED_RUNS)
        for row in Case().rows(ALL_RUNS)
        if row.figure.startswith(("p", "delta")) and row.figure != "parse_rate"
    ]
    assert decide(Figures(rows + moved, 120), FROZEN).reason == "coupled"


def test_a_run_is_judged_by_its_own_figures() -> None:
    rows = Case(p=P_BELOW, delta=BELOW).rows(ALL_RUNS)
    own = [row for row in Case().rows("run") if row.run == "run"]
    figures = Figures(rows + own, 120)
    assert decide(figures, FROZEN, "run").reason == "coupled"
    assert decide(figures, FROZEN).reason == "imitates_target"


def test_sentences_name_the_figures() -> None:
    sentence = Case().verdict().sentence
    assert "P = +0.040 [+0.020, +0.060] bits" in sentence and "6%" in sentence
    assert "Δ = +0.35 [+0.30, +0.40]" in sentence
    assert "99 pairs" in Case(discordant_pairs=99).verdict().sentence


def test_undecided_says_how_many_clusters_would_decide() -> None:
    """With a value of 1 and a lower bound 2 below it, widths must halve: four times as many clusters."""
    case = Case(p=Estimate(0.01, -0.01, 0.03, 1000, 30), p_alone=P_AROUND)
    assert "about 120 held-out clusters" in case.verdict().missing[0]
    hopeless = Case(p=Estimate(-0.001, -0.03, 0.02, 1000, 30), p_alone=P_AROUND)
    assert "clusters (" not in hopeless.verdict().missing[0]


def test_a_collapse_names_the_claim() -> None:
    sentence = Case(top_claim=0.95, self_advantage=AROUND).verdict().sentence
    assert sentence.startswith("95% of claims are the same ('Bern' with the cue, 'Lima' without it)")


def test_every_reason_is_listed_and_documented() -> None:
    reasons = {reason for _, _, reason in TABLE.values()}
    assert reasons | set(OF_STRUCTURE) == set(REASONS)
    text = (Path(__file__).parents[2] / "docs" / "judging.md").read_text(encoding="utf-8")
    assert [reason for reason in REASONS if f"`{reason}`" not in text] == []
