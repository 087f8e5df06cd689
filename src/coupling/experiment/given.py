"""Labels and behaviours made elsewhere, kept in the run directory: later stages do not need their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from coupling.config import ExperimentConfig
from coupling.experiment.artifacts import GIVEN, TARGET, behaviors_of
from coupling.experiment.selection import given_labels, labelled_pairs
from coupling.progress import Progress
from coupling.records import Behavior, CounterfactualPair, Label
from coupling.store import RunDir, json_sha256, read_records, to_json, write_records
from coupling.supervision import read_behaviors

_Record = TypeVar("_Record", Label, Behavior)


def keep_given_labels(
    config: ExperimentConfig, run: RunDir, pairs: Sequence[CounterfactualPair], progress: Progress
) -> None:
    """Keeps the labels of the file that are used, of those about ``pairs``, which are all of the task.

    Raises:
        ValueError: the file does not fit the task, or changed since the run was begun.
    """
    by_pair = {label.pair_id: label for label in given_labels(config, pairs)}
    used = [by_pair[pair.id] for pair in labelled_pairs(config, pairs)]
    if len(used) < len(by_pair):
        progress.note(f"{len(used)} of the file's {len(by_pair)} labels are used, as supervision.labels says")
    _keep(run, GIVEN, Label, used, str(config.supervision.file))


def keep_given_effects(
    config: ExperimentConfig,
    run: RunDir,
    every_pair: Sequence[CounterfactualPair],
    held_out: Sequence[CounterfactualPair],
) -> None:
    """Keeps what the author of the labels answers to the held-out pairs.

    Raises:
        ValueError: the file leaves out such a pair, is malformed, or changed since the run was begun.
    """
    file = config.supervision.effects
    assert file is not None
    known, judged = ({pair.id: pair for pair in pairs} for pairs in (every_pair, held_out))
    behaviors = list(read_behaviors(Path(file), judged, known).values())
    _keep(run, behaviors_of(TARGET), Behavior, behaviors, file)


def _keep(run: RunDir, name: str, record: type[_Record], records: list[_Record], file: str) -> None:
    kept = run.file(name)
    if kept.is_file() and read_records(kept, record) != records:
        raise ValueError(
            f"{kept}: holds something else than {file} gives now; one of the two changed since the run was "
            "begun; restore it, or run under another name"
        )
    content = {"records": json_sha256([to_json(each) for each in records])}
    run.make(name, content, lambda path: write_records(path, records))
