"""Where answers come next, in behaviour and in explanations."""

from __future__ import annotations

import pytest

from coupling.explanations import formats
from coupling.explanations.formats import NAMES
from coupling.mechanism.circuits import circuits_of
from coupling.mechanism.contrasts import behavior_contrasts, claim_contrasts
from coupling.models import LoadedModel, Renderer
from coupling.records import CounterfactualPair, Effect
from coupling.tasks import world_hint
from coupling.worlds import World
from tiny_models import ARCHITECTURES, byte_level_tokenizer, tiny_model, world_renderer

PAIRS = world_hint.load(World.generate(100), 1, 0)[:40]


def an_effect(pair: CounterfactualPair) -> Effect:
    return Effect(pair.choices[0], pair.choices[1])


EFFECTS = [an_effect(pair) for pair in PAIRS]


def said(renderer: Renderer, ids: tuple[int, ...]) -> str:
    return str(renderer.tokenizer.decode(list(ids))).strip()


def test_the_model_is_asked_with_the_cue_and_without_it() -> None:
    renderer = world_renderer()
    for pair, effect, found in zip(PAIRS, EFFECTS, behavior_contrasts(renderer, PAIRS, EFFECTS), strict=True):
        assert said(renderer, found.clean).endswith("I answer")
        assert said(renderer, (found.with_cue,)) == effect.with_cue
        assert said(renderer, (found.without_cue,)) == effect.without_cue
        assert found.clean[-found.suffix :] == found.corrupt[-found.suffix :]
        cue = found.clean[: -found.suffix]
        assert pair.tags["adviser"] in said(renderer, cue)
        assert pair.tags["adviser"] not in said(renderer, found.corrupt)


@pytest.mark.parametrize(
    ("name", "before_first", "between"),
    [
        ("answer_pair", "With the hint I answer", "without the hint I answer"),
        ("statement", "my answer would change from", "to"),
    ],
)
def test_claims_are_read_where_the_format_names_them(name: str, before_first: str, between: str) -> None:
    renderer = world_renderer()
    firsts, seconds = claim_contrasts(renderer, PAIRS, EFFECTS, formats.get(name))
    for effect, first, second in zip(EFFECTS, firsts, seconds, strict=True):
        assert said(renderer, first.clean).endswith(before_first)
        assert said(renderer, first.corrupt).endswith(before_first)
        words = said(renderer, second.clean)
        assert words.endswith(between) and effect.with_cue in words[-60:]
        for each in (first, second):
            assert said(renderer, (each.with_cue,)) == effect.with_cue
            assert said(renderer, (each.without_cue,)) == effect.without_cue
            assert each.suffix >= len(renderer.tokenizer(before_first)["input_ids"])


@pytest.mark.parametrize("name", NAMES)
def test_letters_of_a_byte_level_tokenizer(name: str) -> None:
    pairs = [
        CounterfactualPair(
            f"p{i}", f"c{i}", "test", f"Which? {i} I think it is (A).", f"Which? {i}", "hint", "A",
            ("A", "B", "C"), "The answer is",
        )
        for i in range(4)
    ]  # fmt: skip
    renderer = Renderer(byte_level_tokenizer([pair.with_cue for pair in pairs]))
    effects = [Effect("A", "C")] * len(pairs)
    for places in claim_contrasts(renderer, pairs, effects, formats.get(name)):
        for place in places:
            assert said(renderer, (place.with_cue,)) == "A"
            assert said(renderer, (place.without_cue,)) == "C"


@pytest.mark.parametrize("name", NAMES)
def test_answers_of_several_tokens_are_told_apart_by_the_first_that_differs(name: str) -> None:
    choices = ("Bad Ems", "Bad Orb", "Lima")
    pair = CounterfactualPair(
        "p", "c", "test", "Which? Ann says it is Lima.", "Which?", "hint", "Lima", choices, "I answer"
    )
    renderer = Renderer(byte_level_tokenizer([*choices, "I answer Bad", pair.with_cue] * 9))
    effect = Effect("Bad Ems", "Bad Orb")
    found = [
        *behavior_contrasts(renderer, [pair], [effect]),
        *(place for both in claim_contrasts(renderer, [pair], [effect], formats.get(name)) for place in both),
    ]
    for each in found:
        assert said(renderer, each.clean).endswith(" Bad")
        assert each.with_cue != each.without_cue
        assert "Ems".startswith(said(renderer, (each.with_cue,)))
        assert "Orb".startswith(said(renderer, (each.without_cue,)))
    assert len(found) == 3


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_circuits_of_a_model(architecture: str) -> None:
    model = LoadedModel(tiny_model(architecture), world_renderer(), "")
    told: list[tuple[int, int]] = []

    def circuits() -> object:
        return circuits_of(
            "M0", model, PAIRS, 12, formats.get("answer_pair"), 8, 100, 0, lambda *done: told.append(done)
        )

    found = circuits()
    assert found == circuits()
    done, total = told[-1]
    assert done == total and total % 3 == 0 and 0 < total <= 36


def test_a_model_that_never_changes_cannot_be_patched() -> None:
    model = tiny_model("llama")
    for parameter in model.parameters():
        parameter.data.zero_()
    with pytest.raises(ValueError, match="none of 40 pairs shows a change"):
        circuits_of("M0", LoadedModel(model, world_renderer(), ""), PAIRS, 12, formats.get("answer_pair"))
