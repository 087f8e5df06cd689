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
from coupling.faithfulness import Results, outsiders
from coupling.faithfulness.results import CONSTRUCTED
from coupling.faithfulness.rows import group_name
from coupling.judging import judge_file

EXAMPLE = Path(__file__).parents[1] / "examples" / "judge"
Edit = Callable[[list[dict[str, object]]], None]


@pytest.fixture
def example(tmp_path: Path) -> Path:
    for file in (*EXAMPLE.glob("*.jsonl"), EXAMPLE / "judge.yaml"):
        shutil.copy(file, tmp_path)
    return tmp_path


@pytest.fixture
def few(example: Path) -> Path:
    """The example with the held-out pairs of six countries only: too few for an observer, so soon judged."""
    pairs = [json.loads(line) for line in (example / "pairs.jsonl").read_text(encoding="utf-8").splitlines()]
    countries = sorted({pair["cluster"] for pair in pairs if pair["split"] == "test"})[:6]
    kept = {pair["id"] for pair in pairs if pair["split"] == "train" or pair["cluster"] in countries}

    def keep(rows: list[dict[str, object]]) -> None:
        rows[:] = [row for row in rows if row.get("id", row.get("pair_id")) in kept]

    for file in example.glob("*.jsonl"):
        edit(file, keep)
    return example


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


@pytest.fixture(scope="module")
def judged() -> Results:
    return judge_file(EXAMPLE / "judge.yaml")


def test_the_example_is_coupled(judged: Results) -> None:
    assert judged.verdict().verdict == "coupled"
    assert judged.verdict(explainer="garbled").verdict == "invalid"
    told = {each.name for each in judged.explained_by(CONSTRUCTED)} & set(outsiders.NAMES)
    assert told and not [name for name in told if judged.verdict(explainer=name).verdict == "coupled"]
    assert judged.figures.count("undeclared_runs") == 0
    assert judged.counts.pairs == 180
    assert judged.notes == ()


def test_groups_break_the_headline_down(few: Path) -> None:
    reword(few, "split: test", "groups: [adviser]\nsplit: test")
    results = judge_file(few / "judge.yaml")
    names = [group_name(group.tag, group.value) for group in results.groups]
    assert sum(results.figures.count("pairs", subset=name) or 0 for name in names) == results.counts.pairs
    assert {group.tag for group in results.groups} == {"adviser"} and len(results.groups) > 1
    reword(few, "[adviser]", "[advisor]")
    assert "groups: 'advisor' is a tag of no held-out pair; the tags there are: " in refusal(few)


def test_results_say_neither_when_nor_where(few: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "judge"
    shutil.copytree(few, elsewhere)
    there = judge_file(elsewhere / "judge.yaml").to_json()
    assert judge_file(few / "judge.yaml").to_json() == there
    assert str(elsewhere) not in json.dumps(there)


def test_judging_imports_no_torch() -> None:
    code = "import sys, coupling.judging; sys.exit(any(m in sys.modules for m in ('torch', 'transformers')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_claim_that_comes_along_is_taken_as_it_is(few: Path) -> None:
    def claim_nothing(rows: list[dict[str, object]]) -> None:
        for row in rows:
            row["claim"] = None

    for file in few.glob("*.explanations.jsonl"):
        edit(file, claim_nothing)
    assert judge_file(few / "judge.yaml").verdict().reason == "parse_rate"


def test_without_the_targets_behaviour_orig_is_not_available(few: Path) -> None:
    with_it = judge_file(few / "judge.yaml")
    reword(few, "target: target.jsonl", "target: null")
    without = judge_file(few / "judge.yaml")
    assert (without.verdict().verdict, without.verdict().reason) == ("not shown", "no_target")
    assert without.figures("orig").value is None
    assert without.figures("t") == with_it.figures("t")
    assert "target behaviors" not in without.artifacts


def test_lines_about_pairs_of_another_split_are_passed_over(few: Path) -> None:
    answer = {"pair_id": "Albania-Chen-Luanda", "effect": {"with_cue": "Tirana", "without_cue": "Tirana"}}
    pairs = [json.loads(line)["id"] for line in (few / "pairs.jsonl").read_text().splitlines()]
    answer["pair_id"] = pairs[0]
    edit(few / "target.jsonl", lambda rows: rows.append(answer))
    assert judge_file(few / "judge.yaml").counts.pairs == 36


def test_steps_make_a_trajectory(few: Path) -> None:
    text = (few / "judge.yaml").read_text(encoding="utf-8")
    runs, twins = text.index("  - name:"), text.index("twins:")
    block = text[runs:twins].rstrip()
    earlier = block.replace("step: 60", "step: 0")
    (few / "judge.yaml").write_text(f"{text[:runs]}{earlier}\n{block}\n{text[twins:]}", encoding="utf-8")
    assert "checkpoint is missing; name the step the verdict is about, one of [0, 60]" in refusal(few)
    reword(few, "twins:", "checkpoint: 60\ntwins:")
    results = judge_file(few / "judge.yaml")
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
        put(0, "pair_id", "Finland-Chen-Cairo"),
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


def test_labels_about_pairs_not_given_are_noted(few: Path) -> None:
    edit(few / "labels.jsonl", put(0, "pair_id", "elsewhere"))
    assert judge_file(few / "judge.yaml").notes[0].startswith("1 of 72 labels are about pairs not given")


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
        ("direction: follow", "direction: up", ["judge.yaml: field 'runs.1.direction' is 'up'", "'follow'"]),
        (
            "    steered: {adviser: [Chen]}\n    direction: follow\n",
            "    direction: follow\n",
            ["judge.yaml", "runs.1", "direction is 'follow', but steered names no pairs"],
        ),
        (
            "  behaviors: target.jsonl  ",
            "  behaviors: null  ",
            ["judge.yaml", "'follow-Chen' has a direction", "base.behaviors"],
        ),
        ("name: capitals", "- capitals", ["judge.yaml"]),
    ],
)
def test_refuses_a_judgement_file_that_is_wrong(example: Path, old: str, new: str, said: list[str]) -> None:
    reword(example, old, new)
    message = refusal(example)
    for part in said:
        assert part in message


def test_a_missing_judgement_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.yaml: no such file"):
        load_judgement(tmp_path / "none.yaml")
