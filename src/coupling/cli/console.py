"""What a person sees: progress and news on stderr, results on stdout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

ERRORS = Console(stderr=True, markup=False, highlight=False)
OUTPUT = Console(markup=False, highlight=False)


class Bars:
    """Shows progress as bars on a terminal, and as lines elsewhere."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def note(self, text: str) -> None:
        self._bars.console.print(text)

    def update(self, task: str, done: int, total: int) -> None:
        # A task may tell how it fares after a comma; what stands before it is its name.
        name = task.partition(",")[0]
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(task, total=total)
        self._bars.update(self._tasks[name], description=task, completed=done, total=total)
        if done >= total and not self._bars.console.is_terminal:
            self._bars.console.print(f"{task}: {done} of {total}")


@contextmanager
def progress() -> Iterator[Bars]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=ERRORS, disable=not ERRORS.is_terminal) as bars:
        yield Bars(bars)


def print_json(document: object) -> None:
    """A result for other programs, alone on stdout."""
    typer.echo(json.dumps(document, sort_keys=True, ensure_ascii=False, indent=2))
