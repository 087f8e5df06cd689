"""Random models of both families, small enough to be trained in a test, and tokenizers for them."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from coupling.models import Renderer
from coupling.raising.architecture import build_model, build_tokenizer
from coupling.records import CounterfactualPair

ARCHITECTURES = ("llama", "gpt_neox")
END, START = "<|end|>", "<|start|>"
CHAT_TEMPLATE = """\
{% for message in messages %}<|start|>{{ message['role'] }}
{{ message['content'] }}<|end|>
{% endfor %}{% if add_generation_prompt %}<|start|>assistant
{% endif %}"""


def tiny_model(architecture: str, seed: int = 0) -> PreTrainedModel:
    """One layer over the words of the worlds, with weights so large that answers differ."""
    model = build_model(architecture, build_tokenizer(), 16, 1, seed)
    scatter(model, seed)
    return model


def scatter(model: PreTrainedModel, seed: int = 0) -> None:
    """As initialised all choices are nearly as probable, and the last bit would decide many an answer."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.4)


def world_renderer() -> Renderer:
    return Renderer(build_tokenizer())


def choice_ids(renderer: Renderer, pair: CounterfactualPair) -> list[int]:
    """The token of each choice, where each has one."""
    (choices,) = renderer.choice_tokens([pair])
    assert choices.are_single
    return [ids[0] for ids in choices.ids]


def save_tiny(folder: Path, architecture: str = "llama", seed: int = 0) -> Path:
    """A folder as ``save_pretrained`` leaves it."""
    tiny_model(architecture, seed).save_pretrained(str(folder))
    build_tokenizer().save_pretrained(str(folder))
    return folder


def save_byte_level(folder: Path, architecture: str = "llama", texts: tuple[str, ...] = ()) -> Path:
    """The same, with a byte-level tokenizer."""
    tokenizer = byte_level_tokenizer([*texts, "I answer A", "I answer B"])
    model = build_model(architecture, tokenizer, 16, 1, 0)
    scatter(model)
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder


def byte_level_tokenizer(texts: list[str], vocabulary: int = 400) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with a chat template, as those of published models are."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END, START],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=END)
    fast.chat_template = CHAT_TEMPLATE
    return fast


def byte_level_model(architecture: str, tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> PreTrainedModel:
    """A random model that reads and writes any text."""
    sizes = {
        "vocab_size": len(tokenizer),
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    if architecture == "llama":
        model = LlamaForCausalLM(LlamaConfig(**sizes))
    else:
        model = GPTNeoXForCausalLM(GPTNeoXConfig(**sizes))
    scatter(model, seed)
    return model


def let_it_write_lines(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, of_marks: float = 0.0
) -> None:
    """Makes a random model write a word a line, whatever it reads: so an answer of a few tokens has
    sentences, and is not cut off in its first.

    Args:
        of_marks: how much less it writes marks than words; such lines are no sentences.
    """
    words = torch.tensor([tokenizer.decode([id_]).strip().isalpha() for id_ in range(len(tokenizer))])
    (line_feed,) = tokenizer.encode("\n", add_special_tokens=False)
    read, write = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    with torch.no_grad():
        write[~words] *= of_marks
        # One direction says whether a line has just ended: no layer writes it, only the line feed reads it.
        for name, parameter in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight", "dense.weight", "dense_4h_to_h.weight")):
                parameter[0] = 0
        read[:, 0], write[:, 0] = 1, 0
        read[line_feed, 0] = -1
        write[line_feed] = 0
        write[line_feed, 0] = 50


def save_classifier(
    folder: Path, tokenizer: PreTrainedTokenizerFast, labels: list[str], seed: int = 0
) -> Path:
    """A random text classifier as ``save_pretrained`` leaves it; it reads no more than 64 tokens."""
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=64,
        pad_token_id=tokenizer.pad_token_id,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    model = BertForSequenceClassification(config)
    scatter(model, seed)
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder
