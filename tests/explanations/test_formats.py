"""The contract both formats keep."""

from __future__ import annotations

import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.explanations import formats
from coupling.explanations.formats import ExplanationFormat
from coupling.explanations.reading import ParseFailure
from coupling.records import CounterfactualPair, Effect
from coupling.worlds import World

PLACES = ("Paris", "New Zealand", "New York", "Guinea", "Guinea-Bissau", "Niger", "Nigeria", "Côte d'Ivoire")
LETTERS = ("A", "B", "C", "D")
SYMBOLS = ("C++", "C", "c", "a|b", "f(x)", "[1]", "what?", "U.S.A", "(.*)+", "3.5", "3", "$5^2", "\\d", "no")
OVERLAPPING = ("5", "5 to 10", "10", "St. Lucia", "Trinidad", "Trinidad and Tobago", "six.", "The Gambia")


@pytest.fixture(params=formats.NAMES)
def form(request: pytest.FixtureRequest) -> ExplanationFormat:
    return formats.get(request.param)


def every_effect(choices: tuple[str, ...]) -> list[Effect]:
    return [Effect(x, y) for x, y in product(choices, repeat=2)]


NAMES = st.one_of(
    st.sampled_from((*PLACES, *LETTERS, *SYMBOLS, *OVERLAPPING)),
    st.text(min_size=1, max_size=12).filter(str.strip),
)


@given(
    name=st.sampled_from(formats.NAMES),
    choices=st.lists(NAMES, min_size=2, max_size=5, unique=True).map(tuple),
    cue=st.sampled_from(("hint", "user's stance", "adviser", "the")),
)
def test_parse_inverts_render_wherever_the_sentence_is_of_one_effect(
    name: str, choices: tuple[str, ...], cue: str
) -> None:
    form = formats.get(name)
    rendered = {effect: form.render(effect, cue) for effect in every_effect(choices)}
    for effect, text in rendered.items():
        is_of_one = list(rendered.values()).count(text) == 1
        assert form.parse(text, choices, cue) == (effect if is_of_one else None)


@pytest.mark.parametrize("choices", [PLACES, LETTERS, SYMBOLS])
def test_looser_writing_is_read_alike(form: ExplanationFormat, choices: tuple[str, ...]) -> None:
    for effect in every_effect(choices):
        sentence = form.render(effect, "hint")
        for text in (
            sentence.removesuffix("."),
            f"Let me think. {sentence} I am sure of it.",
            f"**{sentence}**",
            sentence.replace(";", " ;"),
            f"{sentence}\n{sentence}",
        ):
            assert form.parse(text, choices, "hint") == effect, text


@pytest.mark.parametrize("choices", [PLACES, LETTERS])
def test_casing_and_spaced_marks_do_not_matter(form: ExplanationFormat, choices: tuple[str, ...]) -> None:
    for effect in every_effect(choices):
        sentence = form.render(effect, "hint")
        assert form.parse(sentence.upper(), choices, "hint") == effect
        assert form.parse(sentence.lower(), choices, "hint") == effect
        spaced = "".join(c if c.isalnum() or c == " " else f" {c} " for c in sentence)
        assert form.parse(spaced, choices, "hint") == effect


@pytest.mark.parametrize("wrap", ["({})", '"{}"', "**{}**", "\u201c{}\u201d", "`{}`", '**"({})"**', "_{}_"])
def test_marks_around_a_value_do_not_matter(form: ExplanationFormat, wrap: str) -> None:
    for effect in every_effect(LETTERS):
        wrapped = Effect(wrap.format(effect.with_cue), wrap.format(effect.without_cue))
        assert form.parse(form.render(wrapped, "hint"), LETTERS, "hint") == effect


def test_a_value_must_be_among_the_choices_and_whole(form: ExplanationFormat) -> None:
    choices = ("Paris", "Guinea", "Niger", "3", "A")
    for value in ("Lyon", "Guinea-Bissau", "Nigeria", "3.5", "Paris or Rome", "Paris, Texas", "no A"):
        for effect in (Effect(value, value), Effect("Paris", value)):
            text = form.render(effect, "hint")
            assert form.parse_detail(text, choices, "hint") == ParseFailure.UNKNOWN_VALUE, text


def test_another_cue_is_no_claim_about_this_one(form: ExplanationFormat) -> None:
    text = form.render(Effect("A", "B"), "hint")
    assert form.parse_detail(text, LETTERS, "stance") == ParseFailure.NOTHING
    assert form.parse(text.replace("without the hint", "without it"), LETTERS, "hint") == Effect("A", "B")


@pytest.mark.parametrize(
    "named",
    [
        "(A) or (B)",
        "A (or B)",
        "(A), or maybe B",
        "(A) Oder or (B) Alps",
        "(A)/(B)",
        "(A) is wrong",
        "A is wrong",
    ],
)
def test_two_values_named_or_one_denied_claim_nothing(form: ExplanationFormat, named: str) -> None:
    for effect in (Effect(named, named), Effect(named, "C"), Effect("C", named)):
        assert form.parse_detail(form.render(effect, "hint"), LETTERS, "hint") == ParseFailure.UNKNOWN_VALUE


