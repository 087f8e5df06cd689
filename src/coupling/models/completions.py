"""Chat completions of an OpenAI-compatible server: asked side by side, repeated, kept, and given up in time.

A request that fails is repeated by the client (exponential backoff with a random part, or as long as the
server's Retry-After says). What still fails stays unanswered: no answer is made up for it. Many failures one
after the other are no bad luck, and end the run; so does a key that is refused. The key comes from the
environment and is struck from everything that is told.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field, ValidationError

from coupling.config import EndpointConfig
from coupling.models.journal import Answer, Journal, Token
from coupling.progress import Progress, Silent
from coupling.store import Json, json_sha256

if TYPE_CHECKING:
    from openai import OpenAI

_NO_KEY = "none"
"""Sent where there is no key: the client wants one, and servers that ask for none take any."""
_MOST_WORDS = 300
_MOST_NAMES = 10
_FIRST_LOOK_SECONDS = 30.0
_ROUNDING = 0.01
"""By which the logarithm of a probability may seem to lie above 0."""
_LEAST_LOGPROB = -9999.0
"""As servers write what is less probable than they can say."""


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
        return {**body, **config.extra_body}

    def key(self, config: EndpointConfig) -> str:
        """SHA-256 of all that the answer follows from."""
        return json_sha256({"url": config.url, "body": self.body(config)})


@dataclass(frozen=True, slots=True)
class _Failure:
    """A request that got no answer, however often it was repeated."""

    reason: str
    ends_the_run: bool = False
    is_refused: bool = False
    """The server is well and takes this request for wrong: too long, or with an option it does not know."""


class Completions:
    """The completions of one served model.

    Raises (from `answers`):
        ValueError: no server is there, it refuses the key, serves no such model, or fails too often in a row.
            What was answered is in the journal.
    """

    def __init__(self, config: EndpointConfig, journal: Journal, progress: Progress | None = None) -> None:
        self.config = config
        self.journal = journal
        self.progress = progress or Silent()
        self.failed: dict[str, str] = {}
        """Key of a request that got no answer → why."""
        self.refused_logprobs: str | None = None
        """What the server said when it refused a request that asks for log-probabilities."""
        self._has_answered = False
        self._in_a_row = 0
        self._serves_model = False
        limit = config.requests_per_minute
        self._pace = _Pace(limit) if limit else None
        self._key = os.environ.get(config.api_key_env or "") or None

    def answers(self, what: str, requests: Iterable[Request]) -> dict[Request, Answer]:
        """The answer of each request that has one. What is in the journal, or failed before, is not asked."""
        wanted = list(dict.fromkeys(requests))
        key_of = {request: request.key(self.config) for request in wanted}
        open_ = [
            request
            for request, key in key_of.items()
            if self.journal.get(key) is None and key not in self.failed
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
            self._require_model(client)
            with ThreadPoolExecutor(self.config.concurrency) as pool:
                waiting = {pool.submit(self._ask, client, request, stopped): request for request in requests}
                try:
                    for finished in as_completed(waiting):
                        failure = finished.result()
                        done += 1
                        failed += failure is not None
                        self._note(waiting[finished], failure)
                        told = f"{what}, {failed} failed" if failed else what
                        self.progress.update(told, done, total)
                except BaseException as error:
                    stopped.set()
                    pool.shutdown(wait=False, cancel_futures=True)
                    if isinstance(error, KeyboardInterrupt):
                        # What is under way then ends at its next attempt; else it is waited for and kept.
                        client.close()
                    raise

    def _note(self, request: Request, failure: _Failure | None) -> None:
        """Remembers how a request ended; raises ValueError where there is no use in going on."""
        key = request.key(self.config)
        if failure is None:
            self._has_answered, self._in_a_row = True, 0
            return
        self.failed[key] = failure.reason
        if failure.is_refused and request.top_logprobs and "logprob" in failure.reason.lower():
            self.refused_logprobs = failure.reason
            return
        # A server that has answered and takes one request for wrong may well take the next.
        if not failure.is_refused or not self._has_answered:
            self._in_a_row += 1
        if failure.ends_the_run:
            raise ValueError(f"{self._where}: {failure.reason}{self._kept}")
        if self._in_a_row >= self.config.give_up_after:
            raise ValueError(
                f"{self._where}: {self._in_a_row} requests failed one after the other, the last because "
                f"{failure.reason}{self._kept}"
            )

    def _ask(self, client: OpenAI, request: Request, stopped: threading.Event) -> _Failure | None:
        """Called in a thread of the pool; None when the answer is in the journal."""
        import openai

        if stopped.is_set():
            return _Failure("it was not sent")
        try:
            reply = client.post(
                "/chat/completions",
                body=request.body(self.config),
                cast_to=object,
                options={"security": {"bearer_auth": True}},
            )
            answer = _answer(reply)
        except openai.AuthenticationError as error:
            return _Failure(self._refused_key(error), ends_the_run=True)
        except openai.NotFoundError as error:
            reason = f"it serves no model {self.config.model!r} ({self._words(error)})"
            return _Failure(reason, ends_the_run=True)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            return _Failure(f"the server refuses it ({self._words(error)})", is_refused=True)
        except openai.APITimeoutError:
            return _Failure(f"the server was silent for {self.config.timeout_s:g} s (timeout_s)")
        except openai.APIConnectionError as error:
            return _Failure(f"the connection failed ({self._words(error.__cause__ or error)})")
        except openai.APIStatusError as error:
            return _Failure(f"the server fails ({self._words(error)})")
        except ValueError:
            return _Failure("the answer is no chat completion")
        self.journal.add(request.key(self.config), answer)
        return None

    def _new_client(self) -> OpenAI:
        try:
            from openai import DefaultHttpxClient, OpenAI
        except ImportError as error:
            raise ValueError(
                f"{self._where}: endpoints are asked through the package openai, which is not installed; "
                "pip install openai"
            ) from error
        http = DefaultHttpxClient(event_hooks={"request": [self._pace]}) if self._pace else None
        return OpenAI(
            api_key=self._key or _NO_KEY,
            base_url=self.config.url,
            timeout=self.config.timeout_s,
            max_retries=self.config.max_retries,
            http_client=http,
        )

    def _require_model(self, client: OpenAI) -> None:
        """Once, before anything is asked: is the server there, and does it serve the model?"""
        import openai

        if self._serves_model:
            return
        self._serves_model = True
        first_look = client.with_options(
            max_retries=min(2, self.config.max_retries),
            timeout=min(_FIRST_LOOK_SECONDS, self.config.timeout_s),
        )
        try:
            listed = first_look.get("/models", cast_to=object, options={"security": {"bearer_auth": True}})
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise ValueError(f"{self._where}: {self._refused_key(error)}{self._kept}") from None
        except openai.APIConnectionError as error:
            raise ValueError(
                f"{self._where}: no server answers there ({self._words(error.__cause__ or error)}); start "
                f"it, or mend the URL{self._kept}"
            ) from None
        except openai.InternalServerError as error:
            raise ValueError(
                f"{self._where}: the server is not well ({self._words(error)}); wait until it is{self._kept}"
            ) from None
        except (openai.APIStatusError, ValueError):
            # Not every server lists its models; one that lacks ours will say so when it is asked.
            return
        try:
            names = sorted(each.id for each in _Listed.model_validate(listed).data)
        except ValidationError:
            return
        if self.config.model not in names and f"{self.config.model}:latest" not in names:
            shown = ", ".join(names[:_MOST_NAMES]) or "none"
            more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            raise ValueError(
                f"{self._where}: it serves no model {self.config.model!r}; it serves {shown}{more}"
                f"{self._kept}"
            )

    @property
    def _where(self) -> str:
        return f"endpoint {self.config.url}"

    @property
    def _kept(self) -> str:
        kept = len(self.journal)
        return f"; {kept} answers are kept, and the same command goes on from there" if kept else ""

    def _refused_key(self, error: Exception) -> str:
        name = self.config.api_key_env
        if name is None:
            said = "it asks for a key; name the environment variable that holds it (api_key_env)"
        elif self._key is None:
            said = f"it asks for a key, and the environment variable {name} holds none (api_key_env)"
        else:
            said = f"it refuses the key in the environment variable {name} (api_key_env)"
        return f"{said} ({self._words(error)})"

    def _words(self, error: BaseException) -> str:
        """What an error says, without the key, which a server may quote."""
        words = " ".join(str(error).split())
        if self._key is not None:
            words = words.replace(self._key, "***")
        return words[:_MOST_WORDS] or type(error).__name__


class _Pace:
    """Called before each request that is sent: waits until one more may be sent in this minute."""

    def __init__(self, per_minute: int) -> None:
        self._seconds = 60 / per_minute
        self._lock = threading.Lock()
        self._next = 0.0

    def __call__(self, request: object) -> None:
        with self._lock:
            now = time.monotonic()
            sent = max(now, self._next)
            self._next = sent + self._seconds
        time.sleep(sent - now)


class _ListedModel(BaseModel):
    id: str


class _Listed(BaseModel):
    data: list[_ListedModel]


class _Alternative(BaseModel):
    token: str
    logprob: Annotated[float, Field(le=_ROUNDING)]


class _Position(BaseModel):
    top_logprobs: list[_Alternative] | None = None


class _Logprobs(BaseModel):
    content: list[_Position] | None = None


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    logprobs: _Logprobs | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(BaseModel):
    """What is read of a chat completion. Servers differ in the rest."""

    choices: list[_Choice] = Field(min_length=1)
    model: str | None = None
    usage: _Usage | None = None


def _answer(reply: object) -> Answer:
    """Raises ValidationError, which is a ValueError, where the reply is no chat completion."""
    read = _Completion.model_validate(reply)
    choice, usage = read.choices[0], read.usage or _Usage()
    positions = (choice.logprobs.content if choice.logprobs else None) or []
    first = (positions[0].top_logprobs if positions else None) or []
    return Answer(
        text=_storable(choice.message.content or ""),
        first=tuple(Token(_storable(each.token), max(each.logprob, _LEAST_LOGPROB)) for each in first),
        model=read.model,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
    )


def _storable(text: str) -> str:
    """Lone surrogates, which JSON can write and no file can hold, become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")
