"""A chat template, tried out where it can do no harm: run as a script, by `coupling.models.templates`.

A template is a program: it may never end, or build a text that fills memory, some while they are compiled.
This process has little time and memory, and ends with `TOO_MUCH` or is ended. It reports no other fault. It
imports nothing of this package, which would take seconds.
"""

from __future__ import annotations

import json
import re
import resource
import sys

from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

SECONDS, BYTES, MOST_CHARACTERS = 3, 2**30, 1_000_000
TOO_MUCH = 3

_OF_TRANSFORMERS = re.compile(r"{%-?\s*(end)?generation\s*-?%}")
"""A tag of its own, which marks what the assistant says and writes nothing."""


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    asked = json.load(sys.stdin)
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    try:
        template = environment.from_string(_OF_TRANSFORMERS.sub("", asked["template"]))
        written = [_length(template, dialogue) for dialogue in asked["dialogues"]]
    except MemoryError:
        sys.exit(TOO_MUCH)
    if max(written) > MOST_CHARACTERS:
        sys.exit(TOO_MUCH)


def _length(template: Template, dialogue: dict[str, object]) -> int:
    try:
        return len(template.render(**dialogue))
    except MemoryError:
        raise
    except Exception:  # Such as one that takes no system's message: it is tried out again, and told of then.
        return 0


if __name__ == "__main__":
    main()
