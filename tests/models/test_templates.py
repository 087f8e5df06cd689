from __future__ import annotations

import pytest

from coupling.models.templates import check_bounded

DIALOGUES = [[{"role": "user", "content": "This is the message."}]]


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 'x' * 10000000000 }}",
        "{% set n = 100000 %}{{ 'x' * n * n }}",
        "{% generation %}{{ 'x'.ljust(2000000) }}{% endgeneration %}",
    ],
    ids=["never ends", "is too long as it is compiled", "is too long as it runs", "in a tag of transformers"],
)
def test_what_never_ends_or_fills_memory_is_refused(template: str) -> None:
    with pytest.raises(
        ValueError, match=r"tokenizer tiny: its chat template does not end within .*model.chat"
    ):
        check_bounded(template, DIALOGUES, {}, "tokenizer tiny")


@pytest.mark.parametrize(
    "template",
    [
        "{{ bos_token }}{% for message in messages %}{{ message.content }}{% endfor %}",
        "{{ raise_exception('no system message') }}",
        "{% generation %}{{ messages[0].content }}{% endgeneration %}",
        "{% if %}",
    ],
    ids=["sound", "refuses", "has a tag of transformers", "is none"],
)
def test_of_all_else_nothing_is_said_here(template: str) -> None:
    check_bounded(template, DIALOGUES, {"bos_token": "<s>"}, "tokenizer tiny")
