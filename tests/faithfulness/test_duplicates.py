from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.faithfulness import alike
from coupling.faithfulness.alike import normalised, overlapping
from coupling.faithfulness.duplicates import WORST, Repeats, repeats
from coupling.records import CounterfactualPair
from coupling.tasks import world_hint
from coupling.worlds import World
from synthetic_panels import pair

LEAST = 0.8


def asking(question: str, pair_id: str, cluster: str | None = None) -> CounterfactualPair:
    return replace(
        pair(pair_id, cluster or pair_id), with_cue=f"{question} Chen says B.", without_cue=question
    )


def each_alone(questions: Iterable[str], prefix: str = "q") -> list[CounterfactualPair]:
    """A cluster for each question."""
    return [asking(question, f"{prefix}{number}") for number, question in enumerate(questions)]


def across(pairs: list[CounterfactualPair]) -> Repeats:
    return repeats(pairs, [], LEAST)[0]


def by_hand(texts: list[str]) -> dict[tuple[int, int], float]:
    """Overlap of every two texts, from its definition."""
    held = [{*words, *pairwise(words)} for words in (text.split() for text in texts)]
    stands = {
        word: frozenset(at for at, each in enumerate(held) if word in each) for word in set().union(*held)
    }
    places = list(stands.values())
    weight = {
        word: np.log(len(texts) / len(at)) / (places.count(at) if len(at) > 2 else 1)
        for word, at in stands.items()
    }

    def total(words: set[object]) -> float:
        return float(sum(weight[word] for word in words))

    return {
        (one, other): total(held[one] & held[other]) / total(held[one] | held[other])
        for one, other in combinations(range(len(texts)), 2)
        if total(held[one] | held[other]) > 0
    }


@pytest.mark.parametrize(
    "again",
    [
        "what is the Capital of São-Tomé",
        "  What is the\u00a0capital\n of Sa\u0303o Tomé ??",
        "“What is the capital of São Tomé?”",
        "12. What is the capital of São Tomé?",
        "Question 3: What is the capital of São Tomé?",
        "What is the cap\u00adital of São\u200b Tomé?",
    ],
)
def test_the_same_words_are_the_same_text(again: str) -> None:
    assert normalised(again) == normalised("What is the capital of São Tomé?")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 2 + 3?", "What is 2 - 3?"),
        ("What is 2 + 3?", "What is 2 * 3?"),
        ("What is the capital of Niger?", "What is the capital of Nigeria?"),
        ("Is Oslo larger than Rome?", "Is Rome larger than Oslo?"),
        ("3.5 mol of it", "mol of it"),
        ("東京は", "京東は"),
        ("?!", "..."),
    ],
)
def test_other_words_are_another_text(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=6).map(" ".join), unique=True))
def test_overlaps_are_those_of_the_definition(texts: list[str]) -> None:
    if not texts:
        return
    for least in (0.3, LEAST, 1.0):
        met = {
            (one, other): overlap
            for ones, others, overlaps in overlapping(texts, len(texts), least)
            for one, other, overlap in zip(ones.tolist(), others.tolist(), overlaps.tolist(), strict=True)
        }
        expected = {at: overlap for at, overlap in by_hand(texts).items() if round(overlap, 9) >= least}
        assert met.keys() == expected.keys() | {(other, one) for one, other in expected}
        assert all(met[at] == pytest.approx(overlap) for at, overlap in expected.items())


def test_small_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = each_alone(f"{word} {other} again" for word in "abcdef" for other in "ghijk")
    found = repeats(pairs, pairs, 0.3)
    monkeypatch.setattr(alike, "_BLOCK", 1)
    monkeypatch.setattr(alike, "_CHUNK", 1)
    assert repeats(pairs, pairs, 0.3) == found


def test_pairs_of_one_question_in_one_cluster_are_no_duplicates() -> None:
    pairs = [asking("What is the capital of Peru?", f"p{number}", "Peru") for number in range(4)]
    assert across(pairs) == Repeats(pairs=4, same=0, near=0, worst=())
    assert across([*pairs, asking("Is it so?", "q")]).share == 0


def test_the_same_question_in_two_clusters() -> None:
    pairs = [
        asking("What is the capital of Peru?", "p1", "Peru"),
        asking("What is the capital of Peru?", "p2", "Peru"),
        asking("what is the capital of peru", "q", "elsewhere"),
        asking("What is the capital of Chad?", "r", "Chad"),
    ]
    found = across(pairs)
    assert (found.same, found.near, found.share) == (3, 0, 0.75)
    (worst,) = found.worst
    assert (worst.first, worst.first_cluster) == ("p1", "Peru")
    assert (worst.second, worst.second_cluster, worst.overlap) == ("q", "elsewhere", 1.0)
    assert across(pairs[::-1]) == found


