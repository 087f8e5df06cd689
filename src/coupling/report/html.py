"""How results become HTML: model output is data, whatever it looks like.

The environment escapes every expression in every template, after control characters have been taken out
of it. A page carries a content security policy that admits nothing but its own style and the one script
named by its hash.
"""

from __future__ import annotations

import base64
import hashlib

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from coupling.faithfulness.results import (
    FAIL,
    NEITHER,
    NOT_APPLICABLE,
    OK,
    OWN,
    TARGET,
    UNPARSEABLE,
    WARNING,
)
from coupling.report import reading, text

SIDE_WORDS = {
    OWN: "says what it did itself",
    TARGET: "says what the target did",
    NEITHER: "says neither",
    UNPARSEABLE: "no claim could be read",
}
STATUS_SIGNS = {OK: "✓", WARNING: "▲", FAIL: "✕", NOT_APPLICABLE: "·"}


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
        effect=text.effect,
        selection=text.selection,
    )
    made.globals.update(side_words=SIDE_WORDS, status_signs=STATUS_SIGNS, baseline_name=reading.baseline_name)
    return made


def script_hash(script: str) -> str:
    """The hash by which a content security policy admits one inline script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _shown(value: object) -> object:
    if value is None:
        return text.NOT_AVAILABLE
    if isinstance(value, str) and not isinstance(value, Markup):
        return text.plain(value)
    return value
