"""One self-contained HTML page that tells what an evaluation found.

Everything is embedded: style, figures, and a few lines of script that filter the examples and that the
page does without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from markupsafe import Markup

from coupling.faithfulness.catching_up import LEAST_MOVE
from coupling.faithfulness.circuits import CircuitResults
from coupling.faithfulness.results import (
    Gate,
    GroupResult,
    PanelResult,
    ReaderResult,
    Results,
    TrajectoryRun,
    TwinComparison,
)
from coupling.report import figures, reading, shifts
from coupling.report.circuits import CLAIM_WORDS, KIND_WORDS, influences, null_range, p_value, panels
from coupling.report.conclusions import CONCLUSIONS
from coupling.report.figures import Pen, Point
from coupling.report.html import environment, script_hash

MAX_PANELS = 12
"""Runs drawn over steps; the table beside the figures lists all."""


@dataclass(frozen=True, slots=True)
class OverSteps:
    """One run's pair of small multiples."""

    run: str
    all_pairs: Markup
    discordant: Markup


@dataclass(frozen=True, slots=True)
class Following:
    """How often one run's answers follow the cue over steps, or how many have turned."""

    run: str
    figure: Markup


@dataclass(frozen=True, slots=True)
class TwinRow:
    """One line of the twin test's table."""

    comparison: TwinComparison
    strips: Mapping[str, Markup]


@dataclass(frozen=True, slots=True)
class ReaderRow:
    """One reader of the table, with Self - reader drawn."""

    reader: ReaderResult
    strip: Markup


def render_page(
    results: Results, circuits: CircuitResults | None = None, stress_page: str | None = None
) -> str:
    """The report as one HTML document; equal results give equal documents.

    ``circuits`` adds a section on what patching found, ``stress_page`` a link to the page of that name beside
    it.
    """
    panel = results.headline
    made = environment()
    script = made.get_template("filter.js.j2").render()
    return made.get_template("report.html.j2").render(
        results=results,
        panel=panel,
        conclusions=CONCLUSIONS[panel.verdict.verdict],
        heading=reading.heading(results),
        questions=[
            (question, question_strip(f"question-{question.name}", question.symbol, question))
            for question in reading.questions(panel)
        ],
        over_steps=_over_steps(results),
        following=_following(results),
        turning=_turning(results),
        moments=shifts.moment_rows(results),
        phases=shifts.phases(results.shift.catching_up) if results.shift else {},
        least_move=LEAST_MOVE,
        left_out=max(0, len(panel.runs) - MAX_PANELS),
        twins=_twins(panel),
        groups=_groups(results),
        readers=reader_rows(results),
        run_gates=_run_gates(panel),
        run_gate_names=list(dict.fromkeys(gate.name for gate in panel.gates if gate.run is not None)),
        dose_response=_dose_response(results),
        examples=results.examples,
        circuits=circuits,
        stress_page=stress_page,
        circuit_panels=panels(circuits) if circuits is not None else [],
        circuit_influences=influences,
        null_range=null_range,
        p_value=p_value,
        claim_words=CLAIM_WORDS,
        kind_words=KIND_WORDS,
        script=Markup(script),
        script_hash=script_hash(script),
    )


def question_strip(name: str, label: str, question: reading.Question) -> Markup:
    """The interval of one of the verdict's questions against its threshold."""
    return figures.strip(name, label, question.estimate, question.scale)


def reader_rows(results: Results) -> list[ReaderRow]:
    """Every reader with the interval of Self - reader."""
    return [
        ReaderRow(
            reader,
            figures.strip(
                f"reader-{place}",
                f"Self \N{MINUS SIGN} reader, {reader.name}",
                reader.pooled.privileged,
                reading.PRIVILEGE_SCALE,
                width=130,
                labels=False,
            ),
        )
        for place, reader in enumerate(results.readers)
    ]


