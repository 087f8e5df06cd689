"""A PEFT adapter merged into its base is one plain model: the sum, by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import LoraConfig as PeftLoraConfig
from peft import PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file

from coupling.config import LoraConfig, ModelConfig
from coupling.models import LoadedModel, load_model, weights_sha256
from coupling.store import file_sha256
from coupling.training.checkpoints import CheckpointSlot, add_adapter, save_checkpoint
from tiny_models import ARCHITECTURES, save_byte_level, save_tiny, scatter, tiny_model, world_renderer

TENSORS = "adapter_model.safetensors"
LORA = LoraConfig(rank=2, alpha=6)
PROMPT = torch.tensor([[3, 5, 6, 4, 7]])


def save_adapter(folder: Path, architecture: str = "llama") -> Path:
    adapted = add_adapter(tiny_model(architecture), LORA, seed=0)
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_" in name:
                parameter.normal_(std=0.3)
    save_checkpoint(folder, adapted, world_renderer().tokenizer, 1)
    return folder


def load(base: Path, adapter: Path | None, dtype: str = "float32") -> LoadedModel:
    given = {"path": str(base), "adapter": None if adapter is None else str(adapter), "dtype": dtype}
    return load_model(ModelConfig.model_validate(given))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def saved_adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_adapter(tmp_path_factory.mktemp("adapters") / "lora")


@pytest.fixture
def adapter(saved_adapter: Path, tmp_path: Path) -> Path:
    """A copy to be altered."""
    return Path(shutil.copytree(saved_adapter, tmp_path / "lora"))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_base_and_adapter_are_the_sum_of_both(architecture: str, tmp_path: Path) -> None:
    base = save_tiny(tmp_path / "tiny", architecture)
    adapter = save_adapter(tmp_path / "lora", architecture)
    alone, together = load(base, None), load(base, adapter)
    added = load_file(adapter / TENSORS)
    weights = together.model.state_dict()
    changed = 0
    for name, before in alone.model.state_dict().items():
        prefix = f"base_model.model.{name.removesuffix('.weight')}"
        a, b = (added.get(f"{prefix}.lora_{part}.weight") for part in "AB")
        if a is None or b is None:
            assert torch.equal(weights[name], before), name
        else:
            changed += 1
            torch.testing.assert_close(weights[name], before + LORA.alpha / LORA.rank * b @ a)
    assert 2 * changed == len(added) > 0
    assert all(parameter.requires_grad for parameter in together.model.parameters())
    assert weights.keys() == alone.model.state_dict().keys()
    assert together.adapter_sha256 == file_sha256(adapter / TENSORS)
    assert together.fingerprint != alone.fingerprint


def test_merged_here_or_elsewhere_it_is_the_same_model(base: Path, adapter: Path, tmp_path: Path) -> None:
    together = load(base, adapter)
    together.model.save_pretrained(str(tmp_path / "merged"))
    together.renderer.tokenizer.save_pretrained(str(tmp_path / "merged"))
    assert load(tmp_path / "merged", None).fingerprint == together.fingerprint


def test_the_sum_is_rounded_once(base: Path, adapter: Path) -> None:
    """In bfloat16 the base is rounded, and then the sum; never the adapter or its product."""
    plain, merged = (load(base, each, "bfloat16").model.state_dict() for each in (None, adapter))
    added = load_file(adapter / TENSORS)
    rounded_twice = 0
    for name, weight in merged.items():
        prefix = f"base_model.model.{name.removesuffix('.weight')}"
        a, b = (added.get(f"{prefix}.lora_{part}.weight") for part in "AB")
        assert weight.dtype == torch.bfloat16
        if a is None or b is None:
            assert torch.equal(weight, plain[name])
            continue
        product = b @ a * (LORA.alpha / LORA.rank)
        assert torch.equal(weight, (plain[name].float() + product).bfloat16()), name
        rounded_twice += int((weight != plain[name] + product.bfloat16()).sum())
    assert rounded_twice > 0


def test_adapters_train_on_top_of_it_and_name_both(base: Path, adapter: Path, tmp_path: Path) -> None:
    together = load(base, adapter)
    before = weights_sha256(together.model)
    with torch.no_grad():
        expected = together.model(PROMPT).logits
    trained = add_adapter(load(base, adapter).model, LORA, seed=3)
    with torch.no_grad():
        torch.testing.assert_close(trained(PROMPT).logits, expected)
    scatter(trained, 5)
    save_checkpoint(tmp_path / "step", trained, together.renderer.tokenizer, 1)
    named = json.loads((tmp_path / "step" / "adapter_config.json").read_text(encoding="utf-8"))
    assert named["base_model_name_or_path"] == f"{base.name} + {adapter.name}"
    slot = CheckpointSlot(together.model)
    loaded = slot.load(tmp_path / "step")
    with torch.no_grad():
        assert not torch.allclose(loaded(PROMPT).logits, expected)
    slot.clear()
    assert weights_sha256(together.model) == before


@pytest.mark.filterwarnings("ignore::UserWarning:peft")
@pytest.mark.parametrize(
    "changes",
    [
        {"target_modules": ["lm_head"]},
        {"target_modules": ["embed_tokens"]},
        {"target_modules": ["q_proj", "lm_head", "embed_tokens"]},
        {"target_modules": ["q_proj"], "modules_to_save": ["lm_head"]},
        {"target_modules": ["q_proj"], "modules_to_save": ["embed_tokens"]},
        {"target_modules": ["embed_tokens"], "ensure_weight_tying": True},
    ],
)
def test_an_adapter_of_tied_embeddings_changes_what_it_was_trained_to_change(
    changes: dict[str, object], base: Path, tmp_path: Path
) -> None:
    """Input and output embeddings are one table in the base; merged, the model is base + adapter."""
    config = PeftLoraConfig(r=2, lora_alpha=6, task_type="CAUSAL_LM", **changes)
    adapted = get_peft_model(tiny_model("llama"), config).eval()
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_" in name or "modules_to_save" in name:
                parameter.normal_(std=0.3)
        expected = adapted(PROMPT).logits
    adapted.save_pretrained(str(tmp_path / "lora"))
    merged = load(base, tmp_path / "lora")
    merged.model.save_pretrained(str(tmp_path / "merged"))
    merged.renderer.tokenizer.save_pretrained(str(tmp_path / "merged"))
    for model in (merged.model, load(tmp_path / "merged", None).model):
        with torch.no_grad():
            torch.testing.assert_close(model(PROMPT).logits, expected)


def no_configuration(adapter: Path) -> None:
    (adapter / "adapter_config.json").unlink()


def pickled(adapter: Path) -> None:
    torch.save(load_file(adapter / TENSORS), adapter / "adapter_model.bin")
    (adapter / TENSORS).unlink()


def a_tensor_less(adapter: Path) -> None:
    tensors = load_file(adapter / TENSORS)
    tensors.pop(next(iter(tensors)))
    save_file(tensors, adapter / TENSORS)


def a_layer_more(adapter: Path) -> None:
    tensors = load_file(adapter / TENSORS)
    another = {name.replace(".0.", ".7."): tensor.clone() for name, tensor in tensors.items()}
    save_file({**tensors, **another}, adapter / TENSORS)


def another_rank(adapter: Path) -> None:
    file = adapter / "adapter_config.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"r": 2', '"r": 3'), encoding="utf-8")


def truncated(adapter: Path) -> None:
    data = (adapter / TENSORS).read_bytes()
    (adapter / TENSORS).write_bytes(data[: len(data) // 2])


def of_another_family(adapter: Path) -> None:
    shutil.rmtree(adapter)
    save_adapter(adapter, "gpt_neox")


def a_prompt(adapter: Path) -> None:
    shutil.rmtree(adapter)
    tuned = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2)
    get_peft_model(tiny_model("llama"), tuned).save_pretrained(str(adapter), save_embedding_layers=False)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (no_configuration, "is no adapter: no adapter_config.json in it"),
        (pickled, r"no adapter_model.safetensors in it .*adapter_model.bin.*pickle weights are not loaded"),
        (a_tensor_less, "1 of its tensors have no place there"),
        (a_layer_more, "of its tensors have no place there, such as .*layers.7"),
        (another_rank, "cannot be merged into"),
        (truncated, "cannot be merged into"),
        (of_another_family, "cannot be merged into .*trained on this very model"),
        (a_prompt, "PROMPT_TUNING, which changes no weight"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused(
    spoil: Callable[[Path], None], told: str, base: Path, adapter: Path
) -> None:
    spoil(adapter)
    with pytest.raises(ValueError, match=told) as refusal:
        load(base, adapter)
    assert str(refusal.value).startswith(f"model.adapter: {str(adapter)!r}")


def test_an_adapter_is_no_model_by_itself(adapter: Path) -> None:
    with pytest.raises(ValueError, match=r"is an adapter.*in model.path, and the adapter in model.adapter"):
        load(adapter, None)


def test_an_adapter_trained_on_another_vocabulary_is_refused(adapter: Path, tmp_path: Path) -> None:
    """The inner weights fit; were the embeddings saved with it, they would not."""
    tensors = load_file(adapter / TENSORS)
    tensors["base_model.model.model.embed_tokens.weight"] = torch.zeros(7, 16)
    save_file(tensors, adapter / TENSORS)
    with pytest.raises(ValueError, match="cannot be merged into"):
        load(save_byte_level(tmp_path / "bytes"), adapter)