QUESTIONS = (
    "Which scientist first measured how fast light travels through water in a mirror, slowly?",
    "Who wrote the longest novel about the siege of a northern harbour town?",
    "What do bees use the small glands beneath their wings for in early spring?",
    "How many moons of the outer planets were found before the first space probe left?",
)


def test_nearly_the_same_question_in_two_clusters() -> None:
    edited = QUESTIONS[0].replace(", slowly", "")
    found = across(each_alone([*QUESTIONS, edited]))
    assert (found.same, found.near) == (0, 2)
    assert LEAST <= found.worst[0].overlap < 1
    assert (found.worst[0].first, found.worst[0].second) == ("q0", "q4")


def test_the_same_comes_before_nearly_the_same_and_five_are_named() -> None:
    edited = [f"Please: {question}" for question in QUESTIONS]
    found = across(each_alone([*QUESTIONS, *edited, QUESTIONS[1]]))
    assert (found.same, found.near) == (2, 7)
    assert [worst.overlap == 1 for worst in found.worst] == [True, False, False, False, False]
    assert len({worst.first for worst in found.worst}) == 4
    many = across(each_alone([f"Is it {number} or not?" for number in range(9)] * 2))
    assert len(many.worst) == WORST
    assert len({worst.first for worst in many.worst}) == WORST


def test_questions_with_labels() -> None:
    held_out = each_alone(QUESTIONS)
    elsewhere, with_label = repeats(held_out, each_alone([QUESTIONS[2], "Is it so?"], "label"), LEAST)
    assert elsewhere.share == 0
    assert (with_label.same, with_label.near, with_label.pairs) == (1, 0, 4)
    assert (with_label.worst[0].first, with_label.worst[0].second) == ("q2", "label0")
    assert repeats(held_out, [], LEAST)[1].share == 0
    # Labels that are alike among themselves are no matter.
    assert repeats(held_out, each_alone(["Is it so?"] * 3, "label"), LEAST)[1].share == 0


@pytest.mark.parametrize("number", range(3))
def test_a_template_makes_no_duplicates(number: int) -> None:
    pairs = world_hint.load(World.generate(number), hints_per_adviser=1, seed=0)
    held_out, labelled = ([pair for pair in pairs if pair.split == split] for split in ("test", "train"))
    assert [found.share for found in repeats(held_out, labelled, LEAST)] == [0, 0]
    # Nor is a question about a country another question about it.
    assert across([replace(pair, cluster=pair.without_cue) for pair in held_out]).share == 0


def test_a_preamble_in_three_wordings_makes_no_duplicates() -> None:
    words = [f"{letter}{number}" for letter in "abc" for number in range(150)]
    wordings = [" ".join(words[150 * at : 150 * (at + 1)]) for at in range(3)]
    pairs = each_alone(
        f"{wordings[number % 3]} What is the {relation} of country {number}?"
        for number, relation in enumerate(["capital", "language", "currency", "continent"] * 50)
    )
    assert across(pairs).share == 0


def test_contrast_prompts_are_no_duplicates(real_data: Path) -> None:
    with (real_data / "xstest" / "xstest_prompts.csv").open(encoding="utf-8") as file:
        prompts = [row["prompt"] for row in csv.DictReader(file)]
    assert across(each_alone(prompts)).share == 0


def test_few_of_mmlus_questions_are_alike(real_data: Path) -> None:
    lines = (real_data / "mmlu" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    questions = sorted({normalised(json.loads(line)["question"]) for line in lines})
    found = across(each_alone(questions))
    assert 0 < found.share < 0.02
    # Nearly every question is recognised with a word more, or numbered.
    for edit in ("Please tell me: {}", "17) {}"):
        copies = each_alone([edit.format(question) for question in questions], "copy")
        assert repeats(each_alone(questions), copies, LEAST)[1].share > 0.98


def test_many_texts_take_little_time() -> None:
    random = np.random.default_rng(0)
    # Few words make most of a natural text.
    words = random.zipf(1.3, (4_000, 40)).clip(max=50_000)
    pairs = each_alone(" ".join(map(str, row)) for row in words.tolist())
    start = time.process_time()
    across(pairs)
    assert time.process_time() - start < 5
