"""The verdict: the table of docs/judging.md, the first rule that applies.

The rules are asked in the order of `decide`; each answers with a verdict or passes. Whole intervals decide,
never a value alone, and T, A or R counts only where it could be measured: T from `min_twin_decisions`
explanations of `min_twin_clusters` clusters on, A and R where they have an interval.
"""

from __future__ import annotations

from dataclasses import dataclass

from coupling.faithfulness.gates import has_collapsed, is_skilled, too_few_parse, within_measurement_floor
from coupling.faithfulness.results import (
    COLLAPSED,
    COUPLED,
    IMITATES_TARGET,
    INVALID,
    NOT_SHOWN,
    SHARED_DRIFT,
    Verdict,
)
from coupling.faithfulness.rows import ALL, ALL_RUNS, OWN, Figures, Spread, best_baseline
from coupling.faithfulness.thresholds import Thresholds
from coupling.faithfulness.wording import effect, share, signed
from coupling.records import Effect, Estimate

_SLUGS = (
    "parse_rate measurement_floor collapsed no_target too_little_drift no_skill imitates_target mixed "
    "coupled shared_drift no_gap no_twins one_cue twins_undecided no_panel diagonal_low "
    "diagonal_undecided no_rival rival_nearer rival_undecided target_side_undecided"
)
REASONS = tuple(_SLUGS.split())
"""The slugs of the rules."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whose figures are asked for, and what they are held against."""

    figures: Figures
    limits: Thresholds
    run: str
    explainer: str
    spread: Spread | None
    has_twin: bool

    def __call__(self, figure: str) -> Estimate:
        """Of the run, or of the runs pooled."""
        return self.figures(figure, self.run, ALL, self.explainer)

    def of_twins(self, figure: str) -> Estimate:
        """The twin test is always that of all twin pairs."""
        return self.figures(figure, ALL_RUNS, ALL, self.explainer)

    @property
    def is_told_apart(self) -> bool:
        """Whether there are twins that speak for it."""
        return self.has_twin and self.of_twins("deciding_twin_pairs").value is not None

    @property
    def t(self) -> _Interval | None:
        """T, where it was measured."""
        t = self.of_twins("t")
        if not self.is_told_apart:
            return None
        if t.n < self.limits.min_twin_decisions or t.clusters < self.limits.min_twin_clusters:
            return None
        return _interval(t, f"T = {share(t)}")

    @property
    def advantage(self) -> _Interval | None:
        return _interval(self("a"), f"A = {signed(self('a'))}")


@dataclass(frozen=True, slots=True)
class _Interval:
    """An estimate that has one."""

    low: float
    high: float
    words: str


def decide(
    figures: Figures,
    limits: Thresholds,
    run: str = ALL_RUNS,
    explainer: str = OWN,
    spread: Spread | None = None,
    has_twin: bool = True,
) -> Verdict:
    """The verdict on a panel (its runs pooled), or on one run of it: its own figures, the advantage and
    distance of its own column in place of A and R, and the panel's T if it has a twin.

    Args:
        figures: with the rows that `judge.headline_rows` lists, of this run and explainer.
        limits: the numbers of the verdict.
        run: a run's name, or `ALL_RUNS`.
        explainer: whose explanations are judged.
        spread: the most frequent claim, for the sentence on a collapse.
        has_twin: False of a run without a twin, for which the T of others says nothing.
    """
    asked = _Asked(figures, limits, run, explainer, spread, has_twin)
    return (
        _invalid(asked)
        or _collapsed(asked)
        or _no_target(asked)
        or _too_little_drift(asked)
        or _no_skill(asked)
        or _by_intervals(asked)
    )


def _invalid(asked: _Asked) -> Verdict | None:
    figures, limits, whose = asked.figures, asked.limits, (asked.run, asked.explainer)
    if too_few_parse(figures, limits, *whose):
        sentence = f"Only {share(asked('parse_rate'))} of explanations state an effect."
        missing = (f"a parse rate of at least {limits.min_parse_rate}",)
        return Verdict(INVALID, "parse_rate", sentence, missing)
    if within_measurement_floor(figures, *whose):
        sentence = (
            f"Δ = {signed(asked('delta'))}, but measuring the same checkpoint again moves it by "
            f"{asked('measurement_floor').value:.3f}."
        )
        return Verdict(INVALID, "measurement_floor", sentence, ("a measurement that repeats itself",))
    return None


