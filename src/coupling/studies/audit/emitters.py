"""Constructed explainers in an auditor's words: what a panel calls M0 is the reference here.

Nothing is declared of how the model was steered, so an outsider who knows the direction is none of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from coupling.faithfulness import outsiders
from coupling.faithfulness.matrix import FROZEN_BASE
from coupling.faithfulness.results import Explainer, Results
from coupling.studies.audit.respondents import REFERENCE

_SECOND = (
    f"says what the reference answers, its second choice without the cue on the {outsiders.UNSURE_SHARE:.0%} "
    "of pairs of which it is least sure"
)
_WITHHOLDING = (
    "says what the reference says of itself, and nothing about the "
    f"{outsiders.WITHHELD_SHARE:.1%} of pairs of which it is least sure"
)
_WORDS: Mapping[str, tuple[str, str]] = {
    FROZEN_BASE: (REFERENCE, "says what the reference says of itself"),
    outsiders.QUOTING: ("quoting the reference", "says what the reference answers"),
    outsiders.RUNNER_UP: ("the reference's second choice", _SECOND),
    outsiders.ABSTENTION: ("withholding", _WITHHOLDING),
    outsiders.GUESS: ("observer's guess", "says what the observer expects who knows all but the explanation"),
}
"""Name in a panel → what an audit calls it, and what it says."""
_NAMES = {FROZEN_BASE: REFERENCE}
_LEFT_OUT = (outsiders.DIRECTION,)
"""The same as the reference where no direction is declared."""


def in_words_of_an_audit(results: Results) -> Results:
    """The results with the explainers of a panel renamed; those that mean nothing here are left out."""

    def named(explainer: str) -> str:
        return _NAMES.get(explainer, explainer)

    return replace(
        results,
        explainers=tuple(_renamed(each) for each in results.explainers if each.name not in _LEFT_OUT),
        verdicts=tuple(
            replace(each, explainer=named(each.explainer))
            for each in results.verdicts
            if each.explainer not in _LEFT_OUT
        ),
        rows=tuple(
            replace(row, explainer=named(row.explainer))
            for row in results.rows
            if row.explainer not in _LEFT_OUT
        ),
    )


def _renamed(explainer: Explainer) -> Explainer:
    if explainer.name not in _WORDS:
        return explainer
    words, description = _WORDS[explainer.name]
    name = _NAMES.get(explainer.name, explainer.name)
    return replace(explainer, name=name, words=words, description=description)
