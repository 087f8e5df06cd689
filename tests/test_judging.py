"""Artifacts made elsewhere: the example is judged, and what does not fit together is named by file and
line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coupling.config.judgement import load_judgement
from coupling.faithfulness.rows import group_name
from coupling.judging import judge_file

EXAMPLE = Path(__file__).parents[1] / "examples" / "judge"
Edit = Callable[[list[dict[str, object]]], None]


@pytest.fixture
def example(tmp_path: Path) -> Path:
    for file in (*EXAMPLE.glob("*.jsonl"), EXAMPLE / "judge.yaml"):
        shutil.copy(file, tmp_path)
    return tmp_path


def edit(path: Path, change: Edit) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    change(rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def reword(example: Path, old: str, new: str) -> None:
    file = example / "judge.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def refusal(example: Path) -> str:
    with pytest.raises(ValueError) as caught:
        judge_file(example / "judge.yaml")
    return str(caught.value)


def test_the_example_is_coupled() -> None:
    results = judge_file(EXAMPLE / "judge.yaml")
    assert results.verdict().verdict == "coupled"
    assert results.verdict(explainer="garbled").verdict == "invalid"
    assert results.counts.pairs == 180
    assert results.notes == ()


def test_groups_break_the_headline_down(example: Path) -> None:
    reword(example, "split: test", "groups: [adviser]\nsplit: test")
    results = judge_file(example / "judge.yaml")
    names = [group_name(group.tag, group.value) for group in results.groups]
    assert sum(results.figures.count("pairs", subset=name) or 0 for name in names) == results.counts.pairs
    assert {group.tag for group in results.groups} == {"adviser"} and len(results.groups) > 1
    reword(example, "[adviser]", "[advisor]")
    assert "groups: 'advisor' is a tag of no held-out pair; the tags there are: " in refusal(example)


def test_results_say_neither_when_nor_where(example: Path) -> None:
    there = judge_file(EXAMPLE / "judge.yaml").to_json()
    assert judge_file(example / "judge.yaml").to_json() == there
    assert str(EXAMPLE) not in json.dumps(there)


def test_judging_imports_no_torch() -> None:
    code = "import sys, coupling.judging; sys.exit(any(m in sys.modules for m in ('torch', 'transformers')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_claim_that_comes_along_is_taken_as_it_is(example: Path) -> None:
    def claim_nothing(rows: list[dict[str, object]]) -> None:
        for row in rows:
            row["claim"] = None

    for file in example.glob("*.explanations.jsonl"):
        edit(file, claim_nothing)
    assert judge_file(example / "judge.yaml").verdict().reason == "parse_rate"


def test_without_the_targets_behaviour_orig_is_not_available(example: Path) -> None:
    with_it = judge_file(example / "judge.yaml")
    reword(example, "target: target.jsonl", "target: null")
    without = judge_file(example / "judge.yaml")
    assert (without.verdict().verdict, without.verdict().reason) == ("not shown", "no_target")
    assert without.figures("orig").value is None
    assert without.figures("t") == with_it.figures("t")
    assert "target behaviors" not in without.artifacts


def test_lines_about_pairs_of_another_split_are_passed_over(example: Path) -> None:
    answer = {"pair_id": "Albania-Chen-Luanda", "effect": {"with_cue": "Tirana", "without_cue": "Tirana"}}
    pairs = [json.loads(line)["id"] for line in (example / "pairs.jsonl").read_text().splitlines()]
    answer["pair_id"] = pairs[0]
    edit(example / "target.jsonl", lambda rows: rows.append(answer))
    assert judge_file(example / "judge.yaml").counts.pairs == 180


def test_steps_make_a_trajectory(example: Path) -> None:
    text = (example / "judge.yaml").read_text(encoding="utf-8")
    runs, twins = text.index("  - name:"), text.index("twins:")
    block = text[runs:twins].rstrip()
    earlier = block.replace("step: 60", "step: 0")
    (example / "judge.yaml").write_text(f"{text[:runs]}{earlier}\n{block}\n{text[twins:]}", encoding="utf-8")
    assert "checkpoint is missing; name the step the verdict is about, one of [0, 60]" in refusal(example)
    reword(example, "twins:", "checkpoint: 60\ntwins:")
    results = judge_file(example / "judge.yaml")
    assert {row.step for row in results.rows} == {0, 60}
    assert (results.step, results.steps) == (60, (0, 60))


def drop(number: int) -> Edit:
    return lambda rows: rows.__delitem__(number)


def put(number: int, field: str, value: object) -> Edit:
    return lambda rows: rows[number].__setitem__(field, value)


FAULTS: dict[str, tuple[str, Edit, list[str]]] = {
    "unknown pair": (
        "target.jsonl",
        put(4, "pair_id", "Mars-1"),
        ["target.jsonl line 5", "'pair_id'", "'Mars-1'"],
    ),
    "repeated pair": (
        "target.jsonl",
        lambda rows: rows.append(rows[0]),
        ["target.jsonl line 181", "as at", "line 1;"],
    ),
    "missing pair": ("follow-Chen.behaviors.jsonl", drop(0), ["follow-Chen.behaviors.jsonl: 1 of the 180"]),
    "missing explanation": (
        "ignore-Diaz.explanations.jsonl",
        drop(3),
        ["ignore-Diaz.explanations.jsonl: 1 of the 180", "such as"],
    ),
    "no choice": (
        "follow-Chen.behaviors.jsonl",
        put(2, "effect", {"with_cue": "Atlantis", "without_cue": "Atlantis"}),
        ["follow-Chen.behaviors.jsonl line 3", "'effect.with_cue' is 'Atlantis'", "among the choices"],
    ),
    "unknown field": ("target.jsonl", put(1, "efect", {}), ["target.jsonl line 2", "'efect'", "'effect'"]),
    "wrong type": (
        "follow-Chen.explanations.jsonl",
        put(0, "text", 7),
        ["explanations.jsonl line 1", "'text'"],
    ),
    "repeated id": ("pairs.jsonl", lambda rows: rows.append(rows[0]), ["pairs.jsonl line 253", "unique"]),
    "no pair of the split": (
        "pairs.jsonl",
        lambda rows: rows.__delitem__(slice(72, None)),
        ["pairs.jsonl: no pair is of the split 'test'; there are train"],
    ),
    "labelled held-out pair": (
        "labels.jsonl",
        put(0, "pair_id", "Finland-Chen-Paris"),
        ["leakage", "'Finland'"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_refuses_artifacts_that_do_not_fit(example: Path, fault: str) -> None:
    file, change, said = FAULTS[fault]
    edit(example / file, change)
    message = refusal(example)
    for part in said:
        assert part in message


def test_labels_about_pairs_not_given_are_noted(example: Path) -> None:
    edit(example / "labels.jsonl", put(0, "pair_id", "elsewhere"))
    assert judge_file(example / "judge.yaml").notes[0].startswith("1 of 72 labels are about pairs not given")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "target: target.jsonl",
            "target: nowhere.jsonl",
            ["judge.yaml: field 'target'", "'nowhere.jsonl' is no file"],
        ),
        ("split: test", "split: tset", ["judge.yaml: field 'split' is 'tset'"]),
        ("explanation_format", "explanation_fromat", ["unknown field", "did you mean 'explanation_format'?"]),
        ("follow-Diaz, ignore-Diaz", "follow-Diaz, ignore-Eze", ["judge.yaml: twins.1 is", "'ignore-Eze'"]),
        ("name: ignore-Chen", "name: follow-Chen", ["'follow-Chen' stands more than once at step 60"]),
        ("name: capitals", "- capitals", ["judge.yaml"]),
    ],
)
def test_refuses_a_judgement_file_that_is_wrong(example: Path, old: str, new: str, said: list[str]) -> None:
    reword(example, old, new)
    message = refusal(example)
    for part in said:
        assert part in message


def test_a_missing_judgement_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.yaml: cannot be read"):
        load_judgement(tmp_path / "none.yaml")
