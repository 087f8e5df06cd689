from __future__ import annotations

import json
import resource
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import miniature
import pytest
import torch

from coupling.config import LoraConfig, ModelConfig
from coupling.models import load_model, weights_sha256
from coupling.training.batches import answer_logits
from coupling.training.checkpoints import CheckpointSlot, add_adapter, save_checkpoint
from coupling.training.state import load_state, save_state
from tiny_models import ARCHITECTURES, save_tiny, tiny_model, world_renderer

PROMPTS = [(3, 5, 6, 4), (3, 8, 4)]


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return answer_logits(model.eval(), PROMPTS, pad=0)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_full_checkpoints_come_back(architecture: str, tmp_path: Path) -> None:
    model, renderer = tiny_model(architecture, seed=1), world_renderer()
    save_checkpoint(tmp_path / "step", model, renderer.tokenizer, 3)
    base = tiny_model(architecture, seed=0)
    loaded = CheckpointSlot(base).load(tmp_path / "step")
    assert weights_sha256(loaded) == weights_sha256(model) != weights_sha256(base)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_lora_checkpoints_come_back_one_after_the_other(architecture: str, tmp_path: Path) -> None:
    """Two adapters of one base: neither changes the base, nor what the other gives."""
    renderer, pairs = world_renderer(), miniature.training_pairs()
    base = tiny_model(architecture)
    model = add_adapter(tiny_model(architecture), LoraConfig(rank=2, alpha=4), seed=0)
    data = miniature.training_data(base, renderer, pairs)
    expected = []
    for step in (1, 2):
        miniature.run(model, data, miniature.training_config(step), tmp_path / f"state-{step}")
        save_checkpoint(tmp_path / str(step), model, renderer.tokenizer, step)
        expected.append(logits(model))
    of_base, untouched, described = logits(base), weights_sha256(base), base.config.to_dict()
    modules, trained = dict(base.named_modules()), [p.requires_grad for p in base.parameters()]
    slot = CheckpointSlot(base)
    assert not torch.equal(expected[0], expected[1])
    for step in (1, 2, 1):
        loaded = slot.load(tmp_path / str(step))
        assert loaded is base  # The weights are there once.
        torch.testing.assert_close(logits(loaded), expected[step - 1])
    slot.clear()
    assert weights_sha256(base) == untouched
    assert torch.equal(logits(base), of_base)
    assert base.config.to_dict() == described
    assert dict(base.named_modules()) == modules
    assert [p.requires_grad for p in base.parameters()] == trained


def test_a_full_checkpoint_goes_before_the_next_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in (1, 2):
        save_checkpoint(tmp_path / str(step), tiny_model("llama", step), world_renderer().tokenizer, step)
    base = tiny_model("llama")
    slot = CheckpointSlot(base)
    loaded = slot.load(tmp_path / "1")
    loaded.cycle = [loaded]  # Which only the collector clears.
    first = weakref.ref(loaded)
    del loaded
    from_pretrained = type(base).from_pretrained

    def load(*given: object, **options: object) -> object:
        assert first() is None
        return from_pretrained(*given, **options)

    monkeypatch.setattr(type(base), "from_pretrained", load)
    assert weights_sha256(slot.load(tmp_path / "2")) == weights_sha256(tiny_model("llama", 2))


def test_only_the_adapter_is_saved_and_trained(tmp_path: Path) -> None:
    model = add_adapter(tiny_model("llama"), LoraConfig(rank=2, alpha=4), seed=0)
    assert {name for name, p in model.named_parameters() if p.requires_grad} == {
        name for name, _ in model.named_parameters() if "lora_" in name
    }
    save_checkpoint(tmp_path / "step", model, world_renderer().tokenizer, 1)
    assert [path.name for path in (tmp_path / "step").glob("*.safetensors")] == ["adapter_model.safetensors"]


def test_a_lora_checkpoint_names_its_base_as_the_experiment_file_does(tmp_path: Path) -> None:
    """And so can be moved, and tells nothing of where the base lay; nor is the hub asked about it."""
    base = load_model(ModelConfig(path=str(save_tiny(tmp_path / "secret" / "tiny"))))
    model = add_adapter(base.model, LoraConfig(rank=2), seed=0)
    save_checkpoint(tmp_path / "step", model, base.renderer.tokenizer, 1)
    named = json.loads((tmp_path / "step" / "adapter_config.json").read_text(encoding="utf-8"))
    assert named["base_model_name_or_path"] == "tiny"
    for path in (tmp_path / "step").iterdir():
        assert b"secret" not in path.read_bytes(), path.name


def test_equal_seeds_give_equal_adapters() -> None:
    adapted = [add_adapter(tiny_model("llama"), LoraConfig(rank=2), seed) for seed in (0, 0, 1)]
    first, again, other = map(weights_sha256, adapted)
    assert first == again != other


def test_a_checkpoint_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    model = tiny_model("llama")
    save_checkpoint(tmp_path / "step", model, world_renderer().tokenizer, 1)
    (tmp_path / "step" / "COMPLETE").unlink()
    with pytest.raises(ValueError, match="not a complete checkpoint"):
        CheckpointSlot(model).load(tmp_path / "step")


@contextmanager
def no_room_for_files_of(size: int) -> Iterator[None]:
    """As on a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_of_and_leaves_what_was_there(tmp_path: Path) -> None:
    model, tokenizer = tiny_model("llama"), world_renderer().tokenizer
    optimizer = torch.optim.AdamW(model.parameters())
    save_state(tmp_path / "state", model, optimizer, 1, {})
    with no_room_for_files_of(20_000):
        with pytest.raises(ValueError, match=r"state: cannot be written .*make room on its disk"):
            save_state(tmp_path / "state", model, optimizer, 2, {})
        with pytest.raises(ValueError, match=r"step: cannot be written .*make room on its disk"):
            save_checkpoint(tmp_path / "step", model, tokenizer, 2)
    assert load_state(tmp_path / "state", model, optimizer, {}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_a_checkpoint_that_was_altered_is_refused(tmp_path: Path) -> None:
    model = tiny_model("llama")
    save_checkpoint(tmp_path / "step", model, world_renderer().tokenizer, 1)
    with (tmp_path / "step" / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    with pytest.raises(ValueError, match=r"model.safetensors: its SHA-256 is"):
        CheckpointSlot(model).load(tmp_path / "step")
