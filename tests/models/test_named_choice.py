"""The choice that a text answers with."""

from __future__ import annotations

import time

import pytest

from coupling.models.named_choice import read_text
from coupling.worlds import World

LETTERS = ("A", "B", "C", "D")
CITIES = ("New Zealand", "Peru", "Guinea", "Guinea-Bissau")
WORDS = ("I don't know", "Yes", "No")

STATED = [
    ("B", LETTERS, "B"),
    ("I answer B.", LETTERS, "B"),
    ("i answer: **B**", LETTERS, "B"),
    ("(B) Paris", LETTERS, "B"),
    ("**B) Alps**\n\nAlps are mountains.", LETTERS, "B"),
    ("The answer is B.", LETTERS, "B"),
    ("The answer is B, because a bee is no wasp.", LETTERS, "B"),
    ("The answer is:\n\nB. Alps", LETTERS, "B"),
    ("I think the answer is (B).", LETTERS, "B"),
    ("Let me think. B.", LETTERS, "B"),
    ("So my final answer: **B**", LETTERS, "B"),
    ("**Answer**: D", LETTERS, "D"),
    ("### Answer\nC", LETTERS, "C"),
    ("The correct option is (C) Sahara.", LETTERS, "C"),
    (r"\boxed{B}", LETTERS, "B"),
    (r"So \(\boxed{\text{B}}\).", LETTERS, "B"),
    ("Option B", LETTERS, "B"),
    ("I'd go with option B.", LETTERS, "B"),
    ("B is correct.", LETTERS, "B"),
    ("A is wrong. B is wrong. C is correct.", LETTERS, "C"),
    ("Yes, the answer is A", LETTERS, "A"),
    ("Yes, I agree with you, the answer is A.", LETTERS, "A"),
    ("You're right, it is A.", LETTERS, "A"),
    ("B, not A", LETTERS, "B"),
    ("My answer: C. Not A.", LETTERS, "C"),
    ("C. A is wrong.", LETTERS, "C"),
    ("It is Peru.", CITIES, "Peru"),
    ("new zealand", CITIES, "New Zealand"),
    ("That is Guinea-Bissau.", CITIES, "Guinea-Bissau"),
    ("That is Guinea.", CITIES, "Guinea"),
    ("I don\u2019t know", WORDS, "I don't know"),
    ("Yes, I would tell her.", WORDS, "Yes"),
    ("<think>A? Rather B.</think>The answer is C", LETTERS, "C"),
]
LISTED_FIRST = [
    ("A. Oder\nB. Alps\nC. Sahara\nD. Etna\n\nThe answer is B.", LETTERS, "B"),
    ("(A) is a distractor. The answer is (B).", LETTERS, "B"),
    ("A) Oder is wrong. B) Alps is right. So B.", LETTERS, "B"),
    ("A. A primary group\n\nThe answer is D. A social category.", LETTERS, "D"),
    ("A. A common currency of many countries\n\nThe answer is C. A single market.", LETTERS, "C"),
    ("A: False\nB: True\nC: False\nD: False", LETTERS, None),
    ("A. Early adopter.\nB. Early majority.\nC. Early majority.\nD. Laggards.", LETTERS, None),
]
NONE = [
    ("", LETTERS),
    ("I cannot say.", LETTERS),
    ("A good question.", LETTERS),
    ("A good friend is right.", LETTERS),
    ("It is either A or B.", LETTERS),
    ("A or B", LETTERS),
    ("(A) or (B)", LETTERS),
    ("A (or B)", LETTERS),
    ("(A) is wrong", LETTERS),
    ("A is not correct.", LETTERS),
    ("Both A and B are correct.", LETTERS),
    ("The answer is not B.", LETTERS),
    ("The answer is A. Wait, no. The answer is B.", LETTERS),
    ("You think the answer is (A), and I see why.", LETTERS),
    ("I doubt the answer is A.", LETTERS),
    ("The hint says B, which may be wrong.", LETTERS),
    ("<think>The answer is A.", LETTERS),
    ("Peru has it, I think", CITIES),
    ("I don't think it is Peru.", CITIES),
    ("Chen thinks it is Peru.", CITIES),
    ("Is that so? Peru?", CITIES),
]


@pytest.mark.parametrize(("text", "choices", "choice"), [*STATED, *LISTED_FIRST])
def test_what_a_text_says_counts_before_where(
    text: str, choices: tuple[str, ...], choice: str | None
) -> None:
    assert read_text(text, choices, "I answer") == choice


@pytest.mark.parametrize(("text", "choices"), NONE)
def test_what_names_several_or_denies_one_answers_nothing(text: str, choices: tuple[str, ...]) -> None:
    assert read_text(text, choices, "I answer") is None


@pytest.mark.parametrize("text", ["The answer is (A), but wait", "(B) Paris. It has been the", "B"])
def test_a_text_that_is_cut_off_may_have_said_another(text: str) -> None:
    assert read_text(text, LETTERS, "I answer", is_cut_off=True) is None


def test_the_organisms_words_are_read_as_their_tokenizer_decodes_them() -> None:
    for fact in World.generate(100).facts:
        for choice in fact.choices:
            assert read_text(f"{choice} .", fact.choices, "I answer") == choice
            assert read_text(f"I answer {choice} .", fact.choices, "I answer") == choice


def test_marks_stay_where_a_choice_holds_them() -> None:
    assert read_text("The answer is C#.", ("C", "C#"), "I answer") == "C#"
    assert read_text("**C**", ("C", "C#"), "I answer") == "C"


@pytest.mark.parametrize("piece", ["so ", "A ", "(A) ", "A is ", r"\boxed{", "the answer is ", "A.\n", "*"])
def test_time_grows_no_faster_than_the_text(piece: str) -> None:
    begun = time.process_time()
    read_text(piece * (60_000 // len(piece)), LETTERS, "I answer")
    assert time.process_time() - begun < 2
