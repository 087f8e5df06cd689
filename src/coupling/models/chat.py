"""Messages to the text of a prompt: the chat template, its system prompt, and what it must do.

A template is a program by a model's maker. What could go wrong silently with it is tried out once, on a
probe: that it writes the system prompt and the message, opens with one BOS at the most, and leaves the
assistant to answer rather than to think or to open a channel, at the place where answers stand in its own
dialogues. Nothing is tokenised here, and the tokenizer
never adds special tokens of its own: all that a prompt needs of them the template writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from coupling.models.templates import check_bounded
from coupling.shown import shortened

PROBE, SYSTEM_PROBE = "This is the message.", "These are the instructions."
SWITCHES = ("enable_thinking", "thinking")
"""What templates call the switch of a thinking mode: Qwen3, GLM and SmolLM3 the one, DeepSeek and Granite the
other."""
THOUGHTS = "<think>"
TODAY = date(2024, 7, 26)
"""The day it is in every prompt: a template that writes the date would write other prompts tomorrow."""

_THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)
_CLOCK = re.compile(r"""strftime_now\(\s*(?:"([^"]*)"|'([^']*)')\s*\)""")

Thinking = Literal["off", "on", "no switch"]
BROKEN = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
"""What a template may raise: it is a program in Python's words."""


