"""Tables: what each kind of file holds is read alike, and what does not fit is told with its place."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from coupling.config import TableConfig
from coupling.tasks.tables import read_table


class Wanted(BaseModel):
    question: str
    choices: tuple[str, ...]
    answer: int
    note: str | None = None


ROWS = [
    {"question": 'Is it "so",\nor not?', "choices": ["yes", "no; never"], "answer": 1, "note": None},
    {"question": "¿Qué?", "choices": ["a, b", "c"], "answer": 0, "note": "short"},
]
WANTED = [Wanted.model_validate(row) for row in ROWS]


def read(path: Path | str, **fields: object) -> list[Wanted]:
    table = TableConfig.model_validate({"path": str(path), **fields})
    return [row for _, row in read_table(table, Wanted)]


def write_delimited(path: Path, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["", *ROWS[0]])
        for number, row in enumerate(ROWS):
            choices = json.dumps(row["choices"])
            writer.writerow([number, row["question"], choices, row["answer"], row["note"]])
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.json", "t.jsonl", "t.parquet"])
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    match path.suffix:
        case ".csv":
            write_delimited(path)
        case ".tsv":
            write_delimited(path, "\t", "utf-8-sig")
        case ".json":
            path.write_text(json.dumps(ROWS), encoding="utf-8")
        case ".jsonl":
            path.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
        case ".parquet":
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)
    assert read(path) == WANTED


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1, max_size=4))
def test_any_text_survives_a_csv(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([["question", "choices", "answer"], *([text, "[]", " 3 "] for text in texts)])
    assert [row.question for row in read(path)] == texts


def test_a_field_may_be_long(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"question,choices,answer\n{'long ' * 40_000},[],3\n", encoding="utf-8")
    (row,) = read(tmp_path / "t.csv")
    assert len(row.question) == 200_000


def test_places_are_the_lines_on_which_rows_begin(tmp_path: Path) -> None:
    table = TableConfig(path=str(write_delimited(tmp_path / "t.csv")))
    assert [where.rpartition(" ")[2] for where, _ in read_table(table, Wanted)] == ["2", "4"]


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_a_column_that_the_first_row_lacks_is_null_there(tmp_path: Path, suffix: str) -> None:
    rows = [
        {"question": "P", "choices": [], "answer": 0},
        {"question": "Q", "choices": [], "answer": 1, "Note": "n"},
    ]
    text = json.dumps(rows) if suffix == ".json" else "\n".join(map(json.dumps, rows))
    (tmp_path / f"t{suffix}").write_text(text, encoding="utf-8")
    assert [row.note for row in read(tmp_path / f"t{suffix}", columns={"note": "Note"})] == [None, "n"]


def not_utf8(question: bytes, is_text: bool) -> pyarrow.Table:
    raw = pyarrow.array([b"P", question], pyarrow.binary())
    questions = pyarrow.Array.from_buffers(pyarrow.string(), 2, raw.buffers()) if is_text else raw
    return pyarrow.table({"question": questions, "choices": [["a"], ["b"]], "answer": [0, 0]})


@pytest.mark.parametrize("is_text", [True, False])
def test_bytes_of_parquet_are_told_of_where_they_are_no_text(tmp_path: Path, is_text: bool) -> None:
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(not_utf8("¿Qué?".encode(), is_text), path)
    assert [row.question for row in read(path)] == ["P", "¿Qué?"]
    pyarrow.parquet.write_table(not_utf8("¿Qué?".encode("latin-1"), is_text), path)
    with pytest.raises(ValueError, match=r"t\.parquet row 2: column 'question' is not UTF-8"):
        read(path)


def test_a_damaged_parquet_file_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)
    whole = path.read_bytes()
    for place in range(4, 60):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read(path)
        except ValueError as error:
            assert "t.parquet" in str(error)


def test_columns_may_be_called_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"Prompt": "Q", "choices": [], "answer": 0, "more": {"a": 1}}')
    assert read(path, columns={"question": "Prompt"}) == [Wanted(question="Q", choices=(), answer=0)]
    with pytest.raises(
        ValueError, match=r"no column 'question', 'Note'; there are 'Prompt', 'choices'.*THEIRS"
    ):
        read(path, columns={"note": "Note"})
    with pytest.raises(ValueError, match=r"task.columns: 'qestion' is no column .* did you mean 'question'"):
        read(path, columns={"qestion": "Prompt"})


HEAD = "question,choices,answer\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (HEAD, "holds no rows"),
        (
            "question;choices;answer\nQ;[];0\n",
            "line 1: its columns are separated by semicolons; save it with",
        ),
        ("question\tchoices\tanswer\nQ\t[]\t0\n", "line 1: its columns are separated by tabs; name it .tsv"),
        ("q,choices,answer\nQ,[],0\n", "no column 'question'; there are 'q', 'choices', 'answer'."),
        ("q,choices,answer\nQ,[],0\n", "say so: task.columns: {question: THEIRS}"),
        (HEAD + 'Q,[],0\n"A\nB",[]\n', "line 3: holds 2 fields, but line 1 names 3 columns"),
        (HEAD + 'Q,[],0\n\n"Q,[],0\n', "line 4: not a row of fields"),
        (HEAD + 'Q,[],0\nQ,"[]"x,0\n', "line 3: not a row of fields"),
        (HEAD + "Q,[],many\n", "line 2: field 'answer' is 'many'"),
        (HEAD + "Q,[],\n", "line 2: field 'answer' is ''"),
        (HEAD + "Q,yes|no,0\n", "line 2: field 'choices' is 'yes|no': should be written as in JSON"),
        (HEAD + "Q,3,0\n", "line 2: field 'choices' is 3"),
        ("question,question,choices,answer\nQ,Q,[],0\n", "line 1: two columns are called 'question'"),
    ],
)
def test_a_csv_that_does_not_fit_is_told_of(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError) as error:
        read(path)
    assert str(error.value).startswith(str(path))
    assert complaint in str(error.value)


def test_another_encoding_is_told_of_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes((HEAD + "Q,[],0\ncafé,[],0\n").encode("latin-1"))
    with pytest.raises(ValueError, match=r"t.csv line 3: not UTF-8"):
        read(path)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("t.json", '{"question": []}', "expected an array of JSON objects"),
        ("t.json", "[3]", "row 1: expected a JSON object"),
        ("t.json", "[]", "holds no rows"),
        ("t.jsonl", "\n", "holds no rows"),
        ("t.jsonl", '{"question": "Q", "choices": [], "answer": "0"}', "line 1: field 'answer' is '0'"),
        ("t.jsonl", '{"question": "Q", "choices": [], "answer": 0}\n{"question": "Q"}', "line 2: .*missing"),
        ("t.parquet", "PAR0", "not a Parquet file"),
        ("t.txt", "question", "a file that ends otherwise than in .jsonl"),
    ],
)
def test_other_files_that_do_not_fit_are_told_of(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ValueError, match=f"{name}.*{complaint}"):
        read(path)
    path.unlink()
    if name != "t.txt":
        with pytest.raises(ValueError, match=f"{name}: no such file"):
            read(path)


def test_hub_data_sets_are_read_and_what_the_hub_withholds_is_told_of(tmp_path: Path) -> None:
    """In a process of its own: the library reads at import that there is no network, and its cache."""
    folder = tmp_path / "data"
    folder.mkdir()
    for split in ("test", "validation"):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), folder / f"{split}.parquet")
    code = f"""
from coupling.config import TableConfig, MmluHintTask
from coupling.tasks.tables import read_table
import test_tables
def read(path, **fields):
    try:
        return [row for _, row in read_table(TableConfig(path=path, **fields), test_tables.Wanted)]
    except ValueError as error:
        return str(error)
assert read({str(folder)!r}, split="test") == test_tables.WANTED
assert "has the splits " in read({str(folder)!r}) and "task.split" in read({str(folder)!r})
assert "set task.subset and task.split" in read({str(folder)!r}, split="tset")
print(read("someone/absent"))
"""
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **offline, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "someone/absent: neither a file" in done.stdout and "hf auth login" in done.stdout
