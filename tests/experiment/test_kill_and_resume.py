from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "kill_and_resume.py"


@pytest.mark.slow
def test_killed_at_any_moment_an_experiment_comes_out_the_same() -> None:
    command = [sys.executable, str(SCRIPT), "--trials", "3"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout.endswith("3 of 3 identical\n"), ended
    assert ended.returncode == 0
