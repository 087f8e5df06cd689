"""Chat completions of an OpenAI-compatible server: asked side by side, repeated, kept, and given up in time.

A request that fails is repeated (exponential backoff with a random part, or as long as the server's
Retry-After says). What still fails stays unanswered: no answer is made up for it, and what a server holds
back (no content, a content filter) is none. Many failures one after the other are no bad luck, and end the
run; so does a key that is refused, and a server that points to another. The key comes from the environment,
and is struck from all that the server says (`coupling.models.key`).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from coupling.config import EndpointConfig
from coupling.models.completion import ListedModels, NoAnswer, read_completion
from coupling.models.journal import Answer, Journal
from coupling.models.key import Key, looks_like_a_key
from coupling.models.pacing import Pace, backoff, wait_after
from coupling.progress import Progress, Silent
from coupling.shown import one_line
from coupling.store import Json, json_sha256

if TYPE_CHECKING:
    from openai import APIStatusError

    from coupling.models.calling import Caller

_NO_KEY = "none"
"""Sent where there is no key: the client wants one, and servers that ask for none take any."""
_MOST_WORDS = 300
_MOST_NAMES = 10
_FIRST_LOOK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Request:
    """One chat completion."""

    messages: tuple[tuple[str, str], ...]
    """(role, content) each. Where the last is the assistant's, its answer is continued."""
    max_tokens: int
    temperature: float = 0.0
    seed: int = 0
    top_logprobs: int = 0
    """Log-probabilities wanted of the first token; 0 asks for none."""

    def body(self, config: EndpointConfig) -> dict[str, Json]:
        """What is sent to the server."""
        body: dict[str, Json] = {
            "model": config.model,
            "messages": [{"role": role, "content": content} for role, content in self.messages],
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "seed": self.seed,
        }
        if self.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": self.top_logprobs}
        if self.messages[-1][0] == "assistant":
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        left_out = {name for name, value in config.extra_body.items() if value is None}
        return {name: value for name, value in {**body, **config.extra_body}.items() if name not in left_out}

    def key(self, config: EndpointConfig) -> str:
        """SHA-256 of all that the answer follows from."""
        return json_sha256({"url": config.url, "body": self.body(config)})


@dataclass(frozen=True, slots=True)
class _Failure:
    """A request that got no answer, however often it was repeated."""

    reason: str
    ends_the_run: bool = False
    is_of_this_request: bool = False
    """The server is well and has no answer to just this: too long, an option it does not know, filtered."""


