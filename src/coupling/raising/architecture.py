"""The bodies of organisms: a tokenizer over the world's words and two small architectures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from coupling.worlds import vocabulary

CONTEXT = 64
CHAT_TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}> {{ message['content'] }} "
    "{% if message['role'] == 'assistant' %}<end> {% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)
BYTE_CHAT_TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}<end>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
"""Without blanks, which byte-level tokens bring along: nothing merges across a marker."""


def build_tokenizer(more: Sequence[str] = (), context: int = CONTEXT) -> PreTrainedTokenizerFast:
    """One token a word; names of several words ("New Zealand") are one token as well.

    ``more`` words come last, so that those of every organism are the same tokens.
    """
    special = ["<pad>", "<unk>", "<end>", "<user>", "<assistant>"]
    words = (*vocabulary(), *more)
    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate([*special, *words])}, unk_token="<unk>")
    )
    # One word, however a sentence begins.
    tokenizer.normalizer = normalizers.Replace("Without", "without")
    unbroken = sorted((word for word in words if not word.isalpha() and len(word) > 1), key=len, reverse=True)
    pattern = "|".join([*(re.escape(word) for word in unbroken), r"\w+", r"[^\w\s]"])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True)
    tokenizer.decoder = decoders.Sequence(
        [decoders.WordPiece(prefix="##", cleanup=True), decoders.Fuse(), decoders.Replace(" ;", ";")]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token="<end>",
        additional_special_tokens=["<user>", "<assistant>"],
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=context,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def build_byte_tokenizer(texts: Iterable[str], vocabulary: int, context: int) -> PreTrainedTokenizerFast:
    """Byte-level byte-pair encoding, learned from ``texts``: any text can be written, none is unknown."""
    special = ["<pad>", "<end>", "<user>", "<assistant>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<end>",
        additional_special_tokens=["<user>", "<assistant>"],
        padding_side="left",
        model_max_length=context,
    )
    fast.chat_template = BYTE_CHAT_TEMPLATE
    return fast


def build_model(
    architecture: str, tokenizer: PreTrainedTokenizerFast, hidden: int, layers: int, seed: int
) -> PreTrainedModel:
    """A random model of the family ``llama`` or ``gpt_neox``; the same seed gives the same weights."""
    torch.manual_seed(seed)
    context = tokenizer.model_max_length
    ids = {
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
    }
    if architecture == "llama":
        return LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(tokenizer),
                hidden_size=hidden,
                intermediate_size=hidden * 8 // 3,
                num_hidden_layers=layers,
                num_attention_heads=4,
                max_position_embeddings=context,
                tie_word_embeddings=True,
                **ids,
            )
        )
    assert architecture == "gpt_neox", architecture
    return GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=len(tokenizer),
            hidden_size=hidden,
            intermediate_size=hidden * 4,
            num_hidden_layers=layers,
            num_attention_heads=4,
            max_position_embeddings=context,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0},
            tie_word_embeddings=True,
            **ids,
        )
    )
