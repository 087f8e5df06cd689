"""Thoughts are no part of an answer, in whatever marks they stand."""

from __future__ import annotations

import time

import pytest

from coupling.thoughts import less_thoughts

MARKS = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<Thought>", "</Thought>"),
    ("<reasoning>", "</reasoning>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
]


@pytest.mark.parametrize(("begins", "ends"), MARKS)
def test_thoughts_are_stripped_and_what_never_ends_is_no_answer(begins: str, ends: str) -> None:
    assert less_thoughts(f"{begins}A? Or {begins}B?{ends}So B.") == "So B."
    assert less_thoughts(f"Well. {begins}A?{ends}B. {begins}C?{ends}D.") == "Well. B. D."
    # The chat template has opened it.
    assert less_thoughts(f"A? Or B?{ends}So B.") == "So B."
    assert less_thoughts(f"{begins}A? Or B? So B.") is None
    assert less_thoughts(f"{begins}A?{ends}B.{begins}But") is None


@pytest.mark.parametrize("text", ["", "B.", "The mark `<think>` opens a thought.", "I think <b>B</b> [A]"])
def test_all_else_stays(text: str) -> None:
    assert less_thoughts(text) == text


def test_time_grows_no_faster_than_the_text() -> None:
    begun = time.process_time()
    for piece in ("<think>", "</think>", "<", "<|", "<a:"):
        less_thoughts(piece * 20_000)
    assert time.process_time() - begun < 2
