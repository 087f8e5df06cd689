from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from coupling.config import PairsTask
from coupling.records import CounterfactualPair
from coupling.tasks import load_pairs, own_pairs
from coupling.tasks.own_pairs import without_placeholder

ROWS = [
    {"post": "I left without paying.", "view": "wrong", "said": "My mother objects.", "topic": "money"},
    {"post": "I woke my neighbour, {late}.", "view": "right", "said": "Bo nods.", "topic": "noise"},
]
TASK = {
    "kind": "pairs",
    "with_cue": "{post} {cue}\n\nWas I right or wrong?",
    "choices": ["right", "wrong"],
    "columns": {"cue_text": "said", "cue_value": "view"},
    "cue": "opinion",
}


def write(path: Path, rows: list[dict[str, str]]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def task(path: str, **fields: object) -> PairsTask:
    return PairsTask.model_validate({**TASK, "path": path, **fields}, strict=False)


def load(path: str, **fields: object) -> tuple[CounterfactualPair, ...]:
    return own_pairs.load(task(path, **fields))


def test_inputs_are_put_together_from_columns(tmp_path: Path) -> None:
    first, second = load(write(tmp_path / "p.csv", ROWS), tags=["topic"])
    assert first.with_cue == "I left without paying. My mother objects.\n\nWas I right or wrong?"
    assert first.without_cue == "I left without paying.\n\nWas I right or wrong?"
    assert second.without_cue.startswith("I woke my neighbour, {late}.\n")
    assert (first.cue, first.cue_value, first.choices) == ("opinion", "wrong", ("right", "wrong"))
    assert (first.answer_prefix, first.tags) == ("I answer", {"topic": "money"})


def test_typography_of_cues_and_choices_does_not_matter(tmp_path: Path) -> None:
    choices = ["I don't know", "caf\u00e9"]
    rows = [
        {"post": "One.", "view": "I don\u2019t know", "said": "Bo nods."},
        {"post": "Two.", "view": "cafe\u0301", "said": "Bo nods."},
        {"post": "Bo said: don\u2019t.", "view": "caf\u00e9", "said": "don't"},
    ]
    # The third says without its cue what its cue says.
    assert [each.cue_value for each in load(write(tmp_path / "p.csv", rows), choices=choices)] == choices


def test_each_row_comes_in_every_wording(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", ROWS)
    templates = {"given": "{cue_text}", "plain": "I was {cue_value}, on {topic}."}
    pairs = load(path, templates=templates)
    assert pairs[::2] == load(path)
    assert pairs[1].with_cue.startswith("I left without paying. I was wrong, on money.\n")
    assert pairs[1].tags == {"template": "plain"}
    assert pairs[0].cluster == pairs[1].cluster != pairs[2].cluster


def test_what_the_table_says_is_kept(tmp_path: Path) -> None:
    said = {"id": "a", "cluster": "7", "split": "dev", "choices": '["wrong", "right"]', "against": "true"}
    (pair,) = load(write(tmp_path / "p.csv", [{**ROWS[0], **said}]), choices=[])
    assert (pair.id, pair.cluster, pair.split) == ("a", "7", "dev")
    assert pair.choices == ("wrong", "right") and pair.against
    with pytest.raises(ValueError, match=r"no column 'choices'"):
        load(write(tmp_path / "p.csv", ROWS), choices=[])


def test_whole_prompts_of_a_table_need_no_cue_of_their_own(tmp_path: Path) -> None:
    """The schema of published input ablations: two prompts and the letter hinted at."""
    published = {
        "hint_prompt_full": "Is it A or B? I think B.",
        "original_prompt_full": "Is it A or B?",
        "hint": "B",
        "random_hint_prediction": "B",
        "zeroshot_prediction": "A",
        "changed_pred_bc_hint": "",
    }
    (pair,) = load(
        write(tmp_path / "p.csv", [published]),
        with_cue="{hint_prompt_full}",
        without_cue="{original_prompt_full}",
        columns={"cue_value": "hint"},
        choices=["A", "B"],
        cue="hint",
    )
    assert (pair.with_cue, pair.without_cue) == ("Is it A or B? I think B.", "Is it A or B?")
    assert (pair.cue, pair.cue_value) == ("hint", "B")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"columns": {}}, "no column 'cue_text'"),
        ({"tags": ["theme"]}, "no column 'theme'"),
        ({"choices": ["yes", "no"]}, "line 2: field 'cue_value' is 'wrong', which is not among"),
        ({"templates": {"empty": ""}, "columns": {}}, "line 2: its cue is '', by the wording 'empty'"),
    ],
)
def test_what_does_not_fit_names_the_line(tmp_path: Path, fields: dict[str, object], complaint: str) -> None:
    path = write(tmp_path / "p.csv", ROWS)
    with pytest.raises(ValueError, match=complaint):
        load(path, **{"with_cue": "{post}{cue}", **fields})


