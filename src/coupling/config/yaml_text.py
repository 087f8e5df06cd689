"""YAML as people mean it: ``1e-4`` is a number, ``no`` and ``2024-01-01`` are words, a key stands once.

PyYAML's safe loader follows YAML 1.1, which reads the first as text, the second as false and the third as a
date, and lets the last of two equal keys win. Here plain words are read by the core schema of YAML 1.2.

A file is a page or two; what would unfold to much more than it says is refused before it is unfolded.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import yaml

from coupling.shown import shortened
from coupling.store import Json, read_text

MOST_CHARACTERS = 1_000_000
MOST_VALUES = 100_000
"""Keys, items and values, each as often as aliases repeat it."""
DEEPEST = 50
_SHOWN_CHARACTERS = 80

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


_KINDS: dict[type[yaml.Node], tuple[str, ...]] = {
    yaml.ScalarNode: ("null", "bool", "int", "float", "str"),
    yaml.SequenceNode: ("seq",),
    yaml.MappingNode: ("map",),
}
_UNWRITABLE = re.compile("[\\x00\\ud800-\\udfff]")


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._unfolded: dict[yaml.Node, tuple[int, int]] = {}
        """Values in a node, each as often as aliases repeat it, and levels."""

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        self._depth += 1
        self._require_flat(1, event)
        node = super().compose_node(parent, index)  # type: ignore[arg-type]  # the stubs want an int
        if node is not None:
            self._measure(node, event)
        self._depth -= 1
        return node

    def _measure(self, node: yaml.Node, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            if node not in self._unfolded:
                raise _refusal(f"the alias {_quoted(event.anchor)} stands inside itself", event.start_mark)
        else:
            within = node.value if isinstance(node, yaml.CollectionNode) else ()
            parts = [part for item in within for part in (item if isinstance(item, tuple) else (item,))]
            values = 1 + sum(self._unfolded[part][0] for part in parts)
            self._unfolded[node] = values, 1 + max((self._unfolded[part][1] for part in parts), default=0)
            if values > MOST_VALUES:
                raise _refusal(f"unfolds to more than {MOST_VALUES} values; write less", event.start_mark)
        self._require_flat(self._unfolded[node][1], event)

    def _require_flat(self, levels: int, event: yaml.Event) -> None:
        if self._depth + levels - 1 > DEEPEST:
            raise _refusal(f"nested deeper than {DEEPEST} levels; write it flatter", event.start_mark)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise _refusal(f"the key {_quoted(key.value)} stands twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind not in _KINDS[type(node)]:
            raise _refusal(f"the tag {_quoted(kind)} stands for nothing here; leave it out", node.start_mark)
        if isinstance(node, yaml.ScalarNode) and _UNWRITABLE.search(node.value):
            raise _refusal("holds a character that no file can hold; leave it out", node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError) as error:
            # As PyYAML answers to `!!bool foo`, and Python to a number of thousands of digits.
            raise _refusal(f"{_quoted(node.value)} is no {kind}", node.start_mark) from error


def _refusal(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, mark)


def _quoted(text: object) -> str:
    return repr(shortened(str(text), _SHOWN_CHARACTERS))


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


for _class in (_Loader, _Dumper):
    _class.yaml_implicit_resolvers = {}
    for _tag, _pattern, _first in _PLAIN_WORDS:
        _class.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), _first)


def read_yaml(path: Path, hint: str) -> Json:
    """What a file says. Raises ValueError as `parse_yaml`, and with a ``hint`` when it cannot be read."""
    try:
        text = read_text(path, 4 * MOST_CHARACTERS)
    except ValueError as error:
        raise ValueError(f"{error}; {hint}") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, where: str) -> Json:
    """Raises ValueError, opened by ``where`` and the line, when ``text`` is no YAML, or is too much of it."""
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"{where}: holds {len(text)} characters, and at most {MOST_CHARACTERS} are read")
    try:
        return cast(Json, yaml.load(text, _Loader))  # a SafeLoader: constructs plain data only
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ValueError(shortened(f"{where}{place}: {error.problem or error.context}")) from error
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