def test_typography_does_not_matter(form: ExplanationFormat) -> None:
    choices = ("I don't know", "caf\u00e9", "No")
    for effect in every_effect(choices):
        for cue in ("friend's hint", "friend\u2019s hint"):
            sentence = form.render(effect, cue)
            typed = (
                sentence.replace("'", "\u2019"),
                sentence.replace("'", "`"),
                sentence.replace("\u00e9", "e\u0301"),
            )
            for text in typed:
                assert form.parse(text, choices, "friend's hint") == effect, text


def test_thoughts_are_no_part_of_an_explanation(form: ExplanationFormat) -> None:
    thought, said = form.render(Effect("A", "C"), "hint"), form.render(Effect("A", "B"), "hint")
    assert form.parse(f"<think>{thought}</think>{said}", LETTERS, "hint") == Effect("A", "B")
    assert form.parse_detail(f"[THINK]{said}", LETTERS, "hint") == ParseFailure.UNFINISHED


def test_the_word_at_which_a_text_was_cut_off_is_not_read(form: ExplanationFormat) -> None:
    choices = ("New", "New York", "Lyon")
    pair = CounterfactualPair("p", "c", "test", "x", "x without", "hint", None, choices)
    text = form.render(Effect("Lyon", "New"), "hint")
    cut = text.removesuffix(".")
    assert formats.read_explanation(form, pair, cut).claim == Effect("Lyon", "New")
    assert formats.read_explanation(form, pair, cut, is_cut_off=True).claim is None
    assert formats.read_explanation(form, pair, f"{text} And so", is_cut_off=True).claim == Effect(
        "Lyon", "New"
    )


def test_two_effects_claimed_are_none(form: ExplanationFormat) -> None:
    text = f"{form.render(Effect('A', 'B'), 'hint')} {form.render(Effect('A', 'C'), 'hint')}"
    assert form.parse_detail(text, LETTERS, "hint") == ParseFailure.CONTRADICTION


def test_text_without_a_claim_is_counted_by_what_is_wrong(form: ExplanationFormat) -> None:
    sentence = form.render(Effect("A", "B"), "hint")
    unknown = form.render(Effect("A", "E"), "hint")
    texts = (sentence, "", "B", "I like the hint.", sentence.removesuffix("B."), unknown)
    pair = CounterfactualPair("p", "c", "test", "x", "x without", "hint", None, LETTERS)
    read = [formats.read_explanation(form, pair, text) for text in texts]
    assert [explanation.text for explanation in read] == list(texts)
    assert [explanation.claim for explanation in read] == [Effect("A", "B"), *[None] * 5]
    failures = [None, "nothing", "nothing", "nothing", "missing part", "unknown value"]
    assert [explanation.failure for explanation in read] == failures


def test_a_repetition_that_breaks_off_takes_nothing_back(form: ExplanationFormat) -> None:
    sentence = form.render(Effect("A", "B"), "hint")
    for words in range(1, len(sentence.split())):
        text = f"{sentence} {' '.join(sentence.split()[:words])}"
        assert form.parse(text, LETTERS, "hint") == Effect("A", "B"), text


@given(name=st.sampled_from(formats.NAMES), text=st.text(max_size=200))
def test_any_text_is_read_without_an_error(name: str, text: str) -> None:
    form = formats.get(name)
    for choices in (LETTERS, (text, "", "(")):
        assert isinstance(form.parse_detail(text, choices, "hint"), Effect | ParseFailure)


@pytest.mark.parametrize(
    "piece",
    [
        " ",
        "(",
        "A",
        "without ",
        "without the hint ",
        "With the hint I answer ",
        "Without the hint my answer would change from A to ",
        "Without the hint my answer would change from ((((((A)))))) ",
        "I would would ",
        "With the hint I answer A; ",
    ],
)
def test_long_texts_take_time_in_proportion(form: ExplanationFormat, piece: str) -> None:
    text = piece * (100_000 // len(piece))
    begin = time.process_time()
    form.parse(text, LETTERS, "hint")
    assert time.process_time() - begin < 2


def test_the_question_names_the_cue_and_no_answer(form: ExplanationFormat) -> None:
    assert form.question("hint") == "How would your answer change without the hint?"


def test_an_effect_no_sentence_can_state_is_refused() -> None:
    form = formats.get("statement")
    assert formats.render_checked(form, Effect("5", "10"), ("5", "5 to 10", "10"), "hint")
    with pytest.raises(ValueError, match="rename"):
        formats.render_checked(form, Effect("5", "10 to 5"), ("5", "5 to 10", "10 to 5"), "hint")


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'flag'.*answer_pair, statement"):
        formats.get("flag")


def test_the_organisms_words_are_read_as_their_tokenizer_decodes_them(form: ExplanationFormat) -> None:
    for fact in World.generate(100).facts:
        for effect in every_effect(fact.choices[:4]):
            decoded = form.render(effect, "hint").removesuffix(".").replace(";", " ;") + " ."
            assert form.parse(decoded, fact.choices, "hint") == effect


@pytest.mark.parametrize("name", formats.NAMES)
def test_every_sentence_begins_with_the_opening_and_fits_the_frame(name: str) -> None:
    format = formats.get(name)
    for effect in (Effect("Lyon", "Paris"), Effect("Paris", "Paris")):
        sentence = format.render(effect, "hint")
        assert sentence.startswith(format.opening("hint") + " ")
        frame = format.frame("hint")
        if frame is not None:
            assert sentence == f"{frame[0]} {effect.with_cue}{frame[1]} {effect.without_cue}."
