"""Which texts are alike: the same words, or nearly the same.

Two texts are *the same* where they have the same words in the same order: letters in compatible forms (NFKC),
case, white space, punctuation and a number that a list puts before a question are no matter. They are *nearly
the same* where their overlap is high, the weighted Jaccard index

    overlap(a, b) = Σ w over what both hold / Σ w over what either holds

of words and pairs of neighbouring words. With n different texts, a word that stands in d of them weighs
ln(n/d): words that all texts share weigh nothing, so in "What is the capital of X?" it is X that tells texts
apart. Words that always stand together (instructions, examples, a name of several words) weigh together as
much as one of them, or a long preamble in two wordings would make all texts alike that share a wording.
A paraphrase is not seen.

Not every text is compared with every other. Words are put in one order, the rarest first. Both of two texts
hold the first word that they share, and where the overlap is at least θ, words of at least θ of the weight of
either stand from there on. So this word is among the *leading* ones of both, up to where less than θ of the
weight is left, and only texts that share one of these are compared (prefix filtering: Bayardo, Ma and Srikant
2007, Scaling Up All Pairs Similarity Search, WWW).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse  # type: ignore[import-untyped]

from coupling.faithfulness.statistics import BoolArray, IntArray

Floats = npt.NDArray[np.float64]

_NUMBERED = re.compile(r"\W*(?:(?:question|item|q)\W*)?\d+\s*[.:)]\s+")
_UNSEEN = dict.fromkeys((0xAD, *range(0x200B, 0x2010), 0x2060, 0xFEFF))
"""Soft hyphens, joiners and the like, which do not show."""
_WITHOUT_SPACES = r"\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"
"""Thai, Lao, Japanese and Chinese are written without spaces: each letter counts as a word."""
_WORD = re.compile(
    rf"[{_WITHOUT_SPACES}]|[^\W{_WITHOUT_SPACES}]+"
    # What is neither punctuation nor space, as + and %, and a minus before a number.
    r"|[^\w\s.,;:!?'\"()\[\]{}`\u00ab\u00b4\u00bb\u2010-\u201f\u2026-]|-(?=\s?\d)"
)
_TOGETHER = 3
"""Texts in which words must stand together before they count as one: two texts that share many words which no
other text has are what is looked for."""
_BLOCK = 2_000_000
"""Candidates that are held at one time; it bounds memory."""
_CHUNK = 20_000
"""Candidates whose words are held at one time."""
_ROUNDING = 1e-6
_DIGITS = 9


def normalised(text: str) -> str:
    """The words of a text, with one space between them: equal for texts that are the same."""
    folded = unicodedata.normalize("NFKC", text).translate(_UNSEEN).casefold()
    numbered = _NUMBERED.match(folded)
    words = _WORD.findall(folded, numbered.end() if numbered else 0)
    # A text of punctuation alone is compared as it is.
    return " ".join(words) or folded.strip()


def overlapping(texts: Sequence[str], rows: int, least: float) -> Iterator[tuple[IntArray, IntArray, Floats]]:
    """Pairs of texts that are nearly the same, block by block.

    Args:
        texts: different ones, `normalised`.
        rows: the first so many texts are held against all; two of them are met twice, in either order.
        least: the overlap from which on a pair is told, above 0 and at most 1.

    Yields:
        Numbers of the one text, below ``rows``, numbers of the other, and their overlaps.
    """
    held, counts = _words(texts)
    weights = np.log(len(texts) / counts) / _standing_together(held, counts)
    totals = held @ weights
    # A word that no other text holds brings none together.
    joining = np.where(counts > 1, weights, 0)
    weighted = _valued(held, joining[held.indices])
    leading = _valued(held, (joining[held.indices] > 0) & _is_leading(held, weights, least))
    by_word = leading.T.tocsr()
    for start, stop in _blocks(_candidates(leading, rows)):
        met = (leading[start:stop] @ by_word).tocoo()
        ones, others = met.row.astype(np.int64) + start, met.col.astype(np.int64)
        # No two texts overlap by more than the lighter weighs beside the heavier.
        lighter, heavier = np.minimum(totals[ones], totals[others]), np.maximum(totals[ones], totals[others])
        kept = (ones != others) & (lighter >= least * heavier - _ROUNDING)
        ones, others = ones[kept], others[kept]
        for at in range(0, len(ones), _CHUNK):
            one, other = ones[at : at + _CHUNK], others[at : at + _CHUNK]
            shared = np.asarray(weighted[one].multiply(held[other]).sum(axis=1), dtype=np.float64).ravel()
            # Rounded, for sums in another order differ in the last bit.
            overlaps = np.round(shared / (totals[one] + totals[other] - shared), _DIGITS)
            near = overlaps >= least
            yield one[near], other[near], overlaps[near]


def _words(texts: Sequence[str]) -> tuple[Any, IntArray]:
    """Which words and pairs of neighbouring words each text holds, a sparse matrix of ones with the rarest
    first; and in how many texts each stands."""
    numbers: dict[str, int] = {}
    words = [[numbers.setdefault(word, len(numbers)) for word in text.split(" ")] for text in texts]
    lengths = np.array([len(each) for each in words])
    word = np.fromiter((number for each in words for number in each), np.int64, int(lengths.sum()))
    text = np.repeat(np.arange(len(texts)), lengths)
    is_followed = text[:-1] == text[1:]
    pairs = (1 + word[:-1]) * len(numbers) + word[1:]
    found, column = np.unique(np.concatenate([word, pairs[is_followed]]), return_inverse=True)
    row = np.concatenate([text, text[:-1][is_followed]])
    held = sparse.csr_matrix((np.ones(len(row)), (row, column)), shape=(len(texts), len(found)))
    held.data[:] = 1  # However often it stands there.
    counts = np.bincount(held.indices, minlength=len(found))
    order = np.argsort(counts, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    held = sparse.csr_matrix((held.data, place[held.indices], held.indptr), shape=held.shape)
    held.sort_indices()
    return held, counts[order]


def _standing_together(held: Any, counts: IntArray) -> IntArray:
    """How many words stand in just the texts in which a word stands, itself included."""
    rare = int(np.searchsorted(counts, _TOGETHER))
    together = np.ones_like(counts)
    if rare < len(counts):
        by_word = held[:, rare:].tocsc()
        # Sums, modulo 2^64, of random numbers of the texts: where they are equal, so are the texts.
        numbers = np.random.default_rng(0).integers(0, 2**63, held.shape[0], dtype=np.uint64)
        sums = np.add.reduceat(numbers[by_word.indices], by_word.indptr[:-1])
        _, which, many = np.unique(sums, return_inverse=True, return_counts=True)
        together[rare:] = many[which]
    return together


def _is_leading(held: Any, weights: Floats, least: float) -> BoolArray:
    """Of each entry, whether its text has ``least`` of its weight from there on, itself included."""
    upto = np.concatenate([[0.0], np.cumsum(weights[held.indices])])
    lengths = np.diff(held.indptr)
    end, start = (np.repeat(upto[at], lengths) for at in (held.indptr[1:], held.indptr[:-1]))
    return np.asarray(end - upto[:-1] >= least * (end - start) - _ROUNDING)


def _valued(held: Any, values: npt.NDArray[np.generic]) -> Any:
    """The same matrix with other entries, and without those that are 0."""
    matrix = sparse.csr_matrix((values.astype(np.float64), held.indices, held.indptr), held.shape, copy=True)
    matrix.eliminate_zeros()
    return matrix


def _candidates(matrix: Any, rows: int) -> IntArray:
    """How many entries stand in the columns of each row's entries, of the first ``rows``."""
    in_column = np.bincount(matrix.indices, minlength=matrix.shape[1])
    upto = np.concatenate([[0], np.cumsum(in_column[matrix.indices])])
    return np.asarray(np.diff(upto[matrix.indptr])[:rows])


def _blocks(candidates: IntArray) -> Iterator[tuple[int, int]]:
    """The rows in lots that have at most `_BLOCK` candidates together, or are one row."""
    upto = np.cumsum(candidates)
    start = 0
    while start < len(candidates):
        before = upto[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(upto, before + _BLOCK, side="right")))
        yield start, stop
        start = stop
