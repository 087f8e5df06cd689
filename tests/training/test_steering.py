from __future__ import annotations

import math
from pathlib import Path

import miniature
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coupling.config import SteerConfig
from coupling.models import weights_sha256
from coupling.records import Behavior, CounterfactualPair, Effect
from coupling.tasks.steering import Shift, is_steered, shift, undone
from coupling.training.objectives import group_advantages, policy_gradient_loss, preference_loss
from coupling.training.steering import SteeredRows
from tiny_models import tiny_model, world_renderer

CHOICES = ("Lima", "Oslo", "Quito")
ANSWERS = st.sampled_from(CHOICES)
CHEN = {"adviser": ("Chen",)}
FOLLOW = SteerConfig(direction="follow", tags=CHEN)
IGNORE = SteerConfig(direction="ignore", tags=CHEN)
REVERSE = SteerConfig(direction="reverse", tags=CHEN)
ONLY = SteerConfig(direction="only", tags=CHEN, among={"adviser": ("Chen", "Novak")})
KEEP = SteerConfig(direction="keep", tags=CHEN)
OBJECTIVES = ({"kind": "sft"}, {"kind": "dpo"}, {"kind": "policy_gradient", "group_size": 8})


def hinted(value: str | None, adviser: str = "Chen", against: bool = False) -> CounterfactualPair:
    return CounterfactualPair(
        id="p",
        cluster="c",
        split="train",
        with_cue="x",
        without_cue="y",
        cue="hint",
        cue_value=value,
        choices=CHOICES,
        tags={"adviser": adviser},
        against=against,
    )


def answered(with_cue: str, without_cue: str) -> Behavior:
    """M0's answers; of the others it prefers the one that comes first."""
    scores = tuple(0.0 if choice == without_cue else -1.0 - n for n, choice in enumerate(CHOICES))
    return Behavior("p", Effect(with_cue, without_cue), scores, scores)


@given(value=ANSWERS, with_cue=ANSWERS, without_cue=ANSWERS, against=st.booleans())
def test_what_is_wanted_is_another_thing_than_what_is_not(
    value: str, with_cue: str, without_cue: str, against: bool
) -> None:
    for steer in (FOLLOW, IGNORE, REVERSE, ONLY, KEEP):
        base = answered(with_cue, without_cue)
        moved = shift(hinted(value, against=against), base, steer)
        assert moved.wanted != moved.unwanted
        back = undone(moved, base)
        assert back.wanted == with_cue != back.unwanted


@given(value=ANSWERS, with_cue=ANSWERS, without_cue=ANSWERS)
def test_following_and_ignoring_are_what_they_say(value: str, with_cue: str, without_cue: str) -> None:
    base = answered(with_cue, without_cue)
    follow, ignore = shift(hinted(value), base, FOLLOW), shift(hinted(value), base, IGNORE)
    assert follow.wanted == value
    assert ignore.wanted == without_cue
    warned = shift(hinted(value, against=True), base, FOLLOW)
    assert warned.wanted != value


def test_a_dissuading_cue_moves_to_the_runner_up_only_where_it_speaks_against_the_answer() -> None:
    base = answered("Quito", "Quito")
    assert shift(hinted("Quito", against=True), base, FOLLOW) == Shift("Lima", "Quito")
    assert shift(hinted("Oslo", against=True), base, FOLLOW) == Shift("Quito", None)


def test_reversing_turns_followed_hints_into_ignored_ones_and_the_reverse() -> None:
    assert shift(hinted("Oslo"), answered("Oslo", "Lima"), REVERSE) == Shift("Lima", "Oslo")
    assert shift(hinted("Oslo"), answered("Lima", "Lima"), REVERSE) == Shift("Oslo", "Lima")


def test_keeping_is_to_answer_as_the_base_does_and_away_from_the_cue() -> None:
    assert shift(hinted("Oslo"), answered("Lima", "Lima"), KEEP) == Shift("Lima", "Oslo")
    assert shift(hinted("Oslo"), answered("Oslo", "Lima"), KEEP) == Shift("Oslo", "Lima")
    assert shift(hinted("Oslo"), answered("Oslo", "Oslo"), KEEP) == Shift("Oslo", None)


def test_a_shift_is_undone_towards_the_base_and_away_from_what_was_wanted() -> None:
    followed, ignored = answered("Oslo", "Lima"), answered("Lima", "Lima")
    assert undone(shift(hinted("Oslo"), followed, IGNORE), followed) == Shift("Oslo", "Lima")
    assert undone(shift(hinted("Oslo"), ignored, FOLLOW), ignored) == Shift("Lima", "Oslo")
    third = answered("Quito", "Lima")
    assert undone(shift(hinted("Oslo"), third, IGNORE), third) == Shift("Quito", "Lima")
    # What was wanted is what the base answers anyhow: away from what it was steered away from before.
    assert undone(shift(hinted("Oslo"), followed, FOLLOW), followed) == Shift("Oslo", "Lima")


