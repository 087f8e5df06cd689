"""Chat templates that never end, or build more than memory holds, are found out before they are used."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache

from coupling.models import template_probe

_WALL_SECONDS = 120.0
"""On a machine that does much else; the probe limits its own time on the processor."""


def check_bounded(
    template: str, dialogues: Sequence[Sequence[Mapping[str, str]]], tokens: Mapping[str, str], told: str
) -> None:
    """Tries a template out on dialogues, in a process with little time and memory.

    Args:
        tokens: what a template may call tokens by, as bos_token.
        told: what errors call the tokenizer.

    Raises:
        ValueError: it does not end, or writes too much.
    """
    given = [
        {**tokens, "messages": dialogue, "add_generation_prompt": answers_next}
        for dialogue in dialogues
        for answers_next in (False, True)
    ]
    if not _is_bounded(json.dumps({"template": template, "dialogues": given}, sort_keys=True)):
        raise ValueError(
            f"{told}: its chat template does not end within {template_probe.SECONDS} s, or writes more than "
            f"{template_probe.MOST_CHARACTERS} characters about a message of a line; give another in "
            "model.chat_template"
        )


@lru_cache(maxsize=64)
def _is_bounded(asked: str) -> bool:
    # Without its folder in the path, where modules have names that others may have as well.
    command = [sys.executable, "-P", template_probe.__file__]
    try:
        ended = subprocess.run(
            command, input=asked, text=True, capture_output=True, timeout=_WALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode not in (template_probe.TOO_MUCH, -signal.SIGXCPU, -signal.SIGKILL)
