"""The calibration as a page of the documentation; equal results give equal texts."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from coupling.report.text import number
from coupling.studies.calibrate.candidates import WANTED_ERROR, WANTED_ERROR_BOUND
from coupling.studies.calibrate.draws import MOVED_EVERY
from coupling.studies.calibrate.emitters import EMITTERS, IMPOSTORS, ITSELF, MIXTURES, MOVED, STAND_INS
from coupling.studies.calibrate.figures import Calibration
from coupling.studies.calibrate.tables import (
    by_world_table,
    candidates_table,
    coverage_table,
    impostors_table,
    p_by_world_table,
    rates_table,
    size_table,
)
from coupling.studies.calibrate.wishes import (
    WANTED_BEYOND,
    WANTED_POWER,
    WANTED_POWER_OF_HALF,
    half_of,
    method_in_use,
    misses,
)
from coupling.studies.writing import table


def render_markdown(results: Calibration) -> str:
    """``docs/validity.md``."""
    parts = [
        "# How far the verdict can be trusted",
        "",
        *_paragraph(_introduction(results)),
        *_reported(results),
        *_candidates(results),
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
        f"{results.resamples} resamples to begin with, and as many more as its deciding bounds take. Worlds "
        f"reported on: {listed(results.worlds)}; worlds on which rules are compared here: "
        f"{listed(results.development_worlds)}. No rule was chosen on the former (calibration.md)."
    )


def _reported(results: Calibration) -> list[str]:
    if not results.worlds:
        return []
    missed = misses(results)
    return [
        "## Wishes",
        "",
        *_paragraph(
            f"False positives in at most {WANTED_ERROR:.0%} for every impostor, with the upper bound of the "
            f"interval over draws below {WANTED_ERROR_BOUND:.0%}; power on the organisms' own explanations "
            f"of at least {WANTED_POWER}, and of {WANTED_POWER_OF_HALF} with {half_of(results.base).pairs} "
            f"pairs; bounds that decide and lie beyond the truth in at most {WANTED_BEYOND:.0%} of draws."
        ),
        *([f"- Missed: {each}" for each in missed] or ["All are fulfilled."]),
        "",
        "## False positives",
        "",
        *_paragraph(
            "Impostors know nothing of the run they stand in for beyond what labels, question, recipe or "
            "another run give away, so every `coupled` is false. Two intervals: *over draws* is Clopper and "
            "Pearson's and takes draws for independent, which they are not, since those of one world "
            "share a few trainings; read it as what more draws from these trainings would give. *Over "
            "worlds* is a t-interval over the worlds' rates, for a world that was not run; with few "
            "worlds it is wide, and where all have one rate there is none. "
            f"`{MOVED.name}` is judged in one of {MOVED_EVERY} draws, for it takes observers of its own. "
            "Means of P and Δ are those over steered runs."
        ),
        *rates_table(results.rates, IMPOSTORS),
        "",
        *by_world_table(results.rates, IMPOSTORS),
        "",
        "### Stand-ins the rule does not tell from a run that reads itself",
        "",
        *_paragraph(
            "They read no run while explaining, but know what it does: one was fitted on its answers to "
            "other questions, and P is taken beyond what it says; the other was trained as the run was, with "
            "another seed. P is not taken beyond such a copy, which is no part of a panel: a copy may know "
            "as much of a run as the run says of itself."
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
        "Mean P over draws and steered runs, in bits:",
        "",
        *p_by_world_table(results.rates, (ITSELF, *MIXTURES)),
        "",
        "By the size of the data:",
        "",
        *size_table(results),
        "",
        "## Coverage",
        "",
        *_paragraph(
            "A pool's clusters are taken for the population and a figure on all of them for the truth; "
            "clusters are drawn from it with replacement, and each draw's interval is computed as any is, "
            f"by percentiles and by expanded percentiles (statistics.py). In use: {method_in_use()}. A "
            "verdict turns on one bound; where that lies beyond the truth, it misleads: nominally in 2.5 % "
            "of draws. It is the resampling of clusters that is tested; what other trainings would give is "
            "no part of such an interval."
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


def _candidates(results: Calibration) -> list[str]:
    if not results.tried:
        return []
    chosen = results.chosen
    said = (
        "By no candidate is every impostor rare enough, with the draws there are."
        if chosen is None
        else f"The greatest power among those by which every impostor is rare enough has `{chosen.name}`."
    )
    return [
        "## How the rule was chosen",
        "",
        *_paragraph(
            f"On development worlds {listed(results.development_worlds)}, the same draws judged by every "
            "candidate that was written down beforehand (candidates.py): the impostor most often called "
            '`coupled`, with its interval over draws, and power. "The worst case" is every missing claim '
            f"read as the target's. {said}"
        ),
        *candidates_table(results),
        "",
        "How often each impostor would be called `coupled`:",
        "",
        *impostors_table(results),
        "",
        "With the rule in use, on development worlds:",
        "",
        *rates_table(results.development_rates, EMITTERS),
        "",
        *([] if results.worlds else ["By the size of the data:", "", *size_table(results), ""]),
        *([] if results.worlds else ["Coverage:", "", *coverage_table(results), ""]),
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


def listed(worlds: Sequence[int]) -> str:
    return ", ".join(map(str, worlds)) or "none"


def _paragraph(text: str) -> list[str]:
    return [*wrap(text, 120, break_long_words=False, break_on_hyphens=False), ""]
