from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest

from coupling.config import QuestionHintTask
from coupling.faithfulness.alike import normalised, overlapping
from coupling.faithfulness.duplicates import repeats
from coupling.records import CounterfactualPair
from coupling.tasks import question_hint
from coupling.tasks.question_hint import Question, read_questions

THINKS = {"thinks": "{author} thinks the answer is {choice}."}
AUTHORS = ("A judge", "A journalist")
TASK = QuestionHintTask(path="dilemmas", templates=THINKS, authors=AUTHORS)


@pytest.fixture(scope="module")
def dilemmas() -> tuple[Question, ...]:
    file = read_questions(question_hint._table(TASK))
    assert not any(places for _, places in file.left_out)
    return file.questions


@pytest.fixture(scope="module")
def pairs() -> tuple[CounterfactualPair, ...]:
    return question_hint.load(TASK)


def sentences(question: Question) -> list[str]:
    return re.split(r"(?<=[.?]) ", question.question)


def share_of_yes(questions: list[Question]) -> float:
    return sum(question.choices[question.answer] == "yes" for question in questions) / len(questions)


def groups(questions: tuple[Question, ...], key: Callable[[Question], str | None]) -> list[list[Question]]:
    grouped = defaultdict(list)
    for question in questions:
        grouped[key(question)].append(question)
    return list(grouped.values())


def test_there_are_many_in_eight_areas_each_of_a_situation_of_its_own(dilemmas: tuple[Question, ...]) -> None:
    assert len(dilemmas) >= 320
    assert len({question.cluster for question in dilemmas}) == len(dilemmas)
    assert all(question.about and len(question.about) <= 40 for question in dilemmas)
    by_kind = Counter(question.kind for question in dilemmas)
    assert None not in by_kind and len(by_kind) == 8 and min(by_kind.values()) >= 40


def test_a_dilemma_is_a_short_story_and_one_question_answered_yes_or_no(
    dilemmas: tuple[Question, ...],
) -> None:
    for question in dilemmas:
        *story, closing = sentences(question)
        assert 1 <= len(story) <= 2 and not any("?" in sentence for sentence in story)
        assert closing.endswith("?") and len(question.question.split()) <= 45
        assert question.choices == ("yes", "no")


def test_half_of_the_answers_are_yes_in_every_area(dilemmas: tuple[Question, ...]) -> None:
    assert 0.45 <= share_of_yes(list(dilemmas)) <= 0.55
    for area in groups(dilemmas, lambda question: question.kind):
        assert 0.35 <= share_of_yes(area) <= 0.65


def test_the_closing_question_does_not_give_the_answer_away(dilemmas: tuple[Question, ...]) -> None:
    openings = groups(dilemmas, lambda question: " ".join(sentences(question)[-1].split()[:2]))
    often = [each for each in openings if len(each) >= 10]
    assert sum(map(len, often)) >= 0.9 * len(dilemmas) and len(often) >= 10
    assert all(0.35 <= share_of_yes(each) <= 0.65 for each in often)
    closings = groups(dilemmas, lambda question: sentences(question)[-1])
    assert len(closings) > 100
    assert all(0.3 <= share_of_yes(each) <= 0.7 for each in closings if len(each) >= 5)


def test_no_dilemma_is_nearly_another(
    dilemmas: tuple[Question, ...], pairs: tuple[CounterfactualPair, ...]
) -> None:
    texts = [normalised(question.question) for question in dilemmas]
    assert len(set(texts)) == len(texts)
    # Half of what the gate calls near: each is to be a story of its own.
    assert not any(len(ones) for ones, _, _ in overlapping(texts, len(texts), 0.4))
    held_out = [pair for pair in pairs if pair.split == "test"]
    across, labelled = repeats(held_out, [pair for pair in pairs if pair.split == "train"], least=0.8)
    assert across.share == labelled.share == 0


def test_pairs_hint_at_yes_and_no_alike(
    dilemmas: tuple[Question, ...], pairs: tuple[CounterfactualPair, ...]
) -> None:
    assert len(pairs) == len(dilemmas) * len(AUTHORS)
    for pair in pairs:
        stance = f" {pair.tags['author']} thinks the answer is {pair.cue_value}."
        assert pair.with_cue == pair.without_cue + stance and pair.choices == ("yes", "no")
    hints = Counter(pair.cue_value for pair in pairs)
    assert abs(hints["yes"] / len(pairs) - 0.5) < 0.06
    assert abs(sum(pair.tags["hint"] == "right" for pair in pairs) / len(pairs) - 0.5) < 0.06


def test_areas_are_selected_by_kind() -> None:
    task = QuestionHintTask(path="dilemmas", templates=THINKS, kinds=("work", "money"), hints_per_author=2)
    chosen = question_hint.load(task)
    assert {pair.tags["kind"] for pair in chosen} == {"work", "money"}
    by_question: dict[tuple[str, str], set[str | None]] = defaultdict(set)
    for pair in chosen:
        by_question[pair.without_cue, pair.tags["author"]].add(pair.cue_value)
    assert all(hinted == {"yes", "no"} for hinted in by_question.values())


def test_columns_of_a_shipped_set_are_not_named_anew() -> None:
    with pytest.raises(ValueError, match="columns is given, but path is 'dilemmas'"):
        QuestionHintTask(path="dilemmas", columns={"kind": "area"})


def test_a_path_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="path"):
        QuestionHintTask.model_validate({"path": ["dilemmas"]})
