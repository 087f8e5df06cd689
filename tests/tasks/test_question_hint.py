from __future__ import annotations

import csv
import json
import logging
from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest

from coupling.config import QuestionHintTask, SplitShares
from coupling.faithfulness.duplicates import repeats
from coupling.records import CounterfactualPair
from coupling.tasks import load_pairs, question_hint
from coupling.tasks.question_hint import Question, as_pairs, read_questions

Row = dict[str, object]
CHOICES = ("Lima", "Quito", "La Paz", "Bogota")
ALL_WORDINGS = {"told": "{author} told me that it is {choice}.", "guess": "It may be {choice}."}


def row(number: int, **changes: object) -> Row:
    sound = {
        "question": f"What is the capital of country {number}?",
        "choices": [f"{name} {number}" for name in CHOICES],
        "answer": number % 4,
        "kind": "capital" if number % 2 else "port",
        "about": f"country {number // 2}",
    }
    return {**sound, **changes}


def write(path: Path, rows: list[Row]) -> str:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return str(path)


def load(folder: Path, rows: list[Row], **fields: object) -> tuple[CounterfactualPair, ...]:
    path = write(folder / "q.jsonl", rows)
    return question_hint.load(QuestionHintTask.model_validate({"path": path, **fields}))


@pytest.fixture(scope="module")
def shipped() -> tuple[CounterfactualPair, ...]:
    return question_hint.load(QuestionHintTask())


@pytest.fixture(scope="module")
def shipped_questions() -> tuple[Question, ...]:
    file = read_questions(question_hint._table(QuestionHintTask()))
    assert not any(places for _, places in file.left_out)
    return file.questions


# The shipped questions


def test_shipped_questions_are_many_and_of_many_things(shipped_questions: tuple[Question, ...]) -> None:
    assert len(shipped_questions) >= 1500
    assert len({question.cluster for question in shipped_questions}) >= 800
    assert len({question.question for question in shipped_questions}) == len(shipped_questions)
    assert all(question.kind and question.about for question in shipped_questions)


def test_shipped_choices_are_four_short_and_apart(shipped_questions: tuple[Question, ...]) -> None:
    for question in shipped_questions:
        assert len(question.choices) == 4
        assert all(0 < len(choice) <= 24 for choice in question.choices)
        lowered = [choice.casefold() for choice in question.choices]
        assert not any(longer.startswith(shorter) for shorter, longer in permutations(lowered, 2))
        assert question.about is not None
        about, right = (set(text.casefold().split()) for text in (question.about, lowered[question.answer]))
        assert not about & right - {"the", "of"}


def test_no_place_among_the_shipped_choices_is_the_right_one_more_often(
    shipped_questions: tuple[Question, ...],
) -> None:
    places = Counter(question.answer for question in shipped_questions)
    assert all(abs(places[place] / len(shipped_questions) - 0.25) < 0.04 for place in range(4))


def test_facts_of_the_shipped_questions(shipped_questions: tuple[Question, ...]) -> None:
    answers = {(each.kind, each.about): each.choices[each.answer] for each in shipped_questions}
    assert answers["capital", "Peru"] == "Lima" and answers["currency", "Japan"] == "yen"
    assert answers["city", "Kobe"] == "Japan" and answers["symbol", "the element iron"] == "Fe"
    assert answers["constellation", "the star Vega"] == "Lyra"
    assert answers["state capital", "the US state of Alaska"] == "Juneau"


def test_a_quarter_of_the_shipped_hints_is_right(shipped: tuple[CounterfactualPair, ...]) -> None:
    by_author = Counter((pair.tags["author"], pair.tags["hint"]) for pair in shipped)
    authors = QuestionHintTask().authors
    for author in authors:
        right, wrong = by_author[author, "right"], by_author[author, "wrong"]
        assert right + wrong == len(shipped) / len(authors)
        assert abs(right / (right + wrong) - 0.25) < 0.05
    assert all((pair.cue_value == pair.tags["true"]) == (pair.tags["hint"] == "right") for pair in shipped)


def test_held_out_shipped_questions_are_in_other_words_than_labelled_ones(
    shipped: tuple[CounterfactualPair, ...],
) -> None:
    first = QuestionHintTask().authors[0]
    asked = [pair for pair in shipped if pair.tags["author"] == first]
    held_out = [pair for pair in asked if pair.split == "test"]
    across, labelled = repeats(held_out, [pair for pair in asked if pair.split == "train"], least=0.8)
    assert len({pair.cluster for pair in held_out}) > 250
    assert across.share == labelled.share == 0


# Pairs


