"""One spelling for what is typed in several ways: for all who read text, or compare it.

Letters are composed (NFC), apostrophes are ', hyphens and minus signs are -, and characters that nobody sees
are gone. It is not NFKC, by which "x²" and "x2" would be one choice.
"""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = "\u2018\u2019\u201b\u02bc\u00b4\uff07"
_HYPHENS = "\u2010\u2011\u2012\u2013\u2212\uff0d"
_UNSEEN = "\u00ad\u200b\u2060\ufeff"
_SPELT: dict[int, str | None] = {
    **dict.fromkeys(map(ord, _APOSTROPHES), "'"),
    **dict.fromkeys(map(ord, _HYPHENS), "-"),
    **dict.fromkeys(map(ord, _UNSEEN)),
}
_APOSTROPHE_TYPED_AS_BACKTICK = re.compile(r"(?<=[^\W\d_])`(?=[^\W\d_])")
"""Between two letters; elsewhere a backtick is a mark of Markdown."""


def spelled(text: str) -> str:
    """``text`` in the one spelling; casing and spacing stay."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).translate(_SPELT)
    return _APOSTROPHE_TYPED_AS_BACKTICK.sub("'", text)
