"""The verdict of an audit: how many bits do explanations add for somebody outside?

It turns on P without siblings (`faithfulness.privilege`): what explanations are worth, in bits a pair, to an
observer who knows the reference's behaviour, log-probabilities and explanations, the questions with their
cues and tags, and the model's own answers in other clusters; without a reference, all of this but the first.
P beyond siblings, of which `coupled` is made, takes other runs of the recipe, and an audit trains nobody.

Whole intervals decide, never a value alone, and a lower bound that another seed of the bootstrap could move
across 0 decides nothing. P must exceed its permutation null, too: where little is known of the model, the
same claims dealt to other pairs tell something, namely which answers it gives at all to such choices.
"""

from __future__ import annotations

from math import ceil

from coupling.faithfulness.observer import FOLDS
from coupling.faithfulness.results import INVALID as PANEL_INVALID
from coupling.faithfulness.results import Results
from coupling.faithfulness.rows import OWN, Figures
from coupling.faithfulness.settling import ENOUGH
from coupling.faithfulness.wording import bits
from coupling.records import Estimate
from coupling.studies.audit.findings import (
    INFORMATIVE,
    INVALID,
    NOT_MEASURED,
    UNDECIDED,
    UNINFORMATIVE,
    AuditVerdict,
)

AUDIT_REASONS = (
    "duplicates",
    "parse_rate",
    "no_observer",
    "undecided_by_resampling",
    "null",
    "informative",
    "uninformative",
    "undecided",
)
"""The slugs of the rules, in the order in which they are asked."""


def decide(results: Results, explainer: str = OWN) -> AuditVerdict:
    """The verdict on the model's explanations, or on those of a constructed explainer."""
    figures, least = results.figures, results.thresholds.least_bits
    of_panel = results.verdict(explainer=explainer)
    # The measurement floor is one of Δ, and P does not turn on it.
    if of_panel.verdict == PANEL_INVALID and of_panel.reason != "measurement_floor":
        return AuditVerdict(INVALID, of_panel.reason, of_panel.sentence, of_panel.missing)
    p, whoever = figures("p_alone", explainer=explainer), who_knows(figures)
    if p.value is None or p.low is None or p.high is None:
        sentence = (
            "How much explanations tell of this model was not measured: the observer learns on some clusters "
            f"what it says of others, in {FOLDS} folds, and there are {results.counts.clusters} clusters."
        )
        return AuditVerdict(NOT_MEASURED, "no_observer", sentence, (f"{FOLDS} held-out clusters or more",))
    told = f"P = {bits(p)} a pair"
    if not _is_settled(figures, explainer):
        sentence = (
            f"Whether explanations tell anything of this model that {whoever} does not know is undecided. "
            f"{told}: its lower bound lies so near 0 that another seed of the bootstrap may say otherwise."
        )
        return AuditVerdict(
            UNDECIDED, "undecided_by_resampling", sentence, ("more held-out clusters, or more pairs in them",)
        )
    null = figures("p_null")
    if p.low > 0 and null.high is not None and p.value <= null.high:
        sentence = (
            f"Whether explanations tell anything of this model that {whoever} does not know is undecided. "
            f"{told}, but the model's claims dealt to other pairs tell {bits(null)}."
        )
        return AuditVerdict(UNDECIDED, "null", sentence, ("explanations that tell more than such claims do",))
    if p.low > 0:
        sentence = (
            f"Explanations tell something of this model that {whoever} does not know. "
            f"{told}{_share(figures, explainer)}. {_who_else(figures)}"
        )
        return AuditVerdict(INFORMATIVE, "informative", sentence, ())
    if p.high < least:
        sentence = (
            f"Explanations tell next to nothing of this model that {whoever} does not know. "
            f"{told}, less than {least:g} bits."
        )
        return AuditVerdict(UNINFORMATIVE, "uninformative", sentence, ())
    sentence = (
        f"Whether explanations tell anything of this model that {whoever} does not know is undecided. "
        f"{told}, which holds 0 and {least:g} bits."
    )
    wanted = clusters_that_decide(p, least)
    size = f"about {wanted} held-out clusters (there are {p.clusters}), if P stays {p.value:.3f}"
    return AuditVerdict(UNDECIDED, "undecided", sentence, (size,))


def clusters_that_decide(p: Estimate, least: float) -> int:
    """How many clusters would bring P's interval wholly above 0, or wholly below the bits that count as
    nothing, were its value what it is now: widths go with 1 / √clusters."""
    assert p.value is not None and p.low is not None and p.high is not None
    ratios = []
    if p.value > 0:
        ratios.append((p.value - p.low) / p.value)
    if p.value < least:
        ratios.append((p.high - p.value) / (least - p.value))
    return ceil(p.clusters * min(ratios) ** 2)


def has_reference(figures: Figures) -> bool:
    return figures("discordant_pairs").value is not None


def who_knows(figures: Figures) -> str:
    """The observer, in words."""
    reference = "the reference, " if has_reference(figures) else ""
    return f"somebody who knows {reference}the questions and its answers to other questions"


def _is_settled(figures: Figures, explainer: str) -> bool:
    errors = figures("p_alone_errors", explainer=explainer).value
    return errors is None or errors >= ENOUGH


def _share(figures: Figures, explainer: str) -> str:
    part = figures("p_share", explainer=explainer)
    return "" if part.value is None else f", {part.value:.0%} of what true explanations would tell"


def _who_else(figures: Figures) -> str:
    if has_reference(figures):
        return "It may still be drift that it shares with models trained alike, which one model cannot show."
    return (
        "It may be no more than what any model of its kind would answer, right answers included: there is no "
        "reference from which to know that."
    )
