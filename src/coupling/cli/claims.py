"""``coupling claims``: the paper's claims, each beside what organisms or a real model show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coupling.cli.console import OUTPUT, print_json, progress
from coupling.cli.options import AsJson, Limit, Workers

if TYPE_CHECKING:
    from coupling.studies.claims.cases import Case
    from coupling.studies.claims.subject import Subject


def claims(
    quick: Annotated[
        bool,
        typer.Option("--quick", help="One world or seed, and the arms that decide most."),
    ] = False,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Ask a real model, as smollm2-135m, in place of the organisms."),
    ] = None,
    worlds: Annotated[
        str | None, typer.Option("--worlds", help="Numbers of worlds, as 0..2; 0 with --quick.")
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option("--seeds", help="Cases that differ in training seeds; 0, of a model 0..1."),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="ARM,ARM", help="Run these arms; the page tells of all that are run."),
    ] = None,
    limit: Limit = None,
    workers: Workers = None,
    read: Annotated[
        bool, typer.Option("--read", help="Run nothing; write the page from what is there.")
    ] = False,
    runs_dir: Annotated[
        Path | None,
        typer.Option("--runs-dir", help="Folder of the experiments; runs/claims, runs/claims-MODEL."),
    ] = None,
    organisms: Annotated[
        Path, typer.Option("--organisms-dir", help="Where organisms of worlds that do not ship are raised.")
    ] = Path("organisms"),
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="The page, in Markdown; docs/claims.md, docs/claims-MODEL.md, none with --quick or --limit.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run or read every experiment the paper's claims rest on, and write the page."""
    from coupling.store import to_json
    from coupling.studies.claims.running import files_of, run_claims
    from coupling.studies.claims.terminal import print_claims

    stem, subject, folder, cases = _asked(model, worlds, seeds, quick, limit, runs_dir, organisms)
    page = out if out is not None or quick or limit is not None else Path("docs") / f"{stem}.md"
    arms = None if only is None else [name.strip() for name in only.split(",")]
    with progress() as bars:
        results = run_claims(subject, cases, quick, folder, page, workers or 2, arms, read, bars)
    if as_json:
        print_json(to_json(results))
    else:
        print_claims(results, subject, OUTPUT)
        written = [str(path) for path in (page, files_of(folder, quick)[1]) if path is not None]
        OUTPUT.print(f"page: {', '.join(written)}", soft_wrap=True)
    results.require_all()


def _asked(
    model: str | None,
    worlds: str | None,
    seeds: str | None,
    quick: bool,
    limit: int | None,
    runs_dir: Path | None,
    organisms: Path,
) -> tuple[str, Subject, Path, list[Case]]:
    """What page and folder are called, who is asked, the folder, and the cases."""
    from coupling.studies.claims.cases import Case
    from coupling.studies.claims.organisms import QUICK_WORLDS, WORLDS, Organisms
    from coupling.studies.claims.real import QUICK_SEEDS, SEEDS, real_model, short_name
    from coupling.studies.grid import whole_numbers

    stem = "claims" if model is None else f"claims-{short_name(model)}"
    # Experiments of another size would stand in each other's folders.
    folder = runs_dir or Path("runs") / (stem if limit is None else f"{stem}-limit-{limit}")
    if model is None:
        chosen = (QUICK_WORLDS if quick else WORLDS) if worlds is None else whole_numbers(worlds, "--worlds")
        numbers = whole_numbers("0" if seeds is None else seeds, "--seeds")
        cases = [Case(world, seed) for world in chosen for seed in numbers]
        return stem, Organisms(organisms, limit), folder, cases
    if worlds is not None:
        raise ValueError(
            f"--worlds {worlds}: {model} lives in no world; remove it, or --model. --seeds says how often "
            "the model is trained"
        )
    if seeds is None:
        seeds = QUICK_SEEDS if quick else SEEDS
    cases = [Case(None, seed) for seed in whole_numbers(seeds, "--seeds")]
    return stem, real_model(model, folder, limit), folder, cases
