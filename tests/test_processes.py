from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from coupling.processes import side_by_side
from coupling.progress import Progress, Silent
from noted import Noted

PARENT = """
import sys
from collections.abc import Callable
from pathlib import Path
from coupling.processes import side_by_side
from coupling.progress import Silent
from test_processes import sleep_long

if __name__ == "__main__":
    side_by_side(sleep_long, [(Path(sys.argv[1]), name) for name in "ab"], 2, Silent())
"""


def leave_pid(folder: Path, name: str, progress: Progress) -> None:
    progress.note(f"{name} begins")
    (folder / name).write_text(f"{os.getpid()} {os.environ['OMP_NUM_THREADS']}", encoding="utf-8")
    progress.update(name, 1, 1)


def refuse(name: str, progress: Progress) -> None:
    if name == "b":
        raise ValueError("b: a field a user can mend")


def be_killed(name: str, progress: Progress) -> None:
    if name == "b":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def talk(name: str, progress: Progress) -> None:
    if name == "a":
        raise ValueError("a: refused at once")
    for step in range(5000):
        progress.update(f"{name}: as much as no pipe holds", step, 5000)


def sleep_long(folder: Path, name: str, progress: Progress) -> None:
    leave_pid(folder, name, progress)
    time.sleep(60)


def test_jobs_run_in_processes_of_one_thread_and_tell_how_they_fare(tmp_path: Path) -> None:
    noted, threads = Noted(), os.environ.get("OMP_NUM_THREADS")
    side_by_side(leave_pid, [(tmp_path, name) for name in "abc"], 2, noted)
    left = [(tmp_path / name).read_text(encoding="utf-8").split() for name in "abc"]
    assert str(os.getpid()) not in {pid for pid, _ in left}
    assert {count for _, count in left} == {"1"}
    assert sorted(noted.notes) == ["a begins", "b begins", "c begins"]
    assert sorted(noted.updates) == [("a", 1, 1), ("b", 1, 1), ("c", 1, 1)]
    assert os.environ.get("OMP_NUM_THREADS") == threads


@pytest.mark.parametrize(("names", "workers"), [("abc", 1), ("a", 4)])
def test_one_at_a_time_needs_no_other_process(names: str, workers: int, tmp_path: Path) -> None:
    side_by_side(leave_pid, [(tmp_path, name) for name in names], workers, Silent())
    for name in names:
        assert (tmp_path / name).read_text(encoding="utf-8").split()[0] == str(os.getpid())


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_pass_through(workers: int) -> None:
    with pytest.raises(ValueError, match="b: a field a user can mend"):
        side_by_side(refuse, [(name,) for name in "abc"], workers, Silent())


def test_all_is_heard_of_jobs_that_still_run_when_another_has_failed() -> None:
    noted = Noted()
    with pytest.raises(ValueError, match="a: refused at once"):
        side_by_side(talk, [(name,) for name in "ab"], 2, noted)
    assert len(noted.updates) == 5000


def test_a_killed_worker_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"a worker process was killed, .* run the same command again"):
        side_by_side(be_killed, [(name,) for name in "ab"], 2, Silent())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent(how: signal.Signals, tmp_path: Path) -> None:
    """Also when the parent alone is interrupted, as from outside a terminal."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    script = tmp_path / "parent.py"
    script.write_text(PARENT, encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path)]
    parent = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        # A file is there before its content is.
        wait_until(lambda: all((file := tmp_path / name).is_file() and file.stat().st_size for name in "ab"))
        workers = [int((tmp_path / name).read_text(encoding="utf-8").split()[0]) for name in "ab"]
        assert all(map(is_running, workers))
        parent.send_signal(how)
        parent.wait(120)
        wait_until(lambda: not any(map(is_running, workers)))
    finally:
        parent.kill()
        parent.wait()


def wait_until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Not when it has ended but nobody has asked for its exit status yet."""
    status = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(status.stdout.strip()) and not status.stdout.strip().startswith("Z")
