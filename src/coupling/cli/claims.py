"""``coupling claims``: the paper's claims, each beside what organisms show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coupling.cli.console import OUTPUT, progress
from coupling.cli.options import AsJson, Workers


def claims(
    quick: Annotated[
        bool,
        typer.Option("--quick", help="World 0 and the arms that decide most: minutes, not hours."),
    ] = False,
    worlds: Annotated[
        str | None, typer.Option("--worlds", help="Numbers of worlds, as 0..2; 0 with --quick.")
    ] = None,
    seeds: Annotated[str, typer.Option("--seeds", help="Added to the training seeds, as 0..2.")] = "0",
    workers: Workers = None,
    read: Annotated[
        bool, typer.Option("--read", help="Run nothing; write the page from what is there.")
    ] = False,
    runs_dir: Annotated[Path, typer.Option("--runs-dir", help="Folder of the experiments.")] = Path(
        "runs/claims"
    ),
    organisms: Annotated[
        Path, typer.Option("--organisms-dir", help="Where organisms of worlds that do not ship are raised.")
    ] = Path("organisms"),
    out: Annotated[
        Path | None, typer.Option("--out", help="The page, in Markdown; docs/claims.md, none with --quick.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run or read every experiment the paper's claims rest on, and write the page."""
    import json

    from coupling.store import to_json
    from coupling.studies.claims.running import QUICK_WORLDS, WORLDS, files_of, run_claims
    from coupling.studies.claims.terminal import print_claims
    from coupling.studies.grid import whole_numbers

    chosen = (QUICK_WORLDS if quick else WORLDS) if worlds is None else whole_numbers(worlds, "--worlds")
    page = Path("docs/claims.md") if out is None and not quick else out
    cases = (chosen, whole_numbers(seeds, "--seeds"))
    with progress() as bars:
        results = run_claims(*cases, quick, runs_dir, organisms, page, workers or 2, read, bars)
    if as_json:
        typer.echo(json.dumps(to_json(results), sort_keys=True, ensure_ascii=False, indent=2))
    else:
        print_claims(results, OUTPUT)
        written = [str(path) for path in (page, files_of(runs_dir, quick)[1]) if path is not None]
        OUTPUT.print(f"page: {', '.join(written)}", soft_wrap=True)
    results.require_all()
