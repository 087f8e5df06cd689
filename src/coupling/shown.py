"""Text that is not ours, as it may be shown: paths, values, what servers, templates and models say.

Escape sequences would move the cursor or name windows, marks of direction would turn words round, and a value
of megabytes would bury what the message says of it.
"""

from __future__ import annotations

import re

LONGEST_LINE = 2_000
"""Characters of a line of an error."""
MOST_LINES = 20

_ESCAPE_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC: window titles, hyperlinks
    r"|\x1b[ -/]*[0-~]"
)
# All control characters but tab and line feed, and the marks that reorder text or hide in it.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def plain(text: str) -> str:
    """``text`` without terminal escape sequences, control characters and marks that reorder or hide text.

    Lone surrogates, which no file can hold, become U+FFFD. Tabs and line feeds stay.
    """
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", _ESCAPE_SEQUENCES.sub("", text)))


def one_line(text: str) -> str:
    """``plain(text)`` with every run of white space made one blank."""
    return " ".join(plain(text).split())


def escaped(json_text: str) -> str:
    """JSON with the characters that ``plain`` takes out written as JSON writes them: it means the same."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", json_text)


def shortened(text: str, limit: int = LONGEST_LINE) -> str:
    """``text`` without its middle where it is longer than ``limit``: errors begin with what they are about,
    and end with what to do."""
    if len(text) <= limit:
        return text
    left_out = len(text) - limit
    return f"{text[: limit * 2 // 3]} … ({left_out} more characters) … {text[-(limit // 3) :]}"


def told(error: BaseException) -> str:
    """What an error says, fit for a terminal: plain, and no longer than a screen."""
    lines = plain(str(error) or type(error).__name__).split("\n")
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [f"… and {len(lines) - MOST_LINES} more lines"]
    return "\n".join(shortened(line) for line in lines)
