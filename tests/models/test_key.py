"""No key reaches an error, a journal or an answer, in whatever shape a server quotes it."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from test_endpoint import FORMAT, PAIRS, believing, config

from coupling.models import EndpointSampler, Journal
from coupling.models.completion import read_completion
from coupling.models.journal import Answer
from coupling.models.key import STRUCK, Key
from endpoint_server import Body, Fault, Server, completion, failed

KEY = "sk-Ab9/+'\"<&>\\%=z"
SHAPES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in Python": repr,
    "as Python's bytes": lambda key: repr(key.encode()),
    "in JSON": json.dumps,
    "in JSON in JSON": lambda key: json.dumps(json.dumps(key)),
    "in the JSON of PHP": lambda key: json.dumps(key).replace("/", r"\/"),
    "in the JSON of Go": lambda key: (
        json.dumps(key).replace("<", r"\u003C").replace(">", r"\u003e").replace("&", r"\u0026")
    ),
    "in HTML": html.escape,
    "in other HTML": lambda key: html.escape(key).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "in a path": quote,
    "in a query": quote_plus,
    "in lower case escapes": lambda key: quote(key, safe="").replace("%2F", "%2f"),
    "in Basic's scheme": lambda key: base64.b64encode(f":{key}".encode()).decode(),
    "in capitals": str.upper,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_struck(shape: str) -> None:
    assert SHAPES[shape](KEY) not in (told := Key(KEY).struck_from(f"You sent <{SHAPES[shape](KEY)}>."))
    assert STRUCK in told and told.startswith("You sent <") and told.endswith(">.")


@pytest.mark.parametrize("shape", SHAPES)
def test_what_a_server_quotes_is_kept_nowhere(
    shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it refuses the key, fails, holds an answer back, or has the model say it."""
    monkeypatch.setenv("AUDIT_KEY", f"  {KEY}\r\n")
    said = SHAPES[shape](KEY)

    def quoting(number: int, body: Body) -> Fault | None:
        if number == 0:
            return failed(400, f"no log-probabilities for {said}")
        if number == 1:
            return failed(500, f"<p>{said}</p>")
        answer = completion(f"Lima {said}", [(said, -0.1)], f"served-{said}")
        answer["choices"][0]["finish_reason"] = "content_filter" if number == 2 else said
        return Fault(body=json.dumps(answer).encode())

    with Server(believing, key=KEY, fault=quoting) as server, Journal(tmp_path / "journal.jsonl") as journal:
        sampler = EndpointSampler(config(server, api_key_env="AUDIT_KEY", concurrency=1), journal)
        sampler.behaviors(PAIRS)
        explained = sampler.explanations(PAIRS, FORMAT)
        told = [
            *sampler.completions.told_of_failures(),
            *map(repr, [*sampler.answers_used.values(), *explained]),
        ]
    assert server.received
    everything = "\n".join([*told, (tmp_path / "journal.jsonl").read_text(encoding="utf-8")])
    for written in {said, KEY, *(shape(KEY) for shape in SHAPES.values())}:
        assert written.strip("'\"") not in everything
    assert STRUCK in everything


@pytest.mark.parametrize("inside", ["\r\n", "\n", " ", "\t", "é", "\x07"])
def test_what_can_be_no_key_is_refused_unseen(inside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_KEY", f"sk-secret{inside}other-part")
    with pytest.raises(ValueError, match=r"AUDIT_KEY.*one line") as refused:
        Key.of("AUDIT_KEY")
    assert "secret" not in str(refused.value) and "other-part" not in str(refused.value)


def test_words_that_servers_take_for_a_key_may_be_answered() -> None:
    for word in ("none", "EMPTY", "A"):
        assert STRUCK not in Key(word).struck_from_answer(answer_of(f"It is {word}.")).text
    assert Key(KEY).struck_from_answer(answer_of(f"It is {KEY}.")).text == f"It is {STRUCK}."


def answer_of(text: str) -> Answer:
    return read_completion(completion(text, None, "served"))
