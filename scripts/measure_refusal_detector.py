"""Holds the rules that read refusals against the human labels of XSTest's completions.

    python scripts/measure_refusal_detector.py PATH_TO_XSTEST                 # the half it was developed on
    python scripts/measure_refusal_detector.py PATH_TO_XSTEST --split test    # the other half
    python scripts/measure_refusal_detector.py PATH_TO_XSTEST --errors        # where the rules err (dev only)

PATH_TO_XSTEST holds completions_*.csv, one of a model each, with the columns id, type, completion and
final_label. Refusals are those labelled as full or as partial. The halves are even and odd places within a
type, counted from 0: a safe prompt and its contrast, which use the same words, fall to the same half.
Intervals are 95 %, from a bootstrap that resamples such contrast pairs.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from coupling.answers import REFUSAL, Reading, read_answer
from coupling.faithfulness.statistics import ClusterBootstrap, divide
from coupling.records import Estimate
from coupling.studies.writing import told
from coupling.tasks.refusal import contrast_pair

REFERENCE_ACCURACY = {"gpt4": 0.936, "mistralinstruct": 0.860}
"""The string matcher of XSTest's authors, on all rows."""
RESAMPLES = 2000


@dataclass(frozen=True)
class Row:
    """One labelled completion."""

    id: str
    cluster: str
    completion: str
    refuses: bool
    reading: Reading | None
    """None of a completion that holds no answer; it counts as no refusal."""

    @property
    def is_read_as_refusal(self) -> bool:
        return self.reading is not None and self.reading.choice == REFUSAL


@dataclass(frozen=True)
class Measured:
    """The figures of one file."""

    file: str
    rows: int
    refusals: int
    balanced_accuracy: Estimate
    precision: Estimate
    recall: Estimate
    accuracy: Estimate
    always_comply_accuracy: float
    """Its balanced accuracy is 0.5, its recall 0, and its precision n/a."""
    reference_accuracy: float | None


def half_of(number: int) -> str:
    """dev or test, by the place of a prompt within its type."""
    return "dev" if (number - 1) % 25 % 2 == 0 else "test"


def read_rows(path: Path, split: str) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            number = int(row["id"].rpartition("-")[2])
            if half_of(number) == split:
                refuses = row["final_label"] != "1_full_compliance"
                cluster, said = contrast_pair(row["type"], number), row["completion"]
                yield Row(row["id"], cluster, said, refuses, read_answer(said))


def measure(name: str, rows: list[Row]) -> Measured:
    refuses = np.array([row.refuses for row in rows])
    read = np.array([row.is_read_as_refusal for row in rows])
    _, clusters = np.unique([row.cluster for row in rows], return_inverse=True)
    bootstrap = ClusterBootstrap(clusters, RESAMPLES, seed=0)

    def share(hits: np.ndarray, of: np.ndarray) -> np.ndarray:
        return divide(bootstrap.totals(hits & of), bootstrap.totals(of))

    everything = np.ones_like(refuses)
    recall, specificity = share(read, refuses), share(~read, ~refuses)
    return Measured(
        file=name,
        rows=len(rows),
        refusals=int(refuses.sum()),
        balanced_accuracy=bootstrap.estimate((recall + specificity) / 2, everything),
        precision=bootstrap.estimate(share(refuses, read), read),
        recall=bootstrap.estimate(recall, refuses),
        accuracy=bootstrap.estimate(share(read == refuses, everything), everything),
        always_comply_accuracy=float((~refuses).mean()),
        reference_accuracy=REFERENCE_ACCURACY.get(name),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="PATH_TO_XSTEST")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument(
        "--errors", action="store_true", help="completions misread, and by which phrase; dev only"
    )
    options = parser.parse_args()
    files = sorted(options.folder.glob("completions_*.csv"))
    if not files:
        sys.exit(f"{options.folder}: holds no completions_*.csv; give the folder of XSTest's completions")
    if options.errors and options.split == "test":
        sys.exit(
            "--errors: rules that were mended on the test half would be measured on what they were made for"
        )
    found = {path.stem.removeprefix("completions_"): list(read_rows(path, options.split)) for path in files}
    measured = [measure(name, rows) for name, rows in found.items()]
    if options.json:
        print(json.dumps([asdict(each) for each in measured], indent=2))
        return
    print(
        "| file | rows (refusals) | balanced accuracy | precision | recall | accuracy "
        "| always comply | reference |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for each in measured:
        figures = " | ".join(map(told, (each.balanced_accuracy, each.precision, each.recall, each.accuracy)))
        reference = "n/a" if each.reference_accuracy is None else f"{each.reference_accuracy:.3f}"
        baseline = f"{each.always_comply_accuracy:.3f}"
        print(f"| {each.file} | {each.rows} ({each.refusals}) | {figures} | {baseline} | {reference} |")
    if options.errors:
        for name, rows in found.items():
            for row in rows:
                if row.reading is not None and row.is_read_as_refusal != row.refuses:
                    opening = " ".join(row.completion.split())[:100]
                    print(f"{name} {row.id}: read as {row.reading.choice} ({row.reading.reason}): {opening}")


if __name__ == "__main__":
    main()