class Completions:
    """The completions of one served model.

    Raises (from `answers`):
        ValueError: no server is there, it refuses the key, serves no such model, points to another place, or
            fails too often in a row. What was answered is in the journal.

    Raises (when it is made):
        ValueError: what the environment holds is no key.
    """

    def __init__(self, config: EndpointConfig, journal: Journal, progress: Progress | None = None) -> None:
        self.config = config
        self.journal = journal
        self.progress = progress or Silent()
        self.failed: dict[str, str] = {}
        """Key of a request that got no answer → why."""
        self._in_a_row = 0
        self._repeated = 0
        self._was_looked_at = False
        self._lists_models = True
        limit = config.requests_per_minute
        self._pace = Pace(limit) if limit else None
        self._key = Key.of(config.api_key_env)

    def answers(self, what: str, requests: Iterable[Request]) -> dict[Request, Answer]:
        """The answer of each request that has one.

        What is in the journal, is refused there, or failed before is not asked.
        """
        wanted = list(dict.fromkeys(requests))
        key_of = {request: request.key(self.config) for request in wanted}
        open_ = [
            request
            for request, key in key_of.items()
            if self.journal.get(key) is None and self.journal.refused(key) is None and key not in self.failed
        ]
        if open_:
            self._ask_all(what, open_, len(wanted))
        found = ((request, self.journal.get(key_of[request])) for request in wanted)
        return {request: answer for request, answer in found if answer is not None}

    def told_of_failures(self) -> list[str]:
        """Why requests failed, the most frequent reason first."""
        return [f"{count} times {reason}" for reason, count in Counter(self.failed.values()).most_common(3)]

    def _ask_all(self, what: str, requests: Sequence[Request], total: int) -> None:
        done, failed = total - len(requests), 0
        stopped = threading.Event()
        with self._new_client() as client:
            self._look_at_server(client)
            with ThreadPoolExecutor(self.config.concurrency) as pool:
                waiting = {pool.submit(self._ask, client, request, stopped): request for request in requests}
                try:
                    for finished in as_completed(waiting):
                        failure = finished.result()
                        done += 1
                        failed += failure is not None
                        self._record(waiting[finished], failure)
                        self.progress.update(self._told(what, failed), done, total)
                        if failure is not None:
                            self._require_use(failure)
                except BaseException as error:
                    stopped.set()
                    pool.shutdown(wait=False, cancel_futures=True)
                    if isinstance(error, KeyboardInterrupt):
                        # What is under way then ends; else it is waited for and kept, but not repeated.
                        client.break_off()
                    raise

    def _told(self, what: str, failed: int) -> str:
        parts = [f"{failed} failed"] * bool(failed) + [f"{self._repeated} repeated"] * bool(self._repeated)
        return ", ".join([what, *parts])

    def _record(self, request: Request, failure: _Failure | None) -> None:
        """Remembers how a request ended."""
        if failure is None:
            self._in_a_row = 0
            return
        key = request.key(self.config)
        if failure.is_of_this_request and request.top_logprobs and "logprob" in failure.reason.lower():
            self.journal.add_refusal(key, failure.reason)
            return
        self.failed[key] = failure.reason
        # A server that has answered and has no answer to one request may well answer the next.
        if not failure.is_of_this_request or not len(self.journal):
            self._in_a_row += 1

    def _require_use(self, failure: _Failure) -> None:
        """Raises ValueError where there is no use in going on."""
        if failure.ends_the_run:
            raise ValueError(f"{self._where}: {failure.reason}{self._kept}")
        if self._in_a_row >= self.config.give_up_after:
            raise ValueError(
                f"{self._where}: {self._in_a_row} requests failed one after the other, the last because "
                f"{failure.reason}{self._kept}"
            )

    def _ask(self, client: Caller, request: Request, stopped: threading.Event) -> _Failure | None:
        """Called in a thread of the pool; None when the answer is in the journal."""
        import openai

        try:
            reply = self._send(client, request, stopped)
            if reply is None:
                return _Failure("it was not sent")
            answer = self._key.struck_from_answer(read_completion(reply, request.top_logprobs > 0))
        except openai.AuthenticationError as error:
            return _Failure(self._refused_key(error), ends_the_run=True)
        except openai.NotFoundError as error:
            return _Failure(self._not_found(error), ends_the_run=True)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            return _Failure(f"the server refuses it ({self._words(error)})", is_of_this_request=True)
        except (TimeoutError, openai.APITimeoutError):
            return _Failure(f"the whole answer was not there after {self.config.timeout_s:g} s (timeout_s)")
        except openai.APIConnectionError as error:
            return _Failure(f"the connection failed ({self._words(_bottom_of(error))})")
        except openai.APIStatusError as error:
            if error.response.is_redirect:
                return _Failure(self._pointed_elsewhere(error), ends_the_run=True)
            return _Failure(f"the server fails ({self._words(error)})")
        except NoAnswer as error:
            return _Failure(self._words(error), is_of_this_request=True)
        except (ValueError, RecursionError):
            return _Failure("the answer is no chat completion")
        self.journal.add(request.key(self.config), answer)
        return None

    def _send(self, client: Caller, request: Request, stopped: threading.Event) -> object | None:
        """The server's reply, asked for again as often as is allowed; None when it was stopped before."""
        import openai

        body = request.body(self.config)
        for attempt in range(self.config.max_retries + 1):
            if stopped.is_set() or (self._pace is not None and not self._pace.wait(stopped)):
                return None
            self._repeated += attempt > 0
            try:
                return client.post("/chat/completions", body)
            except (TimeoutError, openai.APIConnectionError):
                wait: float | None = backoff(attempt)
                if attempt == self.config.max_retries or stopped.is_set():
                    raise
            except openai.APIStatusError as error:
                wait = wait_after(error, attempt)
                if attempt == self.config.max_retries or stopped.is_set() or wait is None:
                    raise
            assert wait is not None
            stopped.wait(wait)
        return None

    def _new_client(self) -> Caller:
        try:
            from coupling.models.calling import Caller
        except ImportError as error:
            raise ValueError(
                f"{self._where}: endpoints are asked through the package openai, which is not installed; "
                "pip install openai"
            ) from error
        return Caller(self.config.url, self._key.value or _NO_KEY, self.config.timeout_s)

    def _look_at_server(self, client: Caller) -> None:
        """Once, before anything is asked: is the server there, and does it serve the model?"""
        import openai

        if self._was_looked_at:
            return
        self._was_looked_at = True
        try:
            listed = self._listed(client)
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise ValueError(f"{self._where}: {self._refused_key(error)}{self._kept}") from None
        except (TimeoutError, openai.APIConnectionError) as error:
            raise ValueError(
                f"{self._where}: no server answers there ({self._words(_bottom_of(error))}); start it, or "
                f"mend the URL{self._kept}"
            ) from None
        except openai.InternalServerError as error:
            raise ValueError(
                f"{self._where}: the server is not well ({self._words(error)}); wait until it is{self._kept}"
            ) from None
        except openai.NotFoundError:
            self._lists_models = False
            return
        except openai.APIStatusError as error:
            if error.response.is_redirect:
                raise ValueError(f"{self._where}: {self._pointed_elsewhere(error)}{self._kept}") from None
            # Not every server lists its models; one that lacks ours will say so when it is asked.
            return
        except (ValueError, RecursionError):
            return
        try:
            names = sorted(each.id for each in ListedModels.model_validate(listed).data)
        except ValidationError:
            return
        if self.config.model not in names and f"{self.config.model}:latest" not in names:
            shown = self._words(", ".join(names[:_MOST_NAMES])) or "none"
            more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            raise ValueError(
                f"{self._where}: it serves no model {self.config.model!r}; it serves {shown}{more}"
                f"{self._kept}"
            )

    def _listed(self, client: Caller) -> object:
        """What the server says of its models; asked for again where it fails."""
        import openai

        attempts = min(2, self.config.max_retries)
        for attempt in range(attempts):
            try:
                return client.get("/models", _FIRST_LOOK_SECONDS)
            except (TimeoutError, openai.APIConnectionError, openai.InternalServerError):
                time.sleep(backoff(attempt))
        return client.get("/models", _FIRST_LOOK_SECONDS)

    @property
    def _where(self) -> str:
        return f"endpoint {self.config.url}"

    @property
    def _kept(self) -> str:
        kept = len(self.journal)
        return f"; {kept} answers are kept, and the same command goes on from there" if kept else ""

    def _not_found(self, error: Exception) -> str:
        words = self._words(error)
        if not self._lists_models and self.config.model not in words:
            return f"no chat completions there; does the URL end in /v1? ({words})"
        return f"it serves no model {self.config.model!r} ({words})"

    def _refused_key(self, error: Exception) -> str:
        name = self.config.api_key_env
        if name is None:
            said = "it asks for a key; name the environment variable that holds it (api_key_env)"
        elif self._key.value is None and looks_like_a_key(name):
            # Not quoted: somebody may have given the key for the variable's name.
            said = "it asks for a key, and api_key_env names no environment variable that is set"
        elif self._key.value is None:
            said = f"it asks for a key, and the environment variable {name} holds none (api_key_env)"
        else:
            said = f"it refuses the key in the environment variable {name} (api_key_env)"
        return f"{said} ({self._words(error)})"

    def _pointed_elsewhere(self, error: APIStatusError) -> str:
        where = self._words(error.response.headers.get("location", ""))
        return (
            f"the server points to {where} ({error.status_code}), and questions and key are sent to no other "
            "place than the one that is named; if that is the server, give its URL"
        )

    def _words(self, said: BaseException | str) -> str:
        """What an error or a server says, on one line, without the key."""
        words = one_line(self._key.struck_from(" ".join(str(said).split())))
        return words[:_MOST_WORDS] or type(said).__name__


def _bottom_of(error: BaseException) -> BaseException:
    """What the system said, below what libraries made of it."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
