"""The key of an endpoint: taken from the environment, sent, and struck from all that comes back.

Servers quote the key that they refuse, in JSON, in a page of HTML or in a URL, and some echo it in an answer.
What a server says enters through one place (`coupling.models.completions`), and the key is struck from it
there, before it reaches an error, a journal, an artifact or a page.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, quote_plus

from coupling.models.journal import Answer, Token

STRUCK = "***"
_LEAST_SECRET = 6
"""Characters of a key that is struck from answers as well. Servers without keys take "none" or "EMPTY", words
that a model may say."""


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _in_json_of_go(text: str) -> str:
    return _in_json(text).replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


_WRITINGS: tuple[Callable[[str], str], ...] = (
    lambda text: repr(text)[1:-1],
    _in_json,
    _in_json_of_go,
    lambda text: _in_json(text).replace("/", r"\/"),
    html.escape,
    lambda text: html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    quote,
    quote_plus,
    lambda text: quote(text, safe=""),
)


class Key:
    """A key; without a value it is none, and nothing is struck.

    Raises:
        ValueError: it cannot be one. The error does not show it.
    """

    def __init__(self, value: str | None, variable: str | None = None) -> None:
        self.value = (value or "").strip() or None
        self._forms: re.Pattern[str] | None = None
        if self.value is None:
            return
        if not re.fullmatch(r"[!-~]+", self.value):
            raise ValueError(
                f"api_key_env: the environment variable {variable} holds a line break, a blank or a "
                "character beyond ASCII inside the key, which is not shown here; put the key alone there, on "
                "one line"
            )
        forms = sorted(_forms(self.value), key=len, reverse=True)
        # Hexadecimal digits of escapes come in both cases.
        self._forms = re.compile("|".join(map(re.escape, forms)), re.IGNORECASE)

    @classmethod
    def of(cls, variable: str | None) -> Key:
        """That of an environment variable. Raises ValueError as the class does."""
        return cls(os.environ.get(variable or ""), variable)

    def struck_from(self, text: str) -> str:
        return text if self._forms is None else self._forms.sub(STRUCK, text)

    def struck_from_answer(self, answer: Answer) -> Answer:
        if self.value is None or len(self.value) < _LEAST_SECRET:
            return answer
        return replace(
            answer,
            text=self.struck_from(answer.text),
            first=tuple(Token(self.struck_from(each.text), each.logprob) for each in answer.first),
            model=None if answer.model is None else self.struck_from(answer.model),
            finish_reason=None if answer.finish_reason is None else self.struck_from(answer.finish_reason),
        )


def _forms(key: str) -> set[str]:
    """How a key may be written: as it is, escaped once or twice over, and as HTTP's Basic scheme has it."""
    forms = {key}
    for _ in range(2):
        forms |= {write(form) for form in forms for write in _WRITINGS}
    for credentials in (key, f":{key}", f"{key}:"):
        encoded = base64.b64encode(credentials.encode()).decode().rstrip("=")
        forms |= {encoded, encoded.replace("+", "-").replace("/", "_")}
    return forms


def looks_like_a_key(name: str) -> bool:
    """Whether somebody may have given the key for the name of its variable."""
    return len(name) >= 16 and bool(re.search(r"\d", name)) and "_" not in name
