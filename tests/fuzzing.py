"""Sound inputs made unsound, and what must come of them: they are read, or refused in one message.

A fuzz test is run twice over: a few hundred cases with every test, thousands with the slow ones.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from coupling.shown import LONGEST_LINE, MOST_LINES, plain, told

Test = TypeVar("Test", bound=Callable[..., None])

NASTY: tuple[Any, ...] = (
    *(None, True, 0, -1, 10**9, 10**30, 10**400, 1e308, float("nan"), float("inf"), -0.5),
    *(
        "",
        " ",
        "x",
        "1",
        "no",
        "null",
        "x" * 200_000,
        "a\nb",
        "\t",
        "\x1b[31mred",
        "\u202ekcab",
        "\ud800",
        "\x00",
    ),
    *(
        "{",
        "}",
        "{0}",
        "{question.__class__}",
        "{question!r:>999}",
        "../../etc/passwd",
        "/dev/zero",
        "~",
        "é漢😀",
    ),
    *([], {}, [[]], [None], {"a": {}}, ["x"] * 3, {"": None}),
)
SNIPPETS: tuple[bytes, ...] = (
    *(
        b"\x00",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"\x1b]0;x\x07",
        b"\xe2\x80\xae",
        b"\r",
        b"\t",
        b"\n\n",
        b"\x85",
    ),
    *(
        b"!!bool foo",
        b"!!python/object/apply:os.system [x]",
        b"&a [*a]",
        b"*b",
        b"? [",
        b"%YAML 9.9\n---\n",
        b"<<: ",
    ),
    *(
        b"[" * 300,
        b"{" * 300,
        b'{"a":' * 300,
        b'"',
        b"'",
        b",",
        b";",
        b"]",
        b"}",
        b"1e999",
        b"9" * 5000,
        b"#" * 9999,
    ),
)


def mutated(tree: Any) -> st.SearchStrategy[Any]:
    """The tree with one to three of its values replaced, left out, doubled or renamed."""

    @st.composite
    def draw(draw: st.DrawFn) -> Any:
        changed = copy.deepcopy(tree)
        for _ in range(draw(st.integers(1, 3))):
            places = list(_places(changed))
            if not places:
                break
            within, key = places[draw(st.integers(0, len(places) - 1))]
            match draw(st.sampled_from(("replace", "replace", "leave out", "double", "rename"))):
                case "replace":
                    within[key] = copy.deepcopy(draw(st.sampled_from(NASTY)))
                case "leave out":
                    del within[key]
                case "double" if isinstance(within, list):
                    within.append(copy.deepcopy(within[key]))
                case _ if isinstance(within, dict):
                    within[draw(st.sampled_from(("", "x" * 9999, "kind", "\x1b[2J", f"{key}s")))] = (
                        within.pop(key)
                    )
                case _:
                    within[key] = [within[key]]
        return changed

    return draw()


def broken(data: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with one to three of their runs cut out, flipped or replaced."""

    @st.composite
    def draw(draw: st.DrawFn) -> bytes:
        changed = bytearray(data)
        for _ in range(draw(st.integers(1, 3))):
            at = draw(st.integers(0, len(changed)))
            end = at + draw(st.sampled_from((0, 0, 1, 4, 40)))
            match draw(st.sampled_from(("put in", "flip", "cut off"))):
                case "put in":
                    changed[at:end] = draw(st.sampled_from(SNIPPETS))
                case "flip" if at < len(changed):
                    changed[at] ^= 1 << draw(st.integers(0, 7))
                case _:
                    del changed[at:]
        return bytes(changed)

    return draw()


def held(action: Callable[[], object], *names: str) -> None:
    """Does it, and holds what it raises against what users are to be told: names, plainly, on one screen."""
    try:
        action()
        event("read")
    except (ValueError, OSError) as error:
        event("refused")
        message = told(error)
        assert any(name in message for name in names), message
        assert plain(message) == message and message.count("\n") <= MOST_LINES, message
        assert len(message) < 5 * LONGEST_LINE, len(message)


def hundreds(cases: int, **strategies: st.SearchStrategy[Any]) -> Callable[[Test], Test]:
    """Runs a test on so many cases."""

    def wrap(test: Test) -> Test:
        quiet = settings(max_examples=cases, deadline=None, suppress_health_check=list(HealthCheck))
        return quiet(given(**strategies)(test))

    return wrap


def thousands(test: Test, cases: int = 2000, **strategies: st.SearchStrategy[Any]) -> Test:
    """The same test on more cases, among the slow ones."""
    return pytest.mark.slow(hundreds(cases, **strategies)(test))


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(items):
        yield tree, key
        yield from _places(value)