def _over_steps(results: Results) -> list[OverSteps]:
    """All runs together first, then each run; the panels of a column share their limits."""
    series: dict[str | None, list[tuple[int, TrajectoryRun]]] = {}
    for row in results.trajectory:
        series.setdefault(None, []).append((row.step, row.pooled))
        for run in row.runs:
            series.setdefault(run.name, []).append((row.step, run))
    drawn = list(series.items())[: MAX_PANELS + 1]
    everywhere = [[Point(step, run.self_share, run.orig_share) for step, run in each] for _, each in drawn]
    discordant = [
        [Point(step, run.self_discordant, run.orig_discordant) for step, run in each] for _, each in drawn
    ]
    columns = [
        ("all pairs", everywhere, figures.common_limits(chain.from_iterable(everywhere)), False),
        ("discordant pairs", discordant, figures.common_limits(chain.from_iterable(discordant)), True),
    ]
    multiples = []
    for place, (name, _) in enumerate(drawn):
        label = "all runs" if name is None else name
        panels = [
            figures.over_steps(
                f"steps-{place}-{'discordant' if counts else 'all'}",
                f"Self and Orig over steps, {label}, {which}",
                points[place],
                results.step,
                limits,
                counts,
            )
            for which, points, limits, counts in columns
        ]
        multiples.append(OverSteps(label, *panels))
    return multiples


def _following(results: Results) -> list[Following]:
    """Each run, and not all together: runs steered in opposite directions would cancel out."""
    series: dict[str, list[Point]] = {}
    for row in results.trajectory:
        for run in row.runs:
            point = Point(row.step, run.followed_steered, run.followed)
            series.setdefault(run.name, []).append(point)
    drawn = list(series.items())[:MAX_PANELS]
    if not any(point.other.n for _, points in drawn for point in points):
        return []
    limits = figures.common_limits(chain.from_iterable(points for _, points in drawn))
    words = "Share of answers that follow the cue over steps"
    return [
        _small_multiple(f"following-{place}", name, words, points, results, limits, figures.STEERED_AND_ALL)
        for place, (name, points) in enumerate(drawn)
    ]


def _turning(results: Results) -> list[Following]:
    """The steered runs, where it is known when they were moved."""
    drawn = list(shifts.turning_points(results).items())[:MAX_PANELS]
    limits = figures.common_limits(chain.from_iterable(points for _, points in drawn))
    words, pens = "Share of steered pairs that have turned over steps", figures.BEHAVIOR_AND_CLAIMS
    return [
        _small_multiple(f"turning-{place}", name, words, points, results, limits, pens)
        for place, (name, points) in enumerate(drawn)
    ]


def _small_multiple(
    id_: str,
    run: str,
    words: str,
    points: Sequence[Point],
    results: Results,
    limits: tuple[float, float],
    pens: tuple[Pen, Pen],
) -> Following:
    title = f"{words}, {run}"
    return Following(run, figures.over_steps(id_, title, points, results.step, limits, False, pens))


def _groups(results: Results) -> dict[str, list[GroupResult]]:
    """Tag → its groups."""
    by_tag: dict[str, list[GroupResult]] = {}
    for group in results.groups:
        by_tag.setdefault(group.tag, []).append(group)
    return by_tag


def _twins(panel: PanelResult) -> list[TwinRow]:
    if panel.twins is None:
        return []
    scale = reading.twin_scale(panel.thresholds.twin_margin)
    rows = []
    for place, comparison in enumerate([panel.twins.pooled, *panel.twins.comparisons]):
        twins = " and ".join(comparison.runs) or "all twins"
        parts = {
            "all": comparison.all_pairs,
            "steered": comparison.steered,
            "collateral": comparison.collateral,
        }
        strips = {
            kind: figures.strip(
                f"twins-{place}-{kind}", f"T, {twins}, {kind} pairs", part.t, scale, width=190, labels=False
            )
            for kind, part in parts.items()
        }
        rows.append(TwinRow(comparison, strips))
    return rows


def _run_gates(panel: PanelResult) -> dict[str, dict[str, Gate]]:
    """Run → gate's name → gate, in the panel's order."""
    by_run: dict[str, dict[str, Gate]] = {}
    for gate in panel.gates:
        if gate.run is not None:
            by_run.setdefault(gate.run, {})[gate.name] = gate
    return by_run


def _dose_response(results: Results) -> Markup | None:
    dosed = [each for each in results.emitters if each.oracle_share is not None and each.t.value is not None]
    if len(dosed) < 2:
        return None
    margin = results.headline.thresholds.twin_margin
    title = "T of mixtures of oracle and sibling over the oracle's share"
    return figures.dose_response("dose", title, dosed, margin)
