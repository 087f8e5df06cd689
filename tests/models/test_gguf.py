from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from coupling.config import ModelConfig
from coupling.models import load_model
from coupling.models.loading import describe_model
from coupling.training.checkpoints import save_checkpoint
from tiny_gguf import write_tiny_gguf

Written = tuple[LlamaForCausalLM, PreTrainedTokenizerFast]
IDS = torch.tensor([[3, 50, 60, 4, 200]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gguf")


@pytest.fixture(scope="module")
def written(folder: Path) -> Written:
    return write_tiny_gguf(folder / "tiny.gguf")


@pytest.fixture
def file(folder: Path, written: Written, tmp_path: Path) -> Path:
    """A copy to be altered."""
    return Path(shutil.copy(folder / "tiny.gguf", tmp_path / "copy.gguf"))


def named(file: Path, **options: object) -> ModelConfig:
    return ModelConfig.model_validate({"path": str(file), **options})


def test_a_gguf_file_gives_the_logits_of_the_weights_written(file: Path, written: Written) -> None:
    model, tokenizer = written
    loaded = load_model(named(file))
    with torch.no_grad():
        torch.testing.assert_close(loaded.model(IDS).logits, model(IDS).logits, atol=1e-5, rtol=0)
    text = "I answer A, or 42 times Chén<|end|>\n<|start|>"
    assert loaded.renderer.tokenizer(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert loaded.renderer.tokenizer.chat_template == tokenizer.chat_template
    assert (loaded.model.name_or_path, loaded.is_quantised, loaded.commit) == ("copy.gguf", False, None)


def test_its_fingerprint_is_that_of_its_content(file: Path, folder: Path, tmp_path: Path) -> None:
    assert load_model(named(file)).fingerprint == load_model(named(folder / "tiny.gguf")).fingerprint
    half = load_model(named(file, dtype="bfloat16"))
    assert half.model.dtype == torch.bfloat16
    assert half.fingerprint != load_model(named(file, dtype="auto")).fingerprint


def test_what_is_trained_from_it_is_saved_and_loaded_as_any_model_is(file: Path, tmp_path: Path) -> None:
    loaded = load_model(named(file))
    with torch.no_grad():
        loaded.model.lm_head.weight.add_(1.0)
    save_checkpoint(tmp_path / "step-1", loaded.model, loaded.renderer.tokenizer, 1)
    again = load_model(named(tmp_path / "step-1"))
    assert not again.is_quantised
    with torch.no_grad():
        torch.testing.assert_close(again.model(IDS).logits, loaded.model(IDS).logits)
    assert again.renderer.fingerprint() == loaded.renderer.fingerprint()


def test_it_is_described_without_its_weights_and_runs_with_the_attention_asked_for(file: Path) -> None:
    described = describe_model(named(file))
    assert (described.config.model_type, described.dtype) == ("llama", torch.float32)
    assert load_model(named(file, attention="eager")).model.config._attn_implementation == "eager"


def test_a_file_without_a_chat_template_takes_one_from_a_file(written: Written, tmp_path: Path) -> None:
    write_tiny_gguf(tmp_path / "bare.gguf", has_template=False)
    with pytest.raises(ValueError, match=r"no chat template; give one in model.chat_template"):
        load_model(named(tmp_path / "bare.gguf"))
    template = tmp_path / "mine.jinja"
    template.write_text(str(written[1].chat_template), encoding="utf-8")
    load_model(named(tmp_path / "bare.gguf", chat_template=str(template)))


def gone(file: Path) -> None:
    file.unlink()


def empty(file: Path) -> None:
    file.write_bytes(b"")


def text(file: Path) -> None:
    file.write_text("no model, but a letter", encoding="utf-8")


def cut(share: float) -> Callable[[Path], None]:
    def shorten(file: Path) -> None:
        data = file.read_bytes()
        file.write_bytes(data[: int(len(data) * share)])

    return shorten


def of_another_version(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:4] + b"\x09\0\0\0" + data[8:])


def of_another_architecture(file: Path) -> None:
    write_tiny_gguf(file, "mpt")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (gone, "no such file; check the path"),
        (empty, "is no GGUF file .it begins with b'', .* or a folder saved by save_pretrained"),
        (text, "is no GGUF file .it begins with b'no m', .* or a folder saved by save_pretrained"),
        (cut(0.0005), "is a GGUF file that is cut short or damaged .* fetch or copy it again"),
        (cut(0.1), "is a GGUF file that is cut short or damaged .* fetch or copy it again"),
        (cut(0.5), "is a GGUF file that is cut short or damaged .* fetch or copy it again"),
        (cut(0.999), "is a GGUF file that is cut short or damaged .* fetch or copy it again"),
        (of_another_version, "version 9 which .* fetch or copy it again"),
        (
            of_another_architecture,
            "of the architecture 'mpt', which transformers .* upgrade transformers, or",
        ),
    ],
)
def test_what_cannot_be_loaded_says_what_to_do(spoil: Callable[[Path], None], told: str, file: Path) -> None:
    spoil(file)
    with pytest.raises(ValueError, match=told) as refusal:
        load_model(named(file))
    assert str(file) in str(refusal.value)


def test_the_package_that_reads_it_is_named_where_it_is_missing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coupling.models.gguf.is_gguf_available", lambda: False)
    with pytest.raises(ValueError, match=re.escape("pip install 'introspective-coupling[gguf]'")):
        load_model(named(file))
