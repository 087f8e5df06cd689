"""Model folders and replies of servers that are not what they should be."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from test_fuzz_files import folder

from coupling.config import EndpointConfig, ModelConfig
from coupling.models import EndpointSampler, Journal, load_model
from coupling.records import CounterfactualPair
from endpoint_server import Body, Fault, Server, completion
from fuzzing import broken, held, hundreds, mutated, thousands
from tiny_models import save_tiny

__all__ = ["folder"]  # A fixture.

REPLY = completion("I answer Lima", [(" Lima", -0.1), ("Quito", -2.5)], "served")
PAIR = CounterfactualPair(
    "p0", "c0", "test", "Capital? Chen says Lima.", "Capital?", "hint", "Lima", ("Lima", "Quito"), "I answer"
)
PAIRS = [replace(PAIR, id=f"p{number}", without_cue=f"Capital {number}?") for number in range(4)]


def _in_json(tree: Any) -> bytes:
    return json.dumps(tree).encode("utf-8", "surrogatepass")


replies = st.one_of(mutated(REPLY).map(_in_json), broken(_in_json(REPLY)))


@pytest.fixture(scope="module")
def model(folder: Path) -> dict[str, bytes]:
    """The files of a tiny model."""
    saved = save_tiny(folder / "sound")
    return {file.name: file.read_bytes() for file in sorted(saved.iterdir())}


def test_model_folders(folder: Path, model: dict[str, bytes], which: int, data: st.DataObject) -> None:
    """One file of it is broken: its bytes, or a value in its JSON."""
    spoilt = folder / "spoilt"
    shutil.rmtree(spoilt, ignore_errors=True)
    spoilt.mkdir()
    for name, content in model.items():
        (spoilt / name).write_bytes(content)
    name = sorted(model)[which % len(model)]
    if name.endswith(".json") and data.draw(st.booleans()):
        changed: bytes = data.draw(mutated(json.loads(model[name])).map(_in_json))
    else:
        changed = data.draw(broken(model[name]))
    (spoilt / name).write_bytes(changed)
    held(lambda: load_model(ModelConfig(path=str(spoilt))), str(spoilt), "model.")


def unasked(body: Body) -> tuple[str, None]:
    raise AssertionError(body)


def test_replies(folder: Path, bodies: list[bytes]) -> None:
    """Each question gets one, and is answered by it or stays missing."""

    def reply(number: int, body: Body) -> Fault:
        return Fault(body=bodies[number % len(bodies)])

    (folder / "journal.jsonl").unlink(missing_ok=True)
    with Server(unasked, fault=reply) as server, Journal(folder / "journal.jsonl") as journal:
        asked = EndpointConfig(url=server.url, model="served", max_retries=0, give_up_after=99)
        sampler = EndpointSampler(asked, journal)
        held(lambda: sampler.behaviors(PAIRS), server.url)
    Journal(folder / "journal.jsonl").__exit__(None, None, None)


test_model_folders_few = hundreds(60, which=st.integers(0, 99), data=st.data())(test_model_folders)
test_model_folders_many = thousands(test_model_folders, 1000, which=st.integers(0, 99), data=st.data())
test_replies_few = hundreds(12, bodies=st.lists(replies, min_size=8, max_size=8))(test_replies)
test_replies_many = thousands(test_replies, 250, bodies=st.lists(replies, min_size=8, max_size=8))
del test_model_folders, test_replies
