"""A plan as tables in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table

from coupling.faithfulness import FROZEN
from coupling.faithfulness.calibrated import HALF, OWN
from coupling.planning.plan import Plan

WHO = {OWN: "organisms' own explanations", HALF: "explanations that follow the run on half of the pairs"}
MIB, GIB = 2**20, 2**30


def print_plan(plan: Plan, console: Console) -> None:
    """Print memory and time by stage, what that comes to, and what a verdict could rest on."""
    share = 100 * plan.trained / plan.parameters
    console.print(
        f"{plan.experiment}: {_count(plan.parameters)} parameters in {plan.dtype}, "
        f"{_count(plan.trained)} of them trained ({share:.3g} %)"
    )
    right = ("tokens", "time", "weights", "gradients", "moments", "working")
    table = Table(
        "stage", *(Column(name, justify="right") for name in (*right, "peak")), box=None, pad_edge=False
    )
    for stage in plan.stages:
        held = stage.memory
        parts = (held.weights, held.gradients, held.moments, held.working)
        table.add_row(
            stage.name,
            _count(stage.tokens),
            duration(stage.seconds),
            *(size(part) for part in parts),
            size(held.total),
        )
    console.print(table)
    each = "each " if plan.processes > 1 else ""
    console.print(
        f"{plan.processes} process{'es' if plan.processes > 1 else ''}, {each}holding at most "
        f"{size(plan.peak)}, and {size(plan.reference)} of M0's behaviour in the machine's memory; "
        f"about {duration(plan.seconds)} in all"
    )
    if plan.left_out:
        console.print(f"{plan.left_out} pairs of the task are left out: the model has no room for them")
    bits = "n/a" if plan.bits is None else f"{plan.bits:.3f}"
    console.print(
        f"{plan.pairs} held-out pairs in {plan.clusters} clusters. A verdict asks for "
        f"{FROZEN.min_discordant_pairs} discordant pairs in {FROZEN.min_discordant_clusters} clusters. In "
        f"four of five experiments P is told from 0 from {bits} bits a pair on, were clusters as uneven as "
        "organisms' are, and Δ from the size on that is given here:"
    )
    found = Table(
        *("discordant", "pairs, all runs", "Δ, steered runs", "Δ, unsteered runs"), box=None, pad_edge=False
    )
    for row in plan.detections:
        found.add_row(
            f"{row.discordance:.0%}", str(row.pairs), f"{row.delta:.2f}", f"{row.delta_unsteered:.2f}"
        )
    console.print(found)
    if plan.no_powers is not None:
        console.print(
            f"How often such an experiment comes out `coupled`: n/a, {plan.no_powers}.", markup=False
        )
    for quote in plan.powers:
        power = quote.power
        console.print(
            f"In calibration (docs/validity.md) {WHO[quote.emitter]} came out `coupled` in {power.value:.0%} "
            f"[{power.low:.0%}, {power.high:.0%}] of {quote.draws} draws of {quote.pairs} pairs of "
            f"{quote.clusters} clusters.",
            markup=False,
        )


def size(count: int) -> str:
    """Bytes in MiB or GiB; nothing as a dash."""
    if count == 0:
        return "-"
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def _count(number: int) -> str:
    for unit, size_of in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size_of:
            return f"{number / size_of:.3g} {unit}"
    return str(number)
