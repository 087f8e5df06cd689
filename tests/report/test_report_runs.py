"""Figures are told as they were made, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from coupling.faithfulness import Results
from coupling.report.runs import RESULTS_FILE, list_results, read_results
from coupling.store import RunDir, write_json


def alter(run: Path) -> None:
    text = (run / RESULTS_FILE).read_text(encoding="utf-8")
    (run / RESULTS_FILE).write_text(text.replace('"pairs": ', '"pairs": 1', 1), encoding="utf-8")


def forget(run: Path) -> None:
    (run / f"{RESULTS_FILE}.made.json").unlink()


@pytest.mark.parametrize("spoil", [alter, forget])
def test_altered_figures_are_refused(spoil: Callable[[Path], None], empty: Results, tmp_path: Path) -> None:
    with RunDir.open(tmp_path / "run", {}, "") as run:
        run.make(RESULTS_FILE, {}, lambda path: write_json(path, empty.to_json()))
    assert read_results(run.path) == list_results(tmp_path)["run"] == empty
    spoil(run.path)
    with pytest.raises(ValueError, match=r"results\.json: (changed since it was made|not made yet)"):
        read_results(run.path)
    assert isinstance(list_results(tmp_path)["run"], str)


def test_figures_of_artifacts_made_elsewhere_stand_in_no_run(empty: Results, tmp_path: Path) -> None:
    write_json(tmp_path / RESULTS_FILE, empty.to_json())
    assert read_results(tmp_path) == empty
