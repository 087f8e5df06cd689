"""Records as JSON and JSONL: canonical when written, strict when read.

Canonical: sorted keys, UTF-8, shortest round-trip floats, a line feed at the end; equal content gives equal
bytes, so that hashes and byte-by-byte comparison mean something. Strict: a field too many, too few or of
another type is an error that names file, line and field, for artifacts are also made elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

import pydantic_core
from pydantic import ConfigDict, TypeAdapter, ValidationError

from coupling.store.atomic import read_bytes, write_text
from coupling.store.complaints import complaint

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

Record = TypeVar("Record")


def to_json(record: object) -> dict[str, Json]:
    """The JSON form of a dataclass instance: tuples as lists, nested records as objects."""
    (form,) = _adapter(type(record)).dump_python([record], mode="json", warnings="error")
    return cast(dict[str, Json], form)


def from_json(record: type[Record], obj: Json, where: str) -> Record:
    """Inverse of ``to_json``. Raises ValueError, opened by ``where``, for what does not fit exactly."""
    try:
        # By way of JSON text: only there a list is strictly a tuple, and an object strictly a record.
        (read,) = _adapter(record).validate_json(pydantic_core.to_json([obj]))
    except ValidationError as error:
        raise ValueError(complaint(error, record, where, outer_parts=1)) from error
    return cast(Record, read)


def from_versioned(record: type[Record], document: Json, schema: int, where: str, remedy: str) -> Record:
    """Inverse of ``to_json`` for a document that says in its field ``schema`` of which version it is.

    Args:
        record: what it is read as.
        document: what was read.
        schema: the version that is read; there is one only.
        where: the document's name, for messages.
        remedy: what to do about another version.

    Raises:
        ValueError: it is of another version, or does not fit exactly.
    """
    found = document.get("schema") if isinstance(document, dict) else None
    if found != schema:
        raise ValueError(f"{where}: schema {found!r}, but this version reads {schema}; {remedy}")
    return from_json(record, document, where)


def read_versioned(record: type[Record], path: Path, schema: int, remedy: str) -> Record:
    """What `from_versioned` makes of a file. Raises ValueError as it does, and as `read_json`."""
    return from_versioned(record, read_json(path), schema, str(path), remedy)


def write_records(path: Path, records: Iterable[object]) -> None:
    """Write one record a line, atomically.

    Raises ValueError when the disk refuses, or when a figure is not finite (strict readers would refuse it).
    """
    lines = []
    for number, record in enumerate(records, start=1):
        form = to_json(record)
        if name := _first_not_finite(form):
            raise ValueError(
                f"{path} line {number}: field {name!r} is not a finite number; record: {record!r}"
            )
        lines.append(canonical_json(form) + "\n")
    write_text(path, "".join(lines))


def read_records(path: Path, record: type[Record]) -> list[Record]:
    """Read a file of one record a line. Raises ValueError naming file, line, field and value."""
    return [from_json(record, row, where) for where, row in read_rows(path)]


def read_rows(path: Path) -> Iterator[tuple[str, dict[str, Json]]]:
    """Yield the objects of a JSONL file, each with where it stands ("file.jsonl line 3").

    For files made elsewhere that leave out what a record must hold. Blank lines are passed over. Raises
    ValueError when the file cannot be read or a line is no JSON object.
    """
    data = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    # Not splitlines: it also splits at characters that may stand inside a JSON string.
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            where = f"{path} line {number}"
            row = _parse(line, where)
            if not isinstance(row, dict):
                raise ValueError(
                    f"{where}: expected a JSON object, found {line[:60].decode(errors='replace')}"
                )
            yield where, row


def write_json(path: Path, obj: Json) -> None:
    """Write ``obj`` indented and canonical, atomically. What is not a finite number becomes null."""
    write_text(path, json.dumps(_finite(obj), sort_keys=True, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> Json:
    """Raises ValueError when the file cannot be read or is no JSON."""
    data = read_bytes(path)
    return _parse(data, str(path))


def json_sha256(obj: Json) -> str:
    """The hash of the canonical form of ``obj``."""
    return hashlib.sha256(canonical_json(obj).encode("utf-8")).hexdigest()


def canonical_json(obj: Json) -> str:
    """One line; equal objects give equal text. Raises ValueError for what is not a finite number."""
    return json.dumps(obj, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, ser_json_inf_nan="constants")
_ADAPTERS: dict[type, TypeAdapter[list[Any]]] = {}


def _adapter(record: type) -> TypeAdapter[list[Any]]:
    # Of a list: pydantic takes no configuration for a plain dataclass itself, but hands it down into one.
    if record not in _ADAPTERS:
        _ADAPTERS[record] = TypeAdapter(list[record], config=_STRICT)  # type: ignore[valid-type]
    return _ADAPTERS[record]


def _parse(data: bytes, where: str) -> Json:
    try:
        return cast(Json, pydantic_core.from_json(data, allow_inf_nan=False))
    except ValueError as error:
        raise ValueError(f"{where}: not valid JSON ({error})") from error


def _first_not_finite(obj: Json, name: str = "") -> str | None:
    if isinstance(obj, float):
        return None if math.isfinite(obj) else name
    items: Iterable[tuple[object, Json]] = ()
    if isinstance(obj, dict):
        items = obj.items()
    elif isinstance(obj, list):
        items = enumerate(obj)
    found = (_first_not_finite(value, f"{name}.{key}".lstrip(".")) for key, value in items)
    return next((name for name in found if name), None)


def _finite(obj: Json) -> Json:
    if isinstance(obj, float):
        return obj if math.isfinite(obj) else None
    if isinstance(obj, str) or obj is None:
        return obj
    if isinstance(obj, Mapping):
        return {key: _finite(value) for key, value in obj.items()}
    if isinstance(obj, Sequence):
        return [_finite(value) for value in obj]
    return obj
