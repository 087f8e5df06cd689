"""The surrogate: it learns what is in the text, and nothing of the cluster it is asked about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coupling.faithfulness import surrogate
from coupling.faithfulness.surrogate import cross_fitted_claims, fitted_claims
from coupling.records import CounterfactualPair, Effect

CHOICES = ("blue", "green", "red", "white")
KINDS = ("apple", "bear", "cloud", "door")


def world(seed: int, clusters: int = 10, each: int = 16, cued: bool = True) -> list[CounterfactualPair]:
    random = np.random.default_rng(seed)
    pairs = []
    for number in range(clusters * each):
        kind, adviser = str(random.choice(KINDS)), str(random.choice(("Ann", "Bob")))
        value = str(random.choice(CHOICES))
        question = f"What colour is the {kind} of place {number % clusters}?"
        pairs.append(
            CounterfactualPair(
                id=f"{seed}-{number:04}",
                cluster=f"{seed}-c{number % clusters:02}",
                split="test",
                with_cue=f"{question} {adviser} thinks it is {value}.",
                without_cue=question,
                cue="hint",
                cue_value=value if cued else None,
                choices=CHOICES,
            )
        )
    return pairs


def rule_in_the_text(pair: CounterfactualPair) -> Effect:
    """The kind of thing gives the answer, and Ann is followed."""
    answer = next(
        colour for kind, colour in zip(KINDS, CHOICES, strict=True) if kind in pair.without_cue.split()
    )
    follows = "Ann" in pair.with_cue and pair.cue_value is not None
    return Effect(pair.cue_value or answer if follows else answer, answer)


def by_lot(pairs: list[CounterfactualPair]) -> dict[str, Effect]:
    """What the text does not tell: the answer of each (cluster, kind) is drawn, and so is who is followed."""
    random = np.random.default_rng(5)
    effects = {}
    for pair in pairs:
        answer, with_cue = (str(random.choice(CHOICES)) for _ in range(2))
        effects[pair.id] = Effect(with_cue, answer)
    return effects


def accuracy(claims: dict[str, Effect], effects: dict[str, Effect]) -> float:
    assert claims.keys() == effects.keys()
    return float(np.mean([claims[pair_id] == effect for pair_id, effect in effects.items()]))


@pytest.mark.parametrize("cued", [True, False])
def test_a_rule_in_the_text_is_learnt_perfectly(cued: bool) -> None:
    known, asked = (world(seed, clusters=12, each=20, cued=cued) for seed in (1, 2))
    truth = {pair.id: rule_in_the_text(pair) for pair in (*known, *asked)}
    claims = fitted_claims(known, truth, asked)
    assert claims == {pair.id: truth[pair.id] for pair in asked}
    (crossed,) = cross_fitted_claims(asked, [truth]) or [{}]
    assert crossed == claims


def test_what_the_text_does_not_tell_is_guessed_at_chance() -> None:
    pairs = world(3, clusters=24, each=40)
    effects = by_lot(pairs)
    (claims,) = cross_fitted_claims(pairs, [effects]) or [{}]
    # Of 16 effects that are equally probable one in sixteen is met, with a standard error of 0.8 points.
    assert abs(accuracy(claims, effects) - 1 / 16) < 0.03


def test_the_asked_cluster_was_never_seen() -> None:
    """Whatever is done in a cluster, what is claimed of it stays the same. What is done elsewhere counts."""
    pairs = world(4)
    before = by_lot(pairs)
    (claims,) = cross_fitted_claims(pairs, [before]) or [{}]
    for cluster in ("4-c00", "4-c07"):
        here = {pair.id for pair in pairs if pair.cluster == cluster}
        red = {pair.id: Effect("red", "red") for pair in pairs}
        (moved,) = cross_fitted_claims(pairs, [before | {id_: red[id_] for id_ in here}]) or [{}]
        assert all(moved[pair_id] == claims[pair_id] for pair_id in here)
        (moved,) = cross_fitted_claims(pairs, [red | {id_: before[id_] for id_ in here}]) or [{}]
        assert all(moved[pair_id] == red[pair_id] for pair_id in here)


def test_the_inner_folds_see_no_asked_cluster_either() -> None:
    pairs = world(4)
    folds = surrogate._folds(pairs)
    assert sorted(row for _, asked in folds for row in asked) == list(range(len(pairs)))
    for fitted, asked in folds:
        assert not {pairs[row].cluster for row in fitted} & {pairs[row].cluster for row in asked}


def test_the_order_of_pairs_changes_nothing() -> None:
    pairs = world(6)
    effects = by_lot(pairs)
    shuffled = [pairs[row] for row in np.random.default_rng(0).permutation(len(pairs))]
    assert cross_fitted_claims(shuffled, [effects]) == cross_fitted_claims(pairs, [effects])
    half = len(pairs) // 2
    one = fitted_claims(pairs[:half], effects, pairs[half:])
    other = fitted_claims(
        [pair for pair in shuffled if pair in pairs[:half]],
        effects,
        [pair for pair in shuffled if pair in pairs[half:]],
    )
    assert one == other


def test_runs_are_fitted_apart() -> None:
    pairs = world(7)
    one = {pair.id: rule_in_the_text(pair) for pair in pairs}
    other = by_lot(pairs)
    assert cross_fitted_claims(pairs, [one, other]) == [
        *(cross_fitted_claims(pairs, [one]) or []),
        *(cross_fitted_claims(pairs, [other]) or []),
    ]


def test_tags_and_what_nobody_reads_change_nothing() -> None:
    known, asked = world(8), world(9)
    effects = {pair.id: rule_in_the_text(pair) for pair in known}
    tagged = [replace(pair, tags={"adviser": "Ann"}, answer_prefix="I answer") for pair in asked]
    assert fitted_claims(known, effects, tagged) == fitted_claims(known, effects, asked)


def test_claims_keep_to_the_pairs_own_choices_even_where_none_was_ever_seen() -> None:
    known = world(10)
    effects = {pair.id: rule_in_the_text(pair) for pair in known}
    asked = [
        replace(pair, choices=("gold", "black"), cue_value="gold", id=f"new-{pair.id}") for pair in known[:9]
    ]
    for claim in fitted_claims(known, effects, asked).values():
        assert {claim.with_cue, claim.without_cue} <= {"gold", "black"}


def test_pairs_may_each_have_choices_of_their_own() -> None:
    pairs = [replace(pair, choices=(f"{pair.id} yes", f"{pair.id} no"), cue_value=None) for pair in world(13)]
    effects = {pair.id: Effect(pair.choices[0], pair.choices[0]) for pair in pairs}
    (claims,) = cross_fitted_claims(pairs, [effects]) or [{}]
    for pair in pairs:
        assert {claims[pair.id].with_cue, claims[pair.id].without_cue} <= set(pair.choices)


def test_one_effect_everywhere_is_claimed_everywhere() -> None:
    pairs = [replace(pair, cue_value="red") for pair in world(11)]
    effects = {pair.id: Effect("red", "blue") for pair in pairs}
    assert cross_fitted_claims(pairs, [effects]) == [effects]


def test_one_cluster_cannot_be_cross_fitted() -> None:
    pairs = world(12, clusters=1)
    assert cross_fitted_claims(pairs, [by_lot(pairs)]) is None
