"""Raising an organism from nothing: tokenizer and random weights, pretraining, self-explanation, card.

The state is saved as raising goes on, so a killed command goes on where it was; the same kind, world and
seed give the same weights on the same kind of machine, to the last bit, with or without interruption.
Organisms that were pretrained alike (plain and coupled of one world and seed) share that stage: the state it
ended in stays in ``.raising`` beside their folders.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from transformers import PreTrainedModel

from coupling.explanations import formats
from coupling.models import Renderer, prepare_process, weights_sha256
from coupling.models.organisms import CARD_FILE, OrganismCard
from coupling.progress import Progress
from coupling.raising.architecture import build_model, build_tokenizer
from coupling.raising.card import measure, model_card
from coupling.raising.diet import world_diet
from coupling.raising.pretraining import pretrain
from coupling.raising.recipe import RECIPES, Recipe
from coupling.raising.self_explanation import explain_oneself
from coupling.store import atomic_directory, json_sha256, read_complete, to_json, write_json, write_text
from coupling.training.state import load_state, save_state
from coupling.worlds import World

FORMAT = "answer_pair"
SAVE_EVERY = 50
WEIGHT_DECAY = 0.01


@dataclass(frozen=True, slots=True)
class Raised:
    """Folders of what was raised."""

    folder: Path
    earlier: Path | None
    """The checkpoint half-way through self-explanation, where there is one."""


def raise_organism(
    kind: str, world: int, seed: int, folder: Path, progress: Progress, recipe: Recipe | None = None
) -> Raised:
    """Raises an organism into ``folder``, going on from what is there.

    Args:
        recipe: for a miniature, say; the kind's own by default.

    Raises:
        ValueError: an unknown kind, or a folder that holds another organism or another model.
    """
    if recipe is None:
        if kind not in RECIPES:
            raise ValueError(f"organism kind {kind!r}: there are {', '.join(RECIPES)} and chained")
        recipe = RECIPES[kind]
    prepare_process()
    grown = World.generate(world)
    made_from = {
        "kind": kind,
        "world": grown.sha256,
        "seed": str(seed),
        "recipe": json_sha256(to_json(recipe)),
    }
    earlier = folder.with_name(f"{folder.name}-early") if recipe.self_explanation else None
    # A list, not a generator: each folder is looked at, so that none that is not ours gets replaced.
    if all([is_raised(path, made_from) for path in (folder, earlier) if path is not None]):
        progress.note(f"{folder} is raised already")
        return Raised(folder, earlier)
    tokenizer = build_tokenizer()
    renderer = Renderer(tokenizer)
    model = build_model(recipe.architecture, tokenizer, recipe.hidden, recipe.layers, seed)
    begun = {
        "world": grown.sha256,
        "seed": str(seed),
        "pretraining": json_sha256(to_json(_pretraining(recipe))),
    }
    pretraining_state = folder.parent / ".raising" / json_sha256(begun)[:16]
    state = folder.with_name(f".{folder.name}.raising")

    def leave(to: Path, stage: str) -> None:
        card = OrganismCard(kind, world, seed, stage, weights_sha256(model))
        measured = measure(model, renderer, grown, formats.get(FORMAT))
        with atomic_directory(to, made_from) as staging:
            model.save_pretrained(str(staging))
            tokenizer.save_pretrained(str(staging))
            write_json(staging / CARD_FILE, to_json(card))
            write_text(staging / "README.md", model_card(card, recipe, grown, measured))

    answering = recipe.pretraining
    stage = f"pretraining, {answering.steps} steps"
    optimizer = new_optimizer(model)
    start = load_state(pretraining_state, model, optimizer, begun)

    def after_answering(done: int, loss: float) -> None:
        progress.update(f"{folder.name}: pretraining, loss {loss:.3f}", done, answering.steps)
        if done % SAVE_EVERY == 0 or done == answering.steps:
            save_state(pretraining_state, model, optimizer, done, begun)

    diet = world_diet(grown, renderer, answering)
    pretrain(model, optimizer, renderer.pad, diet, answering, seed, start, after_answering)

    explaining = recipe.self_explanation
    if explaining is not None and earlier is not None:
        half = explaining.steps // 2
        optimizer = new_optimizer(model)
        start = load_state(state, model, optimizer, made_from)

        def after_explaining(done: int, loss: float) -> None:
            progress.update(f"{folder.name}: self-explanation, loss {loss:.3f}", done, explaining.steps)
            if done == half:
                leave(earlier, f"self-explanation, {half} of {explaining.steps} steps")
            if done % SAVE_EVERY == 0:
                save_state(state, model, optimizer, done, made_from)

        form = formats.get(FORMAT)
        explain_oneself(model, optimizer, renderer, grown, explaining, form, seed, start, after_explaining)
        stage = f"self-explanation, {explaining.steps} steps"
    leave(folder, stage)
    shutil.rmtree(state, ignore_errors=True)
    return Raised(folder, earlier)


def _pretraining(recipe: Recipe) -> Recipe:
    """What organisms that were pretrained alike have in common; they share that stage's state."""
    return replace(recipe, self_explanation=None)


def new_optimizer(model: PreTrainedModel) -> torch.optim.AdamW:
    return torch.optim.AdamW(model.parameters(), weight_decay=WEIGHT_DECAY, fused=True)


def is_raised(folder: Path, made_from: dict[str, str]) -> bool:
    """Whether the folder holds this very organism.

    Raises:
        ValueError: it holds something else, which is not ours to replace.
    """
    manifest = read_complete(folder)
    if manifest is not None and dict(manifest.metadata) == made_from:
        return True
    if folder.exists():
        raise ValueError(
            f"{folder}: holds something else than this organism; choose another --out, or remove it"
        )
    return False
