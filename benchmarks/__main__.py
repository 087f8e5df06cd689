"""Measures all, prints a table or JSON; exit code 1 when a target is missed. With ``--quick`` all sizes are
the smallest, which shows that it runs, and not how fast."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace

from rich.console import Console
from rich.table import Table

from benchmarks import checkpoints, sampling, startup, sweep, training
from benchmarks.timing import Finding
from coupling.models import prepare_process


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON on stdout, and nothing else there")
    parser.add_argument("--quick", action="store_true", help="the smallest sizes, held against no target")
    given = parser.parse_args()
    prepare_process()
    found: list[Finding] = []
    for subject in (startup, sampling, training, checkpoints, sweep):
        for finding in subject.findings(given.quick):
            print(f"{finding.what}: {finding.value:.2f} {finding.unit}", file=sys.stderr, flush=True)
            found.append(replace(finding, at_least=None, at_most=None) if given.quick else finding)
    if given.json:
        print(json.dumps([{**asdict(each), "is_met": each.is_met} for each in found], indent=2))
    else:
        Console(markup=False, highlight=False).print(as_table(found))
    return 1 if any(each.is_met is False for each in found) else 0


def as_table(found: list[Finding]) -> Table:
    table = Table("what", "measured", "target", "", "detail")
    for each in found:
        target = f"≥ {each.at_least:g}" if each.at_least is not None else ""
        target = f"≤ {each.at_most:g}" if each.at_most is not None else target
        verdict = {True: "met", False: "missed", None: ""}[each.is_met]
        table.add_row(each.what, f"{each.value:.2f} {each.unit}", target, verdict, each.detail)
    return table


if __name__ == "__main__":
    sys.exit(main())
