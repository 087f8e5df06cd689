"""Probes as pure objects, and their figures by hand and of scripted emitters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coupling.explanations import formats
from coupling.explanations.formats import read_explanation
from coupling.faithfulness.consequences import CostWeights
from coupling.faithfulness.statistics import ClusterBootstrap
from coupling.models import Way
from coupling.records import Behavior, CounterfactualPair, Effect
from coupling.studies.stress.asking import Answered
from coupling.studies.stress.figures import (
    ELSEWHERE,
    TO_CHANGED,
    TO_SUGGESTED,
    TO_UNCHANGED,
    Heard,
    direction,
    harm,
    probe_figures,
)
from coupling.studies.stress.findings import clusters_of, probes_found, way_judged
from coupling.studies.stress.probes import (
    PROBES,
    UNPROBED,
    Place,
    Probe,
    message,
    other_choice,
    probe_named,
    probed_pair,
    suggested,
)
from coupling.studies.stress.putting import Put, Unasked, put
from coupling.studies.stress.stakes import stakes
from coupling.tasks import draw, world_hint
from coupling.worlds import World
from tiny_models import byte_level_tokenizer, world_renderer

FORMAT = formats.get("answer_pair")
ROOM = 64


@pytest.fixture(scope="module")
def pairs() -> list[CounterfactualPair]:
    return draw([pair for pair in world_hint.load(World.generate(100), 1, 0) if pair.split == "dev"], 60, 0)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
@pytest.mark.parametrize("format_name", formats.NAMES)
def test_a_probe_keeps_what_a_pair_is(
    probe: Probe, format_name: str, pairs: list[CounterfactualPair]
) -> None:
    format = formats.get(format_name)
    for wording in probe.wordings:
        for pair in pairs:
            probed = probed_pair(probe, wording, pair, format)
            for field in ("id", "cluster", "split", "choices", "answer_prefix", "cue"):
                assert getattr(probed, field) == getattr(pair, field)
            told = message(probe, wording, pair, format)
            assert "{" not in told + probed.without_cue
            if probe.place is Place.QUESTION:
                assert probed == pair
                assert told.startswith(pair.with_cue) and told != message(
                    UNPROBED, "{question}", pair, format
                )
            else:
                assert (
                    probed.with_cue != pair.with_cue
                    and told == f"{probed.with_cue} {format.question('hint')}"
                )
            if probe.place is Place.INPUTS:
                added = probed.without_cue.replace(pair.without_cue, "{}")
                assert added != "{}" and added.format(pair.with_cue) == probed.with_cue
            if probe.place is Place.CUE:
                assert probed.without_cue == pair.without_cue and probed.cue_value is None


def test_names_are_unique_and_families_all_there() -> None:
    assert len({probe.name for probe in (UNPROBED, *PROBES)}) == 1 + len(PROBES)
    assert {probe.family for probe in PROBES} == {
        "leading question",
        "false attribution",
        "placebo",
        "two cues",
        "negated cue",
        "held-out words",
        "pressure",
        "long distractor",
        "prompt injection",
    }
    with pytest.raises(ValueError, match=r"--probe flattery: .*denies-following"):
        probe_named("flattery")


def test_the_other_choice_is_no_choice_of_the_cue(pairs: list[CounterfactualPair]) -> None:
    others = [other_choice(pair) for pair in pairs]
    assert all(other in pair.choices for other, pair in zip(others, pairs, strict=True))
    assert all(other != pair.cue_value for other, pair in zip(others, pairs, strict=True))
    assert others == [other_choice(replace(pair, with_cue="?")) for pair in pairs]
    assert (
        suggested("{question} {sentence}", pairs[0]) == others[0]
        and suggested("{question}", pairs[0]) is None
    )


def test_organisms_are_asked_in_words_they_know(pairs: list[CounterfactualPair]) -> None:
    renderer = world_renderer()
    unasked = []
    for probe in (UNPROBED, *PROBES):
        made = put(probe, pairs, FORMAT, renderer, ROOM, 32)
        if isinstance(made, Unasked):
            unasked.append(made.probe)
            continue
        assert renderer.knows([*made.messages, *(pair.with_cue for pair in made.pairs)])
        assert made.wording == probe.wordings[-1]
        sentences = [FORMAT.render(Effect(pair.choices[0], pair.choices[1]), pair.cue) for pair in pairs]
        rows = renderer.completions(made.messages, sentences)
        assert max(row.start for row in rows) + made.max_new_tokens <= ROOM
    # No organism has a word for "not".
    assert unasked == ["negated-cue"]


def test_models_that_know_every_word_are_asked_in_english(pairs: list[CounterfactualPair]) -> None:
    from coupling.models import Renderer

    renderer = Renderer(byte_level_tokenizer([pairs[0].with_cue]))
    made = [put(probe, pairs[:4], FORMAT, renderer, 4096, 32) for probe in PROBES]
    assert [each.wording for each in made if isinstance(each, Put)] == [p.wordings[0] for p in PROBES]


def test_a_probe_without_room_is_not_asked(pairs: list[CounterfactualPair]) -> None:
    made = put(probe_named("distractor-before-the-question"), pairs, FORMAT, world_renderer(), 40, 32)
    assert isinstance(made, Unasked) and "room for 40" in made.reason


A, B, C = "Lyon", "Paris", "Nice"


def test_directions() -> None:
    assert direction(Effect(A, B), Effect(A, A), None) == TO_UNCHANGED
    assert direction(Effect(A, A), Effect(A, B), None) == TO_CHANGED
    assert direction(Effect(A, B), Effect(C, C), C) == TO_SUGGESTED
    assert direction(Effect(A, C), Effect(A, A), C) == TO_UNCHANGED
    assert direction(Effect(A, B), Effect(B, A), C) == ELSEWHERE


def test_figures_by_hand() -> None:
    effects = [Effect(A, B), Effect(A, B), Effect(A, A), Effect(B, B), Effect(A, B)]
    before = Heard(effects, [Effect(A, B), Effect(A, B), Effect(A, A), None, Effect(A, B)])
    after = Heard(
        [*effects[:4], Effect(B, B)],
        [Effect(A, A), None, Effect(C, A), Effect(B, B), Effect(A, B)],
    )
    bootstrap = ClusterBootstrap(np.array([0, 0, 1, 1, 2]), 200, 0)
    figures = probe_figures(before, after, [None, None, C, None, None], bootstrap)
    assert figures.self_before.value == pytest.approx(0.8)
    assert figures.self_after.value == pytest.approx(0.2)
    assert figures.self_change.value == pytest.approx(-0.6) and figures.self_change.n == 5
    assert figures.parse_change.value == pytest.approx(0)
    # Behaviour stays on four pairs, of which three had a claim: one moves to "unchanged", one to the
    # suggested answer, one is lost. On the fifth behaviour moves and the claim does not.
    assert figures.moved.value == pytest.approx(2 / 3) and figures.lost.value == pytest.approx(1 / 3)
    assert figures.directions.unchanged.value == pytest.approx(1 / 3)
    assert figures.directions.suggested.value == pytest.approx(1 / 3)
    assert figures.directions.changed.value == figures.directions.elsewhere.value == 0
    assert figures.unsaid.value == 1 and figures.unsaid.n == 1
    assert harm(figures) == pytest.approx(-(figures.self_change.high or 0))


def test_intervals_are_paired() -> None:
    """Where each pair loses or keeps as before, the interval of a change that is none has no width."""
    effects = [Effect(A, B), Effect(A, A)] * 10
    claims: list[Effect | None] = [Effect(A, B), None] * 10
    bootstrap = ClusterBootstrap(np.arange(20), 200, 0)
    figures = probe_figures(Heard(effects, claims), Heard(effects, claims), [None] * 20, bootstrap)
    assert (figures.self_change.low, figures.self_change.value, figures.self_change.high) == (0, 0, 0)
    assert figures.self_before.low is not None and figures.self_before.low < 0.5
    assert figures.unsaid.value is None


def test_stakes_by_hand() -> None:
    heard = Heard(
        [Effect(A, B), Effect(A, B), Effect(A, B), Effect(A, A), Effect(B, B)],
        [Effect(A, A), Effect(B, A), None, Effect(A, A), Effect(A, B)],
    )
    found = stakes(heard, ClusterBootstrap(np.arange(5), 100, 0), CostWeights(denied=3))
    assert found["denied"].value == pytest.approx(1 / 3) and found["denied"].n == 3
    assert found["invented"].value == pytest.approx(1 / 2) and found["invented"].n == 2
    assert found["unparseable_changed"].value == pytest.approx(1 / 3)
    assert found["changed"].value == pytest.approx(3 / 5)
    # One denied at 3; one misnamed, one silent and one invented at 1 each; one is right.
    assert found["cost"].value == pytest.approx(6 / 5)


def answered(probe: Probe, pairs: list[CounterfactualPair], claims: list[Effect]) -> Answered:
    """An emitter that is scripted, about a model that follows every other cue."""
    wording = probe.wordings[-1]
    put_ = Put(
        probe,
        wording,
        tuple(pairs),
        tuple(message(probe, wording, pair, FORMAT) for pair in pairs),
        tuple(suggested(wording, pair) for pair in pairs),
        32,
    )
    behaviors = tuple(Behavior(pair.id, shown) for pair, shown in zip(pairs, shown_by(pairs), strict=True))
    texts = [FORMAT.render(claim, pair.cue) for claim, pair in zip(claims, pairs, strict=True)]
    said = tuple(read_explanation(FORMAT, pair, text) for pair, text in zip(pairs, texts, strict=True))
    return Answered(put_, behaviors, {Way.FREE: said, Way.OPENED: said})


def shown_by(pairs: list[CounterfactualPair]) -> list[Effect]:
    return [
        Effect(other_choice(pair), pair.choices[0]) if place % 2 else Effect(pair.choices[0], pair.choices[0])
        for place, pair in enumerate(pairs)
    ]


def unchanged(effects: list[Effect]) -> list[Effect]:
    return [Effect(effect.with_cue, effect.with_cue) for effect in effects]


def test_an_oracle_shows_no_harm_and_one_who_always_says_unchanged_shows_none_either(
    pairs: list[CounterfactualPair],
) -> None:
    pairs = [pair for pair in pairs if other_choice(pair) != pair.choices[0]]
    shown = shown_by(pairs)
    _, bootstrap = clusters_of(pairs, 200, 0)
    for claims, self_share in ((shown, 1.0), (unchanged(shown), 0.5)):
        found = probes_found(
            answered(UNPROBED, pairs, claims), [answered(p, pairs, claims) for p in PROBES], (), bootstrap
        )
        assert found.judged == Way.FREE and not found.worst
        assert found.plain[Way.FREE].self_share.value == pytest.approx(self_share, abs=0.02)
        for result in found.results:
            change = result.figures[Way.FREE].self_change
            assert (change.low, change.value, change.high) == (0, 0, 0) and result.example is None


def test_one_who_gives_in_to_pressure_is_found_to_be_worst(pairs: list[CounterfactualPair]) -> None:
    pairs = [pair for pair in pairs if other_choice(pair) != pair.choices[0]]
    shown = shown_by(pairs)
    _, bootstrap = clusters_of(pairs, 200, 0)
    weak = "pressed-to-say-unchanged"
    found = probes_found(
        answered(UNPROBED, pairs, shown),
        [answered(p, pairs, unchanged(shown) if p.name == weak else shown) for p in PROBES],
        (),
        bootstrap,
    )
    worst, *others = found.results
    assert worst.name == weak and len(found.worst) == 1
    assert f"{weak} (pressure)" in found.worst[0] and 'to "unchanged"' in found.worst[0]
    figures = worst.figures[Way.FREE]
    assert figures.self_change.value == pytest.approx(-0.5, abs=0.02) and harm(figures) > 0.2
    assert figures.directions.unchanged.value == figures.moved.value == pytest.approx(0.5, abs=0.02)
    assert worst.example is not None and worst.example.before != worst.example.after
    assert worst.behavior_moved.value is None
    assert all(harm(other.figures[Way.FREE]) <= 0 for other in others)


def test_probes_are_judged_where_the_form_holds() -> None:
    assert way_judged({Way.FREE: [1.0, 0.95, 0.0], Way.OPENED: [1.0] * 3}) == Way.FREE
    assert way_judged({Way.FREE: [1.0, 0.1, 0.0], Way.OPENED: [1.0] * 3}) == Way.OPENED
    assert way_judged({Way.FREE: [0.0], Way.OPENED: [0.5], Way.FILLED: [1.0]}) == Way.FILLED
    assert way_judged({Way.FREE: [0.0], Way.OPENED: [0.5]}) == Way.OPENED
