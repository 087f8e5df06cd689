"""P: what claims are worth to somebody who knows all else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coupling.faithfulness.observer import WITH, expected, folds_of, frequent_answers, unscaled
from coupling.faithfulness.outsiders import moved_outside, outsiders
from coupling.faithfulness.privilege import Observers, _trust, _worth, fit_observers
from coupling.faithfulness.scores import UNSTATED, Table, tabulate
from coupling.records import Explanation
from synthetic_panels import drifting_panel


@pytest.fixture(scope="module")
def table() -> Table:
    return tabulate(drifting_panel(clusters=21, pairs_each=12))


@pytest.fixture(scope="module")
def observers(table: Table) -> Observers:
    return fit_observers(table, beyond_siblings=True)


def test_by_hand() -> None:
    """Four claims, three of them right, to which the observer gives 1/2: with a ridge of 1 the odds are
    multiplied by e^w where 3 - 4 e^w / (1 + e^w) - w = 0."""
    half = np.full(4, 0.5)
    hit = np.array([True, True, True, False])
    trust = _trust(half, hit)
    assert 3 - 4 / (1 + np.exp(-trust)) - trust == pytest.approx(0, abs=1e-9)
    right, wrong = _worth(trust, half[:1], hit[:1])[0], _worth(trust, half[:1], hit[3:])[0]
    assert np.exp(right) * 0.5 + np.exp(wrong) * 0.5 == pytest.approx(1)


def test_what_the_observer_expects_is_a_probability(observers: Observers) -> None:
    for expectations in observers.log_probabilities:
        assert np.exp(expectations).sum(axis=-1) == pytest.approx(np.ones(expectations.shape[:-1]))


def test_a_claim_withheld_is_worth_nothing(table: Table, observers: Observers) -> None:
    assert not observers.gains(np.full_like(table.claims, UNSTATED)).any()


def test_the_oracle_tells_nearly_all_there_is_to_know(table: Table, observers: Observers) -> None:
    unknown, oracle = observers.unknown().mean(), observers.gains(table.behaviors).mean()
    assert 0.9 * unknown < oracle < unknown


def test_who_reads_the_run_tells_more_than_any_outsider(table: Table, observers: Observers) -> None:
    guess = expected(observers.log_probabilities[0], table)
    own = observers.gains(table.claims).mean()
    for outsider in outsiders(table, guess):
        assert outsider.claims is not None
        assert observers.gains(outsider.claims).mean() < own / 5


def test_an_answer_is_predicted_without_its_own_cluster(table: Table) -> None:
    """What a run does in the clusters of a fold must not change what is expected of it there."""
    fold_of = folds_of(table.clusters, 7, seed=0)
    held_out = fold_of == 0
    assert table.base is not None
    other = np.array(table.behaviors)
    other[0, held_out] = table.base[held_out]
    before, after = (
        unscaled(replace(table, behaviors=behaviors), WITH, [fold_of], beyond_siblings=False)[0]
        for behaviors in (table.behaviors, other)
    )
    assert after[0, held_out] == pytest.approx(before[0, held_out], abs=1e-6)
    assert after[0, ~held_out] != pytest.approx(before[0, ~held_out], abs=1e-6)


def test_the_answer_a_run_gives_in_other_clusters_is_expected_of_it(table: Table) -> None:
    """A run that prefers one answer, whatever the question, tells nothing by saying so."""
    favourite = frequent_answers(table)[0]
    offered = (table.choices == favourite).any(axis=1)
    behaviors = np.array(table.behaviors)
    behaviors[0, offered] = favourite
    fold_of = folds_of(table.clusters, 7, seed=0)
    (nats,) = unscaled(replace(table, behaviors=behaviors), WITH, [fold_of], beyond_siblings=False)
    probability = np.exp(nats[0])[table.choices == favourite]
    assert probability.mean() > 0.8


def test_the_order_of_runs_changes_nothing(table: Table, observers: Observers) -> None:
    order = [2, 0, 1, 4, 3]
    shuffled = table.part(order, np.arange(len(table.pairs)))
    gains = fit_observers(shuffled, beyond_siblings=True).gains(shuffled.claims)
    assert gains == pytest.approx(observers.gains(table.claims)[order], abs=1e-6)


def test_too_few_clusters_for_the_folds() -> None:
    few = tabulate(drifting_panel(clusters=3, pairs_each=4))
    with pytest.raises(ValueError, match="3 clusters"):
        fit_observers(few, beyond_siblings=False)


def test_behaviour_moved_outside_the_weights_is_not_explained() -> None:
    evidence = drifting_panel(clusters=21, pairs_each=12)
    random = np.random.default_rng(3)
    logprobs = {}
    for pair in evidence.pairs:
        both = []
        for answer in (evidence.base[pair.id].with_cue, evidence.base[pair.id].without_cue):
            utilities = random.normal(size=len(pair.choices))
            utilities[pair.choices.index(answer)] = utilities.max() + 0.5
            both.append(tuple(utilities - np.log(np.exp(utilities).sum())))
        logprobs[pair.id] = (both[0], both[1])
    runs = tuple(
        replace(run, declared={pair.id: pair.cue_value for pair in evidence.pairs if pair.bears(run.steered)})
        for run in evidence.runs
    )
    said = {pair_id: Explanation(pair_id, "", effect) for pair_id, effect in evidence.base.items()}
    table = moved_outside(
        tabulate(replace(evidence, base_logprobs=logprobs, base_explanations=said, runs=runs))
    )
    assert table is not None
    assert (table.behaviors != np.asarray(table.base)).any()
    assert fit_observers(table, beyond_siblings=True).gains(table.claims).mean() < 0.01
