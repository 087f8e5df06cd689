from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from coupling.config import ModelConfig
from coupling.models import LoadedModel, load_model, weights_sha256
from tiny_models import ARCHITECTURES, save_byte_level, save_tiny

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


def describe(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    described = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    path.write_text(json.dumps(described), encoding="utf-8")


def code_of_its_own(folder: Path) -> None:
    describe(folder, model_type="riddler", auto_map={"AutoModelForCausalLM": "modeling_riddler.Riddler"})


def an_unknown_kind(folder: Path) -> None:
    describe(folder, model_type="riddler")


def an_encoder_decoder(folder: Path) -> None:
    describe(folder, model_type="t5", is_encoder_decoder=True)


def an_encoder(folder: Path) -> None:
    """transformers would put the head of a decoder on it."""
    describe(folder, model_type="bert", architectures=["BertModel"])


def a_classifier(folder: Path) -> None:
    describe(folder, architectures=["LlamaForSequenceClassification"])


def quantised_in_an_unknown_way(folder: Path) -> None:
    describe(folder, quantization_config={"quant_method": "origami"})


def quantised_without_the_library(folder: Path) -> None:
    describe(folder, quantization_config={"quant_method": "gptq", "bits": 4})


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
        (code_of_its_own, "needs code of its own repository .auto_map., and such code is never run"),
        (an_unknown_kind, "of the kind .model_type. 'riddler', which transformers .* does not know"),
        (an_encoder_decoder, "is an encoder-decoder .t5., which is no causal language model"),
        (an_encoder, "not those of a causal language model .bert BertModel.: encoders, classifiers"),
        (a_classifier, "not those of a causal language model .llama LlamaForSequenceClassification."),
        (quantised_in_an_unknown_way, "is quantised by 'origami', which transformers .* does not know"),
        (quantised_without_the_library, "needs a library that is not installed|is quantised, and cannot be"),
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


def test_an_organism_that_is_not_shipped_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'organism:unheard-of': no organism of that name .* there are "):
        load_model(ModelConfig(path="organism:unheard-of"))


def test_a_device_that_is_not_there_is_refused(saved: Path) -> None:
    with pytest.raises(ValueError, match="'cuda:99' is not on this machine"):
        load_model(ModelConfig(path=str(saved), device="cuda:99"))


# How it is run


def load(folder: Path, **options: object) -> LoadedModel:
    return load_model(ModelConfig.model_validate({"path": str(folder), **options}))


def test_code_of_its_own_is_not_needed_where_transformers_knows_the_kind(saved: Path, folder: Path) -> None:
    describe(folder, auto_map={"AutoModelForCausalLM": "modeling_other.Other"})
    assert weights_sha256(load(folder).model) == weights_sha256(load(saved).model)


def test_dtype_auto_is_that_of_the_files(saved: Path, tmp_path: Path) -> None:
    half = load(saved, dtype="bfloat16")
    half.model.save_pretrained(str(tmp_path / "half"))
    half.renderer.tokenizer.save_pretrained(str(tmp_path / "half"))
    assert load(tmp_path / "half", dtype="auto").model.dtype == torch.bfloat16
    assert load(saved, dtype="auto").model.dtype == load(tmp_path / "half").model.dtype == torch.float32


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_attention_is_computed_as_asked(attention: str, saved: Path) -> None:
    usual, asked = load(saved), load(saved, attention=attention)
    assert asked.model.config._attn_implementation == attention
    assert asked.fingerprint == usual.fingerprint
    ids = torch.tensor([[3, 5, 6, 4]])
    with torch.no_grad():
        torch.testing.assert_close(asked.model(ids).logits, usual.model(ids).logits)


@pytest.mark.parametrize("attention", ["flash_attention_2", "flash_attention_3"])
def test_attention_that_is_not_installed_is_refused(attention: str, saved: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("it may be installed here")
    with pytest.raises(
        ValueError, match=rf"model.attention: '{attention}' is not there.* set model.attention: sdpa"
    ):
        load(saved, attention=attention, dtype="bfloat16")


def test_a_device_map_changes_no_answer(saved: Path) -> None:
    usual, mapped = load(saved), load(saved, device_map="auto")
    assert mapped.fingerprint == usual.fingerprint
    ids = torch.tensor([[3, 5, 6, 4]], device=mapped.model.device)
    with torch.no_grad():
        torch.testing.assert_close(mapped.model(ids).logits.cpu(), usual.model(ids.cpu()).logits)


def test_a_pad_token_is_one_of_the_vocabulary(tmp_path: Path) -> None:
    folder = save_byte_level(tmp_path / "bytes")
    chosen = load(folder, pad_token="<|start|>").renderer
    assert chosen.pad == chosen.tokenizer.convert_tokens_to_ids("<|start|>") != chosen.end
    with pytest.raises(ValueError, match=r"model.pad_token: '<pad>' is no token of .* such as '<\|end\|>'"):
        load(folder, pad_token="<pad>")


def test_a_chat_template_may_come_from_a_file(tmp_path: Path) -> None:
    folder = save_byte_level(tmp_path / "bytes")
    usual = load(folder)
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ValueError, match=r"no chat template; give one in model.chat_template"):
        load(folder)
    file = tmp_path / "mine.jinja"
    file.write_text(usual.renderer.tokenizer.chat_template, encoding="utf-8")
    assert load(folder, chat_template=str(file)).fingerprint == usual.fingerprint
    with pytest.raises(ValueError, match=r"model.chat_template: .*yours.jinja' cannot be read"):
        load(folder, chat_template=str(tmp_path / "yours.jinja"))


def test_it_is_called_by_its_name_and_not_by_where_it_lies(saved: Path) -> None:
    assert load(saved).model.name_or_path == saved.name
    assert load_model(ModelConfig(path="organism:plain")).model.name_or_path == "organism:plain"
