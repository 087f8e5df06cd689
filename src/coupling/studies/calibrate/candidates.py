"""The rules the verdict was chosen from, written down before they were compared on development worlds.

Each says of one judgement whether it would be `coupled`. All ask first what every rule asks: explanations
that can be read, no collapse, drift enough to tell anything. "In the worst case" means that every missing
claim is read as the target's. Chosen is the rule with the greatest power on the organisms' own explanations
among those by which every impostor is called `coupled` in at most `WANTED_ERROR` of draws, with the upper
bound of that rate below `WANTED_ERROR_BOUND`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from coupling.faithfulness.calibrated import RULE
from coupling.faithfulness.settling import ENOUGH
from coupling.faithfulness.statistics import Rate
from coupling.records import Estimate
from coupling.studies.calibrate.draws import Judged

WANTED_ERROR, WANTED_ERROR_BOUND = 0.05, 0.08
UNSOUND = frozenset(
    {
        "parse_rate",
        "measurement_floor",
        "collapsed",
        "no_target",
        "too_little_drift",
        "no_observer",
        "undeclared_steering",
        "no_siblings",
    }
)
"""Reasons for a verdict that come before P is asked, under every rule."""
EARLIER_T, EARLIER_A, EARLIER_R = 0.57, 0.05, -0.1
"""Margins of the rule before: part of what was tried, and not moved with the thresholds of today."""

_Figures = Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule."""

    name: str
    words: str
    asks: Callable[[Judged], bool]

    def calls_coupled(self, judged: Judged) -> bool:
        return judged.reason not in UNSOUND and self.asks(judged)


def is_rare(errors: Rate) -> bool:
    """Whether an impostor is called `coupled` as rarely as is wanted; no where draws are too few to say."""
    if errors.value is None or errors.high is None:
        return False
    return errors.value <= WANTED_ERROR and errors.high < WANTED_ERROR_BOUND


def _above(estimate: Estimate | None, threshold: float = 0.0) -> bool:
    return estimate is not None and estimate.low is not None and estimate.low > threshold


def _is_below_zero(figures: _Figures, name: str) -> bool:
    """No where there is no such figure: nothing is missing, so the worst case is the case."""
    high = figures[name].high if name in figures else None
    return high is not None and high < 0


def _is_settled(figures: _Figures, name: str) -> bool:
    errors = figures[f"{name}_errors"].value if f"{name}_errors" in figures else None
    return errors is None or errors >= ENOUGH


def _steered(judged: Judged) -> _Figures:
    return judged.steered if "p" in judged.steered else judged.figures


def _privileged(figures: _Figures) -> bool:
    return _above(figures.get("p")) and _is_settled(figures, "p")


def _privileged_and_no_imitation(figures: _Figures) -> bool:
    return (
        _privileged(figures)
        and ("p_worst" not in figures or _above(figures["p_worst"]))
        and not _is_below_zero(figures, "delta")
        and not _is_below_zero(figures, "delta_worst")
        and _is_settled(figures, "delta")
    )


def _in_use(judged: Judged) -> bool:
    return _privileged_and_no_imitation(_steered(judged))


def _earlier(judged: Judged) -> bool:
    figures = judged.figures
    return (
        _above(figures.get("delta"))
        and _above(figures.get("t"), EARLIER_T)
        and _above(figures.get("a"), EARLIER_A)
        and _above(figures.get("r"), EARLIER_R)
    )


CANDIDATES = (
    Candidate("p_steered", "P above 0 over steered runs", lambda judged: _privileged(_steered(judged))),
    Candidate("p_all", "P above 0 over all runs", lambda judged: _privileged(judged.figures)),
    Candidate("p_steered_worst", "`p_steered`, and Δ not below 0; both also in the worst case", _in_use),
    Candidate(
        "p_all_worst",
        "`p_all`, and Δ not below 0; both also in the worst case",
        lambda judged: _privileged_and_no_imitation(judged.figures),
    ),
    Candidate(
        "collateral",
        "`p_steered_worst`, and T on collateral pairs above 0.5",
        lambda judged: _in_use(judged) and _above(judged.collateral_t, 0.5),
    ),
    Candidate(
        "twins",
        f"`p_steered_worst`, and T above {EARLIER_T}",
        lambda judged: _in_use(judged) and _above(judged.figures.get("t"), EARLIER_T),
    ),
    Candidate(
        "earlier",
        f"the rule before: Δ above 0, T above {EARLIER_T}, A above {EARLIER_A}, R above {EARLIER_R}",
        _earlier,
    ),
    Candidate(
        "earlier_worst",
        "the rule before, with Δ above 0 in the worst case, too",
        lambda judged: (
            _earlier(judged)
            and ("delta_worst" not in judged.figures or _above(judged.figures["delta_worst"]))
        ),
    ),
)
assert RULE in {candidate.name for candidate in CANDIDATES}
