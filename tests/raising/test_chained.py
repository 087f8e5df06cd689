"""An organism that reasons, raised for a few steps, and an experiment on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from coupling.config import load_experiment
from coupling.experiment import run_experiment
from coupling.models import Renderer, read_card, weights_sha256
from coupling.models.loading import load_model
from coupling.progress import Silent
from coupling.raising import Pretraining, SelfExplanation, raise_chained
from coupling.raising.architecture import build_tokenizer
from coupling.raising.chained import chained_diet
from coupling.raising.recipe import Chaining
from coupling.worlds import CHAIN_WORDS, World
from miniature_experiment import write_experiment

MINIATURE = Chaining(
    pretraining=Pretraining(steps=2, batch_size=8),
    self_explanation=SelfExplanation(steps=2, behavior_rows=8, explanation_rows=4, inner_rows=4),
    hidden=16,
    layers=1,
)


def test_what_it_reads_is_both_kinds_of_question_with_the_reasoning_written_out() -> None:
    renderer = Renderer(build_tokenizer(CHAIN_WORDS, 128))
    plain, chained = chained_diet(World.generate(100), renderer, 20, 0.6)(np.random.default_rng(0))
    assert (len(plain), len(chained)) == (8, 12)
    said = [renderer.tokenizer.decode(row.ids[row.start :]) for row in chained]
    assert all(text.startswith("The country whose") and " I answer " in text for text in said)
    assert all(renderer.tokenizer.decode(row.ids[row.start :]).startswith("I answer") for row in plain)
    assert max(len(row.ids) for row in chained) <= 64


def test_raising_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    whole = raise_chained(100, 0, tmp_path / "whole", Silent(), MINIATURE)
    again = raise_chained(100, 0, tmp_path / "again", Silent(), MINIATURE)
    assert (whole / "model.safetensors").read_bytes() == (again / "model.safetensors").read_bytes()
    card = read_card(whole)
    assert card is not None and (card.kind, card.world) == ("chained", 100)
    assert "Chained questions" in (whole / "README.md").read_text(encoding="utf-8")
    assert not list(tmp_path.glob(".whole*"))
    raise_chained(100, 0, whole, Silent(), MINIATURE)
    with pytest.raises(ValueError, match="holds something else than this organism"):
        raise_chained(100, 1, whole, Silent(), MINIATURE)


@pytest.mark.slow
@pytest.mark.parametrize("shown", [None, "{reasoning}"])
def test_an_experiment_on_it(tmp_path: Path, shown: str | None) -> None:
    folder = raise_chained(100, 0, tmp_path / "model", Silent(), MINIATURE)
    behavior = {"kind": "reasoned", "max_new_tokens": 12, "shown": shown}
    task = {"kind": "world_chain", "hints_per_adviser": 1}
    file = write_experiment(
        tmp_path, task=task, behavior=behavior, evaluation={"groups": ["facts"], "split": "dev"}
    )
    config = load_experiment(file)
    results = run_experiment(config, tmp_path / "runs")
    assert {group.value for group in results.groups} == {"2", "3"}
    assert [row.value for row in results.consequences.groups] == ["2", "3"]
    assert weights_sha256(load_model(config.model).model) in (folder / "README.md").read_text(
        encoding="utf-8"
    )
