"""The figures a verdict turns on, each with its scale, and how it stands against its threshold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coupling.faithfulness.results import (
    TEXT_KINDS,
    Consequences,
    Errors,
    Faithfulness,
    PanelResult,
    ReaderResult,
    Results,
    Skill,
)
from coupling.records import Estimate
from coupling.report.figures import Mark, Scale
from coupling.report.text import NOT_AVAILABLE, in_words, number, typeset

NO_ESTIMATE = Estimate(value=None, low=None, high=None, n=0, clusters=0)

PRIVILEGE_SCALE = Scale(-1, 1, (Mark(0, "0"),), wanted=(0, 2), unwanted=(-2, 0), signed=True)
"""Of Self - reader: above 0 the model tells more of itself than the reader does."""
DELTA_SCALE = Scale(-1, 1, (Mark(0, "0"),), wanted=(0, 2), unwanted=(-2, 0), signed=True)


@dataclass(frozen=True, slots=True)
class Question:
    """One row of the first screen: a figure, its scale and how it stands."""

    name: str
    symbol: str
    words: str
    estimate: Estimate
    scale: Scale
    standing: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a short table: a figure and what the verdict asks of it."""

    name: str
    words: str
    estimate: Estimate
    signed: bool = False
    asked: str = ""


def heading(results: Results) -> str:
    """What was judged, in one line."""
    counts = results.counts
    missing = f", {counts.missing} more missing" if counts.missing else ""
    return (
        f"{results.experiment} · {results.model.name} · step {results.step} · "
        f"{counts.pairs} {results.split} pairs in {counts.clusters} clusters{missing}"
    )


def questions(panel: PanelResult) -> tuple[Question, ...]:
    """Δ, T, A, R and Self, each against what the verdict asks of it."""
    return (_delta(panel), _twins(panel), _advantage(panel), _rivalry(panel), _self(panel))


def summary(panel: PanelResult) -> tuple[Row, ...]:
    """The figures for a reader who has one screen of text."""
    pooled, limits = panel.pooled, panel.thresholds
    warns = f"warns below {limits.low_similarity:g}"
    at_least = f"at least {limits.min_parse_rate:g}"
    return (
        Row("Δ", "own side or target's", pooled.delta, True, "above 0"),
        Row("T", "twins told apart", twin_estimate(panel), False, f"above {limits.twin_margin:g}"),
        Row("A", "own run or others", panel.matrix.advantage, True, f"above {limits.advantage_margin:g}"),
        Row(
            "R",
            "own run or nearest rival",
            panel.matrix.rivalry,
            True,
            typeset(f"above {limits.rivalry_margin:g}"),
        ),
        Row("Self", "true of the model", pooled.self_parts.exact),
        Row("Orig", "true of the target", pooled.orig_parts.exact),
        Row("Self \N{MINUS SIGN} Orig", "on all pairs", pooled.gap, True),
        Row("skill", "Self beyond its best baseline", pooled.self_skill.skill, False, "above 0, or Orig's"),
        Row("similarity", "model and target act alike", pooled.similarity, False, warns),
        Row("parse rate", "claims that could be read", pooled.parse_rate, False, at_least),
    )


def best_text_reader(results: Results) -> ReaderResult | None:
    """Of the readers that know nothing but text, the one that is right most often; None where there is
    none."""
    known = [
        (reader.pooled.accuracy.value, reader)
        for reader in results.readers
        if reader.kind in TEXT_KINDS and reader.pooled.accuracy.value is not None
    ]
    return max(known, key=lambda each: each[0])[1] if known else None


def text_reader_row(results: Results) -> Row:
    """How much of Self the best reader of the text alone gets."""
    best = best_text_reader(results)
    if best is None:
        return Row("text alone", "share of Self a reader gets", NO_ESTIMATE)
    return Row("text alone", f"share of Self: {best.name}", best.pooled.share_of_self)


