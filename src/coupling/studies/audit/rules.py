"""Which rules of the verdict on a panel one model can be held against, and what the others would take."""

from __future__ import annotations

from coupling.faithfulness.results import Results
from coupling.faithfulness.rows import ALL_RUNS, Figures
from coupling.faithfulness.wording import bits, share, signed
from coupling.report.text import effect
from coupling.studies.audit.findings import Rule
from coupling.studies.audit.verdict import has_reference

_NO_REFERENCE = "takes a reference"
_NO_LABELS = "takes the labels its explanations were trained on"


def rules(results: Results) -> list[Rule]:
    """The rules of docs/judging.md, in their order."""
    figures = results.figures
    is_against, delta, p = has_reference(figures), figures("delta"), figures("p_alone")
    drift = figures("discordant_pairs")
    found = f"{figures.count('discordant_pairs')} discordant pairs of {drift.clusters} clusters"
    known = "the reference's behaviour is known" if is_against else "there is no reference: this rule applies"
    (duplicates,) = [gate for gate in results.gates if gate.name == "duplicates"]
    return [
        Rule("invalid: duplicates", True, duplicates.words),
        Rule("invalid: labelled pairs asked again", False, _NO_LABELS),
        Rule("invalid: identical runs", False, "takes two runs"),
        Rule("invalid: parse rate", True, f"{share(figures('parse_rate'))} of explanations state an effect"),
        Rule(
            "invalid: measurement floor",
            figures("measurement_floor").value is not None,
            _floor(figures) if is_against else _NO_REFERENCE,
        ),
        Rule("collapsed", True, _top(results)),
        Rule("not shown: no target", True, known),
        Rule("not shown: too little drift", is_against, found if is_against else _NO_REFERENCE),
        Rule("coupled: P beyond siblings", False, "takes other runs of its recipe"),
        Rule("coupled: missing claims", False, "takes P beyond siblings"),
        Rule(
            "imitates target: Δ",
            delta.low is not None,
            f"Δ = {signed(delta)}" if is_against else _NO_REFERENCE,
        ),
        Rule(
            "shared drift: P without siblings",
            p.low is not None,
            f"P = {bits(p)}; what siblings would tell of it takes other runs of its recipe",
        ),
    ]


def _top(results: Results) -> str:
    claim = next(each.top_claim for each in results.spreads if each.run == ALL_RUNS)
    its_share = results.figures("top_claim_share").value
    if claim is None or its_share is None:
        return "no explanation states an effect"
    return f"the most frequent claim ({effect(claim)}) makes {its_share:.0%} of all"


def _floor(figures: Figures) -> str:
    floor, flips = figures("measurement_floor").value, figures("flip_share").value
    if flips is None:
        return "takes a second measurement, of a model in memory"
    if floor is None:
        return "takes pairs on which model and reference differ"
    return f"measured again Δ moves by {floor:.3f}, and {flips:.2%} of effects differ"
