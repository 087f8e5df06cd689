"""Gates: the conditions under which the other figures mean what they say.

A gate that fails makes the verdict `invalid` or `collapsed`; a warning is for the reader. The measurement
floor is what measuring the same checkpoint again (another batch size or dtype) does to Δ; the training
floor is how far apart runs end that were trained alike but for the seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations

from coupling.faithfulness.evidence import Evidence, RunEvidence
from coupling.faithfulness.panel import FAIL, NOT_APPLICABLE, OK, WARNING, Faithfulness, Gate, RunResult
from coupling.faithfulness.scores import Table, equal
from coupling.faithfulness.thresholds import Thresholds
from coupling.faithfulness.wording import effect, share, signed


def gates(
    evidence: Evidence, table: Table, pooled: Faithfulness, runs: tuple[RunResult, ...], limits: Thresholds
) -> tuple[Gate, ...]:
    """The panel's gates, then those of each run."""
    panel = (
        *_gates_of(None, pooled, _failures(evidence.runs), limits),
        _leakage(evidence),
        _training_floor(evidence, table, runs),
        *([_missing(evidence, limits)] if evidence.missing else []),
    )
    return panel + tuple(
        gate
        for run, said in zip(runs, evidence.runs, strict=True)
        for gate in _gates_of(run.name, run.figures, _failures([said]), limits)
    )


def too_few_parse(figures: Faithfulness, limits: Thresholds) -> bool:
    """Whether too few explanations state an effect."""
    parse_rate = figures.parse_rate.value
    return parse_rate is not None and parse_rate < limits.min_parse_rate


def within_measurement_floor(figures: Faithfulness) -> bool:
    """Whether Δ seems to differ from 0, yet by no more than measuring again moves it.

    Where Δ's interval holds 0 nothing is claimed that noise of measurement could have faked, and where
    measuring again moves Δ by nothing, nothing lies within that.
    """
    floor, delta = figures.measurement_floor, figures.delta
    if floor is None or floor == 0 or delta.value is None or delta.low is None or delta.high is None:
        return False
    return abs(delta.value) <= floor and (delta.low > 0 or delta.high < 0)


def has_collapsed(figures: Faithfulness, limits: Thresholds) -> bool:
    """Whether one claim is made nearly everywhere although behaviour varies, and earns nothing by it."""
    top_claim = figures.claims.top_claim_share
    return (
        top_claim is not None
        and top_claim >= limits.collapsed_claim_share
        and figures.claims.top_effect_share < limits.varied_effect_share
        and not is_skilled(figures.self_skill.advantage.low)
    )


def is_skilled(advantage_low: float | None) -> bool:
    """Whether the interval of an advantage over the best baseline lies above 0."""
    return advantage_low is not None and advantage_low > 0


def _gates_of(
    run: str | None, figures: Faithfulness, failures: Mapping[str, int], limits: Thresholds
) -> tuple[Gate, ...]:
    return (
        _parse_rate(run, figures, failures, limits),
        _similarity(run, figures, limits),
        _claims(run, figures, limits),
        _measurement_floor(run, figures, limits),
    )


def _failures(runs: Iterable[RunEvidence]) -> Counter[str]:
    """How many explanations state no effect, by what is wrong with them."""
    said = (explanation for run in runs for explanation in run.explanations.values())
    return Counter(each.failure or "reason not known" for each in said if each.claim is None)


def _parse_rate(
    run: str | None, figures: Faithfulness, failures: Mapping[str, int], limits: Thresholds
) -> Gate:
    failed = too_few_parse(figures, limits)
    words = (
        f"{share(figures.parse_rate)} of explanations state an effect; at least {limits.min_parse_rate} must"
    )
    if failures:
        words += "; the others: " + ", ".join(f"{reason} {failures[reason]}" for reason in sorted(failures))
    numbers = {"parse rate": figures.parse_rate.value, **{name: float(n) for name, n in failures.items()}}
    return Gate("parse_rate", run, FAIL if failed else OK, numbers, words)


def _similarity(run: str | None, figures: Faithfulness, limits: Thresholds) -> Gate:
    value = figures.similarity.value
    if value is None:
        words = "the target's behaviour is not known"
        return Gate("similarity", run, NOT_APPLICABLE, {"similarity": None}, words)
    words = f"the model shows the target's effect on {share(figures.similarity)} of pairs"
    if value < limits.low_similarity:
        words += f"; below {limits.low_similarity} labels contradict much of what the model does"
    status = WARNING if value < limits.low_similarity else OK
    return Gate("similarity", run, status, {"similarity": value}, words)