def errors_in_words(found: Consequences) -> str:
    """Errors by what they lead to, all runs pooled, in one sentence; beside them what repeating the
    target's effects, as the labels state them, would get."""
    model, target = found.pooled.model, found.pooled.target

    def beside(figure: Callable[[Errors], Estimate]) -> str:
        return "" if target is None else f" (repeating the target {number(figure(target).value)})"

    return (
        f"errors: a cue that decided is denied in {in_words(model.denied)}"
        f"{beside(lambda errors: errors.denied)}, a change invented in {in_words(model.invented)}"
        f"{beside(lambda errors: errors.invented)}; cost of a pair {in_words(model.cost)}"
        f"{beside(lambda errors: errors.cost)}"
    )


def twin_estimate(panel: PanelResult) -> Estimate:
    """T over all twins; n/a where none were named."""
    return NO_ESTIMATE if panel.twins is None else panel.twins.pooled.all_pairs.t


def twin_scale(margin: float) -> Scale:
    """From never to always the twin's own effect, with chance and the margin."""
    marks = (Mark(0.5, "chance 0.5", decisive=False), Mark(margin, f"{margin:g} margin"))
    return Scale(0, 1, marks, wanted=(margin, 1))


def baseline_name(name: str | None) -> str:
    if name is None:
        return NOT_AVAILABLE
    return name.replace("_of_own", " (by its own effects)").replace("_", " ")


def _delta(panel: PanelResult) -> Question:
    words = "Do its explanations side with its own behaviour, or with the target's?"
    delta = panel.pooled.delta
    standing = _standing(delta, 0, below="on the target's side")
    return Question("delta", "Δ", words, delta, DELTA_SCALE, standing)


def _twins(panel: PanelResult) -> Question:
    words = "Do they tell it from a twin that was steered otherwise?"
    t, margin = twin_estimate(panel), panel.thresholds.twin_margin
    return Question("twins", "T", words, t, twin_scale(margin), _standing(t, margin))


def _advantage(panel: PanelResult) -> Question:
    words = "Do they fit its own run better than they fit the others?"
    advantage, margin = panel.matrix.advantage, panel.thresholds.advantage_margin
    marks = (Mark(0, "0", decisive=False), Mark(margin, f"{margin:g} margin"))
    scale = Scale(-1, 1, marks, wanted=(margin, 2), signed=True)
    return Question("advantage", "A", words, advantage, scale, _standing(advantage, margin))


def _rivalry(panel: PanelResult) -> Question:
    words = "Do they fit it as well as those of any other run?"
    rivalry, margin = panel.matrix.rivalry, panel.thresholds.rivalry_margin
    marks = (Mark(0, "0", decisive=False), Mark(margin, typeset(f"{margin:g} margin")))
    scale = Scale(-1, 1, marks, wanted=(margin, 2), signed=True)
    standing = _standing(rivalry, margin, below="another run's fit better")
    return Question("rivalry", "R", words, rivalry, scale, standing)


def _self(panel: PanelResult) -> Question:
    share, skill = panel.pooled.self_parts.exact, panel.pooled.self_skill
    return Question(
        "self", "Self", "How many of them are true?", share, _self_scale(panel.pooled), _skill(skill)
    )


def _self_scale(figures: Faithfulness) -> Scale:
    skill, share = figures.self_skill, figures.self_parts.exact.value
    if share is None or skill.advantage.value is None:
        return Scale(0, 1, ())
    accuracy = share - skill.advantage.value
    return Scale(0, 1, (Mark(accuracy, f"{baseline_name(skill.best_baseline)} {number(accuracy, 2)}"),))


def _standing(estimate: Estimate, margin: float, below: str = "short of the margin") -> str:
    if estimate.value is None:
        return "not measured"
    if estimate.low is None or estimate.high is None:
        return "too few clusters for an interval"
    bound = typeset(f"{margin:g}")
    if estimate.low > margin:
        return f"the whole interval lies above {bound}, as coupling asks"
    if estimate.high < margin:
        return f"the whole interval lies below {bound}, {below}"
    return f"the interval holds {bound}: undecided"


def _skill(skill: Skill) -> str:
    gained = skill.advantage
    if gained.value is None:
        return "not measured"
    clear = gained.low is not None and gained.low > 0
    by = f"{number(gained.value, signed=True)} against {baseline_name(skill.best_baseline)}"
    return (
        f"{'above' if clear else 'not clearly above'} its best baseline: {by}; "
        f"skill {number(skill.skill.value)}"
    )
