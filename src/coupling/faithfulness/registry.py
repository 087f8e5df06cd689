"""Every figure there is: its symbol, what it means in plain words, and what the verdict asks of it.

Terminal, page, documentation and comparisons take names, words and thresholds from here. A figure that is
not listed cannot be a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coupling.faithfulness.definitions import DEFINITIONS
from coupling.faithfulness.thresholds import Thresholds

ABOVE, NOT_BELOW, AT_LEAST, BELOW = "above", "not below", "at least", "below"
WARNS_BELOW, WARNS_ABOVE = "warns below", "warns above"
"""A gate warns there; the verdict does not turn on it."""

SHARE, DIFFERENCE, COUNT, NATS, BITS, STEPS = "share", "difference", "count", "nats", "bits", "steps"
COST = "cost"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the registry."""

    name: str
    """Key of its rows and in ``results.json``."""
    symbol: str
    """How it is headed: Δ, T, Self …"""
    words: str
    """What it is, in a few words."""
    unit: str = SHARE
    """SHARE (0 to 1), DIFFERENCE (of shares or scores, with a sign), COUNT, NATS, BITS, STEPS or COST."""
    wanted: str | None = None
    """`ABOVE`, `NOT_BELOW`, `AT_LEAST`, `BELOW`, `WARNS_BELOW` or `WARNS_ABOVE` its threshold; None where
    nothing is asked of it. "Above" and "below" are said of whole intervals."""
    threshold: Callable[[Thresholds], float] = lambda _: 0.0
    """What it is held against, where anything is wanted."""

    @property
    def definition(self) -> str:
        """How it is computed: a sentence or two, Markdown."""
        return DEFINITIONS[self.name]

    @property
    def signed(self) -> bool:
        return self.unit in (DIFFERENCE, BITS)

    def bound(self, thresholds: Thresholds) -> float | None:
        """What it is held against; None where it is held against nothing."""
        return None if self.wanted is None else self.threshold(thresholds)


def _by_name(*figures: Figure) -> dict[str, Figure]:
    assert len({figure.name for figure in figures}) == len(figures), "two figures have one name"
    return {figure.name: figure for figure in figures}