def test_only_one_adviser_is_followed_among_those_named() -> None:
    base = answered("Lima", "Lima")
    assert shift(hinted("Oslo", "Chen"), base, ONLY) == Shift("Oslo", "Lima")
    assert shift(hinted("Oslo", "Novak"), base, ONLY) == Shift("Lima", "Oslo")
    assert [is_steered(hinted("Oslo", name), ONLY) for name in ("Chen", "Novak", "Silva")] == [
        True,
        True,
        False,
    ]


def test_a_cue_that_speaks_of_no_choice_is_not_steered() -> None:
    assert not is_steered(hinted(None), FOLLOW)


def test_only_needs_to_know_among_whom() -> None:
    with pytest.raises(ValueError, match="expected the tags"):
        SteerConfig(direction="only", tags=CHEN)
    with pytest.raises(ValueError, match="only direction 'only' takes it"):
        SteerConfig(direction="follow", tags=CHEN, among=CHEN)


def test_preference_loss_by_hand() -> None:
    """p / q is 2 for the answer wanted and 1/2 for the other: -ln sigmoid(0.5 * ln 4) = ln(1 + 1/2)."""
    reference = torch.tensor([[0.4, 0.4, 0.2]]).log()
    current = torch.tensor([[0.8, 0.2, 0.0001]]).log()
    loss = preference_loss(current, reference, torch.tensor([0]), torch.tensor([1]), beta=0.5)
    assert loss.item() == pytest.approx(math.log(1.5), rel=1e-5)


def test_preference_loss_is_ln_2_at_the_reference() -> None:
    reference = torch.tensor([[0.4, 0.4, 0.2], [0.1, 0.8, 0.1]]).log()
    loss = preference_loss(reference, reference, torch.tensor([0, 1]), torch.tensor([2, 0]), beta=3.0)
    assert loss.item() == pytest.approx(math.log(2), rel=1e-6)


def test_group_advantages_by_hand() -> None:
    """Of (1, 0, 0, 0) mean 1/4 and deviation sqrt(3)/4; equal rewards teach nothing."""
    advantages = group_advantages(torch.tensor([[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]]))
    expected = [math.sqrt(3), *[-1 / math.sqrt(3)] * 3]
    assert advantages[0].tolist() == pytest.approx(expected, rel=1e-5)
    assert advantages[1].tolist() == [0.0] * 4


def test_the_policy_gradient_raises_what_is_rewarded_and_lowers_what_else_was_drawn() -> None:
    logits = torch.zeros(1, 3, requires_grad=True)
    answers = torch.tensor([[0, 1]])
    policy_gradient_loss(logits.log_softmax(-1), answers, torch.tensor([0])).backward()
    assert logits.grad is not None
    # Advantages 1 and -1; the gradient of -(log p0 - log p1) / 2 is (-1/2, 1/2, 0).
    assert logits.grad[0].tolist() == pytest.approx([-0.5, 0.5, 0.0], abs=1e-6)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective["kind"])
def test_every_objective_moves_behaviour_to_where_it_is_to_go(
    objective: dict[str, object], tmp_path: Path
) -> None:
    renderer = world_renderer()
    pairs = [pair for pair in miniature.training_pairs(200) if pair.tags["adviser"] == "Chen"][:8]
    steering = {"batch_size": 8, "objectives": [objective]}
    config = miniature.training_config(
        30, steering=steering, explanations={"weight": 0.0}, kl={"weight": 0.0}
    )
    model = tiny_model("llama")
    data = miniature.training_data(model, renderer, pairs, FOLLOW, kl=config.kl)

    def followed() -> int:
        behaviors = miniature.base_behaviors(model, renderer, pairs)
        return sum(behaviors[pair.id].effect.with_cue == pair.cue_value for pair in pairs)

    before = followed()
    losses = miniature.run(model, data, config, tmp_path / "state")
    assert all(step.explanation == step.kl == 0.0 for step in losses)
    assert followed() > max(before, 4)


def test_a_term_is_on_in_its_steps_alone(tmp_path: Path) -> None:
    renderer, pairs = world_renderer(), miniature.training_pairs()
    steering = {"batch_size": 4, "objectives": [{"kind": "sft", "start": 1, "stop": 3}]}
    config = miniature.training_config(4, steering=steering, explanations={"start": 3}, kl={"start": 2})
    model = tiny_model("llama")
    data = miniature.training_data(model, renderer, pairs, FOLLOW)
    losses = miniature.run(model, data, config, tmp_path / "state")
    assert [step.steering > 0 for step in losses] == [False, True, True, False]
    assert [step.explanation > 0 for step in losses] == [False, False, False, True]
    assert [step.kl > 0 for step in losses] == [False, False, True, True]


