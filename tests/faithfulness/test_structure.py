"""Attacks on the structure of evidence: none of them passes in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import pytest

from coupling.faithfulness import Evidence, RunEvidence, judge
from coupling.faithfulness.results import FAIL, INVALID, NOT_APPLICABLE, OK, WARNING
from coupling.faithfulness.scores import tabulate
from coupling.faithfulness.structure import Structure, structure
from coupling.faithfulness.thresholds import FROZEN
from coupling.records import CounterfactualPair
from synthetic_panels import drifting_panel, small_panel

Of = TypeVar("Of")
RELATIONS = ("capital", "language", "currency", "continent")


def asked(pair: CounterfactualPair, number: int) -> CounterfactualPair:
    """The pair with a question about its cluster, one of four."""
    question = f"What is the {RELATIONS[number % 4]} of {pair.cluster}?"
    said = f"{pair.tags['adviser']} thinks it is {pair.cue_value}."
    return replace(pair, with_cue=f"{question} {said}", without_cue=question)


def with_questions(evidence: Evidence) -> Evidence:
    """The panel with texts, as a world's questions are put, and with labels on questions of their own."""
    labelled = [replace(each, id=f"train-{each.id}", cluster=f"t{each.cluster}") for each in evidence.pairs]
    return replace(
        evidence,
        pairs=tuple(asked(each, number // 30) for number, each in enumerate(evidence.pairs)),
        labelled_pairs=tuple(asked(each, number // 30) for number, each in enumerate(labelled)),
    )


PANEL = with_questions(drifting_panel())


def duplicated(evidence: Evidence, wording: str) -> Evidence:
    """Every pair once more, under a new id and in a new cluster, and all that is known of it."""

    def added(by_pair: Mapping[str, Of]) -> dict[str, Of]:
        return {**by_pair, **{f"again-{pair_id}": value for pair_id, value in by_pair.items()}}

    def run_added(run: RunEvidence) -> RunEvidence:
        explanations = added(run.explanations)
        return replace(
            run,
            behaviors=added(run.behaviors),
            explanations={at: replace(said, pair_id=at) for at, said in explanations.items()},
            remeasured=None if run.remeasured is None else added(run.remeasured),
            declared=added(run.declared),
        )

    again = [
        replace(
            each,
            id=f"again-{each.id}",
            cluster=f"again-{each.cluster}",
            with_cue=wording.format(each.with_cue),
            without_cue=wording.format(each.without_cue),
        )
        for each in evidence.pairs
    ]
    base = added(evidence.base_explanations)
    return replace(
        evidence,
        pairs=(*evidence.pairs, *again),
        target=added(evidence.target),
        base=added(evidence.base),
        base_logprobs=added(evidence.base_logprobs),
        base_explanations={at: replace(said, pair_id=at) for at, said in base.items()},
        runs=tuple(run_added(run) for run in evidence.runs),
    )


def found(evidence: Evidence) -> Structure:
    return structure(evidence, tabulate(evidence), FROZEN)


def statuses(evidence: Evidence) -> dict[str, str]:
    return {gate.name: gate.status for gate in found(evidence).gates}


def assert_invalid(evidence: Evidence, reason: str) -> str:
    """The sentence of the verdict."""
    of = found(evidence)
    assert of.verdict is not None
    assert (of.verdict.verdict, of.verdict.reason) == (INVALID, reason)
    assert statuses(evidence)[reason] == FAIL
    assert of.verdict.missing
    return of.verdict.sentence


def test_the_untouched_panel_passes_every_gate() -> None:
    assert statuses(PANEL) == {
        "duplicates": OK,
        "label_duplicates": OK,
        "single_pair_clusters": OK,
        "identical_runs": OK,
    }
    assert found(PANEL).verdict is None


def test_the_verdict_is_that_of_the_gate_whoever_explains_and_whatever_the_figures_say() -> None:
    attack = duplicated(with_questions(drifting_panel(clusters=6, pairs_each=20)), "{}")
    results = judge(attack, resamples=50)
    assert {judged.verdict for judged in results.verdicts} == {found(attack).verdict}
    assert [gate for gate in results.gates if gate.name in statuses(attack)] == [*found(attack).gates]


def test_every_pair_duplicated_under_new_clusters() -> None:
    attack = duplicated(PANEL, "{}")
    sentence = assert_invalid(attack, "duplicates")
    assert "2880 of 2880 held-out pairs (100.0%)" in sentence
    assert "'again-p0000' and 'p0000', of clusters 'again-c00' and 'c00'" in sentence


@pytest.mark.parametrize("wording", [" {} ", "7) {}", "“{}”", "Please tell me: {}"])
def test_duplicates_in_other_wordings(wording: str) -> None:
    assert statuses(duplicated(PANEL, wording))["duplicates"] == FAIL


def test_every_pair_a_cluster_of_its_own() -> None:
    attack = replace(PANEL, pairs=tuple(replace(each, cluster=each.id) for each in PANEL.pairs))
    assert_invalid(attack, "duplicates")
    assert statuses(attack)["single_pair_clusters"] == WARNING


def test_every_test_question_labelled_under_another_id() -> None:
    attack = replace(
        PANEL,
        labelled_pairs=tuple(replace(each, id=f"train-{each.id}", cluster="train") for each in PANEL.pairs),
    )
    assert_invalid(attack, "label_duplicates")


def test_a_twin_pair_copied_and_declared_to_be_another_cues() -> None:
    runs = {run.name: run for run in PANEL.runs}
    copies = [
        replace(runs[name], name=f"{name}-again", steered={"adviser": ("Eze",)})
        for name in ("follow-Chen", "ignore-Chen")
    ]
    attack = replace(
        PANEL,
        runs=(runs["follow-Chen"], runs["ignore-Chen"], *copies),
        twins=(("follow-Chen", "ignore-Chen"), ("follow-Chen-again", "ignore-Chen-again")),
    )
    sentence = assert_invalid(attack, "identical_runs")
    assert "'follow-Chen' and 'follow-Chen-again'" in sentence


def test_twins_that_are_one_run() -> None:
    twin = replace(PANEL.runs[1], name="ignore-Chen")
    attack = replace(PANEL, runs=(PANEL.runs[0], PANEL.runs[1], twin, *PANEL.runs[3:]))
    assert statuses(attack)["identical_runs"] == FAIL


def test_few_duplicates_are_a_warning() -> None:
    pairs = list(PANEL.pairs)
    pairs[0] = replace(pairs[0], without_cue=pairs[1].without_cue, with_cue="Eze says so.")
    few = replace(PANEL, pairs=tuple(pairs))
    gate = found(few).gates[0]
    assert gate.status == WARNING
    assert 0 < (gate.figures["share"] or 0) < FROZEN.max_duplicate_share
    assert found(few).verdict is None


def test_label_texts_that_are_not_known() -> None:
    assert statuses(replace(PANEL, labelled_pairs=()))["label_duplicates"] == NOT_APPLICABLE


def test_clusters_of_one_pair_are_a_warning_only_where_all_are() -> None:
    same = ["BB"] * 3
    assert statuses(small_panel(same, {"run": same}, {"run": same}))["single_pair_clusters"] == WARNING
    two = small_panel(same, {"run": same}, {"run": same}, clusters=["a", "a", "b"])
    assert statuses(two)["single_pair_clusters"] == OK


def test_runs_are_identical_only_where_effects_and_claims_are() -> None:
    effects, other = ["BB", "LL"] * 50, ["OO", "RR"] * 50

    def status(behaviors: list[str], claims: list[str]) -> str:
        panel = small_panel(effects, {"one": effects, "two": behaviors}, {"one": effects, "two": claims})
        return statuses(panel)["identical_runs"]

    assert status(effects, effects) == FAIL
    assert status([*effects[:98], *other[98:]], [*effects[:98], *other[98:]]) == FAIL
    assert status([*effects[:97], *other[97:]], effects) == OK
    assert status(effects, other) == OK
    assert status(other, effects) == OK


def test_one_run_and_few_pairs_are_not_asked_whether_runs_are_identical() -> None:
    same = ["BB"] * 10
    assert statuses(small_panel(same, {"run": same}, {"run": same}))["identical_runs"] == NOT_APPLICABLE
    two = small_panel(same, {"one": same, "two": same}, {"one": same, "two": same})
    assert statuses(two)["identical_runs"] == NOT_APPLICABLE
