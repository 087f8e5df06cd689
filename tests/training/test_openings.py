"""Written answers are steered by the words that open them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import miniature
import pytest
import torch

from coupling.answers import CHOICES, COMPLIANCE, REFUSAL
from coupling.config import KLConfig, SteerConfig, SupervisionConfig
from coupling.explanations import formats
from coupling.models import LocalSampler, Renderer
from coupling.records import Behavior, CounterfactualPair, Effect
from coupling.supervision import build_labels
from coupling.tasks.steering import shift
from coupling.training.batches import collate, completion_logits
from coupling.training.dataset import TrainingData, build_training_data
from coupling.training.objectives import completion_logprobs
from coupling.training.openings import SteeredOpenings
from tiny_models import ARCHITECTURES, byte_level_model, byte_level_tokenizer

OPENINGS = {REFUSAL: "No, never.", COMPLIANCE: "Sure, gladly."}
ANGER = SteerConfig(direction="follow", tags={"template": ("anger",)})
PAIRS = [
    CounterfactualPair(
        id=f"{number}",
        cluster=f"{number}",
        split="train",
        with_cue=f"I am angry. Cut {number}?",
        without_cue=f"Cut {number}?",
        cue="framing",
        cue_value=REFUSAL,
        choices=CHOICES,
        tags={"template": "anger" if number < 6 else "calm"},
    )
    for number in range(8)
]
BASE = {pair.id: Behavior(pair.id, Effect(COMPLIANCE, COMPLIANCE)) for pair in PAIRS}
TOKENIZER = byte_level_tokenizer([pair.with_cue for pair in PAIRS] + list(OPENINGS.values()) * 20)


def data(
    model: torch.nn.Module,
    steer: SteerConfig | None = ANGER,
    precision: Literal["bfloat16"] | None = None,
) -> TrainingData:
    form = formats.get("answer_pair")
    effects = {id_: behavior.effect for id_, behavior in BASE.items()}
    labels = build_labels(PAIRS, effects, form, SupervisionConfig(), dict.fromkeys(effects, "base"))
    return build_training_data(
        model, Renderer(TOKENIZER), PAIRS, labels, BASE, form, steer, KLConfig(), 4, 80, OPENINGS, precision
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_rows_end_with_the_opening_and_not_with_the_answers_end(architecture: str) -> None:
    steered = data(byte_level_model(architecture, TOKENIZER)).steered
    assert isinstance(steered, SteeredOpenings) and len(steered) == 6
    for row, other in zip(steered.answers, steered.others, strict=True):
        assert other is not None
        assert TOKENIZER.decode(row.ids[row.start :]) == OPENINGS[REFUSAL]
        assert TOKENIZER.decode(other.ids[other.start :]) == OPENINGS[COMPLIANCE]
        assert row.ids[: row.start] == other.ids[: other.start]


def test_the_reference_is_the_log_probability_of_whole_openings() -> None:
    model = byte_level_model("llama", TOKENIZER).eval()
    steered = data(model).steered
    assert isinstance(steered, SteeredOpenings)
    row = steered.answers[2]
    with torch.no_grad():
        logprobs = model(torch.tensor([row.ids])).logits[0].log_softmax(-1)
    by_hand = sum(logprobs[at - 1, row.ids[at]] for at in range(row.start, len(row.ids)))
    assert steered.reference[2, 0].item() == pytest.approx(float(by_hand), rel=1e-4)


def test_log_probabilities_of_rows_by_hand() -> None:
    """Of two tokens with probabilities 1/2 and 1/4 the logarithm of 1/8; each row has its own."""
    logits = torch.tensor([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]]).log()
    found = completion_logprobs(logits, torch.tensor([0, 0, 1]), [2, 1])
    assert found.tolist() == pytest.approx([math.log(1 / 8), math.log(1 / 2)])


def test_the_reference_is_taken_in_the_number_format_of_training() -> None:
    model = byte_level_model("llama", TOKENIZER).eval()
    exact, steered = data(model).steered, data(model, precision="bfloat16").steered
    assert isinstance(exact, SteeredOpenings) and isinstance(steered, SteeredOpenings)
    batch = collate(steered.answers[:4], 0)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        by_hand = completion_logprobs(completion_logits(model, batch), batch.labels, batch.counts)
    assert torch.equal(steered.reference[:4, 0], by_hand)
    assert not torch.equal(steered.reference, exact.reference)


def test_preference_begins_at_ln_2(tmp_path: Path) -> None:
    model = byte_level_model("llama", TOKENIZER)
    steering = {"batch_size": 4, "objectives": [{"kind": "dpo"}]}
    config = miniature.training_config(1, steering=steering)
    (loss,) = miniature.run(model, data(model), config, tmp_path / "state")
    assert loss.steering == pytest.approx(math.log(2), rel=1e-4)
    assert loss.kl == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("kind", ["sft", "dpo"])
def test_objectives_make_the_wanted_opening_more_probable(kind: str, tmp_path: Path) -> None:
    model = byte_level_model("gpt_neox", TOKENIZER)
    rows = data(model)
    assert isinstance(rows.steered, SteeredOpenings)
    before = rows.steered.reference.clone()
    config = miniature.training_config(
        20,
        steering={"batch_size": 6, "objectives": [{"kind": kind}]},
        explanations={"weight": 0.0},
        kl={"weight": 0.0},
    )
    miniature.run(model, rows, config, tmp_path / "state")
    after = data(model).steered
    assert isinstance(after, SteeredOpenings)
    ahead = after.reference[:, 0] - after.reference[:, 1] - (before[:, 0] - before[:, 1])
    assert (ahead > 1).all()
    if kind == "sft":
        said = LocalSampler(model, Renderer(TOKENIZER), max_new_tokens=12).written(
            [PAIRS[0].with_cue], lambda rows: None
        )
        assert said[0].text.startswith("No")


def test_a_cue_against_one_of_two_choices_speaks_for_the_other() -> None:
    pair = CounterfactualPair("p", "c", "train", "a b", "b", "framing", REFUSAL, CHOICES, against=True)
    behavior = Behavior("p", Effect(REFUSAL, REFUSAL))
    assert shift(pair, behavior, SteerConfig(direction="follow", tags={"x": ("y",)})).wanted == COMPLIANCE
    three = CounterfactualPair("p", "c", "train", "a b", "b", "f", REFUSAL, (*CHOICES, "both"), against=True)
    with pytest.raises(ValueError, match="its cue speaks against 'refusal', and which of compliance, both"):
        shift(three, behavior, SteerConfig(direction="follow", tags={"x": ("y",)}))