def test_a_cue_without_text_is_no_cue(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", [ROWS[0], {**ROWS[1], "said": " …"}])
    with pytest.raises(
        ValueError, match=r"line 3: its cue is ' …', by the wording 'given'; it must hold text"
    ):
        load(path)


def test_a_cue_that_its_input_states_is_not_put_to_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stated = {**ROWS[0], "post": "I left. MY  mother objects."}
    part = {**ROWS[0], "post": "I left.", "said": "Was I rig"}
    pairs = load(write(tmp_path / "p.csv", [stated, ROWS[1], part]))
    assert [pair.without_cue.split()[1] for pair in pairs] == ["woke", "left."]
    assert "1 left out that state their cue without it too (line 2)" in caplog.text
    with pytest.raises(ValueError, match=r"line 2: .* put all words of the cue into task.templates"):
        load(write(tmp_path / "p.csv", [stated]))


def test_a_cue_value_may_be_a_number(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"post": "Two?", "cue_value": 3}\n', encoding="utf-8")
    fields = {"columns": {}, "choices": ["2", "3"]}
    for template in ("I think {cue_value}.", "Three, I think."):
        (pair,) = load(str(tmp_path / "p.jsonl"), templates={"thinks": template}, **fields)
        assert pair.cue_value == "3"


WHOLE: dict[str, object] = {"choices": [], "cue": "cue"}


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"with_cue": "{_post} {cue}"}, "{_post} cannot stand in braces"),
        ({"tags": ["_topic"]}, "tags: '_topic' cannot be a tag"),
        ({"tags": ["choices"]}, "tags: 'choices' cannot be a tag"),
        ({"with_cue": None, "cue": "hint"}, "cue is given without with_cue"),
        ({"with_cue": None, "answer_prefix": ""}, "answer_prefix is given without with_cue"),
        ({"with_cue": None, "seed": 1}, "seed is given without with_cue"),
        (
            {"with_cue": None, "split_shares": {"train": 0.4, "dev": 0.3, "test": 0.3}},
            "split_shares is given without with_cue",
        ),
    ],
)
def test_fields_that_would_do_nothing_or_harm_are_refused(fields: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        task("p.jsonl", **{"columns": {}, **(WHOLE if "with_cue" in fields else {}), **fields})


@given(st.sets(st.integers(0, 30), min_size=1), st.sets(st.integers(0, 30), min_size=1), st.integers(0, 3))
def test_a_pair_depends_on_its_own_row_and_the_seed_alone(
    tmp_path_factory: pytest.TempPathFactory, some: set[int], others: set[int], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("own")

    def of(numbers: list[int]) -> dict[str, CounterfactualPair]:
        rows = [{"post": f"Post {n}.", "view": "right", "said": f"I am {n}."} for n in numbers]
        return {pair.without_cue: pair for pair in load(write(folder / "p.csv", rows), seed=seed)}

    one, all_ = of(sorted(some)), of(sorted(some | others, reverse=True))
    assert all(all_[question] == pair for question, pair in one.items())


@pytest.mark.parametrize(
    ("template", "without"),
    [
        ("{post}\n\n{cue}", "{post}"),
        ("{cue}\n\n{post}", "{post}"),
        ("{post} {cue} Well?", "{post} Well?"),
        ("{post}\n\n{cue}\n\nWell?", "{post}\n\nWell?"),
    ],
)
def test_leaving_the_cue_out_leaves_no_gap(template: str, without: str) -> None:
    assert without_placeholder(template) == without


def test_the_example_in_the_documentation_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")
    table = re.search(r"```csv\n(.*?)```", page, re.DOTALL)
    section = re.search(r"```yaml\n(task:\n  kind: pairs\n[^`]*with_cue.*?)```", page, re.DOTALL)
    assert table is not None and section is not None
    (tmp_path / "posts.csv").write_text(table.group(1), encoding="utf-8")
    fields = yaml.safe_load(section.group(1))["task"]
    fields["path"] = str(tmp_path / fields["path"])
    pairs = load_pairs(PairsTask.model_validate(fields, strict=False))
    assert len(pairs) == 4
    assert pairs[0].with_cue.startswith(pairs[0].without_cue.removesuffix("\n\nWas I right or wrong?"))
