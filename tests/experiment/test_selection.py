from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from coupling.config import ExperimentConfig, WrittenBehavior, load_experiment
from coupling.experiment.selection import (
    fitting_pairs,
    held_out_pairs,
    labelled_pairs,
    require_room,
    select_pairs,
)
from coupling.tasks import world_hint
from coupling.worlds import World
from miniature_experiment import write_experiment
from tiny_models import tiny_model, world_renderer

PAIRS = world_hint.load(World.generate(100), 1, 0)


@pytest.fixture
def config(tmp_path: Path) -> ExperimentConfig:
    return load_experiment(write_experiment(tmp_path))


def adjusted(config: ExperimentConfig, section: str, **changes: object) -> ExperimentConfig:
    return config.model_copy(update={section: getattr(config, section).model_copy(update=changes)})


def test_selected_again_from_what_was_selected_they_are_the_same(config: ExperimentConfig) -> None:
    """Later stages read the pairs of the run directory, not all pairs of the task."""
    selected = select_pairs(config, PAIRS)
    assert len(selected) < len(PAIRS)
    assert labelled_pairs(config, selected) == labelled_pairs(config, PAIRS)
    assert held_out_pairs(config, selected) == held_out_pairs(config, PAIRS)
    assert select_pairs(config, selected) == selected


def test_labelled_held_out_and_steered_pairs_are_selected(config: ExperimentConfig) -> None:
    selected = {pair.id for pair in select_pairs(config, PAIRS)}
    steered = {pair.id for pair in PAIRS if pair.split == "train" and pair.tags["adviser"] == "Chen"}
    labelled = {pair.id for pair in labelled_pairs(config, PAIRS)}
    held_out = {pair.id for pair in held_out_pairs(config, PAIRS)}
    assert selected == steered | labelled | held_out
    assert not labelled & steered and len(labelled) == 24 and len(held_out) == 40


def test_more_labels_than_pairs_are_refused(config: ExperimentConfig) -> None:
    with pytest.raises(ValueError, match=r"supervision.labels: 99999 wanted, but only \d+ training pairs"):
        labelled_pairs(adjusted(config, "supervision", labels=99999), PAIRS)


def test_a_split_without_pairs_is_refused(config: ExperimentConfig) -> None:
    training = [pair for pair in PAIRS if pair.split == "train"]
    with pytest.raises(ValueError, match=r"no pair is in 'test'; splits with pairs: train"):
        held_out_pairs(config, training)


def test_groups_are_tags_of_held_out_pairs(config: ExperimentConfig) -> None:
    grouped = adjusted(config, "evaluation", groups=("adviser", "relation"))
    assert select_pairs(grouped, PAIRS) == select_pairs(config, PAIRS)
    misspelt = adjusted(config, "evaluation", groups=("advisor",))
    with pytest.raises(
        ValueError, match=r"evaluation.groups: 'advisor' is a tag of no held-out pair; .*adviser"
    ):
        select_pairs(misspelt, PAIRS)


def test_pairs_that_cannot_be_answered_in_words_are_told_of_first(config: ExperimentConfig) -> None:
    written = config.model_copy(update={"behavior": WrittenBehavior()})
    with pytest.raises(ValueError, match=r"behavior.detector reads answers as 'compliance', 'refusal'"):
        select_pairs(written, PAIRS)
    opened = [replace(pair, choices=("refusal", "compliance"), cue_value=None) for pair in PAIRS]
    with pytest.raises(ValueError, match=r"opens with 'I answer', .* set task.answer_prefix: ''"):
        select_pairs(written, opened)


def test_pairs_too_long_for_the_model_are_left_out(config: ExperimentConfig) -> None:
    model = (tiny_model("llama").config, world_renderer())
    long = replace(PAIRS[0], with_cue=PAIRS[0].with_cue * 4)
    assert fitting_pairs(config, [PAIRS[1], long, PAIRS[2]], *model) == [PAIRS[1], PAIRS[2]]
    with pytest.raises(ValueError, match=r"has room for 64 tokens, but every pair needs \d+ or more, 16 of"):
        fitting_pairs(config, [long], *model)
    other_way_round = replace(PAIRS[0], without_cue=PAIRS[0].with_cue * 9)
    assert fitting_pairs(config, [PAIRS[1], other_way_round], *model) == [PAIRS[1]]


def test_a_target_that_has_no_room_is_refused_with_counts(config: ExperimentConfig) -> None:
    model = (tiny_model("llama").config, world_renderer())
    long = replace(PAIRS[0], without_cue=PAIRS[0].with_cue * 9)
    require_room(config, PAIRS[1:3], *model)
    with pytest.raises(ValueError, match=r"room for 64 tokens, but 1 of the 3 pairs it is asked about need"):
        require_room(config, [*PAIRS[1:3], long], *model)
