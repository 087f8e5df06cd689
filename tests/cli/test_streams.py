"""What reaches the terminal, whatever it is and whatever the command ends with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coupling.cli import console

ESCAPES = "\x1b]0;owned\x07\x1b[31mred\u202ekcab\x9b2J"
SLEEPER = Path(__file__).parents[1] / "sleeping_together.py"


def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **options.pop("env", {})}  # type: ignore[dict-item]
    return subprocess.run(
        [sys.executable, "-m", "coupling", *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env=environment,
        **{"stdout": subprocess.PIPE, **options},  # type: ignore[call-overload]
    )


@pytest.mark.parametrize("path", [f"no{ESCAPES}.yaml", "x" * 100_000, f"{'y' * 300}.yaml"])
def test_a_path_steers_nothing_and_fills_no_screen(path: str) -> None:
    ended = run("validate", path)
    assert ended.returncode == 2 and ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1 and ended.stderr.rstrip("\n").isprintable()
    assert len(ended.stderr) < 3000


def test_a_full_disk_behind_a_pipe() -> None:
    with open("/dev/full", "w") as full:
        ended = run("ls", "--help", stdout=full)
    assert ended.returncode == 2, ended
    assert ended.stderr.count("\n") == 1 and "No space left" in ended.stderr


def test_a_reader_that_has_read_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = run("ls", "--help", stdout=writing)
    os.close(writing)
    assert ended.returncode == 1 and not ended.stderr


def test_a_terminal_that_knows_ascii_alone() -> None:
    ended = run("validate", "é\u2212\u2026.yaml", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"})
    assert ended.returncode == 2 and ended.stderr.startswith(r"error: \xe9-....yaml: no such file")


def test_consoles_show_words_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    console.OUTPUT.print(f"[red]{ESCAPES}:smile:")
    console.print_json({"said": ESCAPES})
    shown, *document = capsys.readouterr().out.split("\n", 1)
    assert shown == "[red]redkcab:smile:"
    assert json.loads(document[0]) == {"said": ESCAPES} and document[0].replace("\n", "").isprintable()


def test_what_the_log_says_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    import logging

    console.prepare_streams()
    logging.getLogger("coupling.tasks").warning("%s: 3 left out", ESCAPES)
    assert capsys.readouterr().err == "redkcab: 3 left out\n"


def test_sigterm_ends_workers_and_leaves_nothing_behind() -> None:
    process = subprocess.Popen(
        [sys.executable, str(SLEEPER), "sleep"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    workers = [int(process.stdout.readline()) for _ in range(2)]
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    assert told == "stopped; the same command goes on from here\n"
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
