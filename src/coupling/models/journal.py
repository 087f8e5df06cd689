"""The answers of an endpoint, kept as they arrive.

One line an answered request, under a key that is a hash of all that the answer follows from. Each line is on
the disk before the next request is sent in its place, so a run that is killed or broken off asks nothing
twice.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from coupling.store import from_json, read_rows, to_json
from coupling.store.atomic import reading, writing
from coupling.store.records import canonical_json


@dataclass(frozen=True, slots=True)
class Token:
    """A token that might have been the first of an answer."""

    text: str
    logprob: float
    """Natural logarithm of its probability, over the whole vocabulary."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered to one request."""

    text: str
    first: tuple[Token, ...]
    """The most probable first tokens; empty where they were not asked for or are not given."""
    model: str | None
    """Which model answered, in the server's words."""
    prompt_tokens: int | None
    """As the server counts them; None where it does not."""
    completion_tokens: int | None


@dataclass(frozen=True, slots=True)
class _Line:
    key: str
    answer: Answer


class Journal:
    """The journal at a path, opened to be read from and added to; one process at a time.

    A last line that a killed process left half written is dropped. Answers may be added from several threads.

    Raises:
        ValueError: a line is none of a journal, or the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._answers: dict[str, Answer] = {}
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _drop_half_line(path)
        for where, row in read_rows(path):
            line = from_json(_Line, row, where)
            self._answers[line.key] = line.answer
        self._file: IO[bytes] = path.open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._file.close()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: str) -> Answer | None:
        return self._answers.get(key)

    def add(self, key: str, answer: Answer) -> None:
        """Returns when the answer is on the disk."""
        line = canonical_json(to_json(_Line(key, answer))) + "\n"
        with self._lock, writing(self.path):
            self._file.write(line.encode())
            self._file.flush()
            os.fsync(self._file.fileno())
            self._answers[key] = answer


def _drop_half_line(path: Path) -> None:
    """Cuts off what stands behind the last line feed, and makes a file where there is none."""
    with path.open("ab"):
        pass
    with reading(path), path.open("r+b") as file:
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
