"""Raises the organisms of worlds 0 to 2, runs the experiments of docs/organisms.md and writes its tables.

    python scripts/study_organisms.py raise       # organisms/KIND-wW-s0; hours on two cores
    python scripts/study_organisms.py run         # runs/study/*
    python scripts/study_organisms.py tables      # docs/organisms.md, between its markers

Each part goes on where it was when it was killed. Rows that have not been run yet stand in the tables
as such.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coupling.cli.console import progress
from coupling.config import ExperimentConfig, shipped_experiment
from coupling.experiment import run_experiment, run_path
from coupling.models.folders import resolve
from coupling.processes import side_by_side
from coupling.progress import Progress
from coupling.raising import raise_organism
from coupling.report.runs import read_results
from coupling.studies.writing import table, told

ROOT = Path(__file__).parents[1]
ORGANISMS = ROOT / "organisms"
RUNS = ROOT / "runs" / "study"
PAGE = ROOT / "docs" / "organisms.md"
WORLDS = (0, 1, 2)
SEED = 0
KINDS = ("plain", "coupled", "third-person")
VARIANTS = (
    "quickstart",
    "without-kl",
    "label-noise",
    "shuffled-labels",
    "earlier-labels",
    "other-family-labels",
    "outspoken-labels",
)
COLUMNS = (
    "format",
    "Self",
    "Orig",
    "similarity",
    "discordant pairs",
    "Δ",
    "T",
    "A",
    "R",
    "verdict",
)


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    config: ExperimentConfig


def organism_rows() -> Iterator[Row]:
    """Every organism of every world; the plain one in both formats."""
    for world in WORLDS:
        for kind in KINDS:
            for format in ("answer_pair", "statement") if kind == "plain" else ("answer_pair",):
                name = f"{kind}-w{world}-{format.replace('_', '-')}"
                settings = (
                    f"name={name}",
                    f"model.path={ORGANISMS / f'{kind}-w{world}-s{SEED}'}",
                    f"explanation.format={format}",
                    "training.checkpoints=[0, 80]",
                )
                yield Row(f"{kind}, world {world}", shipped_experiment("quickstart", settings))


def variant_rows() -> Iterator[Row]:
    """The shipped experiments on the shipped organism."""
    for name in VARIANTS:
        yield Row(name, shipped_experiment(name))


def raise_one(kind: str, world: int, progress: Progress) -> None:
    raise_organism(kind, world, SEED, ORGANISMS / f"{kind}-w{world}-s{SEED}", progress)


def raise_all() -> None:
    # plain before coupled: they share their pretraining.
    first = [("plain", world) for world in WORLDS] + [("coupled-neox", WORLDS[0])]
    then = [(kind, world) for world in WORLDS for kind in ("coupled", "third-person")]
    with progress() as bars:
        for jobs in (first, then):
            side_by_side(raise_one, jobs, 2, bars)


def run_all() -> None:
    for row in (*variant_rows(), *organism_rows()):
        with progress() as bars:
            if Path(resolve(row.config.model.path)).is_dir():
                run_experiment(row.config, RUNS, bars)
            else:
                bars.note(f"{row.label}: {row.config.model.path} is not raised yet")


def _cells(row: Row) -> tuple[str, ...]:
    format = row.config.explanation.format.replace("_", "-")
    path = run_path(row.config, RUNS)
    if not (path / "results.json").is_file():
        return (row.label, format, "not run", *[""] * (len(COLUMNS) - 2))
    results = read_results(path)
    figures, verdict = results.figures, results.verdict()
    return (
        row.label,
        format,
        *(told(figures(name)) for name in ("self", "orig", "similarity")),
        str(figures.count("discordant_pairs")),
        *(told(figures(name)) for name in ("delta", "t", "a", "r")),
        f"`{verdict.verdict}` ({verdict.reason.replace('_', ' ')})",
    )


def write_tables() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for marker, first, rows in (
        ("organisms", "organism", organism_rows()),
        ("variants", "experiment", variant_rows()),
    ):
        text = "\n".join(table((first, *COLUMNS), map(_cells, rows)))
        begin, end = f"<!-- {marker}: begin -->", f"<!-- {marker}: end -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        assert rest and after, f"{PAGE}: markers of {marker} are missing"
        page = f"{before}{begin}\n{text}\n{end}{after}"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    {"raise": raise_all, "run": run_all, "tables": write_tables}[sys.argv[1]]()
