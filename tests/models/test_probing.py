"""Models that do not heed the attention mask are found when they are loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import (
    BartConfig,
    BartForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
    RwkvConfig,
    RwkvForCausalLM,
    XLNetConfig,
    XLNetLMHeadModel,
)

from coupling.config import ModelConfig
from coupling.models import load_model
from coupling.models.probing import alone_and_padded, check_heeds_padding
from tiny_models import ARCHITECTURES, byte_level_tokenizer, scatter, tiny_model


def rwkv(vocabulary: int = 60) -> PreTrainedModel:
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "context_length": 32}
    return RwkvForCausalLM(RwkvConfig(vocab_size=vocabulary, **sizes))


def xlnet() -> PreTrainedModel:
    return XLNetLMHeadModel(XLNetConfig(vocab_size=60, d_model=16, n_layer=1, n_head=2, d_inner=32))


def bart() -> PreTrainedModel:
    sizes = {"d_model": 16, "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 32}
    return BartForCausalLM(BartConfig(vocab_size=60, max_position_embeddings=32, **sizes))


def mamba() -> PreTrainedModel:
    return MambaForCausalLM(MambaConfig(vocab_size=60, hidden_size=16, num_hidden_layers=1, state_size=4))


def scattered(model: PreTrainedModel) -> PreTrainedModel:
    scatter(model)
    model.name_or_path = "mine"
    return model.eval()


def check(model: PreTrainedModel) -> None:
    check_heeds_padding(model, alone_and_padded(model, 0))


@pytest.mark.parametrize("build", [rwkv, xlnet, bart])
def test_answers_that_move_with_padding_are_found(build: Callable[[], PreTrainedModel]) -> None:
    with pytest.raises(ValueError, match="model mine: its answers move when a prompt is padded"):
        check(scattered(build()))


def test_they_are_refused_when_they_are_loaded(tmp_path: Path) -> None:
    tokenizer = byte_level_tokenizer(["I answer A"])
    scattered(rwkv(len(tokenizer))).save_pretrained(str(tmp_path))
    tokenizer.save_pretrained(str(tmp_path))
    with pytest.raises(ValueError, match=f"model {tmp_path.name}: its answers move when a prompt is padded"):
        load_model(ModelConfig(path=str(tmp_path)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_rounding_moves_no_answer(architecture: str, dtype: torch.dtype) -> None:
    check(tiny_model(architecture).to(dtype).eval())


def test_a_recurrent_model_may_heed_it() -> None:
    check(scattered(mamba()))