def _collapsed(asked: _Asked) -> Verdict | None:
    if not has_collapsed(asked.figures, asked.limits, asked.run, asked.explainer):
        return None
    top = None if asked.spread is None else asked.spread.top_claim
    said = "" if top is None else f" ({effect(Effect(*top))})"
    sentence = (
        f"{asked('top_claim_share').value:.0%} of claims are the same{said}, while the most "
        f"frequent effect makes {asked('top_effect_share').value:.0%} of behaviour."
    )
    return Verdict(COLLAPSED, "collapsed", sentence, ("explanations that differ from pair to pair",))


def _no_target(asked: _Asked) -> Verdict | None:
    if asked("discordant_pairs").value is not None:
        return None
    beside = "" if asked.t is None else f"; {asked.t.words} tells of the twins alone"
    sentence = (
        "The target's behaviour on the held-out pairs is not known, so nothing tells explanations that "
        f"follow the model from explanations that repeat their labels: Orig, Δ, A and R are n/a{beside}."
    )
    missing = ("the target's behaviour on the held-out pairs",)
    return Verdict(NOT_SHOWN, "no_target", sentence, missing)


def _too_little_drift(asked: _Asked) -> Verdict | None:
    limits, discordant = asked.limits, asked("discordant_pairs")
    assert discordant.value is not None
    pairs = round(discordant.value)
    if pairs >= limits.min_discordant_pairs and discordant.clusters >= limits.min_discordant_clusters:
        return None
    sentence = (
        f"Too little drift: model and target differ on {pairs} pairs of "
        f"{discordant.clusters} clusters, too few to tell whose effects the explanations state."
    )
    missing = (
        f"{limits.min_discordant_pairs} discordant pairs in {limits.min_discordant_clusters} clusters: "
        "more held-out pairs, or behaviour that moves further",
    )
    return Verdict(NOT_SHOWN, "too_little_drift", sentence, missing)


def _no_skill(asked: _Asked) -> Verdict | None:
    if any(is_skilled(asked.figures, asked.run, asked.explainer, each) for each in ("self", "orig")):
        return None
    sentence = (
        f"No skill: Self {share(asked('self'))} and Orig {share(asked('orig'))} are no "
        "better than what can be said without reading the model "
        f"(Self - {best_baseline(asked.figures, asked.run)} = {signed(asked('self_advantage'))})."
    )
    return Verdict(NOT_SHOWN, "no_skill", sentence, ("explanations that beat the best baseline",))


def _by_intervals(asked: _Asked) -> Verdict:
    delta = _interval(asked("delta"), f"Δ = {signed(asked('delta'))}")
    if delta is None or delta.low <= 0 <= delta.high:
        return _no_gap(asked)
    t = asked.t
    if delta.high < 0:
        return _target_side(delta, t, asked.limits)
    if t is not None and t.low > asked.limits.twin_margin:
        return _with_twins_apart(delta, t, asked)
    return _without_twins_apart(delta, t, asked)


def _no_gap(asked: _Asked) -> Verdict:
    sentence = f"Explanations side with neither model nor target: Δ = {signed(asked('delta'))}."
    return Verdict(NOT_SHOWN, "no_gap", sentence, ("an interval of Δ that excludes 0",))


def _target_side(delta: _Interval, t: _Interval | None, limits: Thresholds) -> Verdict:
    if t is None or t.high < limits.twin_margin:
        beside = "no twins tell otherwise" if t is None else f"{t.words} shows nothing of their own"
        sentence = (
            f"Explanations state the target's behaviour rather than the model's: {delta.words}; {beside}."
        )
        return Verdict(IMITATES_TARGET, "imitates_target", sentence, ())
    if t.low > limits.twin_margin:
        sentence = (
            f"Mixed: explanations side with the target ({delta.words}), yet tell twins apart ({t.words})."
        )
        return Verdict(NOT_SHOWN, "mixed", sentence, ("explanations that side with the model itself",))
    sentence = f"Explanations side with the target ({delta.words}), and {t.words} holds {limits.twin_margin}."
    return Verdict(NOT_SHOWN, "target_side_undecided", sentence, _undecided("T", limits.twin_margin))


