"""Fixtures that several tests share."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure; speed is for benchmarks.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# Read when torch is first imported: several torch threads a process, times two test processes, crawl.
os.environ["OMP_NUM_THREADS"] = "1"


def pytest_collection_finish() -> None:
    """What was imported stays for good. Experiments clear memory before every model, and would go through all
    of it each time: a quarter of the time of a small one."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; tests that need it are skipped without."""
    folder = os.environ.get("COUPLING_TEST_DATA")
    if not folder:
        pytest.skip("needs real data: set COUPLING_TEST_DATA to its folder")
    return Path(folder)
