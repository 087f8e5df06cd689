"""Own pairs, put together from a table by the task's own wordings.

``with_cue`` says how ``x`` is made of columns and of the worded cue, and ``without_cue`` how ``x\\C`` is.
What the table does not say follows from the texts alone: the id from both prompts, the cluster from the
input without its cue, the split from the seed and the cluster. So no other row changes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from coupling.config import PairsTask
from coupling.config.task.pairs import CUE, GIVEN
from coupling.config.task.templates import placeholders
from coupling.records import CounterfactualPair
from coupling.tasks.checks import check_pairs
from coupling.tasks.lots import cluster_id, split_of, text_id
from coupling.tasks.tables import read_table

CUE_TAGS = ("template",)
"""Tags that speak of the cue; all others are taken to speak of the input."""

_Word = str | int | float


class _Row(BaseModel):
    """Columns that a table may have whatever inputs are made of."""

    model_config = ConfigDict(protected_namespaces=())

    id: _Word | None = None
    cluster: _Word | None = None
    split: str | None = None
    cue_value: str | None = None
    against: bool = False
    choices: tuple[str, ...] | None = None


def load(config: PairsTask) -> tuple[CounterfactualPair, ...]:
    """The pairs of every row in every wording, in the order of the table.

    Raises:
        ValueError: naming file and line, for a row that lacks a column or breaks a rule of ``check_pairs``.
    """
    found = [
        (where, pair)
        for where, row in read_table(config, _row_model(config))
        for pair in _as_pairs(row, config, where)
    ]
    pairs = tuple(pair for _, pair in found)
    check_pairs(pairs, config.path, [where for where, _ in found])
    return pairs


def without_placeholder(template: str) -> str:
    """The template less ``{cue}`` and the space before it, or behind it where nothing stands before."""
    before, after = template.split("{cue}")
    return before.rstrip() + after if before.strip() else after.lstrip()


def _row_model(config: PairsTask) -> type[_Row]:
    fields: dict[str, Any] = {name: (_Word, ...) for name in sorted(config.columns_in_braces)}
    for tag in config.tags:
        fields.setdefault(tag, (_Word | None, ...))
    if not config.choices:
        fields["choices"] = (tuple[str, ...], ...)
    return create_model("OwnRow", __base__=_Row, **fields)


def _as_pairs(row: _Row, config: PairsTask, where: str) -> Iterator[CounterfactualPair]:
    assert config.with_cue is not None
    said = row.model_dump()
    without_cue = (config.without_cue or without_placeholder(config.with_cue)).format_map(said)
    cluster = cluster_id(without_cue) if row.cluster is None else str(row.cluster)
    tags = {tag: str(said[tag]) for tag in config.tags if said[tag] is not None}
    is_worded = CUE in placeholders(config.with_cue)
    for template, wording in config.templates.items() if is_worded else [(GIVEN, "")]:
        with_cue = config.with_cue.format_map({**said, CUE: wording.format_map(said)})
        id_ = text_id(f"{with_cue}\n{without_cue}") if row.id is None else str(row.id)
        yield CounterfactualPair(
            id=id_ if row.id is None or template == GIVEN else f"{id_}/{template}",
            cluster=cluster,
            split=row.split or split_of(config.seed, cluster, config.split_shares),
            with_cue=with_cue,
            without_cue=without_cue,
            cue=config.cue,
            cue_value=row.cue_value,
            choices=row.choices or config.choices,
            answer_prefix=config.answer_prefix,
            tags=tags if template == GIVEN else {**tags, "template": template},
            against=row.against,
        )
