"""An OpenAI-compatible server, for tests: real HTTP from the standard library, and faults on demand.

As a script it serves the model of a folder until it is killed, or after so many answers by itself:

    python tests/endpoint_server.py FOLDER --model NAME --port 0 --log requests.jsonl --die-after 20
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is sent in place of an answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before anything is sent."""


def no_fault(number: int, body: Body) -> Fault | None:
    return None


class Server:
    """Serves ``reply`` in a thread, as the model of one name.

    Args:
        reply: from a request's body to the text of the answer and its most probable first tokens (token,
            log-probability), or None in their place where the model gives none.
        fault: from the number of a request, counted from 0, and its body to what goes wrong.
        key: the key that is asked for.
    """

    def __init__(
        self,
        reply: Callable[[Body], tuple[str, Sequence[tuple[str, float]] | None]],
        model: str = "served",
        port: int = 0,
        fault: Callable[[int, Body], Fault | None] = no_fault,
        key: str | None = None,
        lists_models: bool = True,
        has_completions: bool = True,
        answers_as: str | None = None,
    ) -> None:
        self.reply, self.model, self.fault, self.key = reply, model, fault, key
        self.lists_models, self.answers_as = lists_models, answers_as or model
        self.has_completions = has_completions
        self.received: list[Body] = []
        self.most_at_once = 0
        self.times: list[float] = []
        self.holds = 0.0
        """Seconds for which each answer is held back."""
        self._under_way = 0
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def complete(self, body: Body) -> Fault:
        """The answer to a chat completion, right or wrong, as it goes over the wire."""
        with self._lock:
            number = len(self.received)
            self.received.append(body)
            self.times.append(time.monotonic())
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            wrong = self.fault(number, body)
            if wrong is not None:
                time.sleep(wrong.delay)
                return wrong
            if body["model"] != self.model:
                return failed(404, f"The model `{body['model']}` does not exist.")
            time.sleep(self.holds)
            text, first = self.reply(body)
            return Fault(body=json.dumps(completion(text, first, self.answers_as)).encode())
        finally:
            with self._lock:
                self._under_way -= 1


def completion(
    text: str | None, first: Sequence[tuple[str, float]] | None, model: str, finish_reason: str = "stop"
) -> dict[str, Any]:
    """A chat completion as servers send it."""
    tops = [{"token": token, "logprob": logprob, "bytes": None} for token, logprob in first or ()]
    position = {"token": (text or "").split(" ")[0], "logprob": -0.1, "bytes": None, "top_logprobs": tops}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": finish_reason,
                "logprobs": None if first is None else {"content": [position]},
            }
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
    }


def sent(text: str | None, finish_reason: str) -> Fault:
    """An answer that ended otherwise."""
    return Fault(body=json.dumps(completion(text, None, "served", finish_reason)).encode())


def failed(status: int, message: str, **headers: str) -> Fault:
    return Fault(status, json.dumps({"error": {"message": message, "code": status}}).encode(), headers)


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what is tested."""


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if not self._is_let_in():
                return
            if self.path != "/v1/models" or not server.lists_models:
                self._send(failed(404, "Not Found"))
                return
            listed = {"object": "list", "data": [{"id": server.model, "object": "model"}]}
            self._send(Fault(body=json.dumps(listed).encode()))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not self._is_let_in():
                return
            self._send(server.complete(body) if server.has_completions else failed(404, "Not Found"))

        def _is_let_in(self) -> bool:
            given = self.headers.get("Authorization", "")
            if server.key is None or given == f"Bearer {server.key}":
                return True
            # As some servers do: it says what it was given.
            self._send(failed(401, f"Incorrect API key provided: {given.removeprefix('Bearer ')}."))
            return False

        def _send(self, what: Fault) -> None:
            self.send_response(what.status)
            for name, value in {"Content-Type": "application/json", **what.headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(what.body)))
            self.end_headers()
            self.wfile.write(what.body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    return Handler


class Served:
    """A model of a folder, as a server asks it: one prompt at a time, greedily."""

    def __init__(self, folder: str) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        torch.set_num_threads(1)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder).eval()
        self._lock = threading.Lock()

    def __call__(self, body: Body) -> tuple[str, Sequence[tuple[str, float]] | None]:
        import torch

        continued = body.get("continue_final_message", False)
        prompt = self.tokenizer.apply_chat_template(
            body["messages"],
            tokenize=False,
            add_generation_prompt=body.get("add_generation_prompt", True),
            continue_final_message=continued,
        )
        ids = self.tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
        with self._lock, torch.inference_mode():
            said: list[int] = []
            first: list[tuple[str, float]] | None = None
            for _ in range(body["max_tokens"]):
                logprobs = self.model(input_ids=ids).logits[0, -1].log_softmax(-1)
                if body.get("logprobs") and first is None:
                    values, tokens = logprobs.topk(min(body["top_logprobs"], len(logprobs)))
                    words = [self.tokenizer.decode([token]) for token in tokens.tolist()]
                    first = list(zip(words, values.tolist(), strict=True))
                token = int(logprobs.argmax())
                if token == self.tokenizer.eos_token_id:
                    break
                said.append(token)
                ids = torch.cat([ids, torch.tensor([[token]])], dim=1)
        return self.tokenizer.decode(said, skip_special_tokens=True), first


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("folder")
    options.add_argument("--model", default="served")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--log", type=Path, required=True)
    options.add_argument("--die-after", type=int)
    given = options.parse_args()
    served, lock = Served(given.folder), threading.Lock()
    answered = 0

    def reply(body: Body) -> tuple[str, Sequence[tuple[str, float]] | None]:
        nonlocal answered
        with lock:
            if answered == given.die_after:
                os._exit(1)
            answered += 1
            with given.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(body, sort_keys=True) + "\n")
        return served(body)

    with Server(reply, given.model, given.port) as server:
        print(server.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
