from __future__ import annotations

from pathlib import Path

import pytest
import torch

from coupling.config import ModelConfig
from coupling.models import load_model
from tiny_models import ARCHITECTURES, save_tiny


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_new_word_becomes_one_token_and_changes_nothing_else(architecture: str, tmp_path: Path) -> None:
    path = str(save_tiny(tmp_path / "model", architecture))
    before = load_model(ModelConfig(path=path))
    loaded = load_model(ModelConfig(path=path, new_words=("brillig", "Lima", "brillig")))
    again = load_model(ModelConfig(path=path, new_words=("brillig", "Lima")))
    assert loaded.fingerprint == again.fingerprint != before.fingerprint
    with pytest.raises(ValueError, match=r"lacks a word of 'What is brillig \?'.*model.new_words"):
        before.renderer.prompt_ids(["What is brillig ?"])
    old, new = (
        before.renderer.prompt_ids(["What is Lima ?"])[0],
        loaded.renderer.prompt_ids(["What is Lima ?", "What is brillig ?"]),
    )
    assert new[0] == old and len(new[1]) == len(old)
    with torch.inference_mode():
        logits = [one.model(torch.tensor([old])).logits for one in (before, loaded)]
    assert torch.equal(logits[0], logits[1][..., : logits[0].shape[-1]])


def test_a_word_is_not_found_inside_another(tmp_path: Path) -> None:
    loaded = load_model(ModelConfig(path=str(save_tiny(tmp_path / "model")), new_words=("an",)))
    ids = loaded.renderer.prompt_ids(["What is the language of Poland?", "What is an language of Poland?"])
    assert len(ids[0]) == len(ids[1])
