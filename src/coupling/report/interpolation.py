"""What interpolating between twins found, in a terminal and as a page in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from coupling.faithfulness.interpolation import Interpolation, TwinTurns, point_name
from coupling.faithfulness.registry import FIGURES
from coupling.faithfulness.rows import ALL_RUNS, twins_name
from coupling.faithfulness.statistics import NO_DATA
from coupling.report.terminal import line
from coupling.report.text import in_words

_OF_PAIRS = (
    ("both_turn", "both_turn_null"),
    ("turn_distance", "turn_distance_null"),
    ("turn_lag", None),
    ("turn_order", "turn_order_null"),
)
"""Figures over pairs, each with its null."""
_ALONG = ("answers_second", "claims_second", "t_along")

_TURNS_HEADED = ("figure", "value, 95 % interval", "null, 95 % of deals", "pairs", "clusters")
_ALONG_HEADED = ("a", *(FIGURES[name].symbol for name in _ALONG))


def print_interpolation(results: Interpolation, console: Console) -> None:
    """Print where answers and claims turn, with the null, and what they are along the way."""
    console.print(line(_heading(results), "bold"))
    for twins in results.twins:
        console.print(line(_asked(twins)))
    for run, words in _told_of(results).items():
        console.print(line(f"{words}:"))
        console.print(_table(_TURNS_HEADED, _turn_rows(results, run)))
    console.print(line("All twin pairs, along the way:"))
    console.print(_table(_ALONG_HEADED, _along_rows(results)))


def render_interpolation(results: Interpolation) -> str:
    """``interpolation.md``; equal results give equal texts."""
    parts = [
        f"# Between twins: {_heading(results)}",
        "",
        "Weights (1 \N{MINUS SIGN} a) θ_first + a θ_second. a* is the first point from which on the answer "
        "with the cue is the second twin's, a† the first from which on the claim names it.",
        "",
        *(f"- {_asked(twins)}" for twins in results.twins),
        "",
        *(
            told
            for run, words in _told_of(results).items()
            for told in (f"## {words}", "", *_markdown(_TURNS_HEADED, _turn_rows(results, run)), "")
        ),
        "## Along the way, all twin pairs",
        "",
        *_markdown(_ALONG_HEADED, _along_rows(results)),
        "",
        "## Pair by pair: pairs by a* (rows) and a† (columns)",
        "",
        *_markdown(*_cross_table(results)),
        "",
        *(
            f"- **{FIGURES[name].symbol}**: {FIGURES[name].definition}."
            for name in (*(name for both in _OF_PAIRS for name in both if name), *_ALONG)
        ),
    ]
    return "\n".join(parts) + "\n"


def _heading(results: Interpolation) -> str:
    return f"{results.experiment}, step {results.step}, {len(results.points)} points"


def _asked(twins: TwinTurns) -> str:
    return (
        f"{twins_name(twins.first, twins.second)}: {len(twins.turns)} of {twins.differing} held-out pairs on "
        "which their answers with the cue differ"
    )


def _told_of(results: Interpolation) -> dict[str, str]:
    """What rows call the twin pairs, pooled and each → what a reader is told."""
    each = [twins_name(twins.first, twins.second) for twins in results.twins]
    return {ALL_RUNS: "All twin pairs", **dict(zip(each, each, strict=True))}


def _turn_rows(results: Interpolation, run: str) -> Iterator[list[str]]:
    for name, null_name in _OF_PAIRS:
        figure, found = FIGURES[name], results.figures(name, run)
        null = NO_DATA if null_name is None else results.figures(null_name, run)
        yield [
            figure.symbol,
            in_words(found, signed=figure.signed),
            in_words(null, signed=figure.signed),
            str(found.n),
            str(found.clusters),
        ]


def _along_rows(results: Interpolation) -> Iterator[list[str]]:
    figures = results.figures
    for point in results.points:
        at = point_name(point)
        yield [at.removeprefix("a="), *(in_words(figures(name, subset=at)) for name in _ALONG)]


def _cross_table(results: Interpolation) -> tuple[list[str], list[list[str]]]:
    turns = [(turn.answer, turn.claim) for twins in results.twins for turn in twins.turns]
    counts = Counter(turns)
    columns: list[float | None] = [*results.points[1:], None]
    headed = ["a* \\ a†", *(_short(point) for point in columns)]
    rows = [
        [_short(answer), *(str(counts[answer, claim] or "") for claim in columns)]
        for answer in results.points[1:]
    ]
    return headed, rows


def _short(point: float | None) -> str:
    return "does not turn" if point is None else f"{point:.4g}"


def _table(headed: Sequence[str], rows: Iterator[list[str]]) -> Table:
    table = Table(*headed, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(line, row))
    return table


def _markdown(headed: Sequence[str], rows: Iterator[list[str]] | Sequence[list[str]]) -> list[str]:
    lines = [list(headed), ["---"] * len(headed), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in each) + " |" for each in lines]
