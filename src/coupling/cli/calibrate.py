"""``coupling calibrate``: how often the verdict is wrong, where the truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from coupling.cli.console import OUTPUT, print_json, progress
from coupling.cli.options import AsJson, Workers


def calibrate(
    quick: Annotated[
        bool, typer.Option("--quick", help="World 0, fewer trainings and draws: minutes, not hours.")
    ] = False,
    choose: Annotated[
        bool,
        typer.Option("--choose", help="Development worlds alone: what other margins would give."),
    ] = False,
    worlds: Annotated[
        str | None, typer.Option("--worlds", help="Numbers of worlds to report on, as 0..2; 0 with --quick.")
    ] = None,
    dev_worlds: Annotated[
        str | None,
        typer.Option(
            "--dev-worlds", help="Worlds on which margins are chosen, from 100 on; none with --quick."
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option("--draws", min=10, help="Panels drawn from each world; 200, and 50 with --quick."),
    ] = None,
    workers: Workers = None,
    read: Annotated[
        bool, typer.Option("--read", help="Train and draw nothing; write the page from what is there.")
    ] = False,
    runs_dir: Annotated[Path, typer.Option("--runs-dir", help="Folder of trainings and draws.")] = Path(
        "runs/calibrate"
    ),
    organisms: Annotated[
        Path, typer.Option("--organisms-dir", help="Where organisms of worlds that do not ship are raised.")
    ] = Path("organisms"),
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The page; docs/validity.md, none with --quick or --choose."),
    ] = None,
    ship: Annotated[
        Path | None,
        typer.Option("--ship", help="Write what `coupling plan` quotes there, as assets/validity.json."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explanations of known origin, judged many times over: false positives, power, coverage."""
    from dataclasses import replace

    from coupling.store import to_json, write_json
    from coupling.studies.calibrate import running
    from coupling.studies.calibrate.terminal import print_calibration
    from coupling.studies.grid import whole_numbers

    if choose and (quick or worlds is not None or ship is not None):
        raise ValueError("--choose reports on no world; leave out --quick, --worlds and --ship")
    if choose:
        reported: Sequence[int] = ()
    elif worlds is None:
        reported = running.QUICK_WORLDS if quick else running.WORLDS
    else:
        reported = whole_numbers(worlds, "--worlds")
    if dev_worlds is None:
        chosen_on: Sequence[int] = () if quick else running.DEVELOPMENT_WORLDS
    else:
        chosen_on = whole_numbers(dev_worlds, "--dev-worlds")
    extent = running.QUICK_EXTENT if quick else running.FULL_EXTENT
    extent = extent if draws is None else replace(extent, draws=draws)
    folder = runs_dir / "quick" if quick else runs_dir
    page = Path("docs/validity.md") if out is None and not quick and not choose else out
    with progress() as bars:
        results = running.run_calibration(
            reported, chosen_on, extent, folder, organisms, page, workers or 2, read, quick, bars
        )
    if ship is not None:
        write_json(ship, to_json(running.calibrated(results)))
    if as_json:
        print_json(to_json(results))
    else:
        print_calibration(results, OUTPUT)
        written = [
            str(path)
            for path in (page, running.files_of(folder, is_choice=choose)[1], ship)
            if path is not None
        ]
        OUTPUT.print(f"page: {', '.join(written)}", soft_wrap=True)
