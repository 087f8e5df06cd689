"""The calibration as a page of the documentation; equal results give equal texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from coupling.faithfulness.coverage import EXPANDED_PERCENTILE, PERCENTILE, Coverage
from coupling.faithfulness.statistics import EXPANDED, Rate
from coupling.report.text import number
from coupling.studies.calibrate.emitters import EMITTERS, IMPOSTORS, ITSELF, MIXTURES, STAND_INS, Emitter
from coupling.studies.calibrate.figures import (
    WANTED_COVERAGE,
    WANTED_ERROR,
    WANTED_ERROR_BOUND,
    WANTED_POWER,
    Calibration,
    Margin,
    Rated,
    Smallest,
)

RATE_COLUMNS = (
    "explained by",
    "which is",
    "draws",
    "`coupled`",
    "over draws",
    "over worlds",
    "Δ",
    "T",
    "A",
    "the verdict else",
)


def render_markdown(results: Calibration) -> str:
    """``docs/validity.md``."""
    parts = [
        "# How far the verdict can be trusted",
        "",
        *_paragraph(_introduction(results)),
        *_reported(results),
        *_margins(results),
        *_limits(),
    ]
    return "\n".join(parts).rstrip() + "\n"


def misses(results: Calibration) -> list[str]:
    """Every wish that was not fulfilled, and what it would take; empty where all were."""
    found = []
    for rated in results.rates:
        found += _error_miss(rated) if rated.emitter in _names(IMPOSTORS) else []
    own = results.rated(ITSELF.name)
    if own is not None and own.pooled.value is not None and own.pooled.value < WANTED_POWER:
        found.append(
            f"Power on the organisms' own explanations is {_told(own.pooled)}; wanted {WANTED_POWER} or "
            f"more. {_what_else(own)}"
        )
    low, high = WANTED_COVERAGE
    for each in results.coverage:
        if each.method == _method_in_use() and not _within(each.held.value, low, high):
            found.append(
                f"Intervals of {each.figure} over {each.clusters} clusters hold the truth in "
                f"{_told(each.held)} of draws; wanted {low:.0%} to {high:.0%}. "
                f"{_coverage_mending(results, each)}"
            )
    return found


def fulfilled(results: Calibration) -> str:
    """One line for the terminal."""
    missed = len(misses(results))
    return "every wish is fulfilled" if not missed else f"wishes that are missed: {missed}"


def rate_told(rate: Rate) -> str:
    """As "0.035 [0.014, 0.071]"."""
    return _told(rate)


def _introduction(results: Calibration) -> str:
    command = "coupling calibrate --quick" if results.is_quick else "coupling calibrate"
    return (
        f"Written by `{command}`. Panels of the quickstart's kind are drawn from pools in which the truth "
        "is known because it was made: behaviours are a steered panel's, explanations are the run's own "
        "or come from somebody who does not read it. Each draw takes training seeds, clusters and pairs "
        f"by lot ({results.base.pairs} pairs of {results.base.clusters} clusters, as the quickstart has "
        "them, where nothing else is said) and is judged by the rule of every verdict, with "
        f"{results.resamples} resamples and the margins {results.twin_margin} of T and "
        f"{results.advantage_margin} of A. Worlds reported on: {_listed(results.worlds)}; worlds that "
        f"margins are chosen on: {_listed(results.development_worlds)}. No setting was chosen on the "
        "former."
    )


def _reported(results: Calibration) -> list[str]:
    if not results.worlds:
        return []
    missed = misses(results)
    return [
        "## Wishes",
        "",
        *_paragraph(
            f"False positives below {WANTED_ERROR:.0%} for every impostor, with the upper bound of the "
            f"interval over draws below {WANTED_ERROR_BOUND:.0%}; power on the organisms' own explanations "
            f"of at least {WANTED_POWER}; intervals that hold the truth in {WANTED_COVERAGE[0]:.0%} to "
            f"{WANTED_COVERAGE[1]:.0%} of draws."
        ),
        *([f"- Missed: {each}" for each in missed] or ["All are fulfilled."]),
        "",
        "## False positives",
        "",
        *_paragraph(
            "Impostors know nothing of the run they stand in for beyond what labels, question or another "
            "run give away, so every `coupled` is false. Two intervals: *over draws* is Clopper and "
            "Pearson's and takes draws for independent, which they are not, since those of one world "
            "share a few trainings; read it as what more draws from these trainings would give. *Over "
            "worlds* is a t-interval over the worlds' rates, for a world that was not run; with few "
            "worlds it is wide, and where all have one rate there is none."
        ),
        *_rates(results.rates, IMPOSTORS),
        "",
        *_by_world(results.rates, IMPOSTORS),
        "",
        "### Stand-ins the rule does not tell from a run that reads itself",
        "",
        *_paragraph(
            "They read no run while explaining, but know what it does: one was fitted on its answers to "
            "other questions, the other was trained as it was. `coupled` says that explanations carry "
            "information about this run's behaviour, and theirs do. Whether a run has more to say than "
            "such an observer is asked beside the verdict, not by it."
        ),
        *_rates(results.rates, STAND_INS),
        "",
        "## Power",
        "",
        *_paragraph(
            "How often those are called `coupled` who follow the run: its own explanations, and mixtures "
            "that say what the run does on a share of the pairs, and what a sibling does on the others."
        ),
        *_rates(results.rates, (ITSELF, *MIXTURES)),
        "",
        *_by_world(results.rates, (ITSELF, *MIXTURES)),
        "",
        "By the number of discordant clusters, over draws of all sizes:",
        "",
        *_cluster_table(results),
        "",
        "By the size of the data:",
        "",
        *_size_table(results),
        "",
        "### The smallest data set",
        "",
        *[f"- {_smallest(each)}" for each in results.smallest],
        "",
        "## Coverage",
        "",
        *_paragraph(
            "A pool's clusters are taken for the population and a figure on all of them for the truth; "
            "clusters are drawn from it with replacement, and each draw's interval is computed as any is, "
            f"by percentiles and by expanded percentiles (statistics.py). In use: {_method_in_use()}. It "
            "is the resampling of clusters that is tested; what other trainings would give is no part of "
            "such an interval."
        ),
        *_coverage(results),
        "",
        "## Sham updates",
        "",
        *_paragraph(
            "Mean KL(M0 ‖ run) over held-out inputs, in nats, of the runs of the panel, and by which "
            "factor the sham update that stands in for one misses it at most."
        ),
        *_table(
            ("world", "least KL", "greatest KL", "worst factor"),
            [
                (
                    str(each.world),
                    number(each.kls[0], 3),
                    number(each.kls[1], 3),
                    number(each.greatest_ratio, 2),
                )
                for each in results.shams
            ],
        ),
        "",
    ]


def _margins(results: Calibration) -> list[str]:
    if not results.margins:
        return []
    return [
        "## How the margins were chosen",
        "",
        *_paragraph(
            f"On development worlds {_listed(results.development_worlds)}, the same draws judged with other "
            "margins. The worst impostor is the one called `coupled` most often."
        ),
        *_table(
            ("T above", "A above", "worst impostor", "false positives", "power, own", "power, half"),
            [_margin_cells(each) for each in results.margins],
        ),
        "",
        "With the margins in use, on development worlds:",
        "",
        *_rates(results.development_rates, EMITTERS),
        "",
    ]


def _limits() -> list[str]:
    return [
        "## What this does not show",
        "",
        *_paragraph(
            "Error rates are those of organisms, two advisers and one way of steering. An impostor that "
            "is not listed has no rate. The interval over draws is too narrow for a new world, and the "
            "one over worlds rests on as many figures as there are worlds. The clusters of a draw come "
            "from a pool of limited size without replacement, so draws are more alike than new data would "
            "be."
        ),
    ]


def _error_miss(rated: Rated) -> list[str]:
    value, high = rated.pooled.value, rated.pooled.high
    assert value is not None and high is not None
    if value < WANTED_ERROR and high < WANTED_ERROR_BOUND:
        return []
    if value < WANTED_ERROR:
        why = "More draws would narrow the interval."
    else:
        a = number(rated.advantage, 2, signed=True)
        why = (
            f"On average it has T = {number(rated.t, 2)} and A = {a}: a margin of A above what it reaches "
            "would shut it out, at the cost of power."
        )
    return [f"`{rated.emitter}` is called `coupled` in {_told(rated.pooled)} of draws. {why}"]


def _what_else(rated: Rated) -> str:
    others = {reason: count for reason, count in rated.reasons.items() if reason != "coupled"}
    if not others:
        return ""
    reason = max(others, key=lambda name: others[name])
    by_figure = {
        "no_gap": "Δ's interval holds 0: a greater shift, or more clusters, would tell it from 0",
        "diagonal_undecided": "A's interval holds its margin: more clusters would narrow it",
        "diagonal_low": "A lies below its margin",
        "twins_undecided": "T's interval holds its margin: more clusters would narrow it",
        "imitates_target": "Δ lies below 0: labels won over behaviour",
    }
    told = by_figure.get(reason, reason.replace("_", " "))
    return f"Most often ({others[reason]} of {rated.pooled.trials} draws) {told}."


def _coverage_mending(results: Calibration, missed: Coverage) -> str:
    low, high = WANTED_COVERAGE
    other = EXPANDED_PERCENTILE if missed.method == PERCENTILE else PERCENTILE
    found = [
        each
        for each in results.coverage
        if (each.figure, each.clusters, each.method) == (missed.figure, missed.clusters, other)
    ]
    if found and _within(found[0].held.value, low, high):
        return f"By {other} they do in {_told(found[0].held)}."
    return "More clusters would mend it."


def _rates(rates: Sequence[Rated], emitters: Iterable[Emitter]) -> list[str]:
    words = {emitter.name: emitter.words for emitter in emitters}
    rows = []
    for rated in rates:
        if rated.emitter not in words:
            continue
        pooled = rated.pooled
        over = "n/a" if rated.low is None else f"[{number(rated.low, 3)}, {number(rated.high, 3)}]"
        others = [
            f"{reason.replace('_', ' ')} {count}"
            for reason, count in rated.reasons.items()
            if reason != "coupled"
        ]
        rows.append(
            (
                f"`{rated.emitter}`",
                words[rated.emitter],
                str(pooled.trials),
                number(pooled.value, 3),
                f"[{number(pooled.low, 3)}, {number(pooled.high, 3)}]",
                over,
                number(rated.delta, 2, signed=True),
                number(rated.t, 2),
                number(rated.advantage, 2, signed=True),
                "; ".join(others[:3]) or "-",
            )
        )
    return _table(RATE_COLUMNS, rows)


def _by_world(rates: Sequence[Rated], emitters: Iterable[Emitter]) -> list[str]:
    names = _names(emitters)
    chosen = [rated for rated in rates if rated.emitter in names]
    worlds = sorted({world for rated in chosen for world in rated.worlds}, key=int)
    return _table(
        ("explained by", *(f"world {world}" for world in worlds)),
        [(f"`{rated.emitter}`", *(_told(rated.worlds[world]) for world in worlds)) for rated in chosen],
    )


def _cluster_table(results: Calibration) -> list[str]:
    bins = sorted({(each.first, each.last) for each in results.by_clusters})
    found = {(each.emitter, each.first): each.rate for each in results.by_clusters}
    names = list(dict.fromkeys(each.emitter for each in results.by_clusters))
    return _table(
        (
            "explained by",
            *(f"{first} and more" if last >= 10**6 else f"{first} to {last}" for first, last in bins),
        ),
        [(f"`{name}`", *(_told_or_none(found.get((name, first))) for first, _ in bins)) for name in names],
    )


def _size_table(results: Calibration) -> list[str]:
    sizes = sorted({(each.pairs, each.clusters) for each in results.sizes})
    names = [
        name
        for name in dict.fromkeys(each.emitter for each in results.sizes)
        if len({(each.pairs, each.clusters) for each in results.sizes if each.emitter == name}) > 1
    ]
    found = {(each.emitter, each.pairs, each.clusters): each.rate for each in results.sizes}
    return _table(
        ("pairs", "clusters", *(f"`{name}`" for name in names)),
        [
            (
                str(pairs),
                str(clusters),
                *(_told_or_none(found.get((name, pairs, clusters))) for name in names),
            )
            for pairs, clusters in sizes
        ],
    )


def _smallest(each: Smallest) -> str:
    if each.size is None:
        return f"`{each.emitter}`: no size that was tried has power {each.power}."
    size = f"{each.size.pairs} pairs of {each.size.clusters} clusters"
    return f"`{each.emitter}`: power {each.power} from {size} on."


def _coverage(results: Calibration) -> list[str]:
    rows = [
        (
            each.figure,
            str(each.clusters),
            each.method,
            str(each.held.trials),
            _told(each.held),
            f"{each.below}, {each.above}",
            number(each.width, 3),
        )
        for each in sorted(results.coverage, key=lambda e: (e.figure, e.clusters, e.method != PERCENTILE))
    ]
    return _table(
        ("figure", "clusters", "interval", "draws", "holds the truth", "below, above it", "width"), rows
    )


def _margin_cells(each: Margin) -> tuple[str, ...]:
    mark = " (in use)" if each.is_frozen else ""
    return (
        number(each.twin_margin, 2),
        f"{number(each.advantage_margin, 2)}{mark}",
        f"`{each.worst}`",
        _told(each.errors),
        _told(each.own),
        _told(each.half),
    )


def _method_in_use() -> str:
    return EXPANDED_PERCENTILE if EXPANDED else PERCENTILE


def _within(value: float | None, low: float, high: float) -> bool:
    return value is not None and low <= value <= high


def _names(emitters: Iterable[Emitter]) -> set[str]:
    return {emitter.name for emitter in emitters}


def _listed(worlds: Sequence[int]) -> str:
    return ", ".join(map(str, worlds)) or "none"


def _told(rate: Rate) -> str:
    if rate.value is None:
        return number(None)
    return f"{number(rate.value, 3)} [{number(rate.low, 3)}, {number(rate.high, 3)}]"


def _told_or_none(rate: Rate | None) -> str:
    return "-" if rate is None else _told(rate)


def _paragraph(text: str) -> list[str]:
    return [*wrap(text, 120, break_long_words=False, break_on_hyphens=False), ""]


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    names = list(columns)
    return [
        f"| {' | '.join(names)} |",
        f"|{'---|' * len(names)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