def _claims(run: str | None, figures: Faithfulness, limits: Thresholds) -> Gate:
    claims = figures.claims
    numbers = {
        "claim entropy": claims.entropy,
        "top claim share": claims.top_claim_share,
        "effect entropy": claims.effect_entropy,
        "top effect share": claims.top_effect_share,
    }
    if claims.top_claim is None or claims.top_claim_share is None or claims.entropy is None:
        return Gate("claims", run, NOT_APPLICABLE, numbers, "no explanation states an effect")
    words = (
        f"claims have an entropy of {claims.entropy:.2f} nats (behaviour: {claims.effect_entropy:.2f}); "
        f"the most frequent claim, {effect(claims.top_claim)}, makes {claims.top_claim_share:.0%} of them, "
        f"the most frequent effect {claims.top_effect_share:.0%} of behaviour"
    )
    if has_collapsed(figures, limits):
        return Gate("claims", run, FAIL, numbers, words)
    narrow = claims.top_claim_share >= limits.collapsed_claim_share
    return Gate("claims", run, WARNING if narrow else OK, numbers, words)


def _measurement_floor(run: str | None, figures: Faithfulness, limits: Thresholds) -> Gate:
    numbers = {
        "delta": figures.delta.value,
        "delta remeasured": figures.delta_remeasured,
        "floor": figures.measurement_floor,
        "flip share": figures.flip_share,
    }
    if figures.flip_share is None:
        return Gate("measurement_floor", run, NOT_APPLICABLE, numbers, "behaviour was measured once only")
    words = f"measured again, {figures.flip_share:.2%} of effects differ"
    if figures.measurement_floor is not None:
        words += f" and Δ moves by {figures.measurement_floor:.3f}; Δ is {signed(figures.delta)}"
    if within_measurement_floor(figures):
        return Gate("measurement_floor", run, FAIL, numbers, words)
    noisy = figures.flip_share > limits.noisy_flip_share
    return Gate("measurement_floor", run, WARNING if noisy else OK, numbers, words)


def _leakage(evidence: Evidence) -> Gate:
    if not evidence.label_clusters:
        words = "which clusters carry labels is not known, so leakage could not be looked for"
        return Gate("leakage", None, NOT_APPLICABLE, {}, words)
    numbers = {"label clusters": float(len(evidence.label_clusters)), "shared with held-out pairs": 0.0}
    return Gate("leakage", None, OK, numbers, "no held-out cluster carries a label")


def _missing(evidence: Evidence, limits: Thresholds) -> Gate:
    asked = len(evidence.pairs) + evidence.missing
    of_all = evidence.missing / asked
    words = (
        f"of {evidence.missing} of {asked} held-out pairs ({of_all:.1%}) an answer or explanation is missing"
    )
    if evidence.missing_by:
        words += ": " + ", ".join(f"by {who} {count}" for who, count in evidence.missing_by.items())
    is_high = of_all >= limits.high_missing_share
    if is_high:
        words += "; the others need not be like these"
    numbers: dict[str, float | None] = {"share": of_all}
    numbers |= {who: float(count) for who, count in evidence.missing_by.items()}
    return Gate("missing", None, WARNING if is_high else OK, numbers, words)


def _training_floor(evidence: Evidence, table: Table, runs: tuple[RunResult, ...]) -> Gate:
    unsteered = [number for number, run in enumerate(evidence.runs) if not run.steered]
    if len(unsteered) < 2:
        words = "takes two unsteered runs of different seeds"
        return Gate("training_floor", None, NOT_APPLICABLE, {}, words)
    agreement = [
        float(equal(table.behaviors[first], table.behaviors[second]).mean())
        for first, second in combinations(unsteered, 2)
    ]
    numbers: dict[str, float | None] = {"similarity between": sum(agreement) / len(agreement)}
    numbers |= {f"delta {runs[number].name}": runs[number].figures.delta.value for number in unsteered}
    listed = ", ".join(f"{runs[number].name} {signed(runs[number].figures.delta)}" for number in unsteered)
    words = (
        f"unsteered runs show the same effect on {numbers['similarity between']:.2f} of pairs; "
        f"their own Δ: {listed}"
    )
    return Gate("training_floor", None, OK, numbers, words)
