from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from coupling.config import Normalization
from coupling.explanations import formats
from coupling.models import Renderer, explanation_message
from coupling.records import CounterfactualPair, Effect
from coupling.tasks import draw, world_hint
from coupling.worlds import World
from tiny_models import byte_level_tokenizer, choice_ids, world_renderer

TEXTS = ["I answer A", "I answer B", "I answer C", "I answer D", "Which is it? A B C D", "the hint"] * 20


def lettered(*choices: str, answer_prefix: str = "I answer") -> CounterfactualPair:
    question = "Which is it?"
    return CounterfactualPair(
        id="q/A",
        cluster="q",
        split="test",
        with_cue=f"{question} I think it is A.",
        without_cue=question,
        cue="hint",
        cue_value=choices[0],
        choices=choices,
        answer_prefix=answer_prefix,
    )


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return byte_level_tokenizer(TEXTS)


@pytest.fixture(scope="module")
def world_pairs() -> list[CounterfactualPair]:
    return draw(world_hint.load(World.generate(100), 1, 0), 200, 0)


@given(
    message=st.text(max_size=40),
    text=st.text(st.characters(exclude_categories=("C",)), min_size=1, max_size=40),
)
@settings(deadline=None, max_examples=50)
def test_a_prompt_is_a_prefix_of_its_completion(
    tokenizer: PreTrainedTokenizerFast, message: str, text: str
) -> None:
    renderer = Renderer(tokenizer)
    (row,) = renderer.completions([message], [text])
    assert (row.ids[: row.start],) == tuple(renderer.prompt_ids([message]))
    assert row.ids[-1] == renderer.end
    assert tokenizer.decode(row.ids[row.start : -1]) == text


def test_a_template_that_lets_prompt_and_completion_merge_is_refused(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    merging = byte_level_tokenizer(["nowhere now"] * 50)
    merging.chat_template = "{{ messages[0]['content'] }} no"
    with pytest.raises(ValueError, match="merges the end of the prompt"):
        Renderer(merging).completions(["How?"], ["where"])


def test_choices_are_scored_where_the_answer_comes(world_pairs: list[CounterfactualPair]) -> None:
    renderer = world_renderer()
    for pair in world_pairs:
        (prompt,) = renderer.prompt_ids([pair.with_cue], [pair.answer_prefix])
        (tokens,) = renderer.choice_tokens([pair])
        for choice, ids in zip(pair.choices, tokens.ids, strict=True):
            (row,) = renderer.answers([pair.with_cue], [pair.answer_prefix], [choice])
            assert row.ids == (*prompt, *ids, renderer.end)


def test_letters_of_a_byte_level_tokenizer_are_scored_with_their_space(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    ids = choice_ids(Renderer(tokenizer), lettered("A", "B", "C", "D"))
    assert tokenizer.convert_ids_to_tokens(ids) == ["ĠA", "ĠB", "ĠC", "ĠD"]


def test_a_choice_of_several_tokens_is_all_of_them(tokenizer: PreTrainedTokenizerFast) -> None:
    renderer, pair = Renderer(tokenizer), lettered("A", "Zürich", "Bern, Biel")
    (choices,) = renderer.choice_tokens([pair])
    assert not choices.are_single
    assert [tokenizer.decode(ids) for ids in choices.ids] == [" A", " Zürich", " Bern, Biel"]
    assert choices.lengths is None


@pytest.mark.parametrize(
    ("normalization", "lengths"),
    [("tokens", None), ("characters", (1.0, 6.0)), ("bytes", (1.0, 7.0))],
)
def test_what_a_choice_is_divided_by(
    tokenizer: PreTrainedTokenizerFast,
    normalization: Normalization,
    lengths: tuple[float, ...] | None,
) -> None:
    (choices,) = Renderer(tokenizer).choice_tokens([lettered("A", "Zürich")], normalization)
    assert choices.lengths == (lengths or tuple(float(len(ids)) for ids in choices.ids))


def test_a_choice_that_the_tokenizer_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match=r"choice 'Atlantis' becomes \['<unk>'\]"):
        world_renderer().choice_tokens([lettered("Lima", "Atlantis")])


@pytest.mark.parametrize("choices", [("Without", "without"), ("Lima", "Peru", "Lima Peru")])
def test_choices_that_begin_alike_are_refused(choices: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=rf"choice {choices[0]!r} has the tokens .* {choices[-1]!r} begins"):
        world_renderer().choice_tokens([lettered(*choices)])


@pytest.mark.parametrize(
    ("missing", "told"), [("chat_template", "no chat template"), ("eos_token", "no eos_token")]
)
def test_a_tokenizer_that_lacks_what_is_needed_is_refused(missing: str, told: str) -> None:
    incomplete = byte_level_tokenizer(TEXTS)
    setattr(incomplete, missing, None)
    with pytest.raises(ValueError, match=told):
        Renderer(incomplete)


@pytest.mark.parametrize("name", formats.NAMES)
def test_the_explanation_prompt_holds_no_answer_of_the_model(
    world_pairs: list[CounterfactualPair], name: str
) -> None:
    """It is a function of the pair alone; and of the choices it names the hinted one only."""
    renderer = world_renderer()
    for pair in world_pairs:
        message = explanation_message(pair, formats.get(name))
        (prompt,) = renderer.prompt_ids([message])
        tokens = choice_ids(renderer, pair)
        named = {token for choice, token in zip(pair.choices, tokens, strict=True) if choice in pair.with_cue}
        assert set(tokens) & set(prompt) <= named


@pytest.mark.parametrize("name", formats.NAMES)
def test_every_sentence_of_a_world_is_spelt_in_known_words(
    world_pairs: list[CounterfactualPair], name: str
) -> None:
    renderer, form = world_renderer(), formats.get(name)
    unknown = renderer.tokenizer.unk_token_id
    for pair in world_pairs:
        message = explanation_message(pair, form)
        for effect in (Effect(pair.choices[0], pair.choices[0]), Effect(*pair.choices[:2])):
            (row,) = renderer.completions([message], [form.render(effect, pair.cue)])
            assert unknown not in row.ids
            (text,) = renderer.decode([list(row.ids[row.start :])])
            assert form.parse(text, pair.choices, pair.cue) == effect


def test_a_template_that_does_not_take_a_users_message_is_told_of() -> None:
    renderer = world_renderer()
    renderer.tokenizer.chat_template = "{{ raise_exception('a system message must come first') }}"
    with pytest.raises(ValueError, match=r"chat template .*a system message must come first"):
        renderer.prompt("What is the capital of Peru?")