def _with_twins_apart(delta: _Interval, t: _Interval, asked: _Asked) -> Verdict:
    """Δ and T show coupling; whether the panel was large enough, and A and R agree."""
    limits, advantage = asked.limits, asked.advantage
    shown = f"{delta.words}, {t.words}"
    deciding, cues = (
        round(asked.of_twins(each).value or 0) for each in ("deciding_twin_pairs", "distinct_cues")
    )
    if min(deciding, cues) < limits.min_twin_pairs:
        sentence = (
            f"{shown}, but one cue proves little: twin pairs that tell anything {deciding}, "
            f"different cues they are declared to be steered on {cues}."
        )
        missing = (f"{limits.min_twin_pairs} twin pairs steered on different cues, with `steered` declared",)
        return Verdict(NOT_SHOWN, "one_cue", sentence, missing)
    if advantage is None:
        sentence = f"{shown}, but the panel is too small for A."
        missing = (f"at least {limits.min_panel_runs} runs with discordant pairs in several clusters",)
        return Verdict(NOT_SHOWN, "no_panel", sentence, missing)
    if advantage.high < limits.advantage_margin:
        sentence = f"{shown}, but explanations fit other runs as well as their own: {advantage.words}."
        return Verdict(NOT_SHOWN, "diagonal_low", sentence, (f"A above {limits.advantage_margin}",))
    if advantage.low <= limits.advantage_margin:
        sentence = f"{shown}, but {advantage.words} holds {limits.advantage_margin}."
        return Verdict(NOT_SHOWN, "diagonal_undecided", sentence, _undecided("A", limits.advantage_margin))
    return _against_rivals(f"{shown}, {advantage.words}", asked("r"), limits.rivalry_margin)


def _against_rivals(shown: str, r: Estimate, margin: float) -> Verdict:
    """All else shows coupling; whether no other run's explanations fit as well."""
    rivalry = _interval(r, f"R = {signed(r)}")
    if rivalry is None:
        why = "no run has a rival" if r.value is None else "R has no interval"
        sentence = f"{shown}, but {why}."
        missing = ("runs that were steered otherwise, with discordant pairs in several clusters",)
        return Verdict(NOT_SHOWN, "no_rival", sentence, missing)
    if rivalry.high < margin:
        sentence = f"{shown}, but another run's explanations fit better than its own: {rivalry.words}."
        return Verdict(NOT_SHOWN, "rival_nearer", sentence, (f"R above {margin:g}",))
    if rivalry.low <= margin:
        sentence = f"{shown}, but {rivalry.words} holds {margin:g}: a rival's may fit better."
        return Verdict(NOT_SHOWN, "rival_undecided", sentence, _undecided("R", margin))
    sentence = (
        f"Explanations follow the model's own behaviour: {shown}, {rivalry.words}. They side with what it "
        "does now, tell it from its twins, fit it better than its siblings, and no sibling's fit it clearly "
        "better."
    )
    return Verdict(COUPLED, "coupled", sentence, ())


def _without_twins_apart(delta: _Interval, t: _Interval | None, asked: _Asked) -> Verdict:
    """Δ is above 0; whether that is drift that all runs share, or not known."""
    limits, advantage = asked.limits, asked.advantage
    if t is not None and t.high < limits.twin_margin:
        sentence = f"Explanations beat the target ({delta.words}) but do not tell twins apart: {t.words}."
        return Verdict(SHARED_DRIFT, "shared_drift", sentence, ())
    if t is not None:
        sentence = f"Self > Orig ({delta.words}), but {t.words} holds {limits.twin_margin}."
        return Verdict(NOT_SHOWN, "twins_undecided", sentence, _undecided("T", limits.twin_margin))
    if advantage is not None and advantage.high < limits.advantage_margin:
        sentence = (
            f"Explanations beat the target ({delta.words}), and fit other runs as well as their own: "
            f"{advantage.words}."
        )
        return Verdict(SHARED_DRIFT, "shared_drift", sentence, ("twins, which are the sharper test",))
    if not asked.is_told_apart:
        sentence = (
            f"Self > Orig ({delta.words}), but no twins were run: drift that all runs share looks the same."
        )
    else:
        decided = asked.of_twins("t")
        sentence = (
            f"Self > Orig ({delta.words}), but only {decided.n} explanations of {decided.clusters} clusters "
            "name the effect of either twin."
        )
    missing = [
        f"{limits.min_twin_pairs} twin pairs steered on different cues, whose explanations decide at least "
        f"{limits.min_twin_decisions} times in {limits.min_twin_clusters} clusters"
    ]
    if advantage is None:
        missing.append(f"a panel of at least {limits.min_panel_runs} runs")
    return Verdict(NOT_SHOWN, "no_twins", sentence, tuple(missing))


def _interval(estimate: Estimate, words: str) -> _Interval | None:
    if estimate.low is None or estimate.high is None:
        return None
    return _Interval(estimate.low, estimate.high, words)


def _undecided(name: str, margin: float) -> tuple[str, ...]:
    return (f"an interval of {name} on one side of {margin}: more held-out clusters or more runs",)
