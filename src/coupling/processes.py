"""Jobs side by side, each in a process of its own that uses one thread.

Several torch threads in several processes fight for the cores and are many times slower than one thread
each. Workers are told so before they import torch, and end when their parent does, so that a killed command
leaves nobody behind who still writes.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.queues import Queue
from typing import TypeVarTuple

from coupling import ranks
from coupling.progress import Progress

POLL_SECONDS = 0.2
Message = tuple[str, str, int, int]
"""What is told ("note" or "update"), its text, and how much is done of how much."""

Job = TypeVarTuple("Job")

_messages: Queue[Message] | None = None
"""Of a worker: where it tells its parent."""


def side_by_side(
    function: Callable[[*Job, Progress], None],
    jobs: Sequence[tuple[*Job]],
    workers: int,
    progress: Progress,
) -> None:
    """Calls ``function(*job, progress)`` for each job, ``workers`` at a time; here when one suffices.

    Raises:
        ValueError: from the first job that raised it, after those already running have ended; or a worker
            was killed; or several processes were launched, and workers of one would take what is theirs.
    """
    if workers > 1 and ranks.launched() > 1:
        raise ValueError(
            f"workers is {workers}: {ranks.launched()} launched processes share each job already; set it to 1"
        )
    if workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            function(*job, progress)
        return
    context = multiprocessing.get_context("spawn")
    messages = context.Queue()
    others = set(multiprocessing.active_children())
    with (
        _one_thread_each(),
        _listening(messages, progress),
        ProcessPoolExecutor(min(workers, len(jobs)), context, _start, (messages,)) as pool,
    ):
        try:
            running = [pool.submit(_call, function, job) for job in jobs]
            # A pool watches the workers it had when it was last spoken to, which is before it starts another.
            pool.submit(int)
            for finished in as_completed(running):
                finished.result()
        except BrokenProcessPool as error:
            raise ValueError(
                "a worker process was killed, perhaps for want of memory; run the same command again to go "
                "on (workers: 1 needs less memory)"
            ) from error
        except KeyboardInterrupt:
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
            raise
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


class _Messenger:
    """The progress of a worker, told to its parent."""

    def __init__(self, messages: Queue[Message]) -> None:
        self._messages = messages

    def note(self, text: str) -> None:
        self._messages.put(("note", text, 0, 0))

    def update(self, task: str, done: int, total: int) -> None:
        self._messages.put(("update", task, done, total))


def _start(messages: Queue[Message]) -> None:
    global _messages
    _messages = messages
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        parent.join()
        os._exit(1)

    # Ctrl-C reaches every process of a terminal; a worker has nothing to say about it.
    signal.signal(signal.SIGINT, lambda *_: os._exit(1))
    threading.Thread(target=end_with_parent, daemon=True).start()


def _call(function: Callable[[*Job, Progress], None], job: tuple[*Job]) -> None:
    assert _messages is not None
    function(*job, _Messenger(_messages))


@contextmanager
def _listening(messages: Queue[Message], progress: Progress) -> Iterator[None]:
    """Passes on what workers tell until they have ended; else they would wait at their end to be heard."""
    has_ended = threading.Event()

    def listen() -> None:
        while True:
            try:
                kind, text, done, total = messages.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if has_ended.is_set():
                    return
                continue
            if kind == "note":
                progress.note(text)
            else:
                progress.update(text, done, total)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield
    finally:
        has_ended.set()
        listener.join()


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Environment of the workers; read by their numerical libraries when these are first imported."""
    ours = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
