"""How soon the command line answers: nothing heavy is imported for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from benchmarks.timing import Finding, paired

REPEATS = 7


def findings(is_quick: bool) -> Iterator[Finding]:
    times = paired(
        lambda: subprocess.run(
            [sys.executable, "-m", "coupling", "--help"], check=True, stdout=subprocess.DEVNULL
        ),
        lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
        1 if is_quick else REPEATS,
    )
    yield Finding(
        "coupling --help",
        median(times.first),
        "s",
        at_most=0.5,
        detail=f"{times.seconds} of an interpreter that does nothing",
    )
