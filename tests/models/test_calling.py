"""Servers that drip, point elsewhere, or say what would steer a terminal."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from test_endpoint import FORMAT, PAIRS, believing, config

from coupling.models import EndpointSampler, Journal
from endpoint_server import Body, Fault, Server, failed

LISTED = json.dumps({"data": [{"id": "served"}]}).encode()


@contextmanager
def dripping(what: bytes) -> Iterator[str]:
    """The URL of a server that lists its model at once and answers with a byte every 0.05 s."""

    def serve(connection: socket.socket) -> None:
        with connection:
            while request := connection.recv(65536):
                if request.startswith(b"GET"):
                    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                    connection.sendall(head % len(LISTED) + LISTED)
                    continue
                for byte in what * 100:
                    try:
                        connection.sendall(bytes([byte]))
                    except OSError:
                        return
                    time.sleep(0.05)

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "what",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n" + b" " * 90,
        b"HTTP/1.1 200 OK\r\n" + b"X-More: x\r\n" * 9,
    ],
    ids=["body", "head"],
)
def test_a_server_that_drips_does_not_outlast_the_limit(what: bytes, tmp_path: Path) -> None:
    with dripping(what) as url, Journal(tmp_path / "journal.jsonl") as journal, Server(believing) as server:
        settings = config(server, url=url, timeout_s=3.0, give_up_after=1)
        began = time.monotonic()
        with pytest.raises(ValueError, match=r"after 3 s \(timeout_s\)"):
            EndpointSampler(settings, journal).explanations(PAIRS[:1], FORMAT)
    assert time.monotonic() - began < 30


def test_questions_go_to_no_other_place(tmp_path: Path) -> None:
    with Server(believing) as other:
        elsewhere = Fault(307, headers={"Location": f"{other.url}/chat/completions\x1b[2J"})
        with (
            Server(believing, fault=lambda number, body: elsewhere) as server,
            Journal(tmp_path / "journal.jsonl") as journal,
            pytest.raises(
                ValueError, match=rf"points to {other.url}/chat/completions.*give its URL"
            ) as refused,
        ):
            EndpointSampler(config(server), journal).behaviors(PAIRS)
    assert not other.received and "\x1b" not in str(refused.value)


@pytest.mark.parametrize("said", ["\x1b]0;owned\x07bad \x1b[31mred", "\u202ekcab", "\x9b2Jx", "a\nb" * 9000])
def test_what_a_server_says_is_one_plain_line(said: str, tmp_path: Path) -> None:
    def fails(number: int, body: Body) -> Fault:
        return failed(401, said)

    with (
        Server(believing, fault=fails) as server,
        Journal(tmp_path / "journal.jsonl") as journal,
        pytest.raises(ValueError) as refused,
    ):
        EndpointSampler(config(server), journal).behaviors(PAIRS)
    message = str(refused.value)
    assert message.isprintable() and len(message) < 600


def test_an_answer_nested_deeply_is_none(tmp_path: Path) -> None:
    deep = Fault(body=b'{"choices":' + b"[" * 100_000)
    with (
        Server(believing, fault=lambda number, body: deep) as server,
        Journal(tmp_path / "journal.jsonl") as journal,
        pytest.raises(ValueError, match="no chat completion"),
    ):
        EndpointSampler(config(server, give_up_after=1), journal).explanations(PAIRS[:1], FORMAT)
