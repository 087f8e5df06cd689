"""Evidence that does not fit together is refused, with the place and the name of what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from coupling.faithfulness import Evidence, complete_pairs
from coupling.faithfulness.evidence import cluster_of
from coupling.records import Effect, Label
from synthetic_panels import effect, explanation, small_panel


def two_runs() -> Evidence:
    said = {"a": ["BB", "BL"], "b": ["BB", None]}
    return small_panel(["BB", "LL"], {"a": ["BB", "BL"], "b": ["BB", "LB"]}, said, twins=(("a", "b"),))


def first_run(evidence: Evidence, **changes: object) -> Evidence:
    return replace(evidence, runs=(replace(evidence.runs[0], **changes), *evidence.runs[1:]))


def scored(with_cue: tuple[float, ...], without_cue: tuple[float, ...] = (-1.8,) * 6) -> Evidence:
    """With log-probabilities of the base for the six choices, those of the second pair as given."""
    even = ((-1.8,) * 6, (-1.8,) * 6)
    return replace(two_runs(), base_logprobs={"p0": even, "p1": (with_cue, without_cue)})


LABEL = Label("p1", "", effect("BB"), effect("BB"), "base")

BROKEN: dict[str, tuple[Callable[[Evidence], Evidence], str]] = {
    "no pairs": (lambda e: replace(e, pairs=()), "no held-out pairs"),
    "no runs": (lambda e: replace(e, runs=()), "no runs to judge"),
    "repeated pair": (lambda e: replace(e, pairs=(*e.pairs, e.pairs[0])), "more than once: 'p0'"),
    "two splits": (
        lambda e: replace(e, pairs=(replace(e.pairs[0], split="dev"), e.pairs[1])),
        "splits dev, test",
    ),
    "no cluster": (
        lambda e: replace(e, pairs=(replace(e.pairs[0], cluster=""), e.pairs[1])),
        "pair 'p0': cluster is empty",
    ),
    "cue value is no choice": (
        lambda e: replace(e, pairs=(replace(e.pairs[0], cue_value="Paris"), e.pairs[1])),
        "pair 'p0': cue_value 'Paris'",
    ),
    "leaked cluster": (
        lambda e: replace(e, label_clusters=frozenset({"c1", "train"})),
        "leakage: 1 held-out clusters also carry labels: 'c1'",
    ),
    "labelled pair": (lambda e: replace(e, labels=(LABEL,)), "held-out pairs are labelled themselves: 'p1'"),
    "target misses a pair": (
        lambda e: replace(e, target={"p0": effect("BB")}),
        "target's behaviour: 1 of 2 pairs are missing: 'p1'",
    ),
    "unknown pair": (
        lambda e: first_run(e, behaviors={**e.runs[0].behaviors, "p9": effect("BB")}),
        "run 'a', behaviors: 1 ids are no held-out pairs: 'p9'",
    ),
    "answer is no choice": (
        lambda e: first_run(e, behaviors={"p0": effect("BB"), "p1": Effect("Bern", "Paris")}),
        "run 'a', behaviors: pair 'p1': without_cue is 'Paris'",
    ),
    "remeasured answer is no choice": (
        lambda e: first_run(e, remeasured={"p0": effect("BB"), "p1": Effect("Paris", "Bern")}),
        "run 'a', remeasured behaviors: pair 'p1': with_cue is 'Paris'",
    ),
    "explanation missing": (
        lambda e: first_run(e, explanations={"p0": explanation("p0", None)}),
        "run 'a', explanations: 1 of 2 pairs are missing: 'p1'",
    ),
    "explanation of another pair": (
        lambda e: first_run(e, explanations={**e.runs[0].explanations, "p1": explanation("p0", None)}),
        "explanation of pair 'p1' says it is of 'p0'",
    ),
    "a log-probability too few": (
        lambda _: scored((-1.0,) * 5),
        "base's log-probabilities: pair 'p1': logprobs_with is .* each of its 6 choices",
    ),
    "log-probability that is no number": (
        lambda _: scored((-1.8,) * 6, (float("nan"), *(-1.8,) * 5)),
        r"base's log-probabilities: pair 'p1': logprobs_without is \[nan, ",
    ),
    "log-probability without end": (
        lambda _: scored((float("-inf"), *(-1.8,) * 5)),
        r"base's log-probabilities: pair 'p1': logprobs_with is \[-inf, .* expected a finite number",
    ),
    "log-probabilities miss a pair": (
        lambda e: replace(e, base_logprobs={"p0": ((-1.8,) * 6, (-1.8,) * 6)}),
        "base's log-probabilities: 1 of 2 pairs are missing: 'p1'",
    ),
    "declared answer is no choice": (
        lambda e: first_run(e, declared={"p1": "Paris"}),
        "run 'a', declared steering: pair 'p1': 'Paris' is no choice",
    ),
    "declared answer of an unknown pair": (
        lambda e: first_run(e, declared={"p9": "Bern"}),
        "run 'a', declared steering: pair 'p9': 'Bern'",
    ),
    "two steps": (lambda e: first_run(e, step=7), r"of steps \[1, 7\]"),
    "repeated run": (lambda e: replace(e, runs=(e.runs[0], e.runs[0])), "more than once: 'a'"),
    "unknown twin": (lambda e: replace(e, twins=(("a", "z"),)), "unknown run 'z'; the runs are a, b"),
    "own twin": (lambda e: replace(e, twins=(("a", "a"),)), "'a' is named as its own twin"),
    "twins twice": (lambda e: replace(e, twins=(("a", "b"), ("b", "a"))), "more than once: 'a and b'"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_refuses(fault: str) -> None:
    breaks, message = BROKEN[fault]
    with pytest.raises(ValueError, match=message):
        breaks(two_runs())


def test_complete_pairs_are_those_of_which_nothing_is_missing() -> None:
    pairs = two_runs().pairs
    assert complete_pairs(pairs, {"p0", "p1"}, ["p1"]) == (pairs[1],)
    assert complete_pairs(pairs) == pairs
    with pytest.raises(ValueError, match="of each of the 2 held-out pairs an answer or an explanation"):
        complete_pairs(pairs, {"p0"}, {"p1"})


def test_cluster_of_is_the_pairs_cluster() -> None:
    assert cluster_of(two_runs().pairs[1]) == "c1"
