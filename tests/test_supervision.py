from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Literal, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coupling.config import NoiseConfig, SupervisionConfig
from coupling.explanations import formats
from coupling.explanations.answer_pair import AnswerPair
from coupling.records import CounterfactualPair, Effect, Label
from coupling.supervision import build_labels, candidate_pairs, check_tags, disturb_labels, states_own
from coupling.supervision.noise import disturb
from coupling.tasks import world_hint
from coupling.worlds import World

PAIRS = [pair for pair in world_hint.load(World.generate(100), 1, 0) if pair.split == "train"]


@cache
def any_effects() -> list[Effect]:
    rng = np.random.default_rng(0)
    return [Effect(*(str(rng.choice(pair.choices)) for _ in range(2))) for pair in PAIRS]


Kind = Literal["uniform", "flipped", "shuffled", "constant"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def disturbed(kind: Kind, rate: float, seed: int = 0) -> list[Effect]:
    return disturb(any_effects(), PAIRS, NoiseConfig(kind=kind, rate=rate), np.random.default_rng(seed))


@given(rate=st.floats(0, 1), seed=st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_shuffled_effects_are_as_frequent_as_before(rate: float, seed: int) -> None:
    by_choices: dict[tuple[str, ...], tuple[Counter[Effect], Counter[Effect]]] = {}
    for pair, before, after in zip(PAIRS, any_effects(), disturbed("shuffled", rate, seed), strict=True):
        was, is_ = by_choices.setdefault(pair.choices, (Counter(), Counter()))
        was[before] += 1
        is_[after] += 1
    assert all(was == is_ for was, is_ in by_choices.values())


@given(rate=st.floats(0.05, 1), seed=st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_uniform_noise_is_always_another_effect_over_the_same_choices(rate: float, seed: int) -> None:
    after = disturbed("uniform", rate, seed)
    changed = [now != then for now, then in zip(after, any_effects(), strict=True)]
    assert sum(changed) / len(changed) == pytest.approx(rate, abs=0.08)
    assert all(
        {effect.with_cue, effect.without_cue} <= set(pair.choices)
        for pair, effect in zip(PAIRS, after, strict=True)
    )


@given(seed=st.integers(0, 3))
@settings(max_examples=4, deadline=None)
def test_flipped_effects_change_where_nothing_changed_and_the_reverse(seed: int) -> None:
    for pair, before, after in zip(PAIRS, any_effects(), disturbed("flipped", 1.0, seed), strict=True):
        assert after.changed != before.changed
        assert after.with_cue == before.with_cue and after.without_cue in pair.choices


def test_constant_noise_states_what_is_most_frequent_among_equal_choices() -> None:
    two = ("Bern", "Lima")
    pairs = [replace(PAIRS[0], id=f"p{i}", choices=two) for i in range(5)]
    pairs += [replace(PAIRS[0], id=f"q{i}", choices=(*two, "Oslo")) for i in range(2)]
    said = ["BB", "LB", "LB", "BB", "LL", "LL", "BL"]
    names = {"B": "Bern", "L": "Lima"}
    effects = [Effect(names[a], names[b]) for a, b in said]
    stated = disturb(effects, pairs, NoiseConfig(kind="constant", rate=1.0), np.random.default_rng(0))
    # BB and LB are equally frequent, and so are LL and BL: the alphabet decides.
    assert stated == [Effect("Bern", "Bern")] * 5 + [Effect("Bern", "Lima")] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_rate_below_one_leaves_the_others_alone(kind: Kind) -> None:
    changed = [now != then for now, then in zip(disturbed(kind, 0.3), any_effects(), strict=True)]
    assert 0.2 < sum(changed) / len(changed) < 0.36


@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_shuffling_moves_effects_to_other_pairs(rate: float) -> None:
    """Few effects land on a pair that has the same one: all but those differ."""
    changed = [now != then for now, then in zip(disturbed("shuffled", rate), any_effects(), strict=True)]
    assert 0.8 * rate < sum(changed) / len(changed) < 1.1 * rate


@pytest.mark.parametrize("noise", [NoiseConfig(), *(NoiseConfig(kind=kind) for kind in KINDS)])
def test_no_noise_is_no_noise(noise: NoiseConfig) -> None:
    assert disturb(any_effects(), PAIRS, noise, np.random.default_rng(0)) == any_effects()


def test_what_cannot_be_shuffled_is_refused() -> None:
    pairs = list({pair.choices: pair for pair in PAIRS}.values())
    effects = [Effect(*pair.choices[:2]) for pair in pairs]
    noise = NoiseConfig(kind="shuffled", rate=1.0)
    with pytest.raises(ValueError, match=r"supervision.noise.kind: shuffled .* use uniform"):
        disturb(effects, pairs, noise, np.random.default_rng(0))


def test_labels_are_silent_on_exactly_what_they_are_told_to_be() -> None:
    every_pair = world_hint.load(World.generate(100), 1, 0)
    silence = {"adviser": ("Chen", "Novak"), "relation": ("capital",)}
    spoken_of = candidate_pairs(every_pair, silence)
    assert spoken_of == [
        pair
        for pair in every_pair
        if pair.split == "train"
        and not (pair.tags["adviser"] in ("Chen", "Novak") and pair.tags["relation"] == "capital")
    ]
    assert candidate_pairs(every_pair, {}) == [pair for pair in every_pair if pair.split == "train"]


@pytest.mark.parametrize(
    ("silence", "told"),
    [
        ({"adviser": ("Chan",)}, r"silent_on.adviser: 'Chan' is in no pair; there are: Chen, Haddad"),
        ({"advisor": ("Chen",)}, r"silent_on.advisor: 'Chen' is in no pair; .* no pair has a tag 'advisor'"),
    ],
)
def test_a_silence_that_is_about_nothing_is_refused(silence: dict[str, tuple[str, ...]], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check_tags(PAIRS, silence, "supervision.silent_on")


def labels(format: str, noise: NoiseConfig) -> list[tuple[CounterfactualPair, Effect, Effect, str]]:
    effects = dict(zip((pair.id for pair in PAIRS), any_effects(), strict=True))
    config = SupervisionConfig(noise=noise)
    source = dict.fromkeys(effects, "base")
    built = build_labels(PAIRS, effects, formats.get(format), config, source)
    assert [label.pair_id for label in built] == [pair.id for pair in PAIRS]
    assert {label.source for label in built} == {"base"}
    return [(pair, label.effect, label.clean, label.text) for pair, label in zip(PAIRS, built, strict=True)]


@pytest.mark.parametrize("format", formats.NAMES)
@pytest.mark.parametrize("noise", [NoiseConfig(), *(NoiseConfig(kind=kind, rate=0.5) for kind in KINDS)])
def test_labels_state_their_effect_and_keep_the_clean_one(format: str, noise: NoiseConfig) -> None:
    rows = labels(format, noise)
    assert [clean for _, _, clean, _ in rows] == any_effects()
    for pair, effect, _, text in rows:
        assert formats.get(format).parse(text, pair.choices, pair.cue) == effect
    assert (noise.kind == "none") == all(effect == clean for _, effect, clean, _ in rows)


def test_equal_seeds_give_equal_labels() -> None:
    noise = NoiseConfig(kind="shuffled", rate=0.5)
    assert labels("answer_pair", noise) == labels("answer_pair", noise)


def test_noise_seed_0_draws_what_the_seed_of_the_supervision_alone_draws() -> None:
    """Datasets of before there was a noise.seed stay the same."""
    noise = NoiseConfig(kind="uniform", rate=0.5)
    alone = disturb(any_effects(), PAIRS, noise, np.random.default_rng([0, 2]))
    assert [effect for _, effect, _, _ in labels("answer_pair", noise)] == alone
    other = NoiseConfig(kind="uniform", rate=0.5, seed=1)
    assert [effect for _, effect, _, _ in labels("answer_pair", other)] != alone


def test_given_labels_keep_their_text_where_noise_leaves_them_alone() -> None:
    spoken_of = {pair.id: pair for pair in PAIRS[:50]}
    given = [
        Label(pair.id, f"Well . {AnswerPair().render(effect, pair.cue)}", effect, effect, "somebody")
        for pair, effect in zip(PAIRS[:50], any_effects(), strict=False)
    ]
    config = SupervisionConfig(file="labels.jsonl", noise=NoiseConfig(kind="flipped", rate=0.5))
    noisy = disturb_labels(given, spoken_of, AnswerPair(), config)
    assert [label.clean for label in noisy] == [label.clean for label in given]
    touched = [label for label in noisy if label.effect != label.clean]
    assert 10 < len(touched) < 40
    for label, was in zip(noisy, given, strict=True):
        assert (label == was) == (label not in touched)
        pair = spoken_of[label.pair_id]
        assert AnswerPair().parse(label.text, pair.choices, pair.cue) == label.effect


@given(share=st.floats(0, 1), larger=st.floats(0, 1), seed=st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_the_lot_of_a_source_is_by_question_and_nested(share: float, larger: float, seed: int) -> None:
    share, larger = sorted((share, larger))
    own = {pair.id: states_own(pair, share, seed) for pair in PAIRS}
    of_question: dict[str, bool] = {}
    for pair in PAIRS:
        assert of_question.setdefault(pair.without_cue, own[pair.id]) == own[pair.id]
        assert not own[pair.id] or states_own(pair, larger, seed)
    assert sum(of_question.values()) / len(of_question) == pytest.approx(share, abs=0.15)


def test_the_ends_of_a_mix_are_pure() -> None:
    assert not any(states_own(pair, 0.0, seed) for pair in PAIRS for seed in range(3))
    assert all(states_own(pair, 1.0, seed) for pair in PAIRS for seed in range(3))
