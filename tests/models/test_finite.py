"""NaN and infinities end the work where they first show."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from coupling.config import ClassifierDetector, ModelConfig
from coupling.explanations import formats
from coupling.models import LocalSampler, load_detector, load_model
from coupling.models.finite import check_losses
from coupling.records import CounterfactualPair
from coupling.tasks import draw, world_hint
from coupling.worlds import World
from tiny_models import byte_level_tokenizer, save_classifier, save_tiny, tiny_model, world_renderer


@pytest.fixture(scope="module")
def pairs() -> list[CounterfactualPair]:
    return draw(world_hint.load(World.generate(100), 1, 0), 4, 0)


def overflowing(dtype: torch.dtype) -> LocalSampler:
    """In float16 its logits are infinite; bfloat16 and float32 have room for them."""
    model = tiny_model("llama")
    with torch.no_grad():
        model.model.norm.weight.fill_(6e4)
    model.name_or_path = "wide"
    return LocalSampler(model.to(dtype), world_renderer(), max_new_tokens=2)


def test_choices_are_not_scored_by_logits_that_are_not_finite(pairs: list[CounterfactualPair]) -> None:
    with pytest.raises(ValueError, match=r"model wide: .* in float16; set model.dtype: float32"):
        overflowing(torch.float16).behaviors(pairs)
    behaviors = overflowing(torch.bfloat16).behaviors(pairs)
    assert all(math.isfinite(each) for behavior in behaviors for each in behavior.logprobs_with)


def test_nothing_is_written_by_logits_that_are_not_finite(pairs: list[CounterfactualPair]) -> None:
    format = formats.get("answer_pair")
    with pytest.raises(ValueError, match=r"model wide: .* in float16; set model.dtype: float32"):
        overflowing(torch.float16).explanations(pairs, format)
    assert len(overflowing(torch.bfloat16).explanations(pairs, format)) == len(pairs)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_weights_that_are_not_finite_are_refused(number: float, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "tiny")
    tensors = load_file(folder / "model.safetensors")
    tensors["model.layers.0.mlp.up_proj.weight"][1, 2] = number
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ValueError, match=r"in float32, such as model.layers.0.mlp.up_proj.weight; set"
    ) as error:
        load_model(ModelConfig(path=str(folder)))
    assert str(folder) in str(error.value)


def test_a_classifier_whose_weights_are_not_finite_is_refused(tmp_path: Path) -> None:
    labels = {"NORMAL": "compliance", "REJECTION": "refusal"}
    folder = save_classifier(tmp_path / "classifier", byte_level_tokenizer(["I will not."]), list(labels))
    tensors = load_file(folder / "model.safetensors")
    tensors["classifier.bias"][0] = math.nan
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ValueError, match=r"not all finite numbers in float32, such as classifier.bias; give an"
    ):
        load_detector(ClassifierDetector(path=str(folder), labels=labels))


def test_training_ends_at_a_loss_that_is_not_finite() -> None:
    model = tiny_model("llama")
    check_losses({"explanation": 1.0, "kl": 0.0}, 1, model)
    with pytest.raises(ValueError, match=r"step 3 .*kl nan.* in float32; .* lower training.learning_rate"):
        check_losses({"explanation": 1.0, "kl": math.nan}, 3, model)
