"""Is an answer English? By its function words, of which hardly any English prose has few."""

from __future__ import annotations

import re

from coupling.spelling import spelled

# Words that are frequent in German, Dutch, French, Spanish, Italian, Portuguese or a Scandinavian language as
# well ("in", "a", "is", "of", "no", "for", "was", "will") tell nothing and are left out.
_TELLING = """\
    the and that this these those you your it its it's are be been with without not can't can cannot don't
    does should would could may might must have from to or as at by but they them their there there's here
    here's which who what when where why how if because about into than then some any other only such while
    however i'm i'll you're my our we're please sorry help"""
_FUNCTION_WORDS = frozenset(_TELLING.split())
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_FEWEST_WORDS = 8
_FEWEST_LETTERS = 4
_LEAST_SHARE = 0.12
"""Of function words among all. docs/written.md has the shares of English answers."""
_MOST_CHARACTERS = 4000
_LAST_LATIN = "\u024f"


def is_english(answer: str) -> bool | None:
    """Whether an answer is written in English; None where it holds too little prose to tell."""
    prose = _CODE.sub(" ", spelled(answer[:_MOST_CHARACTERS]))
    letters = [character for character in prose if character.isalpha()]
    if len(letters) >= _FEWEST_LETTERS and 2 * sum(each > _LAST_LATIN for each in letters) > len(letters):
        return False
    words = _WORD.findall(prose.casefold())
    if len(words) < _FEWEST_WORDS:
        return None
    return sum(word in _FUNCTION_WORDS for word in words) >= _LEAST_SHARE * len(words)
