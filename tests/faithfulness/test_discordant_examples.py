from __future__ import annotations

from collections import Counter
from dataclasses import replace

from coupling.faithfulness import discordant_examples
from synthetic_panels import drifting_panel, effect, small_panel

SIDES = small_panel(
    target=["BB"] * 5,
    behaviors={"run": ["BB", "LL", "LL", "LL", "LL"]},
    claims={"run": ["BB", "LL", "BB", "OO", None]},
)


def test_sides_and_content() -> None:
    examples = discordant_examples(SIDES)
    assert [(example.pair_id, example.side) for example in examples] == [
        ("p1", "own"),
        ("p2", "target"),
        ("p3", "neither"),
        ("p4", "unparseable"),
    ]
    first = examples[0]
    assert (first.behavior, first.claim, first.target) == (effect("LL"), effect("LL"), effect("BB"))
    assert (first.run, first.question, first.cue, first.text) == ("run", "p1 ? a hint", "hint", "something")


def test_a_limit_is_kept_and_shared_among_runs_and_sides() -> None:
    evidence = drifting_panel(clusters=6, pairs_each=50)
    everything = Counter((one.run, one.side) for one in discordant_examples(evidence, limit=10**6))
    chosen = discordant_examples(evidence, limit=60)
    counts = Counter((one.run, one.side) for one in chosen)
    assert len(chosen) == 60
    assert counts.keys() == everything.keys()
    equal_part = 60 // len(everything)
    assert all(counts[group] >= min(everything[group], equal_part) for group in everything)
    assert [one.pair_id for one in chosen] == sorted(one.pair_id for one in chosen)
    assert len({(one.pair_id, one.run) for one in chosen}) == 60


def test_the_order_of_pairs_changes_nothing() -> None:
    evidence = drifting_panel(clusters=3, pairs_each=50)
    assert discordant_examples(evidence) == discordant_examples(replace(evidence, pairs=evidence.pairs[::-1]))