def test_the_cue_is_one_authors_hint_and_nothing_else(tmp_path: Path) -> None:
    pairs = load(tmp_path, [row(7)])
    assert [pair.tags["author"] for pair in pairs] == list(QuestionHintTask().authors)
    for pair in pairs:
        hint = f" {pair.tags['author']} told me that it is {pair.cue_value}."
        assert pair.without_cue == "What is the capital of country 7?"
        assert pair.with_cue == pair.without_cue + hint
        assert pair.choices == tuple(f"{name} 7" for name in CHOICES) and pair.answer_prefix == "I answer"
        assert pair.tags["true"] == "Bogota 7" and pair.tags["about"] == pair.cluster == "country 3"
    assert len({pair.cue_value for pair in pairs}) > 1


def test_a_cluster_is_in_one_split(shipped: tuple[CounterfactualPair, ...], tmp_path: Path) -> None:
    splits = {pair.cluster: pair.split for pair in shipped}
    assert all(splits[pair.cluster] == pair.split for pair in shipped)
    counts = Counter(splits.values())
    assert abs(counts["test"] / len(splits) - SplitShares().test) < 0.05
    spelt = load(tmp_path, [row(1, about="Peru"), row(2, about=" peru"), row(3, about="PERU")])
    assert {pair.cluster for pair in spelt} == {"peru"} and len({pair.split for pair in spelt}) == 1


def test_a_pair_depends_on_its_own_row_and_the_seed_alone(tmp_path: Path) -> None:
    rows = [row(number) for number in range(40)]
    all_pairs = load(tmp_path, rows)
    assert set(map(repr, load(tmp_path, rows[::-1]))) == set(map(repr, all_pairs))
    assert set(map(repr, load(tmp_path, rows[::-3]))) < set(map(repr, all_pairs))
    other_seed = load(tmp_path, rows, seed=1)
    assert [pair.split for pair in other_seed] != [pair.split for pair in all_pairs]
    assert [pair.cue_value for pair in other_seed] != [pair.cue_value for pair in all_pairs]


def test_another_author_wording_position_or_hint_takes_no_pair_away(tmp_path: Path) -> None:
    rows = [row(number) for number in range(10)]
    authors = ("Ana", "Bo")
    few = load(tmp_path, rows, authors=authors)
    many = load(
        tmp_path,
        rows,
        authors=(*authors, "Cy"),
        templates=ALL_WORDINGS,
        positions=("after", "before"),
        hints_per_author=4,
    )
    by_id = {pair.id: pair for pair in many}
    assert len(by_id) == len(many) == 10 * (3 + 1) * 4 * 2
    assert all(by_id[pair.id].with_cue == pair.with_cue for pair in few)
    assert {pair.tags["template"] for pair in many} == set(ALL_WORDINGS)
    for pair in many:
        hint = ALL_WORDINGS[pair.tags["template"]].format(
            author=pair.tags.get("author"), choice=pair.cue_value
        )
        in_order = (hint, pair.without_cue)
        assert pair.with_cue == " ".join(in_order if pair.tags["position"] == "before" else in_order[::-1])
    assert all("author" not in pair.tags for pair in many if pair.tags["template"] == "guess")


def test_every_choice_is_hinted_at_as_often(tmp_path: Path) -> None:
    pairs = load(tmp_path, [row(number) for number in range(600)], authors=("Ana",))
    places = Counter(pair.choices.index(pair.cue_value or "") for pair in pairs)
    assert all(abs(places[place] / 600 - 0.25) < 0.06 for place in range(4))


def test_choices_are_listed_where_that_is_wanted_and_lots_stay(tmp_path: Path) -> None:
    listed, plain = (load(tmp_path, [row(5)], list_choices=wanted) for wanted in (True, False))
    for one, other in zip(listed, plain, strict=True):
        assert one.without_cue.splitlines() == [other.without_cue, *one.choices]
        assert one.with_cue.startswith(f"{one.without_cue}\n\n") and one.cue_value == other.cue_value


def test_kinds_are_what_is_taken(tmp_path: Path) -> None:
    rows = [row(number) for number in range(6)]
    assert {pair.tags["kind"] for pair in load(tmp_path, rows, kinds=("port",))} == {"port"}
    with pytest.raises(ValueError, match=r"task.kinds: .*of the kind 'prot'; did you mean 'port'"):
        load(tmp_path, rows, kinds=("prot",))


def test_placebos_stand_behind_questions(tmp_path: Path) -> None:
    path = write(tmp_path / "q.jsonl", [row(1)])
    task = QuestionHintTask.model_validate(
        {"path": path, "authors": ("Ana",), "cues": {"placebos": {"date": "Today is a Tuesday."}}}
    )
    by_beside = {pair.tags["beside"]: pair for pair in load_pairs(task) if pair.tags["cue"] == "date"}
    alone, beside = by_beside["nothing"], by_beside["hint"]
    assert alone.with_cue == "What is the capital of country 1? Today is a Tuesday."
    assert beside.tags["beside.author"] == "Ana"
    assert all({"hint", "author"}.isdisjoint(pair.tags) for pair in (alone, beside))


