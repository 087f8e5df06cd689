"""Own pairs, from a JSONL file with one ``CounterfactualPair`` a line."""

from __future__ import annotations

from pathlib import Path

from coupling.config import PairsTask
from coupling.records import CounterfactualPair
from coupling.store import from_json, read_rows
from coupling.tasks.checks import check_pairs


def load(config: PairsTask) -> tuple[CounterfactualPair, ...]:
    """The pairs in the order of the file.

    Raises:
        ValueError: naming file and line, for a line that is no pair and for what ``check_pairs`` refuses.
    """
    rows = list(read_rows(Path(config.path)))
    pairs = tuple(from_json(CounterfactualPair, row, where) for where, row in rows)
    check_pairs(pairs, config.path, [where for where, _ in rows])
    return pairs
