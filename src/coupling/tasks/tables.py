"""Rows of a table as small typed records. (JSONL and CSV only, so far.)"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from coupling.config.table import TableConfig
from coupling.store import read_rows
from coupling.store.atomic import reading

Row = TypeVar("Row", bound=BaseModel)


def read_table(table: TableConfig, wanted: type[Row]) -> Iterator[tuple[str, Row]]:
    """Yield each row with where it stands ("prompts.csv line 3").

    Args:
        wanted: names the columns needed and their types; those with defaults may be missing.

    Raises:
        ValueError: the file cannot be read, lacks a column, or a value is of another type.
    """
    path = Path(table.path)
    rows: Iterable[tuple[str, dict[str, object]]]
    match path.suffix:
        case ".jsonl":
            rows = ((where, dict(row)) for where, row in read_rows(path))
        case ".csv":
            rows = _csv_rows(path)
        case _:
            raise ValueError(f"{path}: expected a file ending in .jsonl or .csv")
    for where, row in rows:
        ours = {name: row.get(table.columns.get(name, name)) for name in wanted.model_fields}
        missing = [
            name for name, field in wanted.model_fields.items() if field.is_required() and ours[name] is None
        ]
        if missing:
            raise ValueError(
                f"{where}: lacks the column {', '.join(missing)}; it has {', '.join(row)}; map names with "
                "task.table.columns, as {prompt: instruction}"
            )
        try:
            yield (
                where,
                wanted.model_validate({name: value for name, value in ours.items() if value is not None}),
            )
        except ValidationError as error:
            raise ValueError(f"{where}: {error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}") from error


def _csv_rows(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    with reading(path):
        text = path.read_text(encoding="utf-8-sig")
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for row in reader:
        yield f"{path} line {reader.line_num}", dict(row)
