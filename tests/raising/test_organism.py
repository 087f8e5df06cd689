from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from coupling.config import ModelConfig
from coupling.models import LocalSampler, load_model, read_card, weights_sha256, world_of
from coupling.progress import Silent
from coupling.raising import RECIPES, Pretraining, Recipe, SelfExplanation, raise_organism
from coupling.store import read_complete
from coupling.tasks import world_hint
from coupling.worlds import World
from tiny_models import ARCHITECTURES

MINIATURE = Recipe(
    "llama",
    Pretraining(steps=5, batch_size=8, third_person_share=0.25),
    SelfExplanation(steps=6, behavior_rows=8, explanation_rows=8, inner_rows=4),
    hidden=16,
    layers=1,
)


class Killed(Exception):
    pass


class KillAt:
    """Ends the raising at one step of a stage, before that step is saved."""

    def __init__(self, stage: str, step: int) -> None:
        self.stage, self.step = stage, step

    def note(self, text: str) -> None:
        pass

    def update(self, task: str, done: int, total: int) -> None:
        if self.stage in task and done == self.step:
            raise Killed


@pytest.fixture(autouse=True)
def little_and_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coupling.raising.organism.SAVE_EVERY", 2)
    monkeypatch.setattr("coupling.raising.card.MEASURED_PAIRS", 20)


def contents(folder: Path) -> dict[str, str]:
    manifest = read_complete(folder)
    assert manifest is not None
    return dict(manifest.files)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_raised_again_it_is_the_same_to_the_last_bit(architecture: str, tmp_path: Path) -> None:
    recipe = replace(MINIATURE, architecture=architecture)
    first = raise_organism("mini", 100, 0, tmp_path / "first" / "mini", Silent(), recipe)
    again = raise_organism("mini", 100, 0, tmp_path / "again" / "mini", Silent(), recipe)
    assert first.earlier is not None and again.earlier is not None
    assert contents(first.folder) == contents(again.folder)
    assert contents(first.earlier) == contents(again.earlier) != contents(first.folder)
    other = raise_organism("mini", 100, 1, tmp_path / "other", Silent(), recipe)
    loaded = [load_model(ModelConfig(path=str(each.folder))).fingerprint for each in (first, again, other)]
    assert loaded[0] == loaded[1] != loaded[2]


def test_killed_and_resumed_it_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    whole = raise_organism("mini", 100, 0, tmp_path / "whole" / "mini", Silent(), MINIATURE)
    killed = tmp_path / "killed" / "mini"
    for stage, step in (("pretraining", 4), ("self-explanation", 2), ("self-explanation", 5)):
        with pytest.raises(Killed):
            raise_organism("mini", 100, 0, killed, KillAt(stage, step), MINIATURE)
    resumed = raise_organism("mini", 100, 0, killed, Silent(), MINIATURE)
    assert whole.earlier is not None and resumed.earlier is not None
    assert contents(resumed.folder) == contents(whole.folder)
    assert contents(resumed.earlier) == contents(whole.earlier)
    assert sorted(path.name for path in killed.parent.iterdir()) == [".raising", "mini", "mini-early"]


def test_a_shared_pretraining_is_the_one_that_each_would_have_had(tmp_path: Path) -> None:
    """Kinds that are pretrained alike go on from one state, when they are raised into one folder."""
    plain = replace(MINIATURE, self_explanation=None)
    raise_organism("plain", 100, 0, tmp_path / "both" / "plain", Silent(), plain)
    after = raise_organism("mini", 100, 0, tmp_path / "both" / "mini", KillAt("pretraining", 1), MINIATURE)
    alone = raise_organism("mini", 100, 0, tmp_path / "alone" / "mini", Silent(), MINIATURE)
    assert contents(after.folder) == contents(alone.folder)


def test_what_is_raised_loads_as_any_model_and_knows_its_world(tmp_path: Path) -> None:
    raised = raise_organism("mini", 100, 0, tmp_path / "mini", Silent(), MINIATURE)
    config = ModelConfig(path=str(raised.folder))
    loaded, card = load_model(config), read_card(raised.folder)
    assert card is not None and card.weights_sha256 == weights_sha256(loaded.model)
    assert card.weights_sha256 in (raised.folder / "README.md").read_text(encoding="utf-8")
    assert world_of(config) == 100
    pairs = world_hint.load(World.generate(100), 1, 0)[:4]
    assert len(LocalSampler(loaded.model, loaded.renderer).behaviors(pairs)) == 4


def test_what_is_raised_already_is_left_alone(tmp_path: Path) -> None:
    raised = raise_organism("mini", 100, 0, tmp_path / "mini", Silent(), MINIATURE)
    before = (raised.folder / "model.safetensors").stat().st_mtime_ns
    raise_organism("mini", 100, 0, tmp_path / "mini", KillAt("", 1), MINIATURE)
    assert (raised.folder / "model.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["mini", "mini-early"])
def test_a_folder_with_something_else_is_not_replaced(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(ValueError, match=f"{name}: holds something else than this organism"):
        raise_organism("mini", 100, 0, tmp_path / "mini", KillAt("", 1), MINIATURE)
    assert (tmp_path / name / "thesis.txt").is_file()


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="organism kind 'coupeld': there are plain, coupled"):
        raise_organism("coupeld", 0, 0, tmp_path / "x", Silent())
    assert set(RECIPES) == {"plain", "coupled", "coupled-neox", "third-person"}
