"""When a request is sent: so many a minute, and again after a failure as the server says."""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai import APIStatusError

_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 8.0
_LONGEST_RETRY_AFTER_SECONDS = 600.0
_WORTH_REPEATING = frozenset({408, 409, 429})
"""And every status from 500 on."""


def backoff(attempt: int) -> float:
    """Seconds before the next attempt: doubling from one to the next, less up to a quarter."""
    return float(min(_FIRST_WAIT_SECONDS * 2**attempt, _LONGEST_WAIT_SECONDS) * (1 - 0.25 * random.random()))


def wait_after(error: APIStatusError, attempt: int) -> float | None:
    """Seconds to wait before asking again; None where there is no use in it."""
    if error.status_code not in _WORTH_REPEATING and error.status_code < 500:
        return None
    said = error.response.headers.get("retry-after", "")
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return backoff(attempt)
    if not seconds <= _LONGEST_RETRY_AFTER_SECONDS:
        return None
    return seconds if seconds > 0 else backoff(attempt)


class Pace:
    """Waits before each request until one more may be sent in this minute."""

    def __init__(self, per_minute: int) -> None:
        self._seconds = 60 / per_minute
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, stopped: threading.Event) -> bool:
        """Whether it may be sent now; False when it was stopped meanwhile."""
        with self._lock:
            now = time.monotonic()
            sent = max(now, self._next)
            self._next = sent + self._seconds
        return not stopped.wait(sent - now)
