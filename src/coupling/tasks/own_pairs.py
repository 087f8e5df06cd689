"""Own pairs, put together from a table by the task's own wordings.

``with_cue`` says how ``x`` is made of columns and of the worded cue, and ``without_cue`` how ``x\\C`` is.
What the table does not say follows from the texts alone: the id from both prompts, the cluster from the
input without its cue, the split from the seed and the cluster. So no other row changes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from coupling.config import PairsTask
from coupling.config.task.pairs import CUE, GIVEN
from coupling.config.task.templates import placeholders
from coupling.records import CounterfactualPair
from coupling.tasks.checks import check_pairs
from coupling.tasks.tables import read_table, tell_left_out
from coupling.tasks.texts import choice_meant, cluster_id, plain, split_of, text_id

CUE_TAGS = ("template",)
"""Tags that speak of the cue; all others are taken to speak of the input."""

_Word = str | int | float


class _Row(BaseModel):
    """Columns that a table may have whatever inputs are made of."""

    model_config = ConfigDict(protected_namespaces=())

    id: _Word | None = None
    cluster: _Word | None = None
    split: str | None = None
    cue_value: _Word | None = None
    against: bool = False
    choices: tuple[str, ...] | None = None


def load(config: PairsTask) -> tuple[CounterfactualPair, ...]:
    """The pairs of every row in every wording, in the order of the table.

    Where the input says what the cue does without it too, removing the cue would not remove it: such a pair
    is left out, and told of in the log.

    Raises:
        ValueError: naming file and line, for a row that lacks a column, whose cue holds no text, or that
            breaks a rule of ``check_pairs``; or no pair is left.
    """
    found: list[tuple[str, CounterfactualPair]] = []
    stated: list[str] = []
    for where, row in read_table(config, _row_model(config)):
        for pair, cue in _as_pairs(row, config, where):
            if cue is not None and _says(pair.without_cue, cue):
                stated.append(where)
            else:
                found.append((where, pair))
    if stated and not found:
        raise ValueError(
            f"{stated[0]}: this input, and every other, says what its cue says without the cue too; "
            'put all words of the cue into task.templates, as {thinks: "I think it is {cue_text}."}'
        )
    tell_left_out(config.path, (("state their cue without it too", stated),))
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


def _says(text: str, cue: str) -> bool:
    """Whether the text holds the cue's words, casing, spacing and typography aside: "no" is not in "note"."""
    return re.search(rf"(?<!\w){re.escape(plain(cue))}(?!\w)", plain(text)) is not None


def _as_pairs(row: _Row, config: PairsTask, where: str) -> Iterator[tuple[CounterfactualPair, str | None]]:
    """The pair of each wording, and the cue as worded; None where prompts stand there whole."""
    assert config.with_cue is not None
    said = row.model_dump()
    without_cue = (config.without_cue or without_placeholder(config.with_cue)).format_map(said)
    cluster = cluster_id(without_cue) if row.cluster is None else str(row.cluster)
    tags = {tag: str(said[tag]) for tag in config.tags if said[tag] is not None}
    choices = row.choices or config.choices
    is_worded = CUE in placeholders(config.with_cue)
    for template, wording in config.templates.items() if is_worded else [(GIVEN, "")]:
        cue = wording.format_map(said) if is_worded else None
        if cue is not None and not any(character.isalnum() for character in cue):
            raise ValueError(
                f"{where}: its cue is {cue!r}, by the wording {template!r}; it must hold text: fill the "
                "column, or remove the row"
            )
        with_cue = config.with_cue.format_map({**said, CUE: cue})
        id_ = text_id(f"{with_cue}\n{without_cue}") if row.id is None else str(row.id)
        pair = CounterfactualPair(
            id=id_ if row.id is None or template == GIVEN else f"{id_}/{template}",
            cluster=cluster,
            split=row.split or split_of(config.seed, cluster, config.split_shares),
            with_cue=with_cue,
            without_cue=without_cue,
            cue=config.cue,
            cue_value=None if row.cue_value is None else choice_meant(str(row.cue_value), choices),
            choices=choices,
            answer_prefix=config.answer_prefix,
            tags=tags if template == GIVEN else {**tags, "template": template},
            against=row.against,
        )
        yield pair, cue
