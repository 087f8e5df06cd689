"""Two or more evaluations side by side: in the terminal, and as a small HTML page of the report's kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from coupling.faithfulness.registry import FIGURES
from coupling.faithfulness.results import CONSTRUCTED, ModelDescription, Results, Verdict
from coupling.report import reading
from coupling.report.html import environment
from coupling.report.page import questions_drawn
from coupling.report.terminal import line, verdict_line
from coupling.report.text import in_words


def print_comparison(results: Sequence[Results], console: Console) -> None:
    """Print a table with a column for each evaluation, and below it what they do not have in common.

    Raises:
        ValueError: fewer than two results.
    """
    table = Table(box=None, padding=(0, 2), header_style="bold")
    table.add_column()
    for label in _labels(results):
        table.add_column(line(label))
    verdicts, found = [each.verdict() for each in results], [each.figures for each in results]
    table.add_row(line("verdict"), *(verdict_line(verdict.verdict) for verdict in verdicts))
    table.add_row(line("reason"), *(line(verdict.reason.replace("_", " ")) for verdict in verdicts))
    for figure in (FIGURES[name] for name in reading.SUMMARY):
        told = [line(in_words(figures(figure.name), figure.signed)) for figures in found]
        table.add_row(line(figure.symbol, "bold"), *told)
    for name, values in differences(results):
        table.add_row(line(name, "dim"), *(line(value, "dim") for value in values))
    console.print(table)


def render_comparison(results: Sequence[Results]) -> str:
    """The same as one self-contained HTML page; equal results give equal documents.

    Raises:
        ValueError: fewer than two results.
    """
    labels = _labels(results)
    drawn = [
        questions_drawn(each, prefix=f"question-{place}", of=f", {label}")
        for place, (label, each) in enumerate(zip(labels, results, strict=True))
    ]
    return (
        environment()
        .get_template("compare.html.j2")
        .render(
            labelled=list(zip(labels, results, strict=True)),
            questions=list(zip(*drawn, strict=True)),
            figures=[each.figures for each in results],
            summary=[FIGURES[name] for name in reading.SUMMARY],
            emitters=_emitters(results),
            differences=differences(results),
        )
    )


def differences(results: Sequence[Results]) -> list[tuple[str, tuple[str, ...]]]:
    """What was not the same for all: the name of a setting, and its value in each evaluation."""
    settings = {
        "step": [str(each.step) for each in results],
        "model": [_model(each.model) for each in results],
        "target": [_model(each.target) for each in results],
        "format": [f"{each.explanation_format}, {each.explanation_way}" for each in results],
        "split": [each.split for each in results],
        "pairs": [str(each.counts.pairs) for each in results],
        "clusters": [str(each.counts.clusters) for each in results],
        "labels": [str(each.counts.labels) for each in results],
        "runs": [", ".join(run.name for run in each.runs) for each in results],
        "thresholds": [str(each.thresholds) for each in results],
        "resamples, seed": [f"{each.resamples}, {each.seed}" for each in results],
    }
    return [(name, tuple(values)) for name, values in settings.items() if len(set(values)) > 1]


def _model(model: ModelDescription) -> str:
    return model.name if model.fingerprint is None else f"{model.name} {model.fingerprint[:8]}"


def _labels(results: Sequence[Results]) -> list[str]:
    """Each evaluation by the name of its experiment, numbered where two share one."""
    if len(results) < 2:
        raise ValueError(f"a comparison takes two evaluations or more, but {len(results)} was given")
    shared = Counter(each.experiment for each in results)
    numbers: Counter[str] = Counter()
    labels = []
    for each in results:
        numbers[each.experiment] += 1
        number = f" ({numbers[each.experiment]})" if shared[each.experiment] > 1 else ""
        labels.append(each.experiment + number)
    return labels


def _emitters(results: Sequence[Results]) -> list[tuple[str, list[Verdict | None]]]:
    """Of constructed emitters, in order of first appearance, the verdicts; None where one was not judged."""
    found = [
        {each.words: of.verdict(explainer=each.name) for each in of.explained_by(CONSTRUCTED)}
        for of in results
    ]
    words = dict.fromkeys(name for verdicts in found for name in verdicts)
    return [(name, [verdicts.get(name) for verdicts in found]) for name in words]
