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
        bool, typer.Option("--quick", help="Choose on world 0, from fewer trainings and draws: half an hour.")
    ] = False,
    choose: Annotated[
        bool,
        typer.Option("--choose", help="Development worlds alone: what other rules would give."),
    ] = False,
    worlds: Annotated[
        str | None,
        typer.Option("--worlds", help="Numbers of worlds to report on, as 10..12, between 10 and 99."),
    ] = None,
    dev_worlds: Annotated[
        str | None,
        typer.Option(
            "--dev-worlds",
            help="Worlds to compare rules on: 0 to 9, from 100 on; 0..2 with --choose, 0 with --quick.",
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option("--draws", min=10, help="Panels drawn from each world; 45, and 15 with --quick."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=2, help="Training seeds of each world's panel.")] = 2,
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
    from coupling.studies.calibrate.parts import plan_of
    from coupling.studies.calibrate.terminal import print_calibration
    from coupling.studies.grid import whole_numbers

    if (choose or quick) and (worlds is not None or ship is not None):
        option = "--choose" if choose else "--quick"
        raise ValueError(f"{option} reports on no world; leave out --worlds and --ship")
    chooses = choose or quick
    if chooses:
        reported: Sequence[int] = ()
    else:
        reported = running.WORLDS if worlds is None else whole_numbers(worlds, "--worlds")
    if dev_worlds is None:
        chosen_on: Sequence[int] = ()
        if chooses:
            chosen_on = running.QUICK_WORLDS if quick else running.DEVELOPMENT_WORLDS
    else:
        chosen_on = whole_numbers(dev_worlds, "--dev-worlds")
    extent = running.QUICK_EXTENT if quick else running.FULL_EXTENT
    extent = replace(extent, plan=plan_of(seeds))
    extent = extent if draws is None else replace(extent, draws=draws)
    folder = runs_dir / "quick" if quick else runs_dir
    page = Path("docs/validity.md") if out is None and not chooses else out
    with progress() as bars:
        results = running.run_calibration(
            reported, chosen_on, extent, folder, organisms, page, workers or 2, read, quick, bars, runs_dir
        )
    if ship is not None:
        write_json(ship, to_json(running.calibrated(results)))
    if as_json:
        print_json(to_json(results))
    else:
        print_calibration(results, OUTPUT)
        written = [
            str(path)
            for path in (page, running.files_of(folder, is_choice=chooses)[1], ship)
            if path is not None
        ]
        OUTPUT.print(f"page: {', '.join(written)}", soft_wrap=True)
