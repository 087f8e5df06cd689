"""One self-contained HTML page that tells what an evaluation found.

Everything is embedded: style, figures, and a few lines of script that filter the examples and that the
page does without. The templates look figures up themselves; what is drawn is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from markupsafe import Markup

from coupling.faithfulness.catching_up import LEAST_MOVE
from coupling.faithfulness.circuits import CircuitResults
from coupling.faithfulness.registry import FIGURES
from coupling.faithfulness.results import CONSTRUCTED, READER, Results
from coupling.faithfulness.rows import ALL, ALL_RUNS, ASKED, DISCORDANT, OWN
from coupling.report import circuits as patching
from coupling.report import figures, reading, shifts
from coupling.report.conclusions import CONCLUSIONS
from coupling.report.figures import Pen, Point
from coupling.report.html import environment, script_hash
from coupling.report.over_settings import limits_of

MAX_PANELS = 12
"""Runs drawn over steps; the table beside the figures lists all."""

Drawn = dict[str, Markup]
"""Run → a figure of it."""


def render_page(
    results: Results, circuits: CircuitResults | None = None, beside: Mapping[str, str] | None = None
) -> str:
    """The report as one HTML document; equal results give equal documents.

    ``circuits`` adds a section on what patching found, ``beside`` links to other pages: place → words.
    """
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            sections(results),
            conclusions=CONCLUSIONS[results.verdict().verdict],
            everywhere=_self_and_orig(results, "all pairs", ALL),
            apart=_self_and_orig(results, "discordant pairs", DISCORDANT),
            following=_following(results),
            turning=_turning(results),
            phase_runs=shifts.phase_runs,
            least_move=LEAST_MOVE,
            left_out=max(0, len(results.runs) - MAX_PANELS),
            in_a=sum(results.figures("a", run.name).value is not None for run in results.runs),
            circuits=circuits,
            patching=patching,
            beside=beside or {},
        )
    )


def sections(results: Results, asked: Iterable[str] = reading.QUESTIONS) -> dict[str, object]:
    """What templates take that tell of an evaluation: the first screen and the sections that pages share.

    ``asked``: the figures of the first screen.
    """
    script = environment().get_template("filter.js.j2").render()
    return {
        "results": results,
        "figures": results.figures,
        "heading": reading.heading(results),
        "questions": questions_drawn(results, asked),
        "readers": results.explained_by(READER),
        "strip": _strips(results),
        "dose_response": _dose_response(results),
        "script": Markup(script),
        "script_hash": script_hash(script),
    }


def questions_drawn(
    results: Results, asked: Iterable[str] = reading.QUESTIONS, prefix: str = "question", of: str = ""
) -> list[tuple[reading.Question, Markup]]:
    """The verdict's questions with their intervals; ``prefix`` and ``of`` keep those of several results
    apart."""
    return [
        (
            each,
            figures.strip(
                f"{prefix}-{each.figure.name}", f"{each.figure.symbol}{of}", each.estimate, each.scale
            ),
        )
        for each in reading.questions(results, asked)
    ]


def _strips(results: Results) -> Callable[..., Markup]:
    """Draws a figure on its scale, small enough for a table's cell."""
    found, limits = results.figures, results.thresholds

    def strip(
        name: str,
        title: str,
        figure: str,
        width: int,
        run: str = ALL_RUNS,
        subset: str = ALL,
        explainer: str = OWN,
    ) -> Markup:
        scale = reading.scale_of(FIGURES[figure], limits)
        return figures.strip(name, title, found(figure, run, subset, explainer), scale, width, labels=False)

    return strip


def _self_and_orig(results: Results, words: str, subset: str) -> Drawn:
    """All runs together first, then each run."""
    return _over_steps(
        f"steps-{subset}",
        f"Self and Orig over steps, {words}",
        results,
        [ALL_RUNS, *_drawn_runs(results)],
        ("self", subset),
        ("orig", subset),
        counts=subset == DISCORDANT,
    )


def _following(results: Results) -> Drawn:
    """Each run, and not all together: runs steered in opposite directions would cancel out."""
    found, runs = results.figures, _drawn_runs(results)
    if not any(found("followed", run, step=step).n for run in runs for step in results.steps):
        return {}
    title, pens = "Share of answers that follow the cue over steps", figures.STEERED_AND_ALL
    return _over_steps("following", title, results, runs, ("followed", ASKED), ("followed", ALL), pens)


def _turning(results: Results) -> Drawn:
    """The steered runs, where it is known when they were moved, from the last step before that on."""
    runs, since = shifts.turning(results)
    title, pens = "Share of steered pairs that have turned over steps", figures.BEHAVIOR_AND_CLAIMS
    shown = (("turned", ASKED), ("claimed_turned", ASKED))
    return _over_steps("turning", title, results, runs[:MAX_PANELS], *shown, pens, since=since)


def _over_steps(
    name: str,
    title: str,
    results: Results,
    runs: Sequence[str],
    one: tuple[str, str],
    other: tuple[str, str],
    pens: tuple[Pen, Pen] = figures.SELF_AND_ORIG,
    counts: bool = False,
    since: int = 0,
) -> Drawn:
    """Two figures of each run, each with its subset, at every checkpoint from ``since`` on; the drawings
    share their limits."""
    found, steps = results.figures, [step for step in results.steps if step >= since]
    points = {
        run: [
            Point(step, *(found(figure, run, subset, step=step) for figure, subset in (one, other)))
            for step in steps
        ]
        for run in runs
    }
    limits = limits_of([e for each in points.values() for point in each for e in (point.one, point.other)])
    return {
        run: figures.over_steps(
            f"{name}-{place}", f"{title}, {run}", each, results.step, limits, counts, pens
        )
        for place, (run, each) in enumerate(points.items())
    }


def _drawn_runs(results: Results) -> list[str]:
    return [run.name for run in results.runs[:MAX_PANELS]]


def _dose_response(results: Results) -> Markup | None:
    found = results.figures
    doses = [
        (each.oracle_share, t)
        for each in results.explained_by(CONSTRUCTED)
        if each.oracle_share is not None and (t := found("t", explainer=each.name)).value is not None
    ]
    if len(doses) < 2:
        return None
    title = "T of mixtures of oracle and sibling over the oracle's share"
    return figures.dose_response("dose", title, doses, results.thresholds.twin_margin)
