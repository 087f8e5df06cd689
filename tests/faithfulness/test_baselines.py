from __future__ import annotations

from dataclasses import replace

from coupling.faithfulness.baselines import baseline_claims
from coupling.records import Effect, Label
from synthetic_panels import CITIES, effect, pair, small_panel


def labels(*letters: str) -> tuple[Label, ...]:
    return tuple(Label(f"l{i}", "", effect(each), effect(each), "base") for i, each in enumerate(letters))


EVIDENCE = small_panel(["BB"], {"run": ["BB"]}, {"run": ["BB"]})
PAIRS = (
    pair("hinted", cue_value="Rome"),
    pair("unhinted"),
    replace(pair("narrow", cue_value="Lima"), choices=("Lima", "Oslo")),
)


def test_claims() -> None:
    claims = baseline_claims(replace(EVIDENCE, labels=labels("BL", "BL", "OO", "RB", "RB", "LB")), PAIRS)
    assert claims["majority"] == (effect("BL"), effect("BL"), effect("OO"))
    assert claims["always_unchanged"] == (effect("RR"), effect("BB"), effect("LL"))
    # The labels' most frequent answer without the cue is Bern; Lima is the first that "narrow" can choose.
    assert claims["copy_the_cue"] == (effect("RB"), None, effect("LL"))


def test_a_tie_is_broken_by_the_alphabet_not_by_order() -> None:
    there = baseline_claims(replace(EVIDENCE, labels=labels("OO", "BB")), PAIRS)
    back = baseline_claims(replace(EVIDENCE, labels=labels("BB", "OO")), PAIRS)
    assert there == back
    assert there["majority"][0] == effect("BB")


def test_nothing_within_the_choices_is_no_claim() -> None:
    claims = baseline_claims(replace(EVIDENCE, labels=labels("BB")), PAIRS)
    assert claims["majority"][2] is None and claims["copy_the_cue"][2] is None


def test_without_labels_the_targets_effects_stand_in() -> None:
    assert EVIDENCE.target["p0"] == Effect(CITIES[0], CITIES[0])
    assert baseline_claims(EVIDENCE, PAIRS)["majority"][0] == effect("BB")


def test_without_labels_naming_another_target_takes_no_baseline_away() -> None:
    claims = baseline_claims(small_panel(["OO"], {"run": ["BB"]}, {"run": ["BB"]}), PAIRS)
    assert claims["majority"][0] == effect("OO") and claims["majority_of_own"][0] == effect("BB")
    labelled = replace(EVIDENCE, labels=labels("BL"))
    assert list(baseline_claims(labelled, PAIRS)) == ["majority", "always_unchanged", "copy_the_cue"]
