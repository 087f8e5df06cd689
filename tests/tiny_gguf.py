"""A tiny llama as a GGUF file, written by the package that llama.cpp publishes for it."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from gguf import GGUFWriter, TokenType
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from tiny_models import byte_level_model, byte_level_tokenizer

BLOCK_TENSORS = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
OTHER_TENSORS = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}


def write_tiny_gguf(
    file: Path, architecture: str = "llama", has_template: bool = True
) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """Writes a random llama in float32, and returns what was written.

    Args:
        architecture: what the file says it is.
    """
    tokenizer = byte_level_tokenizer(["I answer A", "I answer B"])
    # transformers gives every tokenizer of this kind such a token, and it needs a row of the embeddings.
    tokenizer.add_tokens(["<|endoftext|>"], special_tokens=True)
    model = byte_level_model("llama", tokenizer)
    assert isinstance(model, LlamaForCausalLM)
    writer = GGUFWriter(file, architecture)
    config = model.config
    assert config.rope_parameters is not None and config.eos_token_id is not None
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_attention_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    _add_tokenizer(writer, tokenizer)
    if has_template:
        writer.add_chat_template(str(tokenizer.chat_template))
    for name, tensor in model.state_dict().items():
        heads = config.num_attention_heads if name.endswith(("q_proj.weight", "k_proj.weight")) else None
        writer.add_tensor(
            _gguf_name(name), (tensor if heads is None else _interleaved(tensor, heads)).numpy()
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model.eval(), tokenizer


def _add_tokenizer(writer: GGUFWriter, tokenizer: PreTrainedTokenizerFast) -> None:
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    words = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    special = [token.content for token in tokenizer.added_tokens_decoder.values()]
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_types([TokenType.CONTROL if word in special else TokenType.NORMAL for word in words])
    writer.add_token_merges([" ".join(pair) for pair in merges])
    assert isinstance(tokenizer.eos_token_id, int)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.eos_token_id)


def _gguf_name(name: str) -> str:
    if name in OTHER_TENSORS:
        return OTHER_TENSORS[name]
    _, _, block, part = name.split(".", 3)
    return f"blk.{block}.{BLOCK_TENSORS[part.removesuffix('.weight')]}.weight"


def _interleaved(rows: torch.Tensor, heads: int) -> torch.Tensor:
    """Rows of queries or keys as llama.cpp wants them: the two halves of a rotation side by side."""
    halves = rows.reshape(heads, 2, len(rows) // heads // 2, rows.shape[1])
    return halves.swapaxes(1, 2).reshape(rows.shape).contiguous()
