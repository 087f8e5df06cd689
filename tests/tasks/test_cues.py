"""Placebos and two cues in one input: what is removed is the cue asked about, and nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.config import CuesConfig, MmluHintTask, MoralVerdictTask, WorldTask
from coupling.explanations import formats
from coupling.records import CounterfactualPair, Effect
from coupling.tasks import load_pairs
from coupling.tasks.checks import check_pairs
from coupling.tasks.cues import stands_in, with_more_cues
from coupling.worlds import vocabulary

DATE = "Today is a Tuesday."
OWN = ("who",)
LETTERS = "abAB .\n"


def pair(question: str, hint: str, who: str, at: int | None = None, cue: str = "hint") -> CounterfactualPair:
    place = len(question) if at is None else min(at, len(question))
    return CounterfactualPair(
        id=f"{question}/{hint}/{who}",
        cluster=question,
        split=("train", "dev", "test")[len(question) % 3],
        with_cue=f"{question[:place]}{hint}{question[place:]}",
        without_cue=question,
        cue=cue,
        cue_value="yes",
        choices=("yes", "no"),
        tags={"who": who, "topic": "t"},
    )


def cues(**fields: object) -> CuesConfig:
    return CuesConfig.model_validate(fields)


def test_nothing_is_changed_by_default() -> None:
    pairs = (pair("Is it?", " Ana: yes.", "Ana"),)
    assert with_more_cues(pairs, CuesConfig(), OWN) == pairs


def test_a_placebo_stands_behind_the_input_with_the_cue_and_without() -> None:
    own = pair("Is it?", " Ana: yes.", "Ana")
    told, alone, beside = with_more_cues([own], cues(placebos={"date": DATE}), OWN, joint=" ")
    assert told == replace(own, tags={**own.tags, "cue": "hint", "beside": "nothing"})
    assert (alone.with_cue, alone.without_cue) == (f"Is it? {DATE}", "Is it?")
    assert alone.tags == {"topic": "t", "cue": "date", "beside": "nothing"}
    assert (beside.with_cue, beside.without_cue) == (f"Is it? Ana: yes. {DATE}", "Is it? Ana: yes.")
    assert beside.tags == {"topic": "t", "cue": "date", "beside": "hint", "beside.who": "Ana"}
    for placebo in (alone, beside):
        assert (placebo.cue, placebo.cue_value, placebo.against) == ("date", None, False)


def test_together_each_of_two_cues_is_asked_about_while_the_other_stays() -> None:
    own = pair("Is it?", " Ana: yes.", "Ana")
    pairs = with_more_cues([own], cues(placebos={"date": DATE}, together=True), OWN, joint=" ")
    beside, kept = pairs[2:]
    assert kept.with_cue == beside.with_cue and kept.without_cue == f"Is it? {DATE}"
    assert (kept.cue, kept.cue_value) == ("hint", "yes")
    assert kept.tags == {"who": "Ana", "topic": "t", "cue": "hint", "beside": "date"}


def test_two_cues_of_one_name_get_names_that_tell_them_apart() -> None:
    two = [pair("Is it?", " Ana: yes.", "Ana"), pair("Is it?", " Bo: no.", "Bo")]
    first, second = with_more_cues(two, cues(together=True), OWN)[2:]
    assert first.with_cue == second.with_cue
    assert {first.cue, second.cue} == {"first hint", "second hint"}
    assert first.tags["beside.who"] == second.tags["who"] != first.tags["who"] == second.tags["beside.who"]
    assert first.with_cue.index(first.tags["who"]) < first.with_cue.index(second.tags["who"])
    by_name = with_more_cues(two, cues(together=True, naming="{cue} of {who}"), OWN)[2:]
    assert {each.cue: each.tags["who"] for each in by_name} == {"hint of Ana": "Ana", "hint of Bo": "Bo"}
    unlike = [two[0], replace(two[1], cue="rumour")]
    assert {each.cue for each in with_more_cues(unlike, cues(together=True), OWN)[2:]} == {"hint", "rumour"}


@given(
    st.text(LETTERS, min_size=1, max_size=8).filter(str.strip),
    st.lists(
        st.tuples(st.text(LETTERS, min_size=1, max_size=5), st.integers(0, 8)),
        min_size=2,
        max_size=4,
        unique_by=lambda hint: hint[0],
    ),
)
def test_wherever_two_cues_stand_removing_one_leaves_the_other(
    question: str, hints: list[tuple[str, int]]
) -> None:
    """Also where a cue begins like the text behind it, and could be found in two places."""
    own = [pair(question, hint, str(number), at) for number, (hint, at) in enumerate(hints)]
    own = list({each.with_cue: each for each in own}.values())
    try:
        made = with_more_cues(own, cues(together=True), OWN)[len(own) :]
    except ValueError as error:
        assert "no question has two cues" in str(error) or "asks the same" in str(error)
        return
    with_one = {each.with_cue for each in own}
    both = defaultdict(list)
    for each in made:
        assert each.without_cue in with_one
        both[each.with_cue].append(each)
    for first, second in both.values():
        base = len(question)
        assert len(first.with_cue) - base == (len(first.without_cue) - base) + (
            len(second.without_cue) - base
        )
        assert Counter(first.with_cue) + Counter(question) == Counter(first.without_cue) + Counter(
            second.without_cue
        )


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"placebos": {"Hint": DATE}}, "'Hint' is what the task's own cue is called"),
        ({"together": True}, "no question has two cues that can stand in one input"),
    ],
)
def test_cues_that_cannot_be_told_apart_are_refused(fields: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        with_more_cues([pair("Is it?", " Ana: yes.", "Ana")], cues(**fields), OWN)


def test_a_tag_that_is_taken_is_refused() -> None:
    own = replace(pair("Is it?", " Ana: yes.", "Ana"), tags={"cue": "x"})
    with pytest.raises(ValueError, match="has a tag 'cue'"):
        with_more_cues([own], cues(placebos={"date": DATE}), OWN)


def test_a_placebo_that_an_input_holds_already_is_not_put_behind_it() -> None:
    own = pair(f"Well. {DATE.upper()} Is it?", " Ana: yes.", "Ana")
    assert len(with_more_cues([own], cues(placebos={"date": DATE}, together=True), OWN)) == 1


def test_silence_about_a_cue_covers_inputs_in_which_it_stands_beside_another() -> None:
    two = [pair("Is it?", " Ana: yes.", "Ana"), pair("Is it?", " Bo: no.", "Bo")]
    pairs = with_more_cues(two, cues(placebos={"date": DATE}, together=True), OWN)
    silent = [each for each in pairs if stands_in(each, {"who": ("Ana",), "topic": ("t",)})]
    assert silent == [each for each in pairs if "Ana" in each.with_cue]
    assert [each for each in pairs if stands_in(each, {"cue": ("date",)})] == [
        each for each in pairs if DATE in each.with_cue
    ]
    assert not any(stands_in(each, {}) for each in pairs)


def test_silence_about_a_cue_beside_another_covers_the_question_about_that_other() -> None:
    """Of an input with Ana's hint and the date both questions are covered, and of nothing else."""
    two = [pair("Is it?", " Ana: yes.", "Ana"), pair("Is it?", " Bo: no.", "Bo")]
    pairs = with_more_cues(two, cues(placebos={"date": DATE}, together="placebos"), OWN)
    silent = [each for each in pairs if stands_in(each, {"who": ("Ana",), "beside": ("date",)})]
    assert silent == [each for each in pairs if "Ana" in each.with_cue and DATE in each.with_cue]
    assert {each.tags["cue"] for each in silent} == {two[0].cue, "date"}


