"""`coupling validate` finds what a run would find before it loads weights, and loads none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coupling.config import load_experiment
from coupling.experiment.checking import check_experiment
from miniature_experiment import write_experiment
from tiny_models import save_tiny


def own_table(folder: Path, rows: int = 60, **changes: object) -> dict[str, object]:
    """A task of a table of its own, which it writes."""
    lines = [
        json.dumps({"post": f"Was it right, case {i}?", "cue_text": "I think yes.", "cue_value": "yes"})
        for i in range(rows)
    ]
    (folder / "posts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    table = {"kind": "pairs", "path": "posts.jsonl", "with_cue": "{post} {cue}", "choices": ["yes", "no"]}
    return {**table, **changes}


def complaint(folder: Path, **sections: object) -> str:
    with pytest.raises(ValueError, match=r"\w") as error:
        check_experiment(load_experiment(write_experiment(folder, **sections)))
    return str(error.value)


def test_what_fits_is_counted(tmp_path: Path) -> None:
    checked = check_experiment(load_experiment(write_experiment(tmp_path)))
    assert checked.pairs is not None and checked.pairs > checked.held_out == 40
    assert checked.labels > 0 and 0 < checked.clusters <= 40
    # No weights were read.
    (tmp_path / "model" / "model.safetensors").write_bytes(b"")
    assert check_experiment(load_experiment(tmp_path / "mini.yaml")) == checked


STEER = {"direction": "follow", "tags": {"advisor": ["Chen"]}}
ALONE: dict[str, object] = {
    "supervision": {"labels": 4, "silent_on": {}},
    "panel": [{"name": "alone"}],
    "twins": [],
}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"path": "nowhere.jsonl"}, "nowhere.jsonl: no such file"),
        ({"columns": {"post": "text"}}, "'text'"),
        ({"with_cue": "{title} {cue}"}, "'title'"),
    ],
)
def test_a_table_that_does_not_fit(changes: dict[str, object], told: str, tmp_path: Path) -> None:
    assert told in complaint(tmp_path, task=own_table(tmp_path, **changes), **ALONE)


def test_all_complaints_at_once(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    said = complaint(tmp_path, task=own_table(tmp_path, path="nowhere.jsonl"), **ALONE).splitlines()
    assert any("config.json" in line for line in said) and any("nowhere.jsonl" in line for line in said)


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"supervision": {"silent_on": {"adviser": ["Nobody"]}}}, "supervision.silent_on.adviser: 'Nobody'"),
        (
            {"panel": [{"name": "a", "steer": STEER}], "twins": []},
            "panel.0.steer.tags.advisor: 'Chen'",
        ),
        ({"supervision": {"labels": 100_000}}, "supervision.labels: 100000"),
        ({"supervision": {"target": "nowhere/../x"}}, "supervision.target"),
    ],
)
def test_what_the_pairs_do_not_bear(sections: dict[str, object], told: str, tmp_path: Path) -> None:
    assert told in complaint(tmp_path, **sections)


def test_the_hub_is_left_out_when_offline(tmp_path: Path) -> None:
    write_experiment(tmp_path, model={"path": "someone/a-model"}, task=own_table(tmp_path), **ALONE)
    checked = check_experiment(load_experiment(tmp_path / "mini.yaml"), offline=True)
    assert checked.pairs == 60 and any("'someone/a-model'" in note for note in checked.notes)
    write_experiment(tmp_path, task={"kind": "mmlu_hint", "path": "someone/questions"}, **ALONE)
    save_tiny(tmp_path / "model")
    checked = check_experiment(load_experiment(tmp_path / "mini.yaml"), offline=True)
    assert checked.pairs is None and any("'someone/questions'" in note for note in checked.notes)


def test_few_clusters_are_told_of(tmp_path: Path) -> None:
    write_experiment(tmp_path, model={"path": "someone/a-model"}, task=own_table(tmp_path, 20), **ALONE)
    checked = check_experiment(load_experiment(tmp_path / "mini.yaml"), offline=True)
    assert 0 < checked.clusters < 20 and any("clusters" in note for note in checked.notes)
