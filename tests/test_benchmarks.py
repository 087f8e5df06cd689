"""Benchmarks run, each at its smallest size; how fast is theirs to say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[1]
SUBJECTS = ("--help", "sampling", "answers", "matrix", "training", "sweep")


def printed(*arguments: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", *arguments, "--json"]
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found: list[dict[str, Any]] = json.loads(ended.stdout)
    return found


@pytest.mark.slow
def test_every_subject_is_measured() -> None:
    found = printed("benchmarks", "--quick")
    assert all(isinstance(each["value"], float) and each["value"] > 0 for each in found)
    told = " ".join(str(each["what"]) for each in found)
    assert not [subject for subject in SUBJECTS if subject not in told]


@pytest.mark.slow
def test_a_model_of_real_size_is_sampled_and_trained() -> None:
    sizes = ("--model", "tiny", "--batch", "2", "--steps", "1", "--pairs", "2")
    found = printed("benchmarks.real_size", *sizes)
    # So small a model may fit into what the process held already, so its memory is not looked at.
    assert [len(each["timed"]) for each in found] == [2, 1]
    assert all(part["seconds"] > 0 and part["tokens"] > 0 for each in found for part in each["timed"])
