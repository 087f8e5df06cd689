"""The commands that read what was found: ``report``, ``compare``, ``judge`` and ``ls``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coupling.cli.completion import runs
from coupling.cli.console import OUTPUT, print_json
from coupling.cli.options import (
    DEFAULT_RUNS_DIR,
    AsJson,
    FailOn,
    RunPath,
    RunsDir,
    end_with,
    known_verdicts,
)

if TYPE_CHECKING:
    from coupling.faithfulness import Results


def report(
    path: RunPath, as_json: AsJson = False, fail_on: FailOn = None, runs_dir: RunsDir = DEFAULT_RUNS_DIR
) -> None:
    """Show the verdict of a run or an audit, and write its page again, from its figures alone."""
    from coupling.faithfulness.results import VERDICTS
    from coupling.report.page import render_page
    from coupling.report.runs import REPORT_PAGE, find_run, pages_beside, read_circuits, read_results
    from coupling.store import write_text
    from coupling.studies.audit.findings import AUDIT_VERDICTS, read_judged

    failing = known_verdicts(fail_on, dict.fromkeys((*VERDICTS, *AUDIT_VERDICTS)))
    path = find_run(path, runs_dir)
    results = read_results(path)
    page = _audit_page(path, results) or render_page(results, read_circuits(path), pages_beside(path))
    write_text(path / REPORT_PAGE, page)
    show_results(judged := read_judged(path), as_json, path / REPORT_PAGE)
    end_with(judged.verdict().verdict, failing)


def compare(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN RUN …",
            help="Run directories to set side by side, or their names.",
            autocompletion=runs,
        ),
    ],
    as_json: AsJson = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write an HTML page there as well.")] = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Set the figures of two or more runs side by side."""
    from coupling.report.compare import print_comparison, render_comparison
    from coupling.report.runs import find_run
    from coupling.store import write_text
    from coupling.studies.audit.findings import read_judged

    if len(paths) < 2:
        raise ValueError(f"compare: {len(paths)} run directory given; name two or more")
    results = [read_judged(find_run(path, runs_dir)) for path in paths]
    if out is not None:
        write_text(out, render_comparison(results))
    if as_json:
        print_json([one.to_json() for one in results])
    else:
        print_comparison(results, OUTPUT)


def judge(
    file: Annotated[
        Path, typer.Argument(metavar="JUDGE.yaml", help="Names the files to judge; see docs/judging.md.")
    ],
    as_json: AsJson = False,
    fail_on: FailOn = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write results.json and report.html there.")
    ] = None,
) -> None:
    """Judge behaviours and explanations made elsewhere; no model is loaded."""
    from coupling.faithfulness.results import VERDICTS
    from coupling.judging import judge_file
    from coupling.report.page import render_page
    from coupling.report.runs import REPORT_PAGE, RESULTS_FILE
    from coupling.store import write_json, write_text

    failing = known_verdicts(fail_on, VERDICTS)
    results = judge_file(file)
    page = None
    if out is not None:
        page = out / REPORT_PAGE
        write_json(out / RESULTS_FILE, results.to_json())
        write_text(page, render_page(results))
    show_results(results, as_json, page)
    end_with(results.verdict().verdict, failing)


def list_runs(runs_dir: RunsDir = DEFAULT_RUNS_DIR, as_json: AsJson = False) -> None:
    """List the runs, audits and sweeps, when they were last evaluated, and their verdicts."""
    from coupling.report.runs import AUDITS_DIR, evaluated_at, list_results, list_sweeps
    from coupling.report.terminal import print_runs
    from coupling.studies.audit.findings import read_judged

    found = of_runs = list_results(runs_dir, read_judged)
    if AUDITS_DIR.is_dir() and AUDITS_DIR.resolve() != runs_dir.resolve():
        of_audits = list_results(AUDITS_DIR, read_judged)
        found = {**of_runs, **{str(AUDITS_DIR / name): one for name, one in of_audits.items()}}
    sweeps = list_sweeps(runs_dir)
    if as_json:
        listed = {name: one if isinstance(one, str) else one.to_json() for name, one in found.items()}
        print_json({**listed, **{name: sweep.words for name, sweep in sweeps.items()}})
        return
    places = {name: (Path(name) if name not in of_runs else runs_dir / name) for name in found}
    dates = {name: date for name, place in places.items() if (date := evaluated_at(place)) is not None}
    print_runs(found, OUTPUT, dates, sweeps)


def show_results(results: Results, as_json: bool, page: Path | None = None) -> None:
    """Prints figures as JSON alone, or the verdict, and where its page lies."""
    from coupling.report.terminal import print_summary

    if as_json:
        print_json(results.to_json())
        return
    print_summary(results, OUTPUT)
    if page is not None:
        OUTPUT.print(f"report: {page}", soft_wrap=True)


def _audit_page(path: Path, results: Results) -> str | None:
    """The page of an audit; None where the directory is another's."""
    from coupling.studies.audit.findings import is_audit, read_findings
    from coupling.studies.audit.page import render_audit

    return render_audit(results, read_findings(path)) if is_audit(path) else None
