"""How results become HTML: model output is data, whatever it looks like.

The environment escapes every expression in every template, after control characters have been taken out
of it. A page carries a content security policy that admits nothing but its own style and the one script
named by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import re

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from coupling.faithfulness import results, rows
from coupling.faithfulness.registry import FIGURES
from coupling.report import reading, text
from coupling.shown import plain

SIDE_WORDS = {
    results.NAMES_OWN: "says what it did itself",
    results.NAMES_TARGET: "says what the target did",
    results.NAMES_NEITHER: "says neither",
    results.UNPARSEABLE: "no claim could be read",
}
STATUS_SIGNS = {results.OK: "✓", results.WARNING: "▲", results.FAIL: "✕", results.NOT_APPLICABLE: "·"}

_EMPHASIS = re.compile(r"\*([^*]+)\*")
_CODE = re.compile(r"`([^`]+)`")


def environment() -> Environment:
    """Templates with escaping on for every file name, "n/a" for None and plain text for strings."""
    made = Environment(
        loader=PackageLoader("coupling.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        number=text.number,
        interval=text.interval,
        typeset=text.typeset,
        clipped=text.clipped,
        observed=text.observed,
        effect=text.effect,
        selection=text.selection,
        headed=text.headed,
        sentence=_sentence,
    )
    made.globals.update(
        FIGURES=FIGURES,
        rows=rows,
        kinds=results,
        side_words=SIDE_WORDS,
        status_signs=STATUS_SIGNS,
        baseline_name=reading.baseline_name,
    )
    return made


def script_hash(script: str) -> str:
    """The hash by which a content security policy admits one inline script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _sentence(definition: str) -> Markup:
    """A definition of the registry as a sentence of its own; of Markdown it has emphasis and code."""
    said = text.headed(definition).rstrip(".") + "."
    return Markup(_CODE.sub(r"<code>\1</code>", _EMPHASIS.sub(r"<em>\1</em>", str(escape(said)))))


def _shown(value: object) -> object:
    if value is None:
        return text.NOT_AVAILABLE
    if isinstance(value, str) and not isinstance(value, Markup):
        return plain(value)
    return value