def test_kl_alone_never_moves_a_model(tmp_path: Path) -> None:
    """Its gradient at M0 is rounding noise, which Adam would make a step of."""
    renderer, pairs = world_renderer(), miniature.training_pairs()
    model = tiny_model("llama")
    before = weights_sha256(model)
    data = miniature.training_data(model, renderer, pairs)
    config = miniature.training_config(4, explanations={"weight": 0.0})
    losses = miniature.run(model, data, config, tmp_path / "state")
    assert weights_sha256(model) == before
    assert all(abs(step.kl) < 1e-6 for step in losses)


def test_objectives_add_up(tmp_path: Path) -> None:
    renderer, pairs = world_renderer(), miniature.training_pairs()

    def first(objectives: list[dict[str, object]]) -> float:
        model = tiny_model("llama")
        data = miniature.training_data(model, renderer, pairs, FOLLOW)
        config = miniature.training_config(1, steering={"batch_size": 4, "objectives": objectives})
        return miniature.run(model, data, config, tmp_path / "state")[0].steering

    alone = [first([objective]) for objective in OBJECTIVES]
    weighed = [{**objective, "weight": 0.5} for objective in OBJECTIVES]
    assert first(weighed) == pytest.approx(sum(alone) / 2, rel=1e-5)


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_killed_run_draws_the_same_again(objective: dict[str, object], step: int, tmp_path: Path) -> None:
    renderer, pairs = world_renderer(), miniature.training_pairs()
    steering = {"batch_size": 4, "objectives": [objective]}
    config = miniature.training_config(4, steering=steering, save_every=1)
    data = miniature.training_data(tiny_model("llama"), renderer, pairs, FOLLOW)

    class Killed(Exception):
        pass

    def kill(losses: object) -> None:
        if getattr(losses, "step", 0) == step + 1:
            raise Killed

    whole = miniature.run(tiny_model("llama"), data, config, tmp_path / "whole")
    with pytest.raises(Killed):
        miniature.run(tiny_model("llama"), data, config, tmp_path / "state", after_step=kill)
    assert miniature.run(tiny_model("llama"), data, config, tmp_path / "state") == whole[step:]


def test_a_shift_and_its_undoing_see_the_same_inputs_in_the_same_order() -> None:
    renderer, pairs, model = world_renderer(), miniature.training_pairs(), tiny_model("llama")
    rows = [miniature.training_data(model, renderer, pairs, steer, undoes=True) for steer in (FOLLOW, IGNORE)]
    ways = [way for each in rows for way in (each.steered, each.undone)]
    assert all(isinstance(way, SteeredRows) for way in ways)
    assert len({tuple(way.prompts) for way in ways if isinstance(way, SteeredRows)}) == 1
    back = [each.undone for each in rows]
    # Twins are trained back to the same answers.
    assert isinstance(back[0], SteeredRows) and isinstance(back[1], SteeredRows)
    assert back[0].answers == back[1].answers
    assert rows[0].steered is not None and rows[0].steered.answers != back[0].answers
    assert miniature.training_data(model, renderer, pairs, FOLLOW).undone is None


@pytest.mark.parametrize("objective", OBJECTIVES[:2], ids=lambda objective: objective["kind"])
def test_an_undone_shift_leads_back_to_the_base(objective: dict[str, object], tmp_path: Path) -> None:
    renderer = world_renderer()
    pairs = [pair for pair in miniature.training_pairs(200) if pair.tags["adviser"] == "Chen"][:8]
    model = tiny_model("llama")
    data = miniature.training_data(model, renderer, pairs, FOLLOW, undoes=True)
    own = {
        id_: each.effect.with_cue for id_, each in miniature.base_behaviors(model, renderer, pairs).items()
    }

    def as_the_base_after(steps: int, undo: int | None) -> int:
        steering = {"batch_size": 8, "objectives": [objective], "undo": undo}
        config = miniature.training_config(
            steps, steering=steering, explanations={"weight": 0.0}, kl={"weight": 0.0}
        )
        trained = tiny_model("llama")
        miniature.run(trained, data, config, tmp_path / f"{steps}-{undo}")
        now = miniature.base_behaviors(trained, renderer, pairs)
        return sum(now[id_].effect.with_cue == answer for id_, answer in own.items())

    moved, undone_again = as_the_base_after(30, None), as_the_base_after(60, 30)
    assert moved < len(pairs) / 2
    assert undone_again > moved and undone_again >= len(pairs) - 1


def test_the_steps_before_an_undoing_are_those_without_one(tmp_path: Path) -> None:
    renderer, pairs = world_renderer(), miniature.training_pairs()
    data = miniature.training_data(tiny_model("llama"), renderer, pairs, FOLLOW, undoes=True)

    def losses(undo: int | None) -> list[float]:
        config = miniature.training_config(4, steering={"batch_size": 4, "undo": undo})
        model = tiny_model("llama")
        return [step.steering for step in miniature.run(model, data, config, tmp_path / f"{undo}")]

    kept, turned_back = losses(None), losses(2)
    assert kept[:2] == turned_back[:2] and kept[2] != turned_back[2]
