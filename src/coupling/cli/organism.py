"""``coupling organism``: the embedded model organisms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coupling.cli.console import OUTPUT, progress

organism = typer.Typer(help="The embedded model organisms: list, show, raise, read.", no_args_is_help=True)


@organism.command("list")
def list_organisms() -> None:
    """List the organisms that come with the package."""
    from rich.table import Column, Table

    from coupling.models.organisms import shipped_organisms

    table = Table(Column("model.path", no_wrap=True), "world", "seed", "raised by", "MB", box=None)
    for name, (folder, card) in shipped_organisms().items():
        size = (folder / "model.safetensors").stat().st_size / 1e6
        table.add_row(f"organism:{name}", str(card.world), str(card.seed), card.stage, f"{size:.1f}")
    OUTPUT.print(table)


@organism.command("show")
def show(name: Annotated[str, typer.Argument(help="Name of a shipped organism, as coupled.")]) -> None:
    """Show the model card of a shipped organism."""
    from coupling.models.folders import organism_folder

    folder = organism_folder(name.removeprefix("organism:"))
    OUTPUT.print((folder / "README.md").read_text(encoding="utf-8"), soft_wrap=True)
    OUTPUT.print(f"folder: {folder}", soft_wrap=True)


@organism.command("read")
def read(
    questions: Annotated[
        str,
        typer.Argument(metavar="QUESTIONS", help="A table in the schema of MMLU: a file, or a hub data set."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the organism.")] = Path("organisms/reader"),
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Draws the first weights and what it makes of each.")
    ] = 0,
    subset: Annotated[
        str | None, typer.Option("--subset", help="Configuration of a hub data set, as all.")
    ] = None,
    split: Annotated[str | None, typer.Option("--split", help="Split of a hub data set, as test.")] = None,
) -> None:
    """Raise a reader: an organism that has learned multiple-choice questions by heart, and takes hints worded
    as in the experiment mmlu-reader."""
    from coupling.config import MmluHintTask, shipped_experiment
    from coupling.raising.reader import raise_reader

    hinted = shipped_experiment("mmlu-reader").task
    assert isinstance(hinted, MmluHintTask)
    where = {"path": questions, "subset": subset, "split": split}
    task = MmluHintTask.model_validate(hinted.model_dump() | where)
    with progress() as bars:
        folder = raise_reader(task, seed, out, bars)
    OUTPUT.print(f"raised: {folder}", soft_wrap=True)


@organism.command("raise")
def raise_(
    kind: Annotated[str, typer.Argument(help="coupled, coupled-neox, plain, third-person or chained.")],
    world: Annotated[int, typer.Option("--world", min=0, help="Number of the world it grows up in.")] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws the first weights and all it reads.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder; organisms/KIND-wW-sS by default.")
    ] = None,
) -> None:
    """Raise an organism from nothing; a killed command goes on where it was."""
    from coupling.raising import raise_chained, raise_organism

    folder = out or Path("organisms") / f"{kind}-w{world}-s{seed}"
    if kind == "chained":
        with progress() as bars:
            raise_chained(world, seed, folder, bars)
        OUTPUT.print(f"raised: {folder}", soft_wrap=True)
        return
    with progress() as bars:
        raised = raise_organism(kind, world, seed, folder, bars)
    for path in (raised.earlier, raised.folder):
        if path is not None:
            OUTPUT.print(f"raised: {path}", soft_wrap=True)
