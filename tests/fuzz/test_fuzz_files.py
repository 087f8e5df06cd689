"""Experiment files, tables and judgement files that are not what they should be."""

from __future__ import annotations

import csv
import io
import json
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import strategies as st
from pydantic import BaseModel

from coupling.config import TableConfig, load_experiment
from coupling.config.judgement import load_judgement
from coupling.judging import judge_file
from coupling.tasks.tables import read_table
from fuzzing import broken, held, hundreds, mutated, thousands

JUDGE = Path(__file__).parents[2] / "examples" / "judge"
SHIPPED = [
    resources.files("coupling").joinpath("assets", "experiments", f"{name}.yaml").read_bytes()
    for name in ("quickstart", "smollm2", "refusal", "mmlu")
]
TREES = [yaml.safe_load(text) for text in SHIPPED]
ROWS = [
    {"question": "What is the capital of Peru?", "choices": ["Lima", "Quito"], "answer": 0, "about": "Peru"},
    {"question": "And of “Ecuador”?", "choices": ["Lima", "Quito"], "answer": 1, "about": None},
]


class Row(BaseModel):
    question: str
    choices: tuple[str, ...]
    answer: int
    about: str | None = None


def _parquet() -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), written)
    return written.getvalue()


def _csv() -> bytes:
    written = io.StringIO()
    writer = csv.DictWriter(written, ROWS[0])
    writer.writeheader()
    writer.writerows({**row, "choices": json.dumps(row["choices"])} for row in ROWS)
    return written.getvalue().encode()


TABLES = {
    "rows.jsonl": "".join(json.dumps(row) + "\n" for row in ROWS).encode(),
    "rows.json": json.dumps(ROWS).encode(),
    "rows.csv": _csv(),
    "rows.parquet": _parquet(),
}


def _dumped(tree: Any) -> bytes:
    return yaml.safe_dump(tree).encode()


experiments = st.one_of(
    st.sampled_from(TREES).flatmap(mutated).map(_dumped), st.sampled_from(SHIPPED).flatmap(broken)
)
tables = st.sampled_from(sorted(TABLES)).flatmap(lambda name: st.tuples(st.just(name), broken(TABLES[name])))
rows = mutated(ROWS).map(lambda tree: ("rows.json", json.dumps(tree).encode()))
judgement = (JUDGE / "judge.yaml").read_bytes()
judgements = st.one_of(mutated(yaml.safe_load(judgement)).map(_dumped), broken(judgement))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def test_experiments(folder: Path, text: bytes) -> None:
    file = folder / "experiment.yaml"
    file.write_bytes(text)
    held(lambda: load_experiment(file), str(file))


def test_tables(folder: Path, table: tuple[str, bytes]) -> None:
    name, data = table
    (folder / name).write_bytes(data)
    held(lambda: list(read_table(TableConfig(path=str(folder / name)), Row)), str(folder / name))


def test_judgements(folder: Path, artifacts: dict[str, bytes], text: bytes) -> None:
    assert artifacts  # The files that it names lie beside it.
    file = folder / "judge.yaml"
    file.write_bytes(text)
    held(lambda: load_judgement(file), str(file))


@pytest.fixture(scope="module")
def artifacts(folder: Path) -> dict[str, bytes]:
    """The artifacts of the example, as far as they are about three of its countries."""
    for file in (*JUDGE.glob("*.jsonl"), JUDGE / "judge.yaml"):
        shutil.copy(file, folder)
    kept: set[str] = set()
    few: dict[str, bytes] = {}
    for file in (JUDGE / "pairs.jsonl", *sorted(JUDGE.glob("*.jsonl"))):
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        if file.name == "pairs.jsonl":
            countries = sorted({line["cluster"] for line in lines if line["split"] == "test"})[:3]
            lines = [line for line in lines if line["split"] == "test" and line["cluster"] in countries]
            kept = {line["id"] for line in lines}
        lines = [line for line in lines if line.get("id", line.get("pair_id")) in kept]
        few[file.name] = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return few


def test_artifacts_to_judge(
    folder: Path, artifacts: dict[str, bytes], which: int, data: st.DataObject
) -> None:
    """Only one file is broken each time, and it, or one that it does not fit, is named."""
    (folder / "judge.yaml").write_bytes(judgement + b"\nresamples: 100\n")
    for name, text in artifacts.items():
        (folder / name).write_bytes(text)
    name = sorted(artifacts)[which % len(artifacts)]
    (folder / name).write_bytes(data.draw(broken(artifacts[name])))
    held(lambda: judge_file(folder / "judge.yaml"), str(folder))


test_experiments_few = hundreds(150, text=experiments)(test_experiments)
test_experiments_many = thousands(test_experiments, text=experiments)
test_tables_few = hundreds(200, table=st.one_of(tables, rows))(test_tables)
test_tables_many = thousands(test_tables, table=st.one_of(tables, rows))
test_judgements_few = hundreds(60, text=judgements)(test_judgements)
test_judgements_many = thousands(test_judgements, text=judgements)
test_artifacts_to_judge_few = hundreds(12, which=st.integers(0, 99), data=st.data())(test_artifacts_to_judge)
test_artifacts_to_judge_many = thousands(
    test_artifacts_to_judge, 300, which=st.integers(0, 99), data=st.data()
)
del test_experiments, test_tables, test_judgements, test_artifacts_to_judge
