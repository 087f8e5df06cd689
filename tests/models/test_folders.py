"""Models of the hub: from its cache without a network, and what is said when it gives us none."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import huggingface_hub
import pytest

from coupling.config import ModelConfig
from coupling.models import load_model
from coupling.models.folders import WEIGHT_FILES, find_folder
from tiny_models import save_tiny

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and no network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path / "cache"


def test_a_model_in_the_cache_is_that_of_a_folder(cache: Path) -> None:
    repository = cache / "models--someone--tiny"
    folder = save_tiny(repository / "snapshots" / COMMIT)
    for reference in ("main", "v1"):
        (repository / "refs").mkdir(exist_ok=True)
        (repository / "refs" / reference).write_text(COMMIT)
    here = load_model(ModelConfig(path=str(folder)))
    for revision in (None, "v1", COMMIT):
        cached = load_model(ModelConfig(path="someone/tiny", revision=revision))
        assert cached.fingerprint == here.fingerprint
        assert (cached.commit, cached.model.name_or_path) == (COMMIT, "someone/tiny")
    assert here.commit is None
    with pytest.raises(
        ValueError, match=r"'someone/tiny': neither a folder .*nor wholly in this machine's cache"
    ):
        load_model(ModelConfig(path="someone/tiny", revision="v2"))


def test_pickle_of_the_hub_is_refused_as_that_of_a_folder_is(cache: Path) -> None:
    folder = save_tiny(cache / "models--someone--tiny" / "snapshots" / COMMIT)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"model someone/tiny: no \*.safetensors in it .*pytorch_model.bin"):
        load_model(ModelConfig(path="someone/tiny", revision=COMMIT))


def test_an_adapter_may_come_from_the_hub(cache: Path, tmp_path: Path) -> None:
    base = save_tiny(tmp_path / "tiny")
    with pytest.raises(ValueError, match=r"model.adapter: 'someone/lora': neither a folder .*hf auth login"):
        load_model(ModelConfig(path=str(base), adapter="someone/lora"))


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (
            "nobody/nothing",
            "neither a folder .* the hub cannot be reached .*HF_HUB_OFFLINE.*or give a folder",
        ),
        ("organisms/nobody", "there is no 'organisms/nobody' yet; raise it by `coupling organism read"),
        ("./nothing", "neither a folder with a model nor a name the hub could have; give a folder"),
        ("/nowhere/at/all", "neither a folder with a model nor a name the hub could have; give a folder"),
    ],
)
def test_what_is_neither_folder_nor_cached_is_told_of(path: str, told: str, cache: Path) -> None:
    with pytest.raises(ValueError, match=rf"model.path: .*{told}"):
        load_model(ModelConfig(path=path))


@pytest.fixture
def answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, str]]]:
    """A hub that answers everything with the status and error code that stand last in the list."""
    answers: list[tuple[int, str]] = []

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, code = answers[-1]
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    huggingface_hub.close_session()
    yield answers
    server.shutdown()
    thread.join()
    server.server_close()
    huggingface_hub.close_session()
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (403, "GatedRepo", "is gated: accept its terms at .*someone/tiny, log in with `hf auth login`"),
        (
            404,
            "RepoNotFound",
            "nor a model the hub shows us; .*`hf auth login` if it is private, or give a f",
        ),
        (404, "RevisionNotFound", "model.revision: someone/tiny has no branch, tag or commit 'v1'"),
        (500, "", "the hub cannot be reached"),
    ],
)
def test_what_the_hub_refuses_says_what_to_do(
    status: int, code: str, told: str, answering: list[tuple[int, str]]
) -> None:
    answering.append((status, code))
    with pytest.raises(ValueError, match=told):
        find_folder("someone/tiny", "v1", "model.path", WEIGHT_FILES)
