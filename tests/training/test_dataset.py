from __future__ import annotations

import miniature
import torch
from transformers import Gemma3Config, Gemma3ForConditionalGeneration

from tiny_models import world_renderer


def test_a_model_that_reads_images_as_well_has_the_vocabulary_of_its_text() -> None:
    renderer = world_renderer()
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**size, "vocab_size": len(renderer.tokenizer), "num_key_value_heads": 1, "head_dim": 8}
    torch.manual_seed(0)
    model = Gemma3ForConditionalGeneration(
        Gemma3Config(
            text_config={**text, "pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0},
            vision_config={**size, "image_size": 28, "patch_size": 14},
            mm_tokens_per_image=4,
        )
    )
    pairs = miniature.training_pairs(4)
    data = miniature.training_data(model, renderer, pairs)
    assert data.reference is not None
    assert data.reference.logprobs.shape == (8, len(renderer.tokenizer))
