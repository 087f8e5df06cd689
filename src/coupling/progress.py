"""How long work tells what it does; what shows it (a terminal, nothing) is the caller's choice."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives what happens, in order."""

    def note(self, text: str) -> None:
        """One line of news: a stage begins, something is skipped because it is done."""

    def update(self, task: str, done: int, total: int) -> None:
        """``done`` of ``total`` steps of a task are behind us; a task ends when they are equal."""


class Silent:
    """Shows nothing."""

    def note(self, text: str) -> None:
        pass

    def update(self, task: str, done: int, total: int) -> None:
        pass
