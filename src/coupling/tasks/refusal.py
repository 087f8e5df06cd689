"""Refusal: would you have helped (or refused) without the framing of the request?

Reads requests in the schemas of AmazonScience/FalseReject, allenai/wildguardmix and XSTest's prompts.
``x\\C`` is the request as it stands there; ``x`` is the same request, word for word, in a framing ("I am a
doctor, …"). The answer is written, and read as refusal or compliance (``coupling.answers``); a framing
speaks for compliance or, where it alarms, for refusal.

The request is the cluster. XSTest sets a safe request beside an unsafe one that uses the same words ("kill
a Python process", "kill a person"); such a contrast pair is one cluster. Lot, split and id follow from the
seed and the request alone: no other row changes them. Which requests are drawn does depend on the others:
those with the lowest lots are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel

from coupling.answers import CHOICES, COMPLIANCE, REFUSAL
from coupling.config import RefusalTask
from coupling.lots import uniform
from coupling.records import CounterfactualPair
from coupling.tasks.checks import check_pairs
from coupling.tasks.tables import read_table, tell_left_out
from coupling.tasks.texts import cluster_id, split_of

CUE = "framing"
CUE_TAGS = ("template",)
"""Tags that speak of the framing, and not of the request."""


class FalseRejectRow(BaseModel):
    """A row of FalseReject: a request that only looks harmful."""

    prompt: str
    category_text: str


class WildGuardRow(BaseModel):
    """A row of WildGuardMix. Many prompts stand there without a response, which is not needed here."""

    prompt: str
    adversarial: bool
    prompt_harm_label: Literal["harmful", "unharmful"] | None = None
    subcategory: str | None = None


class XSTestRow(BaseModel):
    """A row of XSTest's prompts; the types of unsafe ones begin with ``contrast_``."""

    id: int | str
    prompt: str
    type: str
    label: Literal["safe", "unsafe"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, as it stands in a row."""

    text: str
    category: str
    label: str
    """safe or unsafe, as the source says, or unknown."""
    cluster: str
    tags: dict[str, str] = field(default_factory=dict)
    """Further tags, which only this source has."""

    @property
    def name(self) -> str:
        """The hash of its text, casing and spacing aside."""
        return cluster_id(self.text)


def load(config: RefusalTask) -> tuple[CounterfactualPair, ...]:
    """Every request drawn, in every framing. Rows that are left out are counted in a warning of the log.

    Raises:
        ValueError: a row has another schema, no request is left, or a tag of ``only`` is unknown.
    """
    requests = list(read_requests(config))
    _check_only(config, requests)
    taken = [request for request in requests if _is_taken(request, config)]
    if not taken:
        raise ValueError(
            f"task.only: none of the {len(requests)} requests of {config.path} bears "
            f"{dict(config.only)}; take more values"
        )
    if config.requests is not None:
        # Whole clusters are not drawn: half a contrast pair is still a sound cluster.
        drawn = sorted(taken, key=lambda request: uniform(config.seed, "draw", request.name))
        kept = {request.name for request in drawn[: config.requests]}
        taken = [request for request in taken if request.name in kept]
    pairs = tuple(pair for request in taken for pair in as_pairs(request, config))
    check_pairs(pairs, config.path)
    return pairs


def read_requests(config: RefusalTask) -> Iterator[Request]:
    """The requests of a table, each text once.

    Raises:
        ValueError: a row has another schema.
    """
    seen: set[str] = set()
    empty: list[str] = []
    repeated: list[str] = []
    for where, request in _rows(config):
        if not request.text:
            empty.append(where)
        elif request.name in seen:
            repeated.append(where)
        else:
            seen.add(request.name)
            yield request
    tell_left_out(config.path, (("hold no request", empty), ("repeat an earlier request", repeated)))


def as_pairs(request: Request, config: RefusalTask) -> list[CounterfactualPair]:
    """The counterfactual pairs of a request, one a framing."""
    wordings = [(name, wording, COMPLIANCE) for name, wording in config.framings.items()]
    wordings += [(name, wording, REFUSAL) for name, wording in config.alarming.items()]
    split = split_of(config.seed, request.cluster, config.split_shares)
    return [
        CounterfactualPair(
            id=f"{config.source}/{request.name}/{name}",
            cluster=request.cluster,
            split=split,
            with_cue=wording.format(request=request.text),
            without_cue=request.text,
            cue=CUE,
            cue_value=value,
            choices=CHOICES,
            tags={**_tags(request, config), "template": name},
        )
        for name, wording, value in wordings
    ]


def contrast_pair(type_: str, number: int) -> str:
    """Which contrast pair of XSTest a prompt belongs to.

    Its 18 types have 25 prompts each, numbered through from 1; the contrast of a safe prompt stands at the
    same place of the type ``contrast_…``. Two safe types share the contrasts of ``discr``, and two those of
    ``privacy``.
    """
    family = type_.removeprefix("contrast_")
    family = {"nons_group_real_discr": "discr", "real_group_nons_discr": "discr"}.get(family, family)
    family = {"privacy_public": "privacy", "privacy_fictional": "privacy"}.get(family, family)
    return f"{family}/{(number - 1) % 25}"


def _rows(config: RefusalTask) -> Iterator[tuple[str, Request]]:
    match config.source:
        case "falsereject":
            for where, row in read_table(config, FalseRejectRow):
                text = row.prompt.strip()
                # All of its requests are safe, by the way they were made.
                yield where, Request(text, row.category_text, "safe", cluster_id(text))
        case "wildguardmix":
            for where, guarded in read_table(config, WildGuardRow):
                text = guarded.prompt.strip()
                label = {"harmful": "unsafe", "unharmful": "safe", None: "unknown"}[guarded.prompt_harm_label]
                tags = {"adversarial": "yes" if guarded.adversarial else "no"}
                yield where, Request(text, guarded.subcategory or "none", label, cluster_id(text), tags)
        case "xstest":
            for where, tested in read_table(config, XSTestRow):
                text, number = tested.prompt.strip(), re.search(r"\d+$", str(tested.id))
                cluster = contrast_pair(tested.type, int(number.group())) if number else cluster_id(text)
                yield where, Request(text, tested.type, tested.label, cluster)


def _tags(request: Request, config: RefusalTask) -> dict[str, str]:
    return {"source": config.source, "category": request.category, "label": request.label, **request.tags}


def _is_taken(request: Request, config: RefusalTask) -> bool:
    tags = _tags(request, config)
    return all(tags[tag] in values for tag, values in config.only.items())


def _check_only(config: RefusalTask, requests: list[Request]) -> None:
    for tag, values in config.only.items():
        found = {tags[tag] for tags in (_tags(request, config) for request in requests) if tag in tags}
        unknown = [value for value in values if value not in found]
        if unknown or not values:
            raise ValueError(
                f"task.only: no request has {tag}: {', '.join(unknown) or 'nothing'}; "
                f"{tag} is one of {', '.join(sorted(found)) or 'no tag of these requests'}"
            )
