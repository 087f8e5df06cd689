"""Requests to an OpenAI-compatible server that end in time, and go to no other server.

Clients limit the time between two bytes, which a server that drips one a second never exceeds. Here each
request is a task of an event loop in a thread of its own, and the task ends when its time is over.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from types import TracebackType
from typing import Self, TypeVar

from openai import AsyncOpenAI, RequestOptions

from coupling.store import Json

_OPTIONS: RequestOptions = {"security": {"bearer_auth": True}, "follow_redirects": False}

Reply = TypeVar("Reply")


class Caller:
    """A client of one server, which several threads may use at once.

    Args:
        seconds: how long a request may take, from when it is sent until its answer is there whole.

    Raises (from `get` and `post`):
        TimeoutError: it took longer.
        openai.OpenAIError: as that client does; nothing is repeated.
        ValueError: the answer is no JSON.
    """

    def __init__(self, url: str, key: str, seconds: float) -> None:
        self._seconds = seconds
        self._client = AsyncOpenAI(api_key=key, base_url=url, timeout=seconds, max_retries=0)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.break_off()
        asyncio.run_coroutine_threadsafe(self._client.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def get(self, path: str, seconds: float) -> object:
        """What the server gives at ``path``, within ``seconds`` if these are fewer."""
        return self._within(
            min(seconds, self._seconds), self._client.get(path, cast_to=object, options=_OPTIONS)
        )

    def post(self, path: str, body: Mapping[str, Json]) -> object:
        """What the server answers to ``body``."""
        sent = self._client.post(path, body=dict(body), cast_to=object, options=_OPTIONS)
        return self._within(self._seconds, sent)

    def break_off(self) -> None:
        """Ends what is under way."""
        asyncio.run_coroutine_threadsafe(_end_others(), self._loop).result()

    def _within(self, seconds: float, request: Coroutine[object, object, Reply]) -> Reply:
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(request, seconds), self._loop).result()


async def _end_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
