from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coupling.config import MmluHintTask, ModelConfig
from coupling.models import Renderer, load_model
from coupling.progress import Silent
from coupling.raising.architecture import build_byte_tokenizer
from coupling.raising.reader import Memory, raise_reader, reading_diet, remember
from coupling.raising.recipe import Pretraining, Reading
from coupling.tasks import load_pairs

TINY = Reading(
    pretraining=Pretraining(steps=3, batch_size=8), hidden=16, layers=1, vocabulary=400, context=256
)


@pytest.fixture
def questions(tmp_path: Path) -> MmluHintTask:
    rows = [
        {
            "question": f"Which of these is number {number}?",
            "subject": "numbers",
            "choices": [f"{number}", f"{number + 1}", f"{number + 2}", f"{number + 3}"],
            "answer": number % 4,
        }
        for number in range(12)
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return MmluHintTask(path=str(file))


class Stop(Silent):
    """Ends raising after some steps, as a kill would."""

    def __init__(self, step: int) -> None:
        self.step = step

    def update(self, task: str, done: int, total: int) -> None:
        if done == self.step:
            raise KeyboardInterrupt


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def test_a_reader_is_a_model_like_any_other(questions: MmluHintTask, tmp_path: Path) -> None:
    folder = raise_reader(questions, 0, tmp_path / "reader", Silent(), TINY)
    loaded = load_model(ModelConfig(path=str(folder)))
    pairs = load_pairs(questions)
    assert all(each.are_single for each in loaded.renderer.choice_tokens(pairs))
    assert "memory, not knowledge" in (folder / "README.md").read_text(encoding="utf-8")
    before = weights(folder)
    assert raise_reader(questions, 0, folder, Silent(), TINY) == folder
    assert weights(folder) == before
    with pytest.raises(ValueError, match="holds something else"):
        raise_reader(questions, 1, folder, Silent(), TINY)


def test_interrupted_raising_ends_in_the_same_weights(
    questions: MmluHintTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coupling.raising.reader.SAVE_EVERY", 1)
    whole = raise_reader(questions, 0, tmp_path / "whole", Silent(), TINY)
    with pytest.raises(KeyboardInterrupt):
        raise_reader(questions, 0, tmp_path / "killed", Stop(2), TINY)
    resumed = raise_reader(questions, 0, tmp_path / "killed", Silent(), TINY)
    assert weights(resumed) == weights(whole)


def test_the_surer_the_less_a_hint_counts() -> None:
    sure, unsure = Memory("A", "B", 0.95, 0.0), Memory("A", "B", 0.35, 0.0)
    assert unsure.trust == pytest.approx(0.8581, abs=1e-4) and sure.trust == pytest.approx(0.1419, abs=1e-4)
    assert Memory("A", "B", 0.65, 0.0).trust == 0.5
    assert Memory("A", "B", 0.65, 1.0).trust == pytest.approx(0.7311, abs=1e-4)


def test_answers_are_drawn_as_memory_says(questions: MmluHintTask) -> None:
    pair = load_pairs(questions)[0]
    memory, rng = Memory("A", "B", 0.7, 0.0), np.random.default_rng(0)
    drawn = [memory.draw(pair, False, rng) for _ in range(20000)]
    # 0.3 x 0.2 of the answers are any of the four.
    assert drawn.count("A") / len(drawn) == pytest.approx(0.7 + 0.06 / 4, abs=0.01)
    assert drawn.count("B") / len(drawn) == pytest.approx(0.24 + 0.06 / 4, abs=0.01)


def test_the_modal_answer_is_drawn_most_often(questions: MmluHintTask) -> None:
    pair = load_pairs(questions)[0]
    rng = np.random.default_rng(0)
    for memory in (Memory("A", "B", 0.4, -2.0), Memory("A", "B", 0.5, 0.0), Memory("C", "B", 0.9, 2.0)):
        for is_hinted in (False, True):
            drawn = [memory.draw(pair, is_hinted, rng) for _ in range(4000)]
            assert max(set(drawn), key=drawn.count) == memory.modal(pair, is_hinted)


def test_others_are_explained_on_training_questions_alone(questions: MmluHintTask) -> None:
    pairs = load_pairs(questions)
    tokenizer = build_byte_tokenizer([pair.with_cue for pair in pairs], 320, 512)
    renderer = Renderer(tokenizer)
    recipe = replace(TINY, pretraining=replace(TINY.pretraining, batch_size=40, third_person_share=0.5))
    diet = reading_diet(pairs, {pair.id: remember(pair, 0) for pair in pairs}, renderer, recipe)
    questions_of = {
        split: {p.with_cue for p in pairs if p.split == split} for split in ("train", "dev", "test")
    }
    assert all(questions_of.values())
    answered, explained = diet(np.random.default_rng(0))
    assert len(answered) == len(explained) == 20
    for row in explained:
        text = tokenizer.decode(row.ids)
        assert "Without the hint" not in text and "without the hint" in text
        assert any(question in text for question in questions_of["train"])
        assert not any(question in text for split in ("dev", "test") for question in questions_of[split])


def test_what_it_makes_of_a_question_follows_from_seed_and_question(questions: MmluHintTask) -> None:
    pairs = load_pairs(questions.model_copy(update={"letters_per_question": 4}))
    memories = {
        pair.cluster: {remember(each, 0) for each in pairs if each.cluster == pair.cluster} for pair in pairs
    }
    assert all(len(found) == 1 for found in memories.values())
    assert len({memory.sureness for (memory,) in memories.values()}) == len(memories)
    assert all(memory.rival != memory.right for (memory,) in memories.values())
    assert any(remember(pair, 0) != remember(pair, 1) for pair in pairs)


def test_each_wording_is_believed_in_its_own_way(questions: MmluHintTask) -> None:
    templates = {"plain": "I say ({letter}).", "key": "The key says ({letter})."}
    pairs = load_pairs(questions.model_copy(update={"templates": templates}))
    beliefs = {(pair.tags["template"], remember(pair, 0).belief) for pair in pairs}
    assert len(beliefs) == 2 and len({belief for _, belief in beliefs}) == 2
    assert all(abs(belief) <= 2 for _, belief in beliefs)


def test_questions_that_are_too_long_are_told_of(questions: MmluHintTask, tmp_path: Path) -> None:
    short = Reading(TINY.architecture, TINY.pretraining, 16, 1, 400, context=70)
    with pytest.raises(ValueError, match="none fits into 6 tokens"):
        raise_reader(questions, 0, tmp_path / "reader", Silent(), short)
    assert not (tmp_path / "reader").exists()
