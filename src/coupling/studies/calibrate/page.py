"""The calibration as a page of the documentation; equal results give equal texts."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from coupling.report.text import number
from coupling.studies.calibrate.emitters import EMITTERS, IMPOSTORS, ITSELF, MIXTURES, STAND_INS
from coupling.studies.calibrate.figures import Calibration, Margin
from coupling.studies.calibrate.tables import (
    by_world_table,
    cluster_table,
    coverage_table,
    margins_table,
    rates_table,
    size_table,
    smallest_told,
)
from coupling.studies.calibrate.wishes import (
    WANTED_COVERAGE,
    WANTED_ERROR,
    WANTED_ERROR_BOUND,
    WANTED_POWER,
    least_advantage_margin,
    method_in_use,
    misses,
    rivalry_margins,
)
from coupling.studies.writing import table, told


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


def _introduction(results: Calibration) -> str:
    command = "coupling calibrate --quick" if results.is_quick else "coupling calibrate"
    return (
        f"Written by `{command}`. Panels of the quickstart's kind are drawn from pools in which the truth "
        "is known because it was made: behaviours are a steered panel's, explanations are the run's own "
        "or come from somebody who does not read it. Each draw takes training seeds, clusters and pairs "
        f"by lot ({results.base.pairs} pairs of {results.base.clusters} clusters, as the quickstart has "
        "them, where nothing else is said) and is judged by the rule of every verdict, with "
        f"{results.resamples} resamples and the margins {results.twin_margin} of T, "
        f"{results.advantage_margin} of A and {number(results.rivalry_margin, 2)} of R. Worlds reported on: "
        f"{listed(results.worlds)}; worlds that margins are chosen on: "
        f"{listed(results.development_worlds)}. No margin was chosen on the former (calibration.md)."
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
        *rates_table(results.rates, IMPOSTORS),
        "",
        *by_world_table(results.rates, IMPOSTORS),
        "",
        "### Stand-ins the rule does not tell from a run that reads itself",
        "",
        *_paragraph(
            "They read no run while explaining, but know what it does: one was fitted on its answers to "
            "other questions, the other was trained as it was. `coupled` says that explanations carry "
            "information about this run's behaviour, and theirs do. Whether a run has more to say than "
            "such an observer is asked beside the verdict, not by it."
        ),
        *rates_table(results.rates, STAND_INS),
        "",
        "## Power",
        "",
        *_paragraph(
            "How often those are called `coupled` who follow the run: its own explanations, and mixtures "
            "that say what the run does on a share of the pairs, and what a sibling does on the others."
        ),
        *rates_table(results.rates, (ITSELF, *MIXTURES)),
        "",
        *by_world_table(results.rates, (ITSELF, *MIXTURES)),
        "",
        "By the number of discordant clusters, over draws of all sizes:",
        "",
        *cluster_table(results),
        "",
        "By the size of the data:",
        "",
        *size_table(results),
        "",
        "### The smallest data set",
        "",
        *[f"- {smallest_told(each)}" for each in results.smallest],
        "",
        "## Coverage",
        "",
        *_paragraph(
            "A pool's clusters are taken for the population and a figure on all of them for the truth; "
            "clusters are drawn from it with replacement, and each draw's interval is computed as any is, "
            f"by percentiles and by expanded percentiles (statistics.py). In use: {method_in_use()}. It "
            "is the resampling of clusters that is tested; what other trainings would give is no part of "
            "such an interval."
        ),
        *coverage_table(results),
        "",
        "## Sham updates",
        "",
        *_paragraph(
            "Mean KL(M0 ‖ run) over held-out inputs, in nats, of the runs of the panel, and by which "
            "factor the sham update that stands in for one misses it at most."
        ),
        *table(
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
            f"On development worlds {listed(results.development_worlds)}, the same draws judged with other "
            "margins: how often each impostor was called `coupled`, the worst of them with its interval over "
            "draws, and power. Where R bears a dash, the rule would not ask for it. "
            f"`{'calibration' if results.worlds else 'margins'}.json` holds the whole grid."
        ),
        *margins_table(results),
        "",
        *_paragraph(_least_margins(results)),
        "With the margins in use, on development worlds:",
        "",
        *rates_table(results.development_rates, EMITTERS),
        "",
    ]


def _least_margins(results: Calibration) -> str:
    wanted = f"stays below {WANTED_ERROR:.0%}, and its bound below {WANTED_ERROR_BOUND:.0%}"
    least = least_advantage_margin(results)
    if least is None:
        without = (
            f"Were R to lie anywhere, there is no margin of A in the grid at which every impostor {wanted}."
        )
    else:
        without = (
            f"Were R to lie anywhere, the least margin of A in the grid at which every impostor {wanted}, is "
            f"{number(least.advantage_margin, 2)}, with {_powers(least)}."
        )
    enough = rivalry_margins(results)
    if not enough:
        return f"{without} With A's margin as it is no margin of R in the grid makes it so."
    told_ones = [f"{number(each.rivalry_margin, 2)} ({_powers(each)})" for each in enough]
    return f"{without} With A's margin as it is, these of R do so: {'; '.join(told_ones)}."


def _powers(margin: Margin) -> str:
    return f"power {told(margin.own)} on own explanations and {told(margin.half)} on the mixture of one half"


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


def listed(worlds: Sequence[int]) -> str:
    return ", ".join(map(str, worlds)) or "none"


def _paragraph(text: str) -> list[str]:
    return [*wrap(text, 120, break_long_words=False, break_on_hyphens=False), ""]
