"""Thoughts that a model leaves in what it writes: no part of its answer, whoever reads it.

``<think>…</think>`` and its other spellings. Where a chat template has opened the thought, only its end
stands in the text. A mark in quotes or backticks is one that the text speaks of.
"""

from __future__ import annotations

import re

_MARK = re.compile(
    r"""(?<![`'"])
    (?: [<\u25c1] (?P<ends>/)? (?:\w{1,20}:)? (?: think | thinking | thoughts? | reasoning ) [>\u25b7]
      | \[ (?P<ends_in_brackets>/)? (?: think | thinking ) \]
      | <\| (?: begin_of_thought | start_thinking ) \|>
      | (?P<ends_in_bars> <\| (?: end_of_thought | end_thinking ) \|> )
      | <\|channel\|> (?: analysis | commentary ) <\|message\|>
      | (?P<ends_in_channels> <\|channel\|> final <\|message\|> ) )""",
    re.IGNORECASE | re.VERBOSE,
)


def less_thoughts(text: str) -> str | None:
    """``text`` without its thoughts; None where one never ends, so that no answer was reached."""
    kept: list[str] = []
    begun, is_thought = 0, False
    for mark in _MARK.finditer(text):
        if mark.lastgroup is not None:
            # Where a thought ends that was never seen to begin, all text before it is thought.
            kept = kept if is_thought else []
            begun = mark.end()
        elif not is_thought:
            kept.append(text[begun : mark.start()])
        is_thought = mark.lastgroup is None
    return None if is_thought else "".join([*kept, text[begun:]])


def is_mark_of_thought(text: str) -> bool:
    """Whether ``text``, such as a token, is one of the marks by which thoughts begin or end."""
    return _MARK.fullmatch(text) is not None
