"""An experiment file that explains itself: each value under the documentation of its field."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import cast

from coupling.config.experiment import ExperimentConfig
from coupling.config.loading import shipped_experiment
from coupling.config.section import Section
from coupling.config.yaml_text import dump_inline
from coupling.store import Json
from coupling.store.complaints import schema_branches

WIDTH = 96


def commented_experiment(config: ExperimentConfig | None = None) -> str:
    """YAML of ``config`` (the shipped quickstart), which loads back equal.

    Comments come from the docstrings of the fields, each once. What is not chosen (another kind of task,
    LoRA) stands in comments below what is.
    """
    config = config or shipped_experiment()
    lines = [*_comment(ExperimentConfig.__doc__), ""]
    lines += _section_lines(config, config.model_dump(mode="json"), set(), between_fields=[""])
    return "\n".join(lines) + "\n"


def _section_lines(
    section: Section,
    written: Mapping[str, Json],
    documented: set[type],
    between_fields: Sequence[str] = (),
) -> list[str]:
    """``written`` is the JSON form of ``section``; a class in ``documented`` gets no comments any more."""
    kind = type(section)
    is_new = kind not in documented
    documented.add(kind)
    lines: list[str] = []
    for name, value in section:
        info = kind.model_fields[name]
        if is_new:
            lines += _comment(info.description)
        lines += _field_lines(name, value, written[name], documented)
        for other in schema_branches(info.annotation):
            if other not in documented:
                documented.add(other)
                lines += _comment(f"Or: {other.__doc__}")
                template = _template_lines(other)
                inner = _item_lines(template) if isinstance(value, tuple) else _indented(template)
                lines += [f"# {line}" for line in (f"{name}:", *inner)]
        lines += between_fields
    return lines


def _field_lines(name: str, value: object, written: Json, documented: set[type]) -> list[str]:
    if isinstance(value, Section):
        inner = _section_lines(value, cast(Mapping[str, Json], written), documented)
        return [f"{name}:", *_indented(inner)]
    if isinstance(value, tuple) and value and isinstance(value[0], Section):
        lines = [f"{name}:"]
        for item, form in zip(value, cast(Sequence[Json], written), strict=True):
            lines += _item_lines(_section_lines(item, cast(Mapping[str, Json], form), documented))
        return lines
    return [f"{name}: {dump_inline(written)}"]


def _item_lines(lines: Sequence[str]) -> list[str]:
    """The lines of a section as an item of a list; comments on its first field stand above the dash."""
    first = next(position for position, line in enumerate(lines) if not line.startswith("#"))
    above = [f"  {line}" for line in lines[:first]]
    return [*above, f"  - {lines[first]}", *(f"    {line}" for line in lines[first + 1 :])]


def _template_lines(kind: type[Section]) -> list[str]:
    """The fields of a section with their defaults, to be filled in."""
    lines = []
    for field, info in kind.model_fields.items():
        lines += _comment(info.description)
        default = info.get_default(call_default_factory=True, validated_data={})
        if info.is_required():
            inner = [line for branch in schema_branches(info.annotation) for line in _template_lines(branch)]
            lines += [f"{field}:", *_indented(inner)] if inner else [f"{field}: ..."]
        elif isinstance(default, Section):
            lines += [f"{field}:", *_indented(_template_lines(type(default)))]
        else:
            lines.append(f"{field}: {dump_inline(default)}")
    return lines


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _comment(text: str | None) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(" ".join((text or "").split()), WIDTH)]
