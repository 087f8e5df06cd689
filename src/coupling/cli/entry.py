"""The entry point: what a command ends with is told in one message, whatever it was."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from coupling import ranks
from coupling.cli.app import app
from coupling.cli.console import ERRORS, give_up_streams, prepare_streams
from coupling.shown import told

USER_ERROR = 2
INTERRUPTED = 130
TERMINATED = 128 + signal.SIGTERM


def main() -> None:
    """The entry point. A user's error is one message on stderr and exit code 2."""
    prepare_streams()
    try:
        try:
            with _ended_in_order() as received, ranks.led() as leads:
                if leads:
                    app()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output, as `head` does, has read enough.
        give_up_streams()
        sys.exit(1)
    except (ValueError, OSError, MemoryError, ranks.Disbanded) as error:
        _tell(f"{ranks.name()}error: {_words(error)}", "red")
        sys.exit(USER_ERROR)
    except SystemExit as ended:
        if ended.code != INTERRUPTED:
            raise
        _tell("stopped; the same command goes on from here")
        sys.exit(TERMINATED if received else INTERRUPTED)


@contextmanager
def _ended_in_order() -> Iterator[list[int]]:
    """Takes SIGTERM for Ctrl-C, so that workers are ended and what was shared with them is given back; yields
    those received."""
    received: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread() or ranks.launched() > 1:
        # A launched process may be in the middle of a call to the others, and its launcher does not wait.
        yield received
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)


def _words(error: BaseException) -> str:
    match error:
        case MemoryError():
            return f"memory does not suffice ({told(error)}); ask for less, or use a machine with more"
        case OSError(filename=str(path)):
            return f"{told(ValueError(path))}: {error.strerror}; check the path, and whether its disk is full"
        case OSError():
            return f"the system refuses to read or write ({told(error)})"
    return told(error)


def _tell(words: str, style: str | None = None) -> None:
    with suppress(OSError):  # Where stderr is full or closed there is nobody to tell.
        ERRORS.print(words, style=style, soft_wrap=True)
    give_up_streams()
