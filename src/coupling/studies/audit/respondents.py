"""Who was asked, how much of it was answered, and the names of the artifacts.

    model/behaviors.jsonl, model/explanations.jsonl    what it does and says; failed items are missing
    model/remeasured.jsonl                             its behaviour measured a second way, where it is local
    model/model.json                                   which model answered, where it is local
    model/answers.jsonl                                the words, where behaviour is written
    detector.json                                      the classifier that reads them, where one does

and the same under ``reference/``. Every answer of an endpoint, as it arrived, is in a journal beside the
audits, where any later audit of that endpoint finds it:

    .journals/SHA256.jsonl                             by URL and name of the model
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coupling.config import EndpointConfig
from coupling.store import json_sha256

JOURNALS = ".journals"
MODEL, REFERENCE = "model", "reference"
"""Who is asked, and the folder of what they answer."""


def behaviors_of(who: str) -> str:
    return f"{who}/behaviors.jsonl"


def explanations_of(who: str) -> str:
    return f"{who}/explanations.jsonl"


def remeasured_of(who: str) -> str:
    return f"{who}/remeasured.jsonl"


def identity_of(who: str) -> str:
    return f"{who}/model.json"


def journal_of(audit: Path, endpoint: EndpointConfig) -> Path:
    """The journal of an endpoint, beside the directory of the audit: what was paid for outlives that."""
    of_whom = json_sha256({"url": endpoint.url, "model": endpoint.model})
    return audit.resolve().parent / JOURNALS / f"{of_whom}.jsonl"


@dataclass(frozen=True, slots=True)
class Served:
    """What an endpoint had to do with the answers."""

    requests: int
    """Answered requests that the figures stand on, whenever they were sent."""
    input_tokens: int | None
    """As the server counts them; None where it does not."""
    output_tokens: int | None
    price: float | None
    """Of these tokens, in the currency of the prices; None where these, or the tokens, are not known."""
    failures: tuple[str, ...]
    """Why requests of the last command failed, the most frequent reason first."""
    unread: int
    """Replies that come to nothing: they name no choice, or several, or end before they do."""
    answered_as: tuple[str, ...]
    """Names other than the one asked for by which the server calls the model that answered."""
    is_opened: bool
    """Whether the task's answer prefix was given as the beginning of the answer, or there is none."""


@dataclass(frozen=True, slots=True)
class Respondent:
    """Who was asked, and how much of it was answered."""

    who: str
    """model or reference."""
    name: str
    fingerprint: str | None
    """SHA-256 of weights, configuration, tokenizer and chat template; None where it is served."""
    asked: int
    """Pairs it was asked about."""
    behaviors: int
    """Pairs of which both answers are there."""
    scored: int
    """Of these, behaviours with log-probabilities of all choices."""
    explanations: int
    served: Served | None
    """None for a model in memory."""
