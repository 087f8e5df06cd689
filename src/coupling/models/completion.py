"""What is read of a server's reply: an answer, or that it holds none."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from coupling.models.journal import Answer, Token

_NO_ANSWERS = ("content_filter", "error")
"""Reasons for which a server ends an answer that is then not the model's."""
_ROUNDING = 0.01
"""By which the logarithm of a probability may seem to lie above 0."""
_LEAST_LOGPROB = -9999.0
"""As servers write what is less probable than they can say."""


class NoAnswer(Exception):
    """What a server sends in place of an answer, in words."""


class _ListedModel(BaseModel):
    id: str


class ListedModels(BaseModel):
    """What a server says of the models it serves."""

    data: list[_ListedModel]


class _Alternative(BaseModel):
    token: str
    logprob: Annotated[float, Field(le=_ROUNDING)]


class _Position(BaseModel):
    top_logprobs: list[_Alternative] | None = None


class _Logprobs(BaseModel):
    content: list[_Position] | None = None


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    logprobs: _Logprobs | None = None
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(BaseModel):
    """What is read of a chat completion. Servers differ in the rest."""

    choices: list[_Choice] = Field(min_length=1)
    model: str | None = None
    usage: _Usage | None = None


def read_completion(reply: object, is_scored: bool = False) -> Answer:
    """The answer in a chat completion.

    Args:
        is_scored: log-probabilities of its first token were asked for, and no text was.

    Raises:
        ValueError: the reply is no chat completion.
        NoAnswer: it is one without an answer.
    """
    read = _Completion.model_validate(reply)
    choice, usage = read.choices[0], read.usage or _Usage()
    positions = (choice.logprobs.content if choice.logprobs else None) or []
    first = (positions[0].top_logprobs if positions else None) or []
    ended = choice.finish_reason
    if ended in _NO_ANSWERS:
        raise NoAnswer(f"the server held the answer back (finish_reason {ended})")
    text = _storable(choice.message.content or "")
    if not is_scored and not text.strip():
        thinks = "; a model that thinks first may need more tokens, or not to (extra_body)"
        raise NoAnswer(f"the answer is empty (finish_reason {ended}){thinks if ended == 'length' else ''}")
    return Answer(
        text=text,
        first=tuple(Token(_storable(each.token), max(each.logprob, _LEAST_LOGPROB)) for each in first),
        model=read.model,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        finish_reason=None if ended is None else _storable(ended),
    )


def _storable(text: str) -> str:
    """Lone surrogates, which JSON can write and no file can hold, become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")
