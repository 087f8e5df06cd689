"""``coupling stress``: what a model's explanations are worth when the question presses or behaviour moves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coupling.cli.completion import runs
from coupling.cli.console import OUTPUT, print_json, progress
from coupling.cli.options import DEFAULT_RUNS_DIR, AsJson, RunsDir, Set

if TYPE_CHECKING:
    from coupling.studies.stress.definition import Extent, Stress


def stress(
    target: Annotated[
        str,
        typer.Argument(
            metavar="RUN|MODEL",
            help="Run directory, or its name in --runs-dir; or organism:NAME, a folder, a hub id.",
            autocompletion=runs,
        ),
    ],
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            "--experiment",
            help="Shipped experiment or FILE.yaml: whose task a MODEL is asked; of a RUN its own, if its "
            "paths stand beside that.",
        ),
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", help="Run of the panel; the unsteered one by default.")
    ] = None,
    step: Annotated[
        int | None, typer.Option("--step", min=0, help="Its checkpoint; the one of the verdict by default.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="A section: probes, stakes or shifts; may be repeated. All by default."),
    ] = None,
    probe: Annotated[
        list[str] | None,
        typer.Option(
            "--probe", help="A probe by its name, beside those asked before; may be repeated. All by default."
        ),
    ] = None,
    pairs: Annotated[
        int | None, typer.Option("--pairs", min=1, help="At most so many held-out pairs; 600 by default.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="150 pairs.")] = False,
    set_: Set = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of a MODEL; stress-MODEL-TASK in --runs-dir by default."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Press a model's explanations: adversarial questions, errors by consequence, moved behaviour."""
    from coupling.store import to_json
    from coupling.studies.stress.definition import Extent
    from coupling.studies.stress.findings import PAGE
    from coupling.studies.stress.running import run_stress
    from coupling.studies.stress.terminal import print_stress

    extent = Extent(only or (), probe or (), pairs, quick)
    defined = _define(target, task, run, step, extent, set_ or [], runs_dir, out)
    with progress() as bars:
        found = run_stress(defined, bars)
    if as_json:
        print_json(to_json(found))
        return
    print_stress(found, OUTPUT)
    OUTPUT.print(f"report: {defined.path / PAGE}", soft_wrap=True)


def _define(
    target: str,
    task: str | None,
    run: str | None,
    step: int | None,
    extent: Extent,
    overrides: list[str],
    runs_dir: Path,
    out: Path | None,
) -> Stress:
    from coupling.studies.stress.definition import is_run, stress_of_model, stress_of_run

    # A folder of that name here is a model.
    if not Path(target).exists() and is_run(str(runs_dir / target)):
        target = str(runs_dir / target)
    if not is_run(target):
        for option, given in (("--run", run), ("--step", step)):
            if given is not None:
                raise ValueError(
                    f"{option} {given}: {target} is no run directory, and a model by itself has no runs"
                )
        return stress_of_model(target, task, extent, runs_dir, out, overrides)
    if overrides:
        raise ValueError(f"--set {overrides[0]}: a run has its fields already; leave --set out")
    if out is not None:
        raise ValueError(f"--out {out}: what is found of a run lies in its directory; leave --out out")
    return stress_of_run(Path(target), extent, run, step, task)
