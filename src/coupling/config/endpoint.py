"""A model that somebody serves over an OpenAI-compatible API."""

from __future__ import annotations

from typing import Annotated, Literal
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


def _is_base_of_an_api(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no base of an API; expected one as http://localhost:8000/v1")
    if "@" in parts.netloc or parts.query:
        # Not quoted: it may hold the key.
        raise ValueError("a key has no place in the URL, which stands in artifacts; see api_key_env")
    return url.rstrip("/")


def _is_no_key(name: str) -> str:
    if not name.replace("_", "a").isalnum() or name[0].isdigit():
        raise ValueError("expected the name of an environment variable, as OPENAI_API_KEY, and not the key")
    return name


class EndpointConfig(Section):
    """A model behind an OpenAI-compatible API, and how it is asked."""

    url: Annotated[str, AfterValidator(_is_base_of_an_api)]
    """Base of the API, as http://localhost:8000/v1; a key has no place in it."""
    model: Annotated[str, Field(min_length=1)]
    """The name under which the server serves the model."""
    api_key_env: Annotated[str, AfterValidator(_is_no_key)] | None = "OPENAI_API_KEY"
    """Environment variable that holds the key; null, or a variable that is not set, sends none."""
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
    answer_tokens: PositiveInt = 32
    """Tokens after which an answer that is read as text is cut off."""
    extra_body: dict[str, JsonValue] = Field(default_factory=dict)
    """Further fields of every request, as the server knows them, as {chat_template_kwargs: {enable_thinking:
    false}}."""
    concurrency: PositiveInt = 8
    """Requests under way at a time."""
    requests_per_minute: PositiveInt | None = None
    """At most so many, those that are repeated included; null sets no limit."""
    timeout_s: PositiveFloat = 120.0
    """Seconds the server may be silent before a request counts as failed."""
    max_retries: NonNegativeInt = 6
    """How often a failed request is repeated, after 0.5, 1, 2, 4 and then 8 seconds (less a random part), or
    after as long as the server's Retry-After says."""
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
