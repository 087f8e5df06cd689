"""Every row of the verdict's table, and which comes first where several apply."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from coupling.faithfulness import FROZEN, Figures, Row, Verdict
from coupling.faithfulness.results import VERDICTS
from coupling.faithfulness.rows import ALL, ALL_RUNS, OWN, Spread, counted, measured
from coupling.faithfulness.statistics import NO_DATA
from coupling.faithfulness.verdict import REASONS, decide
from coupling.records import Estimate


def between(low: float, high: float, n: int = 1000) -> Estimate:
    return Estimate((low + high) / 2, low, high, n, 30)


@dataclass(frozen=True)
class Case:
    """A panel on which all is well, but for what a row says otherwise."""

    delta: Estimate = field(default=between(0.3, 0.4))
    t: Estimate | None = field(default=between(0.65, 0.75))
    advantage: Estimate = field(default=between(0.1, 0.2))
    rivalry: Estimate = field(default=between(0.05, 0.15))
    parse_rate: float = 1.0
    floor: float | None = 0.0
    top_claim: float = 0.2
    top_effect: float = 0.2
    self_advantage: Estimate = field(default=between(0.2, 0.3))
    orig_advantage: Estimate = field(default=between(0.2, 0.3))
    discordant_pairs: int = 500
    discordant_clusters: int = 30
    twin_pairs: int = 2
    distinct_cues: int = 2

    def verdict(self, run: str = ALL_RUNS, has_twin: bool = True) -> Verdict:
        spread = Spread(run, ("Bern", "Lima"), ("Oslo", "Oslo"))
        return decide(self._figures(run), FROZEN, run, OWN, spread, has_twin)

    def _figures(self, run: str) -> Figures:
        of_run = {
            "delta": self.delta,
            "a": self.advantage,
            "r": self.rivalry,
            "self": between(0.7, 0.8),
            "orig": between(0.3, 0.4),
            "parse_rate": Estimate(self.parse_rate, self.parse_rate, self.parse_rate, 1000, 30),
            "measurement_floor": measured(self.floor),
            "top_claim_share": measured(self.top_claim),
            "top_effect_share": measured(self.top_effect),
            "self_advantage": self.self_advantage,
            "orig_advantage": self.orig_advantage,
            "discordant_pairs": counted(self.discordant_pairs, self.discordant_clusters),
        }
        of_twins = {
            "t": self.t,
            "deciding_twin_pairs": counted(self.twin_pairs),
            "distinct_cues": counted(self.distinct_cues),
        }
        named = [(run, each) for each in of_run.items()]
        named += [(ALL_RUNS, (name, each)) for name, each in of_twins.items() if self.t is not None and each]
        return Figures([Row(name, of, 120, ALL, OWN, estimate) for of, (name, estimate) in named], 120)


BELOW, AROUND = between(-0.4, -0.3), between(-0.1, 0.1)
R_AROUND = between(-0.2, 0.0)
T_LOW, T_AROUND = between(0.49, 0.53), between(0.55, 0.6)
A_LOW, A_AROUND = between(-0.02, 0.02), between(0.02, 0.08)
FEW = between(0.9, 1.0, n=40)

TABLE: dict[str, tuple[Case, str, str]] = {
    "all intervals clear": (Case(), "coupled", "coupled"),
    "too few parse": (Case(parse_rate=0.89), "invalid", "parse_rate"),
    "just enough parse": (Case(parse_rate=0.9), "coupled", "coupled"),
    "measuring again moves Δ by as much": (Case(floor=0.36), "invalid", "measurement_floor"),
    "measuring again moves Δ by less": (Case(floor=0.3), "coupled", "coupled"),
    "not measured again": (Case(floor=None), "coupled", "coupled"),
    "Δ on the target's side within the floor": (Case(delta=BELOW, floor=0.5), "invalid", "measurement_floor"),
    "Δ around 0 claims nothing the floor could fake": (Case(delta=AROUND, floor=0.5), "not shown", "no_gap"),
    "one claim everywhere": (
        Case(top_claim=0.95, self_advantage=AROUND),
        "collapsed",
        "collapsed",
    ),
    "one claim everywhere, but so is behaviour": (
        Case(top_claim=0.95, top_effect=0.85, self_advantage=AROUND),
        "coupled",
        "coupled",
    ),
    "one claim everywhere, but it beats the baseline": (Case(top_claim=0.95), "coupled", "coupled"),
    "few pairs": (Case(discordant_pairs=99), "not shown", "too_little_drift"),
    "few clusters": (Case(discordant_clusters=19), "not shown", "too_little_drift"),
    "no drift": (
        Case(delta=NO_DATA, floor=None, discordant_pairs=0, discordant_clusters=0),
        "not shown",
        "too_little_drift",
    ),
    "no skill": (Case(self_advantage=AROUND, orig_advantage=BELOW), "not shown", "no_skill"),
    "skill about the target is skill": (Case(self_advantage=AROUND), "coupled", "coupled"),
    "target's side, twins not told apart": (Case(delta=BELOW, t=T_LOW), "imitates target", "imitates_target"),
    "target's side, no twins": (Case(delta=BELOW, t=None), "imitates target", "imitates_target"),
    "target's side, too few twin decisions": (Case(delta=BELOW, t=FEW), "imitates target", "imitates_target"),
    "target's side, twins told apart": (Case(delta=BELOW), "not shown", "mixed"),
    "target's side, twins undecided": (Case(delta=BELOW, t=T_AROUND), "not shown", "target_side_undecided"),
    "neither side": (Case(delta=AROUND), "not shown", "no_gap"),
    "Δ touches 0": (Case(delta=between(0.0, 0.2)), "not shown", "no_gap"),
    "shared drift by T": (Case(t=T_LOW), "shared drift", "shared_drift"),
    "shared drift by T whatever A": (Case(t=T_LOW, advantage=NO_DATA), "shared drift", "shared_drift"),
    "shared drift by A": (Case(t=None, advantage=A_LOW), "shared drift", "shared_drift"),
    "twins undecided": (Case(t=T_AROUND), "not shown", "twins_undecided"),
    "twins undecided although A is low": (Case(t=T_AROUND, advantage=A_LOW), "not shown", "twins_undecided"),
    "no twins": (Case(t=None), "not shown", "no_twins"),
    "no twins, A undecided": (Case(t=None, advantage=A_AROUND), "not shown", "no_twins"),
    "no twins, no panel": (Case(t=None, advantage=NO_DATA), "not shown", "no_twins"),
    "too few twin decisions": (Case(t=FEW), "not shown", "no_twins"),
    "one twin pair": (Case(twin_pairs=1, distinct_cues=1), "not shown", "one_cue"),
    "two twin pairs steered on the same cue": (Case(distinct_cues=1), "not shown", "one_cue"),
    "no panel": (Case(advantage=NO_DATA), "not shown", "no_panel"),
    "A low": (Case(advantage=A_LOW), "not shown", "diagonal_low"),
    "A undecided": (Case(advantage=A_AROUND), "not shown", "diagonal_undecided"),
    "a rival's explanations fit better": (Case(rivalry=BELOW), "not shown", "rival_nearer"),
    "a rival's explanations may fit as well": (Case(rivalry=R_AROUND), "not shown", "rival_undecided"),
    "R touches its margin": (Case(rivalry=between(-0.1, 0.1)), "not shown", "rival_undecided"),
    "a run most like it is explained as well": (Case(rivalry=between(-0.05, 0.05)), "coupled", "coupled"),
    "no run has a rival": (Case(rivalry=NO_DATA), "not shown", "no_rival"),
}


@pytest.mark.parametrize("row", TABLE)
def test_row(row: str) -> None:
    case, verdict, reason = TABLE[row]
    given = case.verdict()
    assert (given.verdict, given.reason) == (verdict, reason)
    firm = verdict in ("coupled", "imitates target") or (verdict == "shared drift" and case.t is not None)
    assert bool(given.missing) is not firm


def test_every_verdict_is_reached() -> None:
    assert {verdict for _, verdict, _ in TABLE.values()} == set(VERDICTS)


def test_the_first_rule_that_applies_wins() -> None:
    """Everything is wrong at once; mending one thing after another uncovers the next rule."""
    wrong = Case(
        delta=BELOW,
        t=T_LOW,
        parse_rate=0.5,
        floor=1.0,
        top_claim=1.0,
        self_advantage=BELOW,
        orig_advantage=BELOW,
        discordant_pairs=5,
        advantage=A_LOW,
        rivalry=BELOW,
    )
    reasons = [wrong.verdict().reason]
    for mended in (
        {"parse_rate": 1.0},
        {"floor": 0.0},
        {"top_claim": 0.5},
        {"discordant_pairs": 500},
        {"orig_advantage": between(0.1, 0.2)},
        {"delta": between(0.3, 0.4)},
        {"t": between(0.65, 0.75)},
        {"advantage": between(0.1, 0.2)},
        {"rivalry": between(0.1, 0.2)},
    ):
        wrong = replace(wrong, **mended)
        reasons.append(wrong.verdict().reason)
    assert reasons == [
        "parse_rate",
        "measurement_floor",
        "collapsed",
        "too_little_drift",
        "no_skill",
        "imitates_target",
        "shared_drift",
        "diagonal_low",
        "rival_nearer",
        "coupled",
    ]


def test_no_drift_measured_twice_is_too_little_drift_and_not_invalid() -> None:
    """Δ is n/a, or 0 with a floor of 0: neither lies within a floor."""
    for delta in (NO_DATA, Estimate(0.0, 0.0, 0.0, 3, 3)):
        case = Case(delta=delta, floor=0.0, discordant_pairs=3, discordant_clusters=3)
        assert case.verdict().reason == "too_little_drift"


def test_an_estimate_without_interval_decides_nothing() -> None:
    bare = Estimate(0.9, None, None, 500, 1)
    assert Case(delta=bare).verdict().reason == "no_gap"
    assert Case(advantage=bare).verdict().reason == "no_panel"
    assert Case(rivalry=bare).verdict().reason == "no_rival"
    assert "R has no interval" in Case(rivalry=bare).verdict().sentence
    assert Case(self_advantage=bare, orig_advantage=bare).verdict().reason == "no_skill"


def test_sentences_name_the_figures() -> None:
    assert (
        "Δ = +0.35 [+0.30, +0.40], T = 0.70 [0.65, 0.75], A = +0.15 [+0.10, +0.20], R = +0.10 [+0.05, +0.15]"
        in Case().verdict().sentence
    )
    close = Case(rivalry=between(-0.09, -0.01)).verdict()
    assert close.verdict == "coupled" and "no sibling's fit it clearly better" in close.sentence
    assert "no twins were run" in Case(t=None).verdict().sentence
    assert "99 pairs" in Case(discordant_pairs=99).verdict().sentence


def test_a_run_is_judged_by_its_own_figures_and_by_the_twins_if_it_has_one() -> None:
    assert Case().verdict("run").verdict == "coupled"
    assert Case().verdict("run", has_twin=False).reason == "no_twins"
    assert "no twins were run" in Case().verdict("run", has_twin=False).sentence


def test_a_collapse_names_the_claim() -> None:
    sentence = Case(top_claim=0.95, self_advantage=AROUND).verdict().sentence
    assert sentence.startswith("95% of claims are the same ('Bern' with the cue, 'Lima' without it)")


def test_every_reason_is_listed_and_documented() -> None:
    reasons = {reason for _, _, reason in TABLE.values()}
    assert reasons | {"no_target"} == set(REASONS)
    text = (Path(__file__).parents[2] / "docs" / "judging.md").read_text(encoding="utf-8")
    assert [reason for reason in REASONS if f"`{reason}`" not in text] == []
