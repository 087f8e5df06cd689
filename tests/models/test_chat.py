"""What a chat template is given, what it must do, and what is said of one that does not."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import processors
from transformers import PreTrainedTokenizerFast

from coupling.models import Renderer
from coupling.models.chat import Chat
from coupling.raising.architecture import build_tokenizer
from tiny_models import CHAT_TEMPLATE, END, START, byte_level_tokenizer

BOS = "<|bos|>"
QUESTION = "What is the capital of Peru?"
INSTRUCTIONS = "Chen thinks it is Lima."
TURN = "<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n"
TURNS = "{% for message in messages %}" + TURN + "{% endfor %}"
ANSWER = "{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}"
EMPTY_THOUGHTS = "<think>\n\n</think>\n\n"
EMPTY = "{{ '<think>\n\n</think>\n\n' }}"
SWITCHED = TURNS + ANSWER + "{% if SWITCH is defined and not SWITCH %}" + EMPTY + "{% endif %}"
NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    + TURNS
    + ANSWER
)
WANTS_SYSTEM = (
    "{% if messages[0]['role'] != 'system' %}{{ raise_exception('No system') }}{% endif %}" + TURNS + ANSWER
)
CHANNELS = (
    "{% for message in messages %}<|start|>{{ message['role'] }}"
    "{{ '<|end|>final\n' if message['role'] == 'assistant' else '\n' }}{{ message['content'] }}<|end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)
"""As gpt-oss: an answer stands behind special tokens that the generation prompt leaves to the model."""
DROPS_SYSTEM = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{{ message['content'] }}{% endif %}"
    "{% endfor %}<|start|>"
)
TWICE_SYSTEM = (
    "{% for message in messages %}{{ message['content'] + message['content'] }}{% endfor %}<|start|>"
)


@cache
def shared_tokenizer() -> PreTrainedTokenizerFast:
    return byte_level_tokenizer([QUESTION, INSTRUCTIONS])


def tokenizer(template: str = CHAT_TEMPLATE) -> PreTrainedTokenizerFast:
    made = shared_tokenizer().__class__(
        tokenizer_object=shared_tokenizer().backend_tokenizer, eos_token=END, pad_token=END
    )
    made.chat_template = template
    return made


def prompt(template: str, system_prompt: str | None = None, thinking: bool = False) -> str:
    return Chat(tokenizer(template), system_prompt, thinking).prompt(QUESTION)


# BOS


@cache
def with_bos(family: str, template_writes_it: bool, tokenizer_adds_it: bool) -> PreTrainedTokenizerFast:
    made = build_tokenizer() if family == "words" else byte_level_tokenizer([QUESTION])
    made.add_special_tokens({"bos_token": BOS})
    if template_writes_it:
        made.chat_template = "{{ bos_token }}" + made.chat_template
    if tokenizer_adds_it:
        made.backend_tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{BOS} $A", special_tokens=[(BOS, made.bos_token_id)]
        )
        assert made(QUESTION)["input_ids"][0] == made.bos_token_id
    return made


@given(
    family=st.sampled_from(["words", "bytes"]),
    template_writes_it=st.booleans(),
    tokenizer_adds_it=st.booleans(),
    system_prompt=st.none() | st.just(INSTRUCTIONS),
    message=st.sampled_from([QUESTION, INSTRUCTIONS, f"{QUESTION} {INSTRUCTIONS}"]),
)
@settings(deadline=None, max_examples=40)
def test_bos_stands_once_where_the_template_writes_it_and_never_elsewhere(
    family: str,
    template_writes_it: bool,
    tokenizer_adds_it: bool,
    system_prompt: str | None,
    message: str,
) -> None:
    made = with_bos(family, template_writes_it, tokenizer_adds_it)
    renderer = Renderer(made, system_prompt)
    (ids,) = renderer.prompt_ids([message], ["I answer"])
    (row,) = renderer.completions([message], ["I answer Lima"])
    for written in (ids, row.ids):
        assert written.count(made.bos_token_id) == int(template_writes_it)
        assert (written[0] == made.bos_token_id) == template_writes_it


def test_a_template_that_writes_bos_twice_is_refused() -> None:
    made = tokenizer("{{ bos_token + bos_token }}" + CHAT_TEMPLATE)
    made.add_special_tokens({"bos_token": BOS})
    with pytest.raises(ValueError, match=r"writes <\|bos\|> twice.*model.chat_template"):
        Chat(made)


# The system prompt


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=30))
@settings(deadline=None, max_examples=30)
def test_the_system_prompt_stands_once_and_first_and_nowhere_by_default(system_prompt: str) -> None:
    said = f"[{system_prompt}]"
    written = prompt(CHAT_TEMPLATE, said)
    assert written.count(said) == 1
    assert written.index(said) < written.index(QUESTION)
    assert written.replace(f"<|start|>system\n{said}<|end|>\n", "") == prompt(CHAT_TEMPLATE)


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (NO_SYSTEM, r"does not take a system's message \(System role.*set model.system_prompt: null"),
        (DROPS_SYSTEM, r"writes the system's message 0 times.*set model.system_prompt: null"),
        (TWICE_SYSTEM, r"writes the system's message 2 times.*set model.system_prompt: null"),
    ],
)
def test_a_template_that_does_not_take_a_system_prompt_says_what_to_set(template: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        prompt(template, INSTRUCTIONS)
    assert QUESTION in prompt(template)


def test_a_template_that_wants_a_system_prompt_says_so() -> None:
    with pytest.raises(ValueError, match=r"of a user alone \(No system\); set model.system_prompt"):
        prompt(WANTS_SYSTEM)
    assert INSTRUCTIONS in prompt(WANTS_SYSTEM, INSTRUCTIONS)


def test_a_word_of_the_system_prompt_that_the_tokenizer_lacks_is_told_of() -> None:
    with pytest.raises(ValueError, match=r"lacks a word of model.system_prompt.*model.new_words"):
        Renderer(build_tokenizer(), "Think of Atlantis.")


# Channels


def test_a_template_that_leaves_special_tokens_to_the_model_is_refused() -> None:
    with pytest.raises(ValueError, match=r"writes '<\|end\|>final\\n' between where the assistant speaks"):
        prompt(CHANNELS)
    whole = CHANNELS.replace("assistant{% endif", "assistant<|end|>final\n{% endif")
    assert prompt(whole).endswith("<|start|>assistant<|end|>final\n")


# Where an answer begins

LLAMA_2 = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %} {{ message['content'] }} <|end|>"
    "{% else %}[INST] {{ message['content'] }} [/INST]{% endif %}{% endfor %}"
)
"""Its dialogues have a blank behind [/INST], and its prompts have none."""
NAMED = (
    "{% for message in messages %}{{ message['role'] }}:BLANK{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:PROMPT' }}{% endif %}"
)


@pytest.mark.parametrize(
    "template",
    [
        CHAT_TEMPLATE,
        LLAMA_2,
        NAMED.replace("BLANK", " ").replace("PROMPT", " "),
        NAMED.replace("BLANK", " ").replace("PROMPT", ""),
        NAMED.replace("BLANK", "").replace("PROMPT", " "),
        NAMED.replace("BLANK", "\n").replace("PROMPT", ""),
    ],
)
def test_answers_are_asked_and_trained_where_the_templates_own_dialogue_has_them(template: str) -> None:
    made = byte_level_tokenizer([QUESTION, "Then I answer Lima", "[INST] assistant: I answer Lima"] * 9)
    made.chat_template = template
    turns = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "I answer Lima"}]
    dialogue = str(made.apply_chat_template(turns, tokenize=False))
    renderer = Renderer(made)

    def own(until: str) -> tuple[int, ...]:
        """The tokens of the dialogue, as far as that."""
        text = dialogue[: dialogue.rindex(until) + len(until)]
        return tuple(made(text, add_special_tokens=False)["input_ids"])

    (row,) = renderer.completions([QUESTION], ["I answer Lima"])
    assert row.ids == (*own("I answer Lima"), renderer.end)
    assert renderer.prompt_ids([QUESTION], ["I answer"]) == [own("I answer")]
    assert renderer.prompt_ids([QUESTION]) == [row.ids[: row.start]]
    assert renderer.decode([list(row.ids[row.start :])]) == ["I answer Lima"]


def test_a_template_that_leaves_words_before_the_answer_to_the_model_is_refused() -> None:
    with pytest.raises(ValueError, match=r"writes 'assistant: ' between where the assistant speaks and"):
        prompt(NAMED.replace("BLANK", " ").replace("{{ 'assistant:PROMPT' }}", ""))


# Thinking


@pytest.mark.parametrize("switch", ["enable_thinking", "thinking"])
def test_thinking_is_switched_off_explicitly_or_left_on(switch: str) -> None:
    template = SWITCHED.replace("SWITCH", switch)
    assert prompt(template).endswith(f"<|start|>assistant\n{EMPTY_THOUGHTS}")
    assert prompt(template, thinking=True).endswith("<|start|>assistant\n")
    assert Chat(tokenizer(template)).thinks == "off"
    assert Chat(tokenizer(template), thinking=True).thinks == "on"
    assert Chat(tokenizer()).thinks == "no switch"
    assert prompt(CHAT_TEMPLATE, thinking=True) == prompt(CHAT_TEMPLATE)


def test_the_empty_thoughts_stand_before_the_answer_and_are_no_part_of_it() -> None:
    renderer = Renderer(tokenizer(SWITCHED.replace("SWITCH", "enable_thinking")))
    (row,) = renderer.completions([QUESTION], ["I answer Lima"])
    assert renderer.tokenizer.decode(row.ids[: row.start]).endswith(EMPTY_THOUGHTS)
    assert renderer.decode([list(row.ids[row.start :])]) == ["I answer Lima"]
    assert row.ids[-1] == renderer.end


def test_a_template_in_which_an_answer_would_be_a_thought_is_refused() -> None:
    always = TURNS + ANSWER + "{{ '<think>\n' }}"
    with pytest.raises(ValueError, match=r"ends in <think>.*no switch for that.*model.chat_template"):
        prompt(always)
    when_on = TURNS + ANSWER + "{{ '<think>\n' if enable_thinking else '' }}"
    with pytest.raises(ValueError, match=r"ends in <think>.*set model.thinking: false"):
        prompt(when_on, thinking=True)
    assert prompt(when_on).endswith("assistant\n")


# Where an answer ends


def test_an_answer_ends_as_the_template_ends_it_and_generation_stops_at_either_end() -> None:
    """As Gemma's: its turns are closed by a token that is not the tokenizer's eos_token."""
    made = tokenizer()
    made.add_special_tokens({"eos_token": "<|eos|>"})
    renderer = Renderer(made)
    end, eos = made.convert_tokens_to_ids([END, "<|eos|>"])
    assert (renderer.end, renderer.stops) == (end, (end, eos))
    said = made("I answer Lima", add_special_tokens=False)["input_ids"]
    assert renderer.decode([[*said, end, *said], [*said, eos, *said], said]) == ["I answer Lima"] * 3


def test_where_the_template_closes_an_answer_with_nothing_the_eos_token_does() -> None:
    renderer = Renderer(tokenizer("{% for message in messages %}{{ message['content'] }}\n{% endfor %}"))
    assert renderer.stops == (renderer.tokenizer.eos_token_id,)


# Which template


@pytest.mark.parametrize(
    ("writes", "date"),
    [
        ("strftime_now('%d %b %Y')", "26 Jul 2024"),
        ('strftime_now( "%Y-%m-%d" )', "2024-07-26"),
        ("date_string", "26 Jul 2024"),
    ],
)
def test_it_is_the_same_day_in_every_prompt(writes: str, date: str) -> None:
    assert prompt("{{ " + writes + " }}" + CHAT_TEMPLATE).startswith(date)


def test_a_tokenizer_without_a_template_for_us_says_what_to_set() -> None:
    with pytest.raises(ValueError, match=r"no chat template; give one in model.chat_template"):
        prompt("")
    several = tokenizer()
    several.chat_template = {"tool_use": CHAT_TEMPLATE, "rag": CHAT_TEMPLATE}
    with pytest.raises(ValueError, match=r"several chat templates \(tool_use, rag\).*model.chat_template"):
        Chat(several)
    several.chat_template = {"tool_use": "{{ 1 }}", "default": CHAT_TEMPLATE}
    assert Chat(several).prompt(QUESTION) == prompt(CHAT_TEMPLATE)


@pytest.mark.parametrize("broken", ["{% for %}", "{{ 'a' + none }}" + CHAT_TEMPLATE, "Hello!"])
def test_a_template_that_does_not_work_is_told_of(broken: str) -> None:
    with pytest.raises(ValueError, match=r"chat template .*model.chat_template"):
        prompt(broken)


def test_a_token_that_the_model_has_no_embedding_of_is_told_of() -> None:
    made = tokenizer()
    made.add_special_tokens({"pad_token": "<|pad|>"})
    with pytest.raises(ValueError, match=r"pads with '<\|pad\|>'.* set model.pad_token .* '<\|end\|>'"):
        Renderer(made, embedded=len(made) - 1)
    made.add_special_tokens({"pad_token": END})
    with pytest.raises(ValueError, match="has embeddings of 3"):
        Renderer(made, embedded=3).prompt_ids([QUESTION])
    assert START in made.get_vocab()
