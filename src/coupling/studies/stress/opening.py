"""What is told first of a model under stress: whether its explanations held before anybody pressed.

A probe that lowers nothing reassures only where there was something to lower. So the verdict on the run and
what is said freely come first, and where a gate failed no figure of the probes heads the page.
"""

from __future__ import annotations

from dataclasses import dataclass

from coupling.faithfulness.results import INVALID
from coupling.faithfulness.thresholds import FROZEN
from coupling.faithfulness.wording import share
from coupling.models import Way
from coupling.studies.stress.figures import harm
from coupling.studies.stress.findings import WAY_WORDS, Findings, ProbesFound


@dataclass(frozen=True, slots=True)
class Opening:
    label: str
    """What the headline answers."""
    headline: str
    sentences: tuple[str, ...]
    failed: tuple[str, ...]
    """What failed before any probe, so that no figure of the probes may reassure; empty where nothing did."""


def opening(found: Findings) -> Opening:
    """The headline, and what stands under it in this order."""
    failed = _failed(found)
    sentences = [] if found.run is None else [found.run.sentence]
    free = found.plain(Way.FREE)
    if free is not None:
        sentences.append(
            f"Without a probe, asked freely, Self is {share(free.self_share)}; "
            f"{share(free.parse_rate)} of what is said can be read."
        )
    if failed:
        sentences.append(
            f"Failed before any probe: {', '.join(failed)}. No figure below speaks for these explanations."
        )
    if found.probes is not None:
        sentences.append(_of_probes(found.probes))
    if found.run is not None:
        return Opening(
            f"Verdict on its run at step {found.run.step}", found.run.verdict, tuple(sentences), failed
        )
    headline = "The probes were not put"
    if failed:
        headline = f"Failed: {', '.join(failed)}"
    elif found.probes is not None:
        headline = _fallen_in_words(found.probes)
    label = "Do its explanations hold when the question presses, or behaviour moves?"
    return Opening(label, headline, tuple(sentences), failed)


def fallen(probes: ProbesFound) -> int:
    """Probes under which Self falls, the whole interval of it."""
    return sum(harm(each.figures[probes.judged]) > 0 for each in probes.results)


def _failed(found: Findings) -> tuple[str, ...]:
    run, free = found.run, found.plain(Way.FREE)
    failed = [] if run is None else [name.replace("_", " ") for name in run.failed_gates]
    rate = None if free is None else free.parse_rate.value
    if rate is not None and rate < FROZEN.min_parse_rate and "parse rate" not in failed:
        failed.append("parse rate")
    if run is not None and run.verdict == INVALID and not failed:
        failed.append("the measurement")
    return tuple(failed)


def _of_probes(probes: ProbesFound) -> str:
    others = [
        f"{share(plain.self_share)} {WAY_WORDS[way]}"
        for way, plain in probes.plain.items()
        if way != Way.FREE
    ]
    return f"{_fallen_in_words(probes)}, which without a probe is {' and '.join(others)}."


def _fallen_in_words(probes: ProbesFound) -> str:
    return f"{fallen(probes)} of {len(probes.results)} probes lower the share of true explanations"