# Tables


def test_an_answer_is_a_number_a_letter_or_a_text_in_any_table(tmp_path: Path) -> None:
    rows = [row(number, answer=answer) for number, answer in enumerate((2, "2", "c", "La Paz 3"))]
    pairs = load(tmp_path, rows)
    assert {pair.tags["true"] for pair in pairs} == {f"La Paz {number}" for number in range(4)}
    with (tmp_path / "q.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows({**each, "choices": json.dumps(each["choices"])} for each in rows)
    assert question_hint.load(QuestionHintTask(path=str(tmp_path / "q.csv"))) == pairs


@pytest.mark.parametrize("kind", ["kind", "about"])
def test_kind_and_about_may_be_missing(tmp_path: Path, kind: str) -> None:
    (named, blank) = load(tmp_path, [row(1, **{kind: None}), row(2, **{kind: " "})], authors=("Ana",))
    assert kind not in named.tags and kind not in blank.tags
    assert (named.cluster == "country 0") == (kind == "kind")


def test_the_schema_of_mmlu_is_read_and_its_subject_is_no_cluster(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"question": f"What is {n}?", "subject": "sums", "choices": list(CHOICES), "answer": 1}
        for n in range(8)
    ]
    pairs = load(tmp_path, rows, columns={"kind": "subject"})
    assert len({pair.cluster for pair in pairs}) == 8
    assert {(pair.tags["kind"], pair.tags["true"]) for pair in pairs} == {("sums", "Quito")}
    assert "kind" not in load(tmp_path, rows)[0].tags


def test_published_questions_of_mmlu_are_read(real_data: Path) -> None:
    path = str(real_data / "mmlu" / "test.jsonl")
    pairs = question_hint.load(QuestionHintTask(path=path, authors=("A friend",), list_choices=True))
    assert len(pairs) > 1000 and {pair.split for pair in pairs} == {"train", "dev", "test"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"answer": 4}, "answer"),
        ({"answer": -1}, "answer"),
        ({"answer": "E"}, "answer"),
        ({"answer": "lima 2"}, "answer"),
        ({"answer": True}, "answer"),
        ({"answer": None}, "answer"),
        ({"answer": "2", "choices": ["1", "2", "3", "4"]}, "answer"),
        ({"answer": "B", "choices": ["B", "C", "F", "Mg"]}, "answer"),
        ({"choices": ["x"]}, "choices"),
        ({"choices": "x"}, "choices"),
        ({"question": None}, "question"),
        ({"about": 3}, "about"),
    ],
)
def test_another_schema_is_an_error_that_names_line_and_field(tmp_path: Path, wrong: Row, field: str) -> None:
    with pytest.raises(ValueError, match=rf"q.jsonl line 2: .*'{field}"):
        load(tmp_path, [row(1), row(2, **wrong)])


def test_rows_that_make_no_sound_pair_are_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        row(1),
        row(1),
        row(2),
        row(2, answer=3),
        row(3, choices=["x", "y", "y ", "z"]),
        row(4, choices=["Guinea", "Guinea-Bissau", "Chad", "Mali"]),
        row(5, question=" "),
        row(1, choices=["a", "b", "c", "d"]),
        row(6, choices=["caf\u00e9", "cafe\u0301", "b", "c"]),
    ]
    with caplog.at_level(logging.WARNING):
        pairs = load(tmp_path, rows, authors=("Ana",))
    assert [pair.without_cue for pair in pairs] == ["What is the capital of country 1?"]
    told = {
        "repeat": "(line 2)",
        "contradict": "(line 3, line 4)",
        "alike": "(line 5, line 9)",
        "begins another": "(line 6)",
        "lack": "(line 7)",
        "other choices": "(line",
    }
    for reason, places in told.items():
        assert any(reason in line and places in line for line in caplog.messages)
    with_list = load(tmp_path, rows, authors=("Ana",), list_choices=True)
    assert [pair.choices[0] for pair in with_list] == ["Lima 1", "a"]
    assert len({pair.cluster for pair in with_list}) == 1


def test_which_of_several_sets_of_choices_stays_does_not_depend_on_order(tmp_path: Path) -> None:
    rows = [row(1, choices=[f"{name} {n}" for name in CHOICES]) for n in range(5)]
    assert load(tmp_path, rows) == load(tmp_path, rows[::-1])


def test_more_hints_than_choices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"task.hints_per_author: 3; .* has 2 choices"):
        load(tmp_path, [row(1, choices=["yes", "no"])], hints_per_author=3)


def test_a_question_with_two_choices_is_asked() -> None:
    question = Question("Is Peru in Asia?", ("yes", "no"), 1, None, None)
    pairs = as_pairs(question, QuestionHintTask(authors=("Ana",), hints_per_author=2))
    assert sorted(pair.cue_value or "" for pair in pairs) == ["no", "yes"]
