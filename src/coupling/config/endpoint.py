"""A model that somebody serves over an OpenAI-compatible API."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)

from coupling.config.section import Section

_OPENAI = "api.openai.com"
_OWN_FIELDS = ("model", "messages")


def _is_base_of_an_api(url: str) -> str:
    if "@" in url or "?" in url or "#" in url:
        # First, and not quoted: it may hold the key.
        raise ValueError("a key has no place in the URL, which stands in artifacts; see api_key_env")
    try:
        parts = urlsplit(url)
        is_base = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_base = False
    if not is_base:
        raise ValueError(f"{url!r} is no base of an API; expected one as http://localhost:8000/v1")
    return url.rstrip("/")


def _is_no_key(name: str) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
        raise ValueError(
            "expected the name of an environment variable, in capitals as OPENAI_API_KEY, and not the key"
        )
    return name


def _usual_variable(fields: dict[str, Any]) -> str | None:
    """OpenAI's key is for OpenAI's server, and for no other unless somebody says so."""
    parts = urlsplit(fields.get("url", ""))
    return "OPENAI_API_KEY" if parts.scheme == "https" and parts.hostname == _OPENAI else None


def _leaves_the_question(extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
    for field in _OWN_FIELDS:
        if field in extra:
            raise ValueError(f"{field!r} is what is asked, and of whom; it cannot be given here")
    return extra


class EndpointConfig(Section):
    """A model behind an OpenAI-compatible API, and how it is asked."""

    url: Annotated[str, AfterValidator(_is_base_of_an_api)]
    """Base of the API, as http://localhost:8000/v1; a key has no place in it."""
    model: Annotated[str, Field(min_length=1)]
    """The name under which the server serves the model."""
    api_key_env: Annotated[str, AfterValidator(_is_no_key)] | None = Field(default_factory=_usual_variable)
    """Environment variable that holds the key; null, or a variable that is not set, sends none. Of
    https://api.openai.com it is OPENAI_API_KEY, of every other server null."""
    system: str | None = None
    """System prompt before every question; null sends none."""
    prefill: bool = False
    """Whether the task's answer prefix ("I answer") is given as the beginning of the assistant's answer, as
    vLLM and SGLang can (continue_final_message). Without it the model is asked the same and answers as it
    likes."""
    logprobs: Literal["auto", "never"] = "auto"
    """auto reads answers from the log-probabilities of the first token where the server gives them; never, or
    a server that does not, reads them from the text of the answer."""
    top_logprobs: PositiveInt = 20
    """Log-probabilities asked for; 20 is the most that OpenAI and, as it is set up, vLLM give."""
    samples: PositiveInt = 1
    """Answers read as text: 1 is decoded greedily; more are drawn at temperature 1, and the majority counts
    (of equals, the choice that stands first)."""
    answer_tokens: PositiveInt = 128
    """Tokens after which an answer that is read as text is cut off, and then counts for nothing."""
    extra_body: Annotated[dict[str, JsonValue], AfterValidator(_leaves_the_question)] = Field(
        default_factory=dict
    )
    """Further fields of every request, as the server knows them, as {chat_template_kwargs: {enable_thinking:
    false}}; null leaves a field out, as {max_tokens: null, max_completion_tokens: 256}."""
    concurrency: PositiveInt = 8
    """Requests under way at a time."""
    requests_per_minute: PositiveInt | None = None
    """At most so many, those that are repeated included; null sets no limit."""
    timeout_s: PositiveFloat = 120.0
    """Seconds from a request until its answer is there whole; one that takes longer counts as failed."""
    max_retries: NonNegativeInt = 6
    """How often a failed request is repeated, after 0.5, 1, 2, 4 and then 8 seconds (less a random part), or
    after as long as the server's Retry-After says; one that says more than ten minutes fails at once."""
    give_up_after: PositiveInt = 10
    """So many requests that fail one after the other, repeated as above, end the run; fewer stay missing."""
    price_per_million_input: NonNegativeFloat | None = None
    """Price of a million tokens of questions, in any currency; null where it is not known."""
    price_per_million_output: NonNegativeFloat | None = None
    """Price of a million tokens of answers."""


HOW_IT_IS_REACHED = frozenset(
    {
        "api_key_env",
        "concurrency",
        "requests_per_minute",
        "timeout_s",
        "max_retries",
        "give_up_after",
        "price_per_million_input",
        "price_per_million_output",
    }
)
"""Fields that change no answer."""
