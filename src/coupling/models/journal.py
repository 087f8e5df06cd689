"""The answers of an endpoint, kept as they arrive.

One line an answered request, under a key that is a hash of all that the answer follows from. Each line is on
the disk before the next request is sent in its place, so a run that is killed or broken off asks nothing
twice. That a server refuses a kind of request is kept as well, for it would refuse it again.
"""

from __future__ import annotations

import fcntl
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from coupling.store import from_json, read_rows, to_json
from coupling.store.atomic import open_here, reading, writing
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
    finish_reason: str | None = None
    """Why it ends, in the server's words: stop, length where it was cut off; None where it does not say."""

    @property
    def is_cut_off(self) -> bool:
        return self.finish_reason == "length"


@dataclass(frozen=True, slots=True)
class _Line:
    """One of the two: an answer, or why there is none."""

    key: str
    answer: Answer | None = None
    refused: str | None = None


class Journal:
    """The journal at a path, opened to be read from and added to; one process at a time.

    A last line that a killed process left half written is dropped. Answers may be added from several threads.

    Raises:
        ValueError: a line is none of a journal, the file cannot be read or written, or another process has
            it open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._answers: dict[str, Answer] = {}
        self._refused: dict[str, str] = {}
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = open_here(path, "a")
        try:
            _hold(self._file, path)
            _drop_half_line(path)
            for where, row in read_rows(path):
                self._remember(from_json(_Line, row, where))
        except BaseException:
            self._file.close()
            raise

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

    def refused(self, key: str) -> str | None:
        """Why the server refuses this request and all of its kind; None where it does not."""
        return self._refused.get(key)

    def add(self, key: str, answer: Answer) -> None:
        """Returns when the answer is on the disk."""
        self._write(_Line(key, answer=answer))

    def add_refusal(self, key: str, reason: str) -> None:
        """Returns when the reason is on the disk."""
        self._write(_Line(key, refused=reason))

    def _write(self, line: _Line) -> None:
        text = canonical_json(to_json(line)) + "\n"
        with self._lock, writing(self.path):
            self._file.write(text.encode())
            self._file.flush()
            os.fsync(self._file.fileno())
            self._remember(line)

    def _remember(self, line: _Line) -> None:
        if line.answer is not None:
            self._answers[line.key] = line.answer
        if line.refused is not None:
            self._refused[line.key] = line.refused


def _hold(file: IO[bytes], path: Path) -> None:
    """Until the file is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ValueError(
            f"{path}: another audit of this endpoint writes its answers here; wait until it has ended"
        ) from None


def _drop_half_line(path: Path) -> None:
    """Cuts off what stands behind the last line feed."""
    with reading(path), path.open("r+b") as file:
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
