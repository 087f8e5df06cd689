"""Validation errors as sentences: which field, what it holds, what was expected, which name was meant."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from coupling.shown import shortened

UNKNOWN_FIELD = ("extra_forbidden", "unexpected_keyword_argument")
SHOWN_PROBLEMS = 5
SHOWN_CHARACTERS = 80


def complaint(
    error: ValidationError,
    schema: type,
    where: str,
    where_by_name: Mapping[str, str] | None = None,
    outer_parts: int = 0,
) -> str:
    """What ``error`` says of ``schema``, a line a problem, each opened by ``where`` the value stands.

    ``where_by_name`` gives another place for what stands at or below a dotted name (an option beside a file).
    ``outer_parts`` of each location stand outside ``schema`` and are not shown.
    """
    expectations: dict[tuple[str, str], list[str]] = {}
    for details in error.errors(include_url=False):
        name, finding, expected = _problem(details, details["loc"][outer_parts:], schema)
        found = expectations.setdefault((name, finding), [])
        if expected not in found:
            found.append(expected)
    lines = [
        shortened(f"{_where(name, where_by_name or {}, where)}: {finding}{' or '.join(expected)}")
        for (name, finding), expected in expectations.items()
    ]
    if len(lines) > SHOWN_PROBLEMS:
        lines[SHOWN_PROBLEMS:] = [f"… and {len(lines) - SHOWN_PROBLEMS} more problems"]
    return "\n".join(lines)


@cache
def dotted_names(schema: type) -> tuple[str, ...]:
    """Every field that a dataclass or pydantic model can hold, those of its nested ones included.

    Items of sequences bear no index: ``panel.seed``.
    """
    return tuple(dict.fromkeys(_walk(schema, "")))


def nearest_name(name: str, known: Sequence[str]) -> str | None:
    """The known name that was probably meant: one that ends in ``name``, or else the one spelt most alike."""
    endings = [candidate for candidate in known if candidate.endswith(f".{name}")]
    return next(iter(endings or get_close_matches(name, known, n=1)), None)


def names_near(name: str, known: Collection[str]) -> str:
    """What to say of a name that is not known: those near it, or else all there are."""
    near = get_close_matches(name, known, n=3)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    return f"there are {', '.join(sorted(known))}" if known else "there are none"


def first_line(error: BaseException) -> str:
    """What an error says first, or its kind where it says nothing."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _where(name: str, where_by_name: Mapping[str, str], where: str) -> str:
    above = (place for upper, place in where_by_name.items() if f"{name}.".startswith(f"{upper}."))
    return next(above, where)


def _problem(details: ErrorDetails, loc: Sequence[int | str], schema: type) -> tuple[str, str, str]:
    """The dotted name of the field at fault, what is wrong with it, and what was expected."""
    is_unknown = details["type"] in UNKNOWN_FIELD
    shown: list[str] = []
    branches: Sequence[type] = (schema,)
    owner, annotation = schema, None
    for part in loc:
        if isinstance(part, int) or _is_mapping(annotation):
            shown.append(str(part))
        elif len(branches) > 1:
            # Of several possible models, pydantic's location names the one it chose; the file does not.
            branches = [branch for branch in branches if part in _tags(branch)]
        elif branches and (part in _fields(branches[0]) or is_unknown):
            owner, annotation = branches[0], _fields(branches[0]).get(part)
            branches = schema_branches(annotation)
            shown.append(part)
    name, context = ".".join(shown), details.get("ctx", {})
    match details["type"]:
        case kind if kind in UNKNOWN_FIELD:
            return name, f"unknown field {name!r}: ", _suggestion(shown, owner, schema)
        case "missing":
            return name, f"field {name!r} is missing", ""
        case "union_tag_not_found":
            name = f"{name}.{context['discriminator'].strip(chr(39))}"
            return name, f"field {name!r} is missing", ""
        case "union_tag_invalid":
            name = f"{name}.{context['discriminator'].strip(chr(39))}"
            return (
                name,
                f"field {name!r} is {context['tag']!r}: ",
                f"should be one of {context['expected_tags']}",
            )
        case "value_error":
            reason = str(context["error"])
            return name, "" if reason.startswith(name) else f"field {name!r}: ", reason
        case _:
            found = f"field {name!r} is {_short(details['input'])}: " if name else ""
            return name, found, _uncapitalised(details["msg"].removeprefix("Input "))


def _suggestion(shown: Sequence[str], owner: type, schema: type) -> str:
    *parents, leaf = shown
    here = list(_fields(owner))
    if meant := next(iter(get_close_matches(leaf, here, n=1)), None):
        return f"did you mean {'.'.join([*parents, meant])!r}?"
    elsewhere = [name for name in dotted_names(schema) if name.endswith(f".{leaf}")]
    if elsewhere and ".".join(shown) not in elsewhere:
        return f"did you mean {elsewhere[0]!r}?"
    return f"known here are {', '.join(here)}"


def _walk(schema: type, prefix: str) -> Iterator[str]:
    for name, annotation in _fields(schema).items():
        yield prefix + name
        for branch in schema_branches(annotation):
            yield from _walk(branch, f"{prefix}{name}.")


def _fields(schema: type) -> dict[str, Any]:
    """Field names and their annotations."""
    if issubclass(schema, BaseModel):
        return {name: info.annotation for name, info in schema.model_fields.items()}
    assert dataclasses.is_dataclass(schema), schema
    hints = get_type_hints(schema)
    return {field.name: hints[field.name] for field in dataclasses.fields(schema)}


def schema_branches(annotation: Any) -> list[type]:
    """The dataclasses and models that stand in ``annotation``, directly or in a union or container."""
    if isinstance(annotation, type) and (dataclasses.is_dataclass(annotation) or _is_model(annotation)):
        return [annotation]
    return [branch for argument in get_args(annotation) for branch in schema_branches(argument)]


def _tags(schema: type) -> set[str]:
    """The words by which a discriminated union knows ``schema``."""
    literals = [annotation for annotation in _fields(schema).values() if get_origin(annotation) is Literal]
    return {tag for literal in literals for tag in get_args(literal)}


def _is_model(annotation: type) -> bool:
    return issubclass(annotation, BaseModel)


def _is_mapping(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]
