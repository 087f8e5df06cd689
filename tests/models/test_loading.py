from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from coupling.config import ModelConfig
from coupling.models import load_model
from tiny_models import ARCHITECTURES, save_tiny

WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy to be altered."""
    return Path(shutil.copytree(saved, tmp_path / "tiny"))


def fingerprint(folder: Path, dtype: str = "float32") -> str:
    return load_model(ModelConfig.model_validate({"path": str(folder), "dtype": dtype})).fingerprint


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_saved_model_loads_and_its_fingerprint_is_that_of_its_content(
    architecture: str, tmp_path: Path
) -> None:
    here = save_tiny(tmp_path / "here", architecture)
    there = Path(shutil.copytree(here, tmp_path / "there"))
    assert fingerprint(here) == fingerprint(there)
    assert fingerprint(here) != fingerprint(save_tiny(tmp_path / "other", architecture, seed=1))


def one_weight(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    tensors["model.norm.weight"][0] += 1e-6
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def the_template(folder: Path) -> None:
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text(encoding="utf-8") + " ", encoding="utf-8")


def a_word(folder: Path) -> None:
    path = folder / "tokenizer.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"Chen"', '"Chan"'), encoding="utf-8")


def the_rotation(folder: Path) -> None:
    """In no tensor, but in every answer."""
    configuration = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    configuration["rope_parameters"]["rope_theta"] = 5000.0
    (folder / "config.json").write_text(json.dumps(configuration), encoding="utf-8")


@pytest.mark.parametrize("change", [one_weight, the_template, a_word, the_rotation])
def test_the_fingerprint_changes_with(change: Callable[[Path], None], saved: Path, folder: Path) -> None:
    change(folder)
    assert fingerprint(folder) != fingerprint(saved)


def test_the_fingerprint_changes_with_the_dtype(saved: Path) -> None:
    assert fingerprint(saved, "bfloat16") != fingerprint(saved)


def no_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def no_json(folder: Path) -> None:
    (folder / "config.json").write_text("model", encoding="utf-8")


def another_kind(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "vit"}', encoding="utf-8")


def pickle_only(folder: Path) -> None:
    torch.save(load_file(folder / WEIGHTS), folder / "pytorch_model.bin")
    (folder / WEIGHTS).unlink()


def truncated(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])


def a_tensor_less(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    del tensors["model.norm.weight"]
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def another_shape(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    tensors["model.norm.weight"] = torch.zeros(3)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def no_tokenizer(folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (no_config, "a folder without config.json is no model"),
        (no_json, "config.json: not valid JSON"),
        (another_kind, "not those of a causal language model"),
        (pickle_only, r"no \*.safetensors in it .*pytorch_model.bin.* pickle weights are not loaded"),
        (truncated, "its files are not those of a causal language model"),
        (a_tensor_less, "1 of its tensors are missing or of another shape .* such as model.norm.weight"),
        (another_shape, "1 of its tensors are missing or of another shape .* such as model.norm.weight"),
        (no_tokenizer, "its files are not those of a causal language model with its tokenizer"),
    ],
)
def test_what_is_no_model_is_refused(spoil: Callable[[Path], None], told: str, folder: Path) -> None:
    spoil(folder)
    with pytest.raises(ValueError, match=told) as refusal:
        load_model(ModelConfig(path=str(folder)))
    assert str(folder) in str(refusal.value)


def test_a_hub_name_that_nobody_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match="'nobody/nothing': neither a folder with a model nor"):
        load_model(ModelConfig(path="nobody/nothing"))


def test_an_organism_that_is_not_shipped_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'organism:unheard-of': no organism of that name .* there are "):
        load_model(ModelConfig(path="organism:unheard-of"))


def test_a_device_that_is_not_there_is_refused(saved: Path) -> None:
    with pytest.raises(ValueError, match="'cuda:99' is not on this machine"):
        load_model(ModelConfig(path=str(saved), device="cuda:99"))
