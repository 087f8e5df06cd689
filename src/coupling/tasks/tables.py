"""Rows of tables that were made elsewhere: from the Hugging Face hub, Parquet, JSONL, JSON, CSV or TSV.

Who reads says by a small pydantic model which columns it needs and of which types; optional ones have
defaults, other columns are passed over. JSON, Parquet and the hub know types and are held to them. A CSV
file holds text alone, which is read as the type that is wanted: numbers, lists and objects in JSON's
spelling, an empty field as null where null may stand.
"""

from __future__ import annotations

import csv
import io
import logging
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, Union, cast, get_args, get_origin

import pydantic_core
from pydantic import BaseModel, ValidationError

from coupling.config import TableConfig
from coupling.config.table import FILE_ENDINGS
from coupling.store import Json, read_bytes, read_json, read_rows, require_regular
from coupling.store.atomic import reading
from coupling.store.complaints import complaint, first_line, nearest_name

Row = TypeVar("Row", bound=BaseModel)
_Raw = Mapping[str, object]
_Rows = Iterator[tuple[str, _Raw]]
_PLACES_SHOWN = 3
_COLUMNS_SHOWN = 20
_LONGEST_FIELD = 2**31 - 1
"""Characters of a CSV field. Python's own limit, 131072, is below the length of some documents."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Table:
    """``rows``, given the columns that are wanted, yields each row and where it stands."""

    columns: tuple[str, ...]
    rows: Callable[[Sequence[str]], _Rows]
    is_text: bool = False


def read_table(table: TableConfig, wanted: type[Row]) -> Iterator[tuple[str, Row]]:
    """Yield the rows, each with where it stands ("file.csv line 3").

    Args:
        wanted: the columns that are needed, and their types.

    Raises:
        ValueError: the table cannot be had or read, holds no rows, lacks a column, or a row does not fit; the
            message says where, and what to do.
    """
    found = _open(table)
    theirs = {name: table.columns.get(name, name) for name in wanted.model_fields}
    _check_columns(table, wanted, theirs, found)
    present = [name for name in dict.fromkeys(theirs.values()) if name in found.columns]
    is_empty = True
    for where, row in found.rows(present):
        is_empty = False
        held = {ours: _decoded(row[name], where, name) for ours, name in theirs.items() if name in row}
        yield where, _validated(wanted, held, where, found.is_text)
    if is_empty:
        raise ValueError(f"{table.path}: holds no rows; at least one is needed")


def tell_left_out(source: str, reasons: Iterable[tuple[str, Collection[str]]]) -> None:
    """A warning of the log for every reason to leave rows out, with where the first of them stand."""
    for reason, places in reasons:
        if places:
            shown = ", ".join(place.removeprefix(f"{source} ") for place in list(places)[:_PLACES_SHOWN])
            more = ", …" if len(places) > _PLACES_SHOWN else ""
            _log.warning("%s: %d left out that %s (%s%s)", source, len(places), reason, shown, more)


def _open(table: TableConfig) -> _Table:
    path = Path(table.path)
    match path.suffix.lower():
        case ".jsonl":
            return _objects(table.path, read_rows(path))
        case ".json":
            return _objects(table.path, _json_array(path))
        case ".csv":
            return _delimited(path, ",")
        case ".tsv":
            return _delimited(path, "\t")
        case ".parquet":
            return _parquet(path)
    if path.is_file():
        raise ValueError(f"{path}: a file that ends otherwise than in {', '.join(FILE_ENDINGS)}; rename it")
    return _hub(table)


def _objects(source: str, rows: Iterable[tuple[str, dict[str, Json]]]) -> _Table:
    """JSON objects: a column that one of them lacks is null there."""
    every = list(rows)
    if not every:
        raise ValueError(f"{source}: holds no rows; at least one is needed")
    columns = tuple(dict.fromkeys(name for _, row in every for name in row))
    return _Table(columns, lambda wanted: iter(every))


def _json_array(path: Path) -> Iterator[tuple[str, dict[str, Json]]]:
    array = read_json(path)
    if not isinstance(array, list):
        raise ValueError(f"{path}: expected an array of JSON objects; one object a line is a file .jsonl")
    for number, row in enumerate(array, start=1):
        if not isinstance(row, dict):
            raise ValueError(f"{path} row {number}: expected a JSON object, found {str(row)[:60]!r}")
        yield f"{path} row {number}", row


def _delimited(path: Path, delimiter: str) -> _Table:
    rows = _fields(path, delimiter)
    _, header = next(rows, ("", []))
    if not header:
        raise ValueError(f"{path}: is empty; expected a line that names the columns, and rows")
    columns = [name.strip() for name in header]

    def named(wanted: Sequence[str]) -> _Rows:
        for name in wanted:
            if columns.count(name) > 1:
                raise ValueError(f"{path} line 1: two columns are called {name!r}; rename one of them")
        for where, row in rows:
            if len(row) != len(columns):
                raise ValueError(
                    f"{where}: holds {len(row)} fields, but line 1 names {len(columns)} columns; put fields "
                    f"that hold {delimiter!r}, quotes or line breaks into double quotes"
                )
            yield where, dict(zip(columns, row, strict=True))

    return _Table(tuple(columns), named, is_text=True)


def _fields(path: Path, delimiter: str) -> Iterator[tuple[str, list[str]]]:
    """The fields of every line that is not blank. A quoted field may hold line breaks."""
    data = read_bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path} line {line}: not UTF-8 ({error.reason}); save the file as UTF-8") from error
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        where = f"{path} line {reader.line_num + 1}"
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise ValueError(
                f"{where}: not a row of fields ({error}); inside a quoted field a double quote is written "
                "twice"
            ) from error
        if row is None:
            return
        if row:
            yield where, row


def _parquet(path: Path) -> _Table:
    import pyarrow  # type: ignore[import-untyped]
    import pyarrow.parquet  # type: ignore[import-untyped]

    require_regular(path)
    try:
        with reading(path):
            file = pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise ValueError(f"{path}: not a Parquet file ({first_line(error)}); write it again") from error

    def rows(columns: Sequence[str]) -> _Rows:
        number = 0
        try:
            for batch in file.iter_batches(columns=list(columns)):
                for row in _rows_of_batch(batch, path, number):
                    number += 1
                    yield f"{path} row {number}", row
        except (pyarrow.ArrowException, OSError) as error:
            raise ValueError(
                f"{path}: damaged behind row {number} ({first_line(error)}); write it again"
            ) from error

    return _Table(tuple(file.schema_arrow.names), rows)


def _rows_of_batch(batch: Any, path: Path, before: int) -> Iterator[_Raw]:
    """The rows of a record batch of pyarrow; ``before`` stand before it."""
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            for number, value in enumerate(values, start=before + 1):
                with _told_of_bytes(f"{path} row {number}", name):
                    value.as_py()
        raise


def _decoded(value: object, where: str, column: str) -> object:
    """A value of a column, as text where it is bytes: writers of Parquet may not say that they are text."""
    if isinstance(value, bytes):
        with _told_of_bytes(where, column):
            return value.decode("utf-8")
    if isinstance(value, list):
        return [_decoded(each, where, column) for each in value]
    return value


@contextmanager
def _told_of_bytes(where: str, column: str) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{where}: column {column!r} is not UTF-8 ({error.reason}); write the file again as UTF-8"
        ) from error


def _hub(table: TableConfig) -> _Table:
    import datasets  # type: ignore[import-untyped]

    datasets.disable_progress_bars()
    try:
        loaded = datasets.load_dataset(
            table.path, name=table.subset, split=table.split, revision=table.revision
        )
    except (OSError, datasets.exceptions.DatasetsError) as error:
        raise ValueError(
            f"{table.path}: neither a file that ends in {', '.join(FILE_ENDINGS)} nor a data set the hub "
            f"gives us ({first_line(error)}); check the name, log in with `hf auth login` if it is gated "
            "(and ask for access on its page), or give a file"
        ) from error
    except (ValueError, RuntimeError) as error:
        raise ValueError(
            f"{table.path}: cannot be read as subset {table.subset!r}, split {table.split!r} "
            f"({first_line(error)}); set task.subset and task.split, or give a file"
        ) from error
    if isinstance(loaded, dict):
        if len(loaded) > 1:
            raise ValueError(
                f"{table.path}: has the splits {', '.join(loaded)}; name the one to read in task.split"
            )
        (loaded,) = loaded.values()
    chosen = loaded

    def rows(columns: Sequence[str]) -> _Rows:
        for number, row in enumerate(chosen.select_columns(list(columns)), start=1):
            yield f"{table.path} row {number}", row

    return _Table(tuple(chosen.column_names), rows)


def _check_columns(
    table: TableConfig, wanted: type[BaseModel], theirs: Mapping[str, str], found: _Table
) -> None:
    for ours in table.columns:
        if ours not in theirs:
            meant = nearest_name(ours, list(theirs))
            hint = f"did you mean {meant!r}?" if meant else f"there are {', '.join(theirs)}"
            raise ValueError(f"task.columns: {ours!r} is no column that is read; {hint}")
    missing = [
        ours
        for ours, name in theirs.items()
        if name not in found.columns and (wanted.model_fields[ours].is_required() or ours in table.columns)
    ]
    if not missing:
        return
    if found.is_text and len(found.columns) == 1:
        for separator, called, mending in (
            (";", "semicolons", "save it with commas"),
            ("\t", "tabs", "name it .tsv"),
            (",", "commas", "name it .csv"),
        ):
            if separator in found.columns[0]:
                raise ValueError(f"{table.path} line 1: its columns are separated by {called}; {mending}")
    lacks = ", ".join(repr(theirs[ours]) for ours in missing)
    shown = ", ".join(map(repr, found.columns[:_COLUMNS_SHOWN]))
    more = ", …" if len(found.columns) > _COLUMNS_SHOWN else ""
    mapped = ", ".join(f"{ours}: THEIRS" for ours in missing)
    raise ValueError(
        f"{table.path}: no column {lacks}; there are {shown}{more}. If it is called otherwise there, say so: "
        f"task.columns: {{{mapped}}}"
    )


def _validated(wanted: type[Row], held: _Raw, where: str, is_text: bool) -> Row:
    try:
        if not is_text:
            # By way of JSON text: only there a list is strictly a tuple.
            return wanted.model_validate_json(pydantic_core.to_json(held), strict=True)
        fields = wanted.model_fields
        typed = {
            name: _from_text(cast(str, text), fields[name].annotation, f"{where}: field {name!r}")
            for name, text in held.items()
        }
        return wanted.model_validate(typed, strict=False)
    except ValidationError as error:
        raise ValueError(complaint(error, wanted, where)) from error


def _from_text(text: str, annotation: Any, where: str) -> object:
    """What the text of a CSV field stands for, where a value of the type ``annotation`` is wanted."""
    is_union = get_origin(annotation) in (Union, types.UnionType)
    kinds = get_args(annotation) if is_union else (annotation,)
    if type(None) in kinds and not text.strip():
        return None
    if str in kinds or not any(_is_nested(kind) for kind in kinds):
        return text
    try:
        return cast(object, pydantic_core.from_json(text))
    except ValueError as error:
        shown = text if len(text) <= 60 else text[:59] + "…"
        raise ValueError(
            f'{where} is {shown!r}: should be written as in JSON, such as ["one", "two"] ({error})'
        ) from error


def _is_nested(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, (list, tuple, dict, BaseModel))
