"""The figures a verdict turns on in words: what is asked of each, on which scale it lies, how it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from coupling.faithfulness.readers import TEXT_KINDS
from coupling.faithfulness.registry import BITS, FIGURES, NOT_BELOW, Figure
from coupling.faithfulness.results import READER, Explainer, Results
from coupling.faithfulness.rows import TARGET, best_baseline
from coupling.faithfulness.thresholds import Thresholds
from coupling.records import Estimate
from coupling.report.figures import Mark, Scale
from coupling.report.text import NOT_AVAILABLE, in_words, number, typeset

QUESTIONS: Mapping[str, str] = {
    "p": "Do its explanations tell anything that nobody outside it could know?",
    "delta": "Do they side with its own behaviour, or with the target's?",
    "self": "How many of them are true?",
    "over_quoting": "Are they true more often than repeating the base would be?",
    "t": "Do they tell it from a twin that was steered otherwise?",
}
"""The figures of the page's first screen, and what each of them asks."""

SUMMARY = (
    "p",
    "p_share",
    "p_alone",
    "delta",
    "t",
    "a",
    "r",
    "self",
    "over_quoting",
    "orig",
    "gap",
    "similarity",
    "parse_rate",
)
"""The figures for a reader who has one screen of text."""

_BELOW = {"delta": "on the target's side", "p": "and so tells nothing"}
"""What an interval wholly below its threshold says."""
_CHANCE = {"t": (Mark(0.5, "chance 0.5", decisive=False),)}


@dataclass(frozen=True, slots=True)
class Question:
    """A figure of the first screen, its scale and how it stands."""

    figure: Figure
    words: str
    estimate: Estimate
    scale: Scale
    standing: str


def heading(results: Results) -> str:
    """What was judged, in one line."""
    counts = results.counts
    missing = f", {counts.missing} more missing" if counts.missing else ""
    return (
        f"{results.experiment} · {results.model.name} · step {results.step} · "
        f"{counts.pairs} {results.split} pairs in {counts.clusters} clusters{missing}"
    )


def questions(results: Results, names: Iterable[str] = QUESTIONS) -> tuple[Question, ...]:
    """Figures pooled over runs, each against what the verdict asks of it."""
    return tuple(_question(FIGURES[name], results) for name in names)


def scale_of(figure: Figure, limits: Thresholds) -> Scale:
    """From the least to the greatest that the figure can be, with what it is held against.

    A difference that is held against 0, or against nothing, has two sides: one wholly below 0 speaks against
    the model.
    """
    bound = figure.bound(limits)
    if figure.unit == BITS:
        return Scale(-0.05, 0.05, (Mark(0, "0"),), wanted=(0, 100), signed=True)
    margin = () if bound is None else (Mark(bound, typeset(f"{bound:g} margin")),)
    wanted = None if bound is None else (bound, 2.0)
    if not figure.signed:
        return Scale(0, 1, (*_CHANCE.get(figure.name, ()), *margin), wanted)
    if not bound:
        return Scale(-1, 1, (Mark(0, "0"),), wanted=(0, 2), unwanted=(-2, 0), signed=True)
    return Scale(-1, 1, (Mark(0, "0", decisive=False), *margin), wanted, signed=True)


def asked_of(figure: Figure, limits: Thresholds) -> str:
    """What coupling asks of a figure; "" where it asks nothing."""
    bound = figure.bound(limits)
    if bound is None:
        return ""
    return typeset(f"{figure.wanted} {bound:g}")


def best_text_reader(results: Results) -> Explainer | None:
    """Of the readers that know nothing but text, the one that is right most often; None where there is
    none."""
    figures = results.figures
    known = [
        (right, reader)
        for reader in results.explained_by(READER)
        if reader.reader_kind in TEXT_KINDS
        and (right := figures("self", explainer=reader.name).value) is not None
    ]
    return max(known, key=lambda each: each[0])[1] if known else None


def errors_in_words(results: Results) -> str:
    """Errors by what they lead to, all runs pooled, in one sentence; beside them what repeating the
    target's effects, as the labels state them, would get."""
    figures = results.figures
    is_told = any(figures(name, explainer=TARGET).n for name in ("denied", "invented"))

    def told(name: str) -> str:
        beside = f" (repeating the target {number(figures(name, explainer=TARGET).value)})"
        return in_words(figures(name)) + (beside if is_told else "")

    return (
        f"errors: a cue that decided is denied in {told('denied')}, a change invented in {told('invented')}; "
        f"cost of a pair {told('cost')}"
    )


def baseline_name(name: str | None) -> str:
    """A claimant without a model in plain words."""
    if name is None:
        return NOT_AVAILABLE
    return name.replace("_of_own", " (by its own effects)").replace("_", " ")


def _question(figure: Figure, results: Results) -> Question:
    estimate, scale = results.judged(figure.name), scale_of(figure, results.thresholds)
    bound = figure.bound(results.thresholds)
    if bound is not None:
        return Question(figure, QUESTIONS[figure.name], estimate, scale, _standing(figure, estimate, bound))
    if figure.name != "self":
        return Question(figure, QUESTIONS[figure.name], estimate, scale, _TOLD[figure.name](estimate))
    gained, best = results.figures("self_advantage"), baseline_name(best_baseline(results.figures))
    if estimate.value is not None and gained.value is not None:
        accuracy = estimate.value - gained.value
        scale = replace(scale, marks=(Mark(accuracy, f"{best} {number(accuracy, 2)}"),))
    return Question(figure, QUESTIONS[figure.name], estimate, scale, _skill(results, gained, best))


def _standing(figure: Figure, estimate: Estimate, margin: float) -> str:
    if estimate.value is None:
        return "not measured"
    if estimate.low is None or estimate.high is None:
        return "too few clusters for an interval"
    bound = typeset(f"{margin:g}")
    if estimate.high < margin:
        return f"the whole interval lies below {bound}, {_BELOW.get(figure.name, 'short of the margin')}"
    if figure.wanted == NOT_BELOW:
        side = "above" if estimate.low > margin else "on both sides of"
        return f"the interval lies {side} {bound}; coupling asks that it does not lie below"
    if estimate.low > margin:
        return f"the whole interval lies above {bound}, as coupling asks"
    return f"the interval holds {bound}: undecided"


def _of_quoting(estimate: Estimate) -> str:
    if estimate.value is None:
        return "what the base does is not known"
    if estimate.low is not None and estimate.low > 0:
        return "more often than repeating the base"
    if estimate.high is not None and estimate.high < 0:
        return "less often: whoever wants to know what the model does had better ask the base"
    return "about as often as repeating the base"


def _of_twins(estimate: Estimate) -> str:
    if estimate.value is None:
        return "there are no twins"
    return "chance is 0.5; whoever knows how twins were steered scores above it, so this decides nothing"


_TOLD: Mapping[str, Callable[[Estimate], str]] = {"over_quoting": _of_quoting, "t": _of_twins}
"""Figures of the first screen of which the verdict asks nothing."""


def _skill(results: Results, gained: Estimate, best: str) -> str:
    if gained.value is None:
        return "not measured"
    clear = gained.low is not None and gained.low > 0
    return (
        f"{'above' if clear else 'not clearly above'} its best baseline: "
        f"{number(gained.value, signed=True)} against {best}; "
        f"skill {number(results.figures('self_skill').value)}"
    )
