from __future__ import annotations

import re
from pathlib import Path

import pytest

from coupling.config import PairsTask
from coupling.records import CounterfactualPair
from coupling.store import write_records
from coupling.tasks import pairs_file

PAIRS = tuple(
    CounterfactualPair(
        id=f"post-{number}",
        cluster=f"post-{number // 2}",
        split=("train", "test")[number // 2],
        with_cue=f"Post {number}. I think I was right.",
        without_cue=f"Post {number}.",
        cue="stance",
        cue_value="right",
        choices=("right", "wrong"),
        tags={"topic": "family"},
    )
    for number in range(4)
)


def load(path: Path) -> tuple[CounterfactualPair, ...]:
    return pairs_file.load(PairsTask(path=str(path)))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    write_records(path, PAIRS)
    assert load(path) == PAIRS


def test_the_example_in_the_documentation_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")
    example = re.search(r"```jsonl\n(.*?)```", page, re.DOTALL)
    assert example is not None
    path = tmp_path / "pairs.jsonl"
    path.write_text(example.group(1), encoding="utf-8")
    assert len(load(path)) == 2


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", r"line 6: not valid JSON"),
        ('{"id": "a"}', r"line 6.*'cluster'"),
        ('["a"]', r"line 6: expected a JSON object"),
    ],
)
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "pairs.jsonl"
    write_records(path, PAIRS)
    path.write_text(path.read_text(encoding="utf-8") + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        load(path)


def test_a_clash_names_both_lines(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    write_records(path, (*PAIRS, PAIRS[1]))
    with pytest.raises(ValueError, match=r"pairs.jsonl line 5: field 'id' .*pairs.jsonl line 2"):
        load(path)


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(ValueError, match="holds no pairs"):
        load(path)