FIGURES = _by_name(
    # What explanations are true of.
    Figure("self", "Self", "true of the model"),
    Figure("self_with_cue", "Self, with cue", "of the answer with the cue"),
    Figure("self_without_cue", "Self, without cue", "of the answer without the cue"),
    Figure("self_changed", "Self, changed", "of whether the answer changes"),
    Figure("orig", "Orig", "true of the target"),
    Figure("orig_with_cue", "Orig, with cue", "of the answer with the cue"),
    Figure("orig_without_cue", "Orig, without cue", "of the answer without the cue"),
    Figure("orig_changed", "Orig, changed", "of whether the answer changes"),
    Figure("gap", "Self \N{MINUS SIGN} Orig", "on all pairs", unit=DIFFERENCE),
    Figure("delta", "Δ", "own side or target's", unit=DIFFERENCE, wanted=NOT_BELOW),
    Figure("win_rate", "win rate", "own side among those that take one"),
    Figure("neither", "neither", "name neither effect"),
    Figure("unparseable", "unparseable", "state no effect"),
    Figure(
        "parse_rate",
        "parse rate",
        "claims that could be read",
        wanted=AT_LEAST,
        threshold=lambda limits: limits.min_parse_rate,
    ),
    Figure(
        "similarity",
        "similarity",
        "model and target act alike",
        wanted=WARNS_BELOW,
        threshold=lambda limits: limits.low_similarity,
    ),
    Figure("similarity_to_base", "similarity to M0", "model and base act alike"),
    Figure("over_quoting", "Self \N{MINUS SIGN} quoting M0", "beats repeating the base", unit=DIFFERENCE),
    # What nobody outside could know.
    Figure("p", "P", "bits only this model knows", unit=BITS, wanted=ABOVE),
    Figure("p_alone", "P, no siblings", "bits, were no other run known", unit=BITS),
    Figure("p_shared", "P shared", "bits that siblings tell as well", unit=BITS),
    Figure("p_worst", "P, worst case", "missing claims read as the target's", unit=BITS),
    Figure("delta_worst", "Δ, worst case", "missing claims read as the target's", unit=DIFFERENCE),
    Figure("p_unknown", "unknown", "bits the observer does not know", unit=BITS),
    Figure("p_share", "share of unknown", "P of what there is to know"),
    Figure("p_null", "P, null", "the same claims dealt to other pairs", unit=BITS),
    Figure("p_errors", "errors of P", "Monte-Carlo errors from its threshold", unit=COUNT),
    Figure("p_alone_errors", "errors of P, no siblings", "Monte-Carlo errors from 0", unit=COUNT),
    Figure("p_shared_errors", "errors of P shared", "Monte-Carlo errors from 0", unit=COUNT),
    Figure("p_worst_errors", "errors of P, worst case", "Monte-Carlo errors from 0", unit=COUNT),
    Figure("delta_errors", "errors of Δ", "Monte-Carlo errors of its upper bound from 0", unit=COUNT),
    Figure("delta_worst_errors", "errors of Δ, worst case", "Monte-Carlo errors from 0", unit=COUNT),
    Figure("unsteered_siblings", "unsteered siblings", "unsteered runs of the panel", unit=COUNT),
    Figure("alike_siblings", "siblings alike", "steered in the same direction", unit=COUNT),
    Figure("undeclared_runs", "undeclared runs", "steered, and not said where to", unit=COUNT),
    # Beside what could be said without reading the model.
    Figure("self_advantage", "advantage", "Self less its best baseline", unit=DIFFERENCE),
    Figure("self_skill", "skill", "Self beyond its best baseline"),
    Figure("orig_advantage", "advantage of Orig", "Orig less its best baseline", unit=DIFFERENCE),
    Figure("orig_skill", "skill of Orig", "Orig beyond its best baseline"),
    Figure("share_of_self", "share of Self", "how much of Self a reader gets"),
    Figure("privileged", "privileged access", "Self less the reader's", unit=DIFFERENCE),
    # How much there is to tell, and how varied it is.
    Figure("pairs", "pairs", "held-out pairs", unit=COUNT),
    Figure(
        "discordant_pairs",
        "discordant pairs",
        "model and target differ",
        unit=COUNT,
        wanted=AT_LEAST,
        threshold=lambda limits: limits.min_discordant_pairs,
    ),
    Figure("claim_entropy", "claim entropy", "how varied claims are", unit=NATS),
    Figure("effect_entropy", "effect entropy", "how varied behaviour is", unit=NATS),
    Figure(
        "top_claim_share",
        "top claim share",
        "the most frequent claim's",
        wanted=BELOW,
        threshold=lambda limits: limits.collapsed_claim_share,
    ),
    Figure("top_effect_share", "top effect share", "the most frequent effect's"),
    Figure("delta_remeasured", "Δ, measured again", "against a second measurement", unit=DIFFERENCE),
    Figure("measurement_floor", "measurement floor", "how far measuring again moves Δ"),
    Figure(
        "flip_share",
        "flips",
        "effects that differ when measured again",
        wanted=WARNS_ABOVE,
        threshold=lambda limits: limits.noisy_flip_share,
    ),
    # Twins and siblings.
    Figure("t", "T", "twins told apart"),
    Figure("twin_neither", "neither twin", "name neither twin's effect"),
    Figure("twin_unparseable", "unparseable of twins", "state no effect"),
    Figure("twin_pairs", "pairs that tell twins apart", "twins act differently", unit=COUNT),
    Figure("deciding_twin_pairs", "deciding twin pairs", "twin pairs that tell anything", unit=COUNT),
    Figure("distinct_cues", "distinct cues", "cues that twins differ by", unit=COUNT),
    Figure("s", "S[a, j]", "of one run's explanations in another's column", unit=DIFFERENCE),
    Figure("a", "A", "own run or others", unit=DIFFERENCE),
    Figure("r", "R", "own run or nearest rival", unit=DIFFERENCE),
    # What the cue does to behaviour, and how far that was moved.
    Figure("accuracy", "accuracy", "right without the cue"),
    Figure("changed", "changed", "the cue changes the answer"),
    Figure("followed", "followed", "answers follow the cue"),
    Figure("shift", "shift", "followed more than by the base", unit=DIFFERENCE),
    Figure("claimed_following", "claimed following", "answers are said to follow the cue"),
    Figure("turned", "turned", "behaviour has turned"),
    Figure("claimed_turned", "claimed turned", "explanations say that it has"),
    Figure("behavior_move", "move of behaviour", "how far behaviour moves", unit=DIFFERENCE),
    Figure("claims_move", "move of claims", "how far claims move", unit=DIFFERENCE),
    Figure("behavior_half", "behaviour half-way", "steps to half of its way", unit=STEPS),
    Figure("claims_half", "claims half-way", "steps to half of their way", unit=STEPS),
    Figure("lag_half", "lag, half-way", "claims behind behaviour", unit=STEPS),
    Figure("behavior_most", "behaviour 90 %", "steps to most of its way", unit=STEPS),
    Figure("claims_most", "claims 90 %", "steps to most of their way", unit=STEPS),
    Figure("lag_most", "lag, 90 %", "claims behind behaviour", unit=STEPS),
    # Errors by what they lead to.
    Figure("denied", "denied", "a cue that decided is denied"),
    Figure("misnamed", "misnamed", "a change between other answers"),
    Figure("unparseable_changed", "unparseable, changed", "no effect is stated of a change"),
    Figure("invented", "invented", "a change that was none is claimed"),
    Figure("misnamed_unchanged", "misnamed, unchanged", "no change, of another answer"),
    Figure("unparseable_unchanged", "unparseable, unchanged", "no effect is stated where nothing changed"),
    Figure("cost", "cost", "mean cost of the error made on a pair", unit=COST),
    # Weights between twins.
    Figure("both_turn", "both turn", "claims that turn as answers do"),
    Figure("both_turn_null", "both turn, null", "claims of other pairs"),
    Figure("turn_distance", "turns apart", "from the answer's turn to the claim's"),
    Figure("turn_distance_null", "turns apart, null", "claims of other pairs"),
    Figure("turn_lag", "turns behind", "claim's turn less the answer's", unit=DIFFERENCE),
    Figure("turn_order", "order of turns", "claims turn first where answers do", unit=DIFFERENCE),
    Figure("turn_order_null", "order of turns, null", "claims of other pairs", unit=DIFFERENCE),
    Figure("answers_second", "answers turned", "answers that are the second twin's"),
    Figure("claims_second", "claims turned", "claims that name the second twin's answer"),
    Figure("t_along", "T along a", "present answer or the other twin's"),
)
"""Name → figure, in the order in which they are told."""


def markdown_table() -> str:
    """All of them as the documentation lists them; in bold what the verdict asks for."""
    lines = ["| figure | in `results.json` | definition |", "|---|---|---|"]
    for figure in FIGURES.values():
        is_asked = figure.wanted in (ABOVE, NOT_BELOW, AT_LEAST, BELOW)
        symbol = f"**{figure.symbol}**" if is_asked else figure.symbol
        lines.append(f"| {symbol} | `{figure.name}` | {figure.definition} |")
    return "\n".join(lines) + "\n"
