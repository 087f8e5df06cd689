"""The organisms that come with the package are what their cards say."""

from __future__ import annotations

import pytest

from coupling.config import ModelConfig
from coupling.models import load_model, weights_sha256
from coupling.models.organisms import shipped_organisms
from coupling.raising import RECIPES
from coupling.store import read_complete
from tiny_models import world_renderer

SHIPPED = shipped_organisms()
LARGEST = 5_000_000


def test_all_kinds_are_shipped_and_an_earlier_checkpoint() -> None:
    assert set(SHIPPED) == {*RECIPES, "coupled-early"}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_organism_is_whole_and_small_and_says_what_it_is(name: str) -> None:
    folder, card = SHIPPED[name]
    manifest = read_complete(folder)
    assert manifest is not None
    assert sum((folder / file).stat().st_size for file in manifest.files) < LARGEST
    loaded = load_model(ModelConfig(path=f"organism:{name}"))
    assert weights_sha256(loaded.model) == card.weights_sha256
    assert (card.kind, card.world, card.seed) == (name.removesuffix("-early"), 0, 0)
    assert card.weights_sha256 in (folder / "README.md").read_text(encoding="utf-8")
    assert loaded.renderer.fingerprint() == world_renderer().fingerprint()
