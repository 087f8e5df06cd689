"""Readers from the first stage to the page: a language model from random weights, and two other models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from coupling.config import ModelConfig, load_experiment
from coupling.experiment import is_done, run_experiment
from coupling.experiment.readers import fresh_model, readers_of, training_of
from coupling.faithfulness.readers import (
    LANGUAGE_MODEL,
    OTHER_MODEL,
    TEXT_ON_BEHAVIOR,
    TEXT_ON_LABELS,
)
from coupling.faithfulness.results import READER, Results
from coupling.models import load_model
from coupling.records import CounterfactualPair, Explanation
from coupling.store import read_records
from miniature_experiment import write_experiment
from noted import Noted
from tiny_models import save_tiny

TRAINED = {"steps": 3, "batch_size": 8, "warmup_steps": 1}
READERS: dict[str, Any] = {
    "language_model": TRAINED,
    "models": [
        {"name": "sister", "path": "sister", **TRAINED},
        {"name": "stranger", "path": "stranger", **TRAINED},
    ],
}
PANEL: dict[str, Any] = {"panel": [{"name": "alone"}], "twins": []}


class Killed(Exception):
    """A process that ends in the middle of its work."""


class Killing(Noted):
    """Ends the work at the second step of a task."""

    def __init__(self, task: str) -> None:
        super().__init__()
        self.task = task

    def update(self, task: str, done: int, total: int) -> None:
        super().update(task, done, total)
        if task == self.task and done == 2:
            raise Killed


def write(folder: Path, **sections: Any) -> Path:
    """An experiment whose readers are another seed of the model and one that reads with other tokens."""
    if not (folder / "sister").exists():
        save_tiny(folder / "sister", seed=3)
        number_words_otherwise(save_tiny(folder / "stranger", "gpt_neox", seed=4))
    return write_experiment(folder, **{**PANEL, "readers": READERS, **sections})


def number_words_otherwise(folder: Path) -> None:
    """Gives the words of a tokenizer each other's numbers, but for its special tokens."""
    file = folder / "tokenizer.json"
    document = json.loads(file.read_text("utf-8"))
    vocabulary, special = document["model"]["vocab"], {each["id"] for each in document["added_tokens"]}
    words = {word: number for word, number in vocabulary.items() if number not in special}
    vocabulary |= dict(zip(words, reversed(words.values()), strict=True))
    file.write_text(json.dumps(document), "utf-8")


def by_kind(results: Results) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for reader in results.explained_by(READER):
        assert reader.reader_kind is not None
        found.setdefault(reader.reader_kind, []).append(reader.words)
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readers")
    run_experiment(load_experiment(write(folder)), folder / "runs")
    return folder


def results_of(folder: Path) -> bytes:
    return (folder / "runs" / "mini" / "results.json").read_bytes()


def test_every_reader_stands_beside_the_verdict(finished: Path) -> None:
    results = Results.from_json(json.loads(results_of(finished)))
    assert by_kind(results) == {
        TEXT_ON_LABELS: ["text, from labels"],
        TEXT_ON_BEHAVIOR: ["text, from behaviour"],
        LANGUAGE_MODEL: ["language-model"],
        OTHER_MODEL: ["sister", "stranger"],
    }
    for reader in results.explained_by(READER):
        assert results.figures("self", explainer=reader.name).n == results.counts.pairs == 40
        acts = results.figures("similarity", explainer=reader.name).value is not None
        assert acts == (reader.reader_kind == OTHER_MODEL)
    page = (finished / "runs/mini/report.html").read_text("utf-8")
    assert "What a reader of the text alone would say" in page and "stranger" in page
    assert str(finished) not in page + results_of(finished).decode()


def test_their_artifacts_say_what_they_were_made_from(finished: Path) -> None:
    here = finished / "runs" / "mini"
    held_out = {
        pair.id for pair in read_records(here / "pairs.jsonl", CounterfactualPair) if pair.split == "test"
    }
    for name in ("language-model", "sister", "stranger"):
        folder = here / "readers" / name
        said = read_records(folder / "step-000003.explanations.jsonl", Explanation)
        assert {each.pair_id for each in said} == held_out
        made = json.loads((folder / "step-000003.made.json").read_text("utf-8"))["made_from"]
        labels = json.loads((here / "labels.jsonl.made.json").read_text("utf-8"))["sha256"]
        assert made["labels"] == labels
        assert (folder / "behaviors.jsonl").exists() == (folder / "model.json").exists() == (name[0] == "s")
        assert not (folder / "state").exists()


