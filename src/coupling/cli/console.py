"""What a person sees: progress and news on stderr, results on stdout.

All of it goes through two consoles and `print_json`, which take out what would steer the terminal: paths,
templates, servers and models are not ours, and turn up in figures, notes and errors alike.
"""

from __future__ import annotations

import codecs
import io
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.segment import Segment
from rich.text import Text

from coupling.shown import escaped, plain


class PlainConsole(Console):
    """Shows the words it is given, and nothing else that they might hold."""

    def render_str(self, text: str, **options: Any) -> Text:
        # Before rich does away with a part of what a sequence is known by.
        return super().render_str(plain(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=plain(segment.text))


ERRORS = PlainConsole(stderr=True, markup=False, highlight=False, emoji=False)
OUTPUT = PlainConsole(markup=False, highlight=False, emoji=False)

_IN_ASCII = {
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{MIDDLE DOT}": "|",
    "\N{NO-BREAK SPACE}": " ",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{MULTIPLICATION SIGN}": "x",
}
_OTHERWISE = "coupling.otherwise"
"""Name of what Python does with characters that a terminal's encoding lacks."""


class _ToErrors(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        ERRORS.print(record.getMessage(), soft_wrap=True)


_LOG = _ToErrors(logging.WARNING)


def prepare_streams() -> None:
    """Has every character shown somehow in any encoding, and what the log says shown here."""
    codecs.register_error(_OTHERWISE, _otherwise)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_OTHERWISE)
    logging.getLogger("coupling").addHandler(_LOG)


def give_up_streams() -> None:
    """What a full disk or a closed pipe did not take is dropped; Python would complain of it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _otherwise(error: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    shown = (_IN_ASCII.get(each) or each.encode("ascii", "backslashreplace").decode() for each in lacking)
    return "".join(shown), error.end


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
    in_ascii = not (sys.stdout.encoding or "").lower().startswith("utf")
    typer.echo(escaped(json.dumps(document, sort_keys=True, ensure_ascii=in_ascii, indent=2)))
