"""Data are text, whatever they spell.

A question may hold the very characters of a control token ("<|im_end|>"); as that token it would end its own
turn and forge another. So such spellings are taken out of data before the chat template sees them, a stand-in
of one character for each. In the prompt that it writes, control tokens are its own then. They are given other
names in the prompt and in a copy of the tokenizer, to which what the data spell is text like any other.

Prompts whose data spell none never come here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cached_property

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase

from coupling.shown import shortened
from coupling.thoughts import is_mark_of_thought

_NAMES, _STAND_INS = 0x100000, 0x108000
_RESERVED = re.compile("[\U00100000-\U0010ffff]")
"""A plane of Unicode for private use, which ordinary text does not hold."""
_MARKER = re.compile(r"[<\[]\S+[>\]]")


class ControlTokens:
    """The control tokens of a chat template: special tokens, and others that it writes out ("<|im_start|>").

    Marks of thoughts are none: they end no turn, and a model that goes on behind its own thoughts is to read
    them as it wrote them.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, template: str) -> None:
        self._tokenizer = tokenizer
        self._ids = {
            token.content: id_
            for id_, token in tokenizer.added_tokens_decoder.items()
            if token.special or (_MARKER.fullmatch(token.content) and token.content in template)
            if not is_mark_of_thought(token.content)
        }
        longest_first = sorted(self._ids, key=len, reverse=True)
        self._number = {spelling: number for number, spelling in enumerate(longest_first)}
        self._spellings = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def are_spelt_in(self, text: str) -> bool:
        return self._spellings.search(text) is not None

    def encode(self, write: Callable[[str], str], message: str, said: str = "") -> tuple[int, ...]:
        """Token ids of a prompt whose data spell control tokens.

        Args:
            write: the chat template around a message.
            said: what stands of the answer already.

        Raises:
            ValueError: the tokenizer cannot take them for text.
        """
        if _RESERVED.search(message + said):
            raise ValueError(f"{self._told(message)}, beside a character of private use; remove either")
        written = write(self._renamed(message, _STAND_INS)) + self._renamed(said, _STAND_INS)
        named = self._renamed(written, _NAMES)
        spelt = named
        for spelling, number in self._number.items():
            spelt = spelt.replace(chr(_STAND_INS + number), spelling)
        ids = tuple(self._copy.encode(spelt, add_special_tokens=False).ids)
        for spelling, number in self._number.items():
            id_ = self._ids[spelling]
            if id_ != self._tokenizer.unk_token_id and ids.count(id_) != named.count(chr(_NAMES + number)):
                raise ValueError(f"{self._told(message)}, which it cannot read as text; remove it")
        return ids

    def _renamed(self, text: str, first: int) -> str:
        return self._spellings.sub(lambda found: chr(first + self._number[found[0]]), text)

    @cached_property
    def _copy(self) -> Tokenizer:
        described = json.loads(self._tokenizer.backend_tokenizer.to_str())
        named = {spelling: chr(_NAMES + number) for spelling, number in self._number.items()}
        for token in described["added_tokens"]:
            token["content"] = named.get(token["content"], token["content"])
        model = described["model"]
        if isinstance(model["vocab"], dict):
            model["vocab"] = {named.get(piece, piece): id_ for piece, id_ in model["vocab"].items()}
        else:
            model["vocab"] = [[named.get(piece, piece), score] for piece, score in model["vocab"]]
        if model.get("unk_token") in named:
            model["unk_token"] = named[model["unk_token"]]
        return Tokenizer.from_str(json.dumps({**described, "truncation": None, "padding": None}))

    def _told(self, message: str) -> str:
        return f"tokenizer {self._tokenizer.name_or_path}: {shortened(message, 300)!r} spells a control token"
