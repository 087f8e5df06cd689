"""YAML as people mean it: ``1e-4`` is a number, ``no`` and ``2024-01-01`` are words, a key stands once.

PyYAML's safe loader follows YAML 1.1, which reads the first as text, the second as false and the third as a
date, and lets the last of two equal keys win. Here plain words are read by the core schema of YAML 1.2.
"""

from __future__ import annotations

import re
from typing import cast

import yaml

from coupling.store import Json

_PLAIN_WORDS = (
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("tag:yaml.org,2002:int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+",
        list("-+.0123456789"),
    ),
)


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    problem = f"the key {key.value!r} stands twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


for _class in (_Loader, _Dumper):
    _class.yaml_implicit_resolvers = {}
    for _tag, _pattern, _first in _PLAIN_WORDS:
        _class.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), _first)


def parse_yaml(text: str, where: str) -> Json:
    """Raises ValueError, opened by ``where`` and the line, when ``text`` is no YAML."""
    try:
        return cast(Json, yaml.load(text, _Loader))  # a SafeLoader: constructs plain data only
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ValueError(f"{where}{place}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{where}: {error}") from error


def dump_yaml(obj: Json) -> str:
    """A block of YAML, keys in the order given."""
    return yaml.dump(obj, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def dump_inline(obj: Json) -> str:
    """The same on one line."""
    text = yaml.dump(
        obj, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6, default_flow_style=True
    )
    return text.removesuffix("\n").removesuffix("...").rstrip("\n")