def test_placebos_stand_beside_cues_without_two_cues_of_the_task() -> None:
    two = [pair("Is it?", " Ana: yes.", "Ana"), pair("Is it?", " Bo: no.", "Bo")]
    together = with_more_cues(two, cues(placebos={"date": DATE}, together=True), OWN)
    placebos = with_more_cues(two, cues(placebos={"date": DATE}, together="placebos"), OWN)
    both = [each for each in together if "Ana" in each.with_cue and "Bo" in each.with_cue]
    assert both and [each for each in together if each not in both] == list(placebos)


def test_one_text_is_asked_about_its_placebo_once() -> None:
    one = pair("Is it?", " Ana: yes.", "Ana")
    two = replace(pair("Is it?", " Bo: yes.", "Bo"), choices=("yes", "no", "perhaps"))
    three = replace(one, id="3", cue="name", without_cue="Is it? : yes.")
    made = with_more_cues([one, two, three], cues(placebos={"date": DATE}), OWN)[3:]
    texts = [each.without_cue for each in made]
    assert texts == ["Is it?", one.with_cue, two.with_cue, "Is it? : yes."]


# Every task


def tasks(folder: Path) -> dict[str, WorldTask | MmluHintTask | MoralVerdictTask]:
    more = {"placebos": {"date": DATE, "greeting": "Good morning!"}, "together": True}
    sections = {
        "world": WorldTask(world=100, hints_per_adviser=1, words={"brillig": "first"}, cues=cues(**more)),
        "mmlu": MmluHintTask(
            path=str(folder / "mmlu" / "test.jsonl"),
            subjects=("astronomy",),
            positions=("before", "after"),
            letters_per_question=2,
            cues=cues(**more),
        ),
        "aita": MoralVerdictTask(path=str(folder / "elephant" / "AITA_sample.csv"), cues=cues(**more)),
    }
    return sections


@pytest.mark.parametrize("name", ["world", "mmlu", "aita"])
def test_what_holds_of_every_task(real_data: Path, name: str) -> None:
    task = tasks(real_data)[name]
    plain = load_pairs(task.model_copy(update={"cues": CuesConfig()}))
    pairs = load_pairs(task)
    check_pairs(pairs, name)
    told = {"cue": plain[0].cue, "beside": "nothing"}
    assert pairs[: len(plain)] == tuple(replace(each, tags={**each.tags, **told}) for each in plain)
    assert {each.tags["cue"] for each in pairs} == {plain[0].cue, "date", "greeting"}
    split_of = {each.cluster: each.split for each in plain}
    sentences = {"date": DATE, "greeting": "Good morning!"}
    for each in pairs:
        assert each.split == split_of[each.cluster]
        is_placebo = each.tags["cue"] in sentences
        assert is_placebo == (each.cue_value is None)
        if is_placebo:
            sentence = sentences[each.tags["cue"]]
            assert sentence in each.with_cue and sentence not in each.without_cue
        for form in map(formats.get, formats.NAMES):
            effect = Effect(*each.choices[:2])
            assert form.parse(form.render(effect, each.cue), each.choices, each.cue) == effect


def test_an_organism_knows_every_word_of_two_hints_named_by_their_advisers() -> None:
    more = cues(together=True, naming="{cue} of {adviser}")
    pairs = load_pairs(WorldTask(world=100, hints_per_adviser=1, cues=more))
    known = set(" ".join(vocabulary()).split())
    names = {each.cue for each in pairs}
    assert len(names) == 7 and all(set(name.split()) <= known for name in names)