@dataclass
class Chat:
    """One tokenizer's chat template, with what it is given beside the message.

    Raises (when it is made):
        ValueError: no template, or one that cannot be used so; the error says which field to set.
    """

    tokenizer: PreTrainedTokenizerBase
    system_prompt: str | None = None
    thinking: bool = False
    lead: str = field(init=False, default="")
    """Blanks with which the assistant's answer begins."""
    _cut: int = field(init=False, default=0)
    """Characters at the end of what the template writes that do not stand before an answer."""
    _prompts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        template = self.tokenizer.chat_template
        if not template:
            raise ValueError(
                f"{self._told}: no chat template; give one in model.chat_template (docs/models.md shows a "
                "plain one), or save the tokenizer with one"
            )
        if isinstance(template, Mapping) and "default" not in template:
            raise ValueError(
                f"{self._told}: has several chat templates ({', '.join(template)}) and none is the default; "
                "write the one to use into a file and name it in model.chat_template"
            )
        self._check_ends()
        self._check_roles()
        self._check_prompt()

    @property
    def thinks(self) -> Thinking:
        """How the template's thinking mode stands."""
        on, off = (self._write(PROBE, thinking=thinking) for thinking in (True, False))
        if on == off:
            return "no switch"
        return "on" if self.thinking else "off"

    def prompt(self, message: str) -> str:
        """The template around one user message, up to where the assistant speaks."""
        if message not in self._prompts:
            try:
                written = self._write(message)
            except BROKEN as error:
                raise ValueError(self._refusal(error)) from error
            self._prompts[message] = written[: len(written) - self._cut]
        return self._prompts[message]

    def turn_end(self) -> int | None:
        """The special token by which the template closes an answer; None where it closes it with none."""
        after = self._answered().rpartition(SYSTEM_PROBE)[2].lstrip()
        special = self._special()
        closing = [token for token in special if after.startswith(token)]
        return special[max(closing, key=len)] if closing else None

    def _answered(self) -> str:
        """The dialogue with an answer, which is the second probe; empty where the template takes none."""
        asked = [*self._messages(PROBE), {"role": "assistant", "content": SYSTEM_PROBE}]
        try:
            return self._render(asked, self.thinking, answers_next=False)
        except BROKEN:
            return ""

    def _special(self) -> dict[str, int]:
        decoder = self.tokenizer.added_tokens_decoder
        return {token.content: id_ for id_, token in decoder.items() if token.special}

    def _check_ends(self) -> None:
        user = {"role": "user", "content": PROBE}
        system, answer = ({"role": role, "content": SYSTEM_PROBE} for role in ("system", "assistant"))
        tokens = {name: str(token) for name, token in self.tokenizer.special_tokens_map.items()}
        dialogues = [[user], [system, user], [user, answer]]
        check_bounded(self.tokenizer.get_chat_template(), dialogues, tokens, self._told)

    def _check_roles(self) -> None:
        """That it takes a user's message, and the system's where one is given, and writes both."""
        try:
            written = self._write(PROBE)
        except BROKEN as error:
            raise ValueError(self._refusal(error)) from error
        if PROBE not in written:
            raise ValueError(
                f"{self._told}: its chat template leaves out the user's message; give another in "
                "model.chat_template"
            )
        if self.system_prompt is None:
            return
        asked = [{"role": "system", "content": SYSTEM_PROBE}, {"role": "user", "content": PROBE}]
        times = self._render(asked, self.thinking).count(SYSTEM_PROBE)
        if times != 1:
            raise ValueError(
                f"{self._told}: its chat template writes the system's message {times} times instead of once; "
                "set model.system_prompt: null and say it in the wording of the task, or give another "
                "template in model.chat_template"
            )

    def _check_prompt(self) -> None:
        written = self._write(PROBE)
        bos = self.tokenizer.bos_token
        if bos and written.startswith(f"{bos}{bos}"):
            raise ValueError(
                f"{self._told}: its chat template writes {bos} twice; give one that writes it once in "
                "model.chat_template"
            )
        if written.rstrip().endswith(THOUGHTS):
            way_out = "set model.thinking: false" if self.thinks == "on" else "it knows no switch for that"
            raise ValueError(
                f"{self._told}: its chat template ends in {THOUGHTS}, and an answer would be scored inside "
                f"the thoughts; {way_out}, or give a template without it in model.chat_template"
            )

        self._place_answer(written)

    def _place_answer(self, prompt: str) -> None:
        """Has answers stand where they stand in the template's own dialogue, as far as that can be told."""
        answered = self._answered().rpartition(SYSTEM_PROBE)[0]
        before = _THOUGHTS.sub("", answered)
        begun = prompt.rstrip()
        if not before.startswith(begun):
            return
        blanks, written = before.removeprefix(begun), prompt.removeprefix(begun)
        has_thoughts = before != answered
        if blanks.strip() and (not has_thoughts or any(token in blanks for token in self._special())):
            between = before.removeprefix(prompt)
            raise ValueError(
                f"{self._told}: its chat template writes {between!r} between where the assistant speaks and "
                "the answer, and a choice or explanation would stand elsewhere than the model has learnt; "
                "give a template whose generation prompt ends so in model.chat_template"
            )
        if has_thoughts:
            # What is left are the blanks around them as well.
            return
        kept = written if blanks.startswith(written) else ""
        self._cut, self.lead = len(written) - len(kept), blanks.removeprefix(kept)

    def leave_blanks_to_answer(self) -> None:
        """Takes the blanks at the end of prompts for the beginning of answers: the tokenizer merges them with
        what follows."""
        written = self.prompt(PROBE)
        blanks = written.removeprefix(written.rstrip(" "))
        self._cut, self.lead = self._cut + len(blanks), blanks + self.lead
        self._prompts.clear()

    def _refusal(self, error: Exception) -> str:
        """What to do about a template that does not take our messages."""
        said = shortened(str(error), 300)
        refused = f"{self._told}: its chat template does not take"
        if self.system_prompt is not None and self._takes([{"role": "user", "content": PROBE}]):
            return (
                f"{refused} a system's message ({said}); set model.system_prompt: null and say it in the "
                "wording of the task, or give another template in model.chat_template"
            )
        asked = [{"role": "system", "content": SYSTEM_PROBE}, {"role": "user", "content": PROBE}]
        if self.system_prompt is None and self._takes(asked):
            return f"{refused} the message of a user alone ({said}); set model.system_prompt"
        return (
            f"{refused} the message of a user ({said}); mend chat_template.jinja in its folder, or give "
            "another in model.chat_template"
        )

    def _takes(self, messages: Sequence[Mapping[str, str]]) -> bool:
        try:
            self._render(messages, self.thinking)
        except BROKEN:
            return False
        return True

    def _write(self, message: str, thinking: bool | None = None) -> str:
        return self._render(self._messages(message), self.thinking if thinking is None else thinking)

    def _messages(self, message: str) -> list[dict[str, str]]:
        asked = [{"role": "user", "content": message}]
        if self.system_prompt is not None:
            asked.insert(0, {"role": "system", "content": self.system_prompt})
        return asked

    def _render(
        self, messages: Sequence[Mapping[str, str]], thinking: bool, answers_next: bool = True
    ) -> str:
        switches: dict[str, Any] = dict.fromkeys(SWITCHES, thinking)
        written = self.tokenizer.apply_chat_template(
            [dict(message) for message in messages],
            chat_template=_dated(self.tokenizer.get_chat_template()),
            tokenize=False,
            add_generation_prompt=answers_next,
            date_string=f"{TODAY:%d %b %Y}",
            **switches,
        )
        return str(written)

    @property
    def _told(self) -> str:
        return f"tokenizer {self.tokenizer.name_or_path}"


@lru_cache(maxsize=8)
def _dated(template: str) -> str:
    """The template with ``TODAY`` where it asks the clock. Those of Llama 3 take it from ``date_string``."""
    return _CLOCK.sub(lambda call: repr(TODAY.strftime(call[1] or call[2])), template)
