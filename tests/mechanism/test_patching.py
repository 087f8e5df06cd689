"""Patching: what must hold exactly, whatever the weights are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, OPTConfig, OPTForCausalLM, PreTrainedModel

from coupling.config import LoraConfig
from coupling.faithfulness.circuits import AFTER, ANSWER, HEAD, MLP, RESIDUAL, Component
from coupling.mechanism.anatomy import dissect
from coupling.mechanism.contrasts import Contrast, contrast
from coupling.mechanism.patching import Site, components_of, patch
from coupling.models.batching import pad_left
from coupling.raising.architecture import build_model, build_tokenizer
from coupling.records import CounterfactualPair
from coupling.training.checkpoints import add_adapter
from tiny_models import ARCHITECTURES, scatter

PAD = 0
LAYERS = 2
WORDS = 60


def two_layers(architecture: str) -> PreTrainedModel:
    if architecture == "gpt2":
        torch.manual_seed(0)
        model: PreTrainedModel = GPT2LMHeadModel(
            GPT2Config(vocab_size=WORDS, n_embd=16, n_layer=LAYERS, n_head=4, n_positions=32)
        )
    else:
        model = build_model(architecture, build_tokenizer(), 16, LAYERS, 0)
    scatter(model)
    return model.eval()


@pytest.fixture(scope="module", params=[*ARCHITECTURES, "gpt2"])
def model(request: pytest.FixtureRequest) -> PreTrainedModel:
    return two_layers(request.param)


def contrasts(count: int = 9) -> list[Contrast]:
    """Prompts of several lengths, cues of several lengths, suffixes of 1 to 4 tokens."""
    random = np.random.default_rng(3)
    made = []
    for number in range(count):
        start, cue, end = (
            tuple(int(word) for word in random.integers(5, WORDS, length))
            for length in (2 + number % 3, 3, 1 + number % 4)
        )
        # The token before the suffix differs, so that the suffix is of the length intended.
        made.append(Contrast((*start, *cue, 1, *end), (*start, 2, *end), len(end), 7, 8))
    return made


def own(contrast: Contrast) -> Contrast:
    return replace(contrast, corrupt=contrast.clean)


def test_the_last_residual_at_the_answer_is_all_there_is(model: PreTrainedModel) -> None:
    everything = Component(RESIDUAL, LAYERS - 1, ANSWER)
    moved = patch(model, dissect(model), contrasts(), [everything], PAD)
    assert np.abs(moved.influence).min() > 1e-4
    np.testing.assert_allclose(moved.by_component[:, 0], moved.influence, atol=1e-5)


def test_ones_own_activations_change_nothing(model: PreTrainedModel) -> None:
    anatomy = dissect(model)
    moved = patch(model, anatomy, [own(each) for each in contrasts()], components_of(anatomy), PAD)
    assert not moved.influence.any() and not moved.by_component.any()


def test_positions_that_are_not_there_are_not_patched(model: PreTrainedModel) -> None:
    short = [each for each in contrasts() if each.suffix == 1]
    components = [each for each in components_of(dissect(model)) if each.position == AFTER]
    moved = patch(model, dissect(model), short, components, PAD)
    assert moved.influence.any() and not moved.by_component.any()


def test_behind_the_answer_of_the_last_block_nothing_is_read(model: PreTrainedModel) -> None:
    """The components left out: their share is 0 whatever the model."""
    late = [Component(MLP, LAYERS - 1, AFTER), Component(HEAD, LAYERS - 1, AFTER, 0)]
    assert not patch(model, dissect(model), contrasts(), late, PAD).by_component.any()
    assert not set(late) & set(components_of(dissect(model)))


def test_what_prompts_begin_with_has_equal_activations(model: PreTrainedModel) -> None:
    (one, *_) = contrasts()
    kept: list[torch.Tensor] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor)
        return tensor

    with Site(dissect(model).blocks[-1].whole).hook(keep), torch.inference_mode():
        for prompt in (one.clean, one.corrupt):
            model(**pad_left([prompt], PAD).inputs())
    torch.testing.assert_close(kept[0][:, :2], kept[1][:, :2])


def test_padding_and_batches_change_nothing(model: PreTrainedModel) -> None:
    anatomy, components = dissect(model), components_of(dissect(model))
    together = patch(model, anatomy, contrasts(), components, PAD)
    done: list[int] = []
    alone = patch(model, anatomy, contrasts(), components, PAD, batch_size=1, advance=done.append)
    assert sum(done) == len(contrasts())
    np.testing.assert_allclose(together.influence, alone.influence, atol=1e-4)
    np.testing.assert_allclose(together.by_component, alone.by_component, atol=1e-4)


def test_heads_add_up_to_the_attentions_output(model: PreTrainedModel) -> None:
    anatomy = dissect(model)
    for block in anatomy.blocks:
        kept: dict[bool, torch.Tensor] = {}

        def keep(tensor: torch.Tensor, key: bool, kept: dict[bool, torch.Tensor] = kept) -> torch.Tensor:
            kept[key] = tensor
            return tensor

        with (
            Site(block.projection, is_input=True).hook(lambda tensor: keep(tensor, True)),
            Site(block.projection).hook(lambda tensor: keep(tensor, False)),
            torch.no_grad(),
        ):
            model(**pad_left([contrasts()[0].clean], PAD).inputs())
        weight, bias = block.projection.weight, block.projection.bias
        by_input = weight if isinstance(block.projection, torch.nn.Linear) else weight.T
        width = anatomy.head_width
        heads = [
            kept[True][..., start : start + width] @ by_input[:, start : start + width].T
            for start in range(0, anatomy.heads * width, width)
        ]
        summed = sum(heads[1:], heads[0]) + (0 if bias is None else bias)
        torch.testing.assert_close(summed, kept[False])


def test_every_head_is_a_component_once_at_each_position(model: PreTrainedModel) -> None:
    anatomy = dissect(model)
    of_heads = [each for each in components_of(anatomy) if each.kind == HEAD]
    assert len(of_heads) == 2 * LAYERS * anatomy.heads - anatomy.heads
    assert len(set(of_heads)) == len(of_heads)


def test_hooks_are_gone_afterwards_also_after_an_error(model: PreTrainedModel) -> None:
    anatomy, components = dissect(model), components_of(dissect(model))
    patch(model, anatomy, contrasts(), components, PAD)
    impossible = replace(contrasts()[0], clean=(*contrasts()[0].clean, 10**6))
    with pytest.raises(IndexError):
        patch(model, anatomy, [impossible], components, PAD)
    with pytest.raises(IndexError):
        patch(model, anatomy, [replace(contrasts()[0], corrupt=(10**6, 3))], components, PAD)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_an_adapter_is_part_of_the_projection_it_is_on() -> None:
    model = two_layers("llama")
    plain = [block.projection for block in dissect(model).blocks]
    adapted = add_adapter(model, LoraConfig(rank=2, target_modules="all-linear"), 0).get_base_model()
    assert isinstance(adapted, PreTrainedModel)
    blocks = dissect(adapted).blocks
    assert [block.projection.get_base_layer() for block in blocks] == plain
    everything = Component(RESIDUAL, LAYERS - 1, ANSWER)
    moved = patch(adapted, dissect(adapted), contrasts(), [everything], PAD)
    np.testing.assert_allclose(moved.by_component[:, 0], moved.influence, atol=1e-5)


def test_a_model_of_another_build_is_told_what_was_looked_for() -> None:
    config = OPTConfig(
        vocab_size=WORDS, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, ffn_dim=16,
        word_embed_proj_dim=16, max_position_embeddings=32,
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"OPTForCausalLM: .* one an attention, one an MLP \(found OPTAtt"):
        dissect(OPTForCausalLM(config))


def test_prompts_are_aligned_at_both_ends() -> None:
    pair = CounterfactualPair("p", "c", "test", "x", "y", "hint", None, ("a", "b"))
    assert contrast(pair, (1, 2, 9, 8, 3, 4), (1, 2, 3, 4), 5, 6).suffix == 2
    # "2" ends the cue as it ends the question before it: it belongs to the start, and to one of them only.
    assert contrast(pair, (1, 2, 9, 2, 4), (1, 2, 4), 5, 6).suffix == 1
    with pytest.raises(ValueError, match="end in different tokens"):
        contrast(pair, (1, 2, 3), (1, 2, 4), 5, 6)