@pytest.mark.parametrize("name", ["language-model", "sister"])
def test_killed_in_its_training_a_reader_goes_on_to_the_same_figures(
    finished: Path, tmp_path: Path, name: str
) -> None:
    for model in ("model", "sister", "stranger"):
        shutil.copytree(finished / model, tmp_path / model)
    config = load_experiment(write(tmp_path))
    with pytest.raises(Killed):
        run_experiment(config, tmp_path / "runs", Killing(f"train {name}"))
    assert (tmp_path / "runs/mini/readers" / name / "state").is_dir()
    run_experiment(config, tmp_path / "runs")
    assert results_of(tmp_path) == results_of(finished)


def test_what_is_lost_is_made_again_and_the_rest_passed_over(finished: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(finished, tmp_path / "copy"))
    config, noted = load_experiment(copy / "mini.yaml"), Noted()
    assert is_done(config, copy / "runs")
    shutil.rmtree(copy / "runs/mini/readers/sister/step-000003")
    (copy / "runs/mini/readers/stranger/behaviors.jsonl").unlink()
    assert not is_done(config, copy / "runs")
    run_experiment(config, copy / "runs", noted)
    assert "trained before: language-model, stranger" in noted.notes
    assert results_of(copy) == results_of(finished)


def test_a_reader_whose_weights_changed_is_refused(finished: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(finished, tmp_path / "copy"))
    shutil.rmtree(copy / "sister")
    save_tiny(copy / "sister", seed=4)
    with pytest.raises(
        ValueError, match=r"sister': its weights, .* changed since .*readers.sister.model.json"
    ):
        run_experiment(load_experiment(copy / "mini.yaml"), copy / "runs")


def test_a_reader_that_is_no_model_is_told_of_by_its_field(tmp_path: Path) -> None:
    file = write(tmp_path, readers={"models": [{"name": "nobody", "path": "nowhere/at/all"}]})
    with pytest.raises(ValueError, match=r"^readers.models.0.path: 'nowhere/at/all' cannot be asked"):
        run_experiment(load_experiment(file), tmp_path / "runs")


def test_readers_learn_from_the_labels_alone(tmp_path: Path) -> None:
    lora = {"rank": 2, "alpha": 4}
    config = load_experiment(write(tmp_path, training={"lora": lora, "kl": {"weight": 3.0}}))
    fresh, sister, _ = (training_of(config, reader) for reader in readers_of(config))
    for training in (fresh, sister):
        assert (training.kl.weight, training.explanations.weight, training.checkpoints) == (0, 1, (0, 3))
    assert fresh.lora is None and sister.lora == config.training.lora is not None


def test_fresh_weights_are_of_the_same_shape_and_drawn_by_their_seed(tmp_path: Path) -> None:
    base = load_model(ModelConfig(path=str(save_tiny(tmp_path / "model"))))
    one, same, other = (fresh_model(base, seed).model.state_dict() for seed in (0, 0, 1))
    of_base = base.model.state_dict()
    assert {name: tensor.shape for name, tensor in one.items()} == {
        name: tensor.shape for name, tensor in of_base.items()
    }
    matrices = [name for name, tensor in one.items() if tensor.dim() > 1]
    assert matrices
    for name in matrices:
        assert torch.equal(one[name], same[name])
        assert not torch.equal(one[name], other[name]) and not torch.equal(one[name], of_base[name])


def test_without_surrogates_and_models_nothing_is_read(tmp_path: Path) -> None:
    file = write(tmp_path, readers={"surrogates": False})
    results = run_experiment(load_experiment(file), tmp_path / "runs")
    assert results.explained_by(READER) == ()
    assert "What a reader" not in (tmp_path / "runs/mini/report.html").read_text("utf-8")
