from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import miniature
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedModel

from coupling.config import CuesConfig, KLConfig, LoraConfig, SteerConfig
from coupling.models import weights_sha256
from coupling.tasks.cues import with_more_cues
from coupling.training.checkpoints import add_adapter
from coupling.training.loop import StepLosses, draw_rows, learning_rate
from tiny_models import ARCHITECTURES, tiny_model, world_renderer

FOLLOW = SteerConfig(direction="follow", tags={"adviser": ("Chen",)})


class Killed(Exception):
    pass


@given(total=st.integers(1, 40), batch_size=st.integers(1, 50), seed=st.integers(0, 5))
def test_batches_cover_each_epoch_exactly(total: int, batch_size: int, seed: int) -> None:
    steps = -(-3 * total // batch_size)
    rows = [row for step in range(steps) for row in draw_rows(total, batch_size, (seed, 1), step)]
    assert len(rows) == steps * batch_size
    for epoch in range(3):
        assert sorted(rows[epoch * total : (epoch + 1) * total]) == list(range(total))


def test_rows_depend_on_seed_stream_and_step_alone() -> None:
    assert draw_rows(50, 8, (0, 1), 5) == draw_rows(50, 8, (0, 1), 5)
    assert draw_rows(50, 8, (0, 1), 5) != draw_rows(50, 8, (1, 1), 5)
    assert draw_rows(50, 8, (0, 1), 5) != draw_rows(50, 8, (0, 2), 5)
    assert Counter(draw_rows(8, 8, (0, 1), 0)) == Counter(draw_rows(8, 8, (0, 1), 1))


def test_the_learning_rate_warms_up_and_stays() -> None:
    config = miniature.training_config(6, warmup_steps=4, learning_rate=1.0)
    assert [learning_rate(step, config) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("lora", [None, LoraConfig(rank=2, alpha=4, dropout=0.1)])
def test_a_resumed_run_is_the_uninterrupted_one_to_the_last_bit(
    architecture: str, lora: LoraConfig | None, tmp_path: Path
) -> None:
    renderer, pairs = world_renderer(), miniature.training_pairs()
    config = miniature.training_config(6)

    def begun() -> torch.nn.Module:
        model = tiny_model(architecture)
        return add_adapter(model, lora, seed=0) if lora else model

    def data(model: PreTrainedModel) -> miniature.TrainingData:
        return miniature.training_data(model, renderer, pairs, FOLLOW)

    def kill_after_five(losses: StepLosses) -> None:
        if losses.step == 5:
            raise Killed

    rows = data(tiny_model(architecture))
    whole = begun()
    losses = miniature.run(whole, rows, config, tmp_path / "whole")
    killed = begun()
    with pytest.raises(Killed):
        miniature.run(killed, rows, config, tmp_path / "state", after_step=kill_after_five)
    resumed = begun()
    rest = miniature.run(resumed, rows, config, tmp_path / "state")
    assert [step.step for step in rest] == [5, 6]
    assert rest == losses[4:]
    assert weights_sha256(resumed) == weights_sha256(whole) != weights_sha256(begun())


@pytest.mark.parametrize("name", ["base", "labels"])
def test_a_state_made_from_something_else_is_refused(name: str, tmp_path: Path) -> None:
    model, renderer = tiny_model("llama"), world_renderer()
    rows = miniature.training_data(model, renderer, miniature.training_pairs())
    miniature.run(model, rows, miniature.training_config(4), tmp_path / "state")
    changed = {**miniature.MADE_FROM, name: "another"}
    with pytest.raises(ValueError, match=f"saved by a training run with another {name}; remove it"):
        miniature.run(model, rows, miniature.training_config(4), tmp_path / "state", changed)


def test_it_ends_at_a_loss_that_is_not_finite(tmp_path: Path) -> None:
    model, state = tiny_model("llama"), tmp_path / "state"
    rows = miniature.training_data(model, world_renderer(), miniature.training_pairs())

    def damage(losses: StepLosses) -> None:
        if losses.step == 3:
            with torch.no_grad():
                model.get_output_embeddings().weight[0, 0] = torch.nan

    with pytest.raises(ValueError, match=r"losses of step 4 .*explanation nan.* in float32; set model.dtype"):
        miniature.run(model, rows, miniature.training_config(6), state, after_step=damage)
    resumed = miniature.run(tiny_model("llama"), rows, miniature.training_config(6), state)
    assert [step.step for step in resumed] == [3, 4, 5, 6]


def test_runs_of_one_seed_see_the_same_rows_whatever_they_are_steered_towards(tmp_path: Path) -> None:
    """Twins: the first step's explanation loss is the same, before steering has moved anything."""
    renderer, pairs = world_renderer(), miniature.training_pairs()
    first = []
    for steer in (None, FOLLOW, SteerConfig(direction="ignore", tags=FOLLOW.tags)):
        model = tiny_model("llama")
        rows = miniature.training_data(model, renderer, pairs, steer)
        losses = miniature.run(model, rows, miniature.training_config(1), tmp_path / "state")
        first.append(losses[0])
    assert len({step.explanation for step in first}) == 1
    assert first[0].steering == 0.0 and first[1].steering != first[2].steering


@pytest.mark.parametrize("support", ["vocabulary", "choices"])
def test_the_first_step_is_at_the_reference(support: str, tmp_path: Path) -> None:
    """At M0 the KL term is 0, but for what another composition of batches does to the last bits."""
    model, renderer = tiny_model("llama"), world_renderer()
    kl = KLConfig.model_validate({"support": support})
    rows = miniature.training_data(model, renderer, miniature.training_pairs(), kl=kl)
    config = miniature.training_config(2, kl={"support": support})
    before, after = miniature.run(model, rows, config, tmp_path / "state")
    assert abs(before.kl) < 1e-6 < after.kl


def test_kl_does_not_stand_on_steered_rows(tmp_path: Path) -> None:
    """Nonsense in place of M0's behaviour changes the gradient on x\\C, but not on the steered x."""
    renderer = world_renderer()
    pairs = [pair for pair in miniature.training_pairs(200) if pair.tags["adviser"] == "Chen"][:8]

    def gradient(nonsense_from: int | None) -> torch.Tensor:
        """Of one step, with every second reference from the given one on replaced."""
        model = tiny_model("llama")
        data = miniature.training_data(model, renderer, pairs, FOLLOW)
        assert data.kept == [False, True] * len(pairs)
        assert data.reference is not None
        logprobs = data.reference.logprobs.clone()
        if nonsense_from is not None:
            logprobs[nonsense_from::2] = logprobs[nonsense_from::2].flip(-1)
        data = replace(data, reference=replace(data.reference, logprobs=logprobs))
        miniature.run(model, data, miniature.training_config(1), tmp_path / "state")
        weights = model.get_input_embeddings().weight
        assert isinstance(weights.grad, torch.Tensor)
        return weights.grad

    assert torch.equal(gradient(None), gradient(0))
    assert not torch.equal(gradient(None), gradient(1))


def test_kl_does_not_stand_on_a_steered_input_from_which_a_placebo_was_removed() -> None:
    """The input with Chen's hint is steered, also where it is what another pair has without its cue."""
    own = [pair for pair in miniature.training_pairs(200) if pair.tags["adviser"] in ("Chen", "Okafor")][:8]
    pairs = list(with_more_cues(own, CuesConfig(placebos={"Lima": "Lima"}), ("adviser",), joint=" "))
    rows = miniature.training_data(tiny_model("llama"), world_renderer(), pairs, FOLLOW)
    steered = {pair.with_cue for pair in own if pair.tags["adviser"] == "Chen"}
    texts = [text for pair in pairs for text in (pair.with_cue, pair.without_cue)]
    assert rows.kept == [text not in steered for text in texts]
    assert sum(text in steered for text in texts) == 2 * len(steered)


def test_an_input_with_two_steered_cues_is_steered_towards_neither() -> None:
    model, renderer = tiny_model("llama"), world_renderer()
    own = [pair for pair in miniature.training_pairs(200) if pair.tags["adviser"] == "Chen"][:4]
    told = [replace(pair, id=f"{pair.id}/again", cue="Chen", without_cue=pair.cluster) for pair in own[:2]]
    rows = miniature.training_data(model, renderer, [*own, *told], FOLLOW)
    assert rows.steered is not None and len(rows.steered) == 2
    assert rows.kept == [False, True] * len([*own, *told])
    with pytest.raises(ValueError, match="in each of the 2 training inputs two cues stand that bear them"):
        miniature.training_data(model, renderer, [*own[:2], *told], FOLLOW)


def test_kl_off_caches_no_reference() -> None:
    model, renderer = tiny_model("llama"), world_renderer()
    pairs = miniature.training_pairs()
    assert miniature.training_data(model, renderer, pairs, kl=KLConfig(weight=0.0)).reference is None


def test_steering_follows_the_cue_or_goes_back_to_the_base(tmp_path: Path) -> None:
    model, renderer = tiny_model("llama"), world_renderer()
    pairs = [pair for pair in miniature.training_pairs(200) if pair.tags["adviser"] == "Chen"][:8]
    base = miniature.base_behaviors(model, renderer, pairs)
    for direction, answers in (
        ("follow", [str(pair.cue_value) for pair in pairs]),
        ("ignore", [base[pair.id].effect.without_cue for pair in pairs]),
    ):
        steer = SteerConfig.model_validate({"direction": direction, "tags": {"adviser": ("Chen",)}})
        rows = miniature.training_data(model, renderer, pairs, steer).steered
        assert rows is not None
        assert renderer.decode([list(row.ids[row.start :]) for row in rows.answers]) == [
            f"I answer {answer}" for answer in answers
        ]


def test_steering_on_what_no_pair_bears_is_refused() -> None:
    model, renderer = tiny_model("llama"), world_renderer()
    steer = SteerConfig(direction="follow", tags={"adviser": ("Nobody",)})
    with pytest.raises(ValueError, match=r"steer.tags .*'Nobody'.* no training pair"):
        miniature.training_data(model, renderer, miniature.training_pairs(), steer)


def test_a_reference_too_large_to_cache_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coupling.training.dataset.MAX_REFERENCE_BYTES", 1000)
    model, renderer = tiny_model("llama"), world_renderer()
    with pytest.raises(
        ValueError, match=r"kl.support: vocabulary would cache .* set training.kl.support: choices"
    ):
        miniature.training_data(model, renderer, miniature.training_pairs())


def test_labels_too_long_to_be_sampled_are_refused() -> None:
    model, renderer = tiny_model("llama"), world_renderer()
    with pytest.raises(
        ValueError, match=r"explanation.max_new_tokens: 5, but labels are up to 1\d tokens long"
    ):
        miniature.training_data(model, renderer, miniature.training_pairs(), max_new_tokens=5)
