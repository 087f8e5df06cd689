"""The run directory of an experiment, by itself or beside the others of a study.

Most experiments of a study put the same questions to the same M0. Beside every artifact stands, as hashes,
all that it was made from. So where another experiment of the folder has an artifact of this name that was
made from the very same things, its bytes are what asking anew would give.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from coupling.config import ExperimentConfig, dump_experiment, result_fields
from coupling.experiment.artifacts import BASE, TARGET
from coupling.store import RunDir, write_bytes
from coupling.store.run_dir import RUN_FILE


@contextmanager
def open_run(path: Path, config: ExperimentConfig, shares: bool) -> Iterator[RunDir]:
    """Makes or resumes the directory of an experiment, and holds it. One that was made here is removed when
    the block ends before the first artifact, with or without an error: an empty one is of no use.

    Args:
        shares: whether answers are taken over from the experiments beside it (`SharingRunDir`).

    Raises:
        ValueError: as `RunDir.open`.
    """
    is_new = not path.exists()
    kind = SharingRunDir if shares else RunDir
    with kind.open(path, result_fields(config), dump_experiment(config)) as run:
        try:
            yield run
        finally:
            if is_new and run.is_empty:
                shutil.rmtree(path)


class SharingRunDir(RunDir):
    """The run directory of an experiment that takes over what M0 and the target answered, as far as another
    experiment of its folder has it. Two that ask at the same time both ask."""

    def make(self, name: str, made_from: Mapping[str, str], build: Callable[[Path], None]) -> Path:
        def take_over_or_build(path: Path) -> None:
            lender = self._lender(name, made_from)
            if lender is None:
                build(path)
            else:
                write_bytes(path, lender.file(name).read_bytes())

        # Everything else is made in no time, or is this experiment's own.
        is_answered = PurePosixPath(name).parts[0] in (BASE, TARGET)
        return super().make(name, made_from, take_over_or_build if is_answered else build)

    def _lender(self, name: str, made_from: Mapping[str, str]) -> RunDir | None:
        for file in sorted(self.path.parent.glob(f"*/{RUN_FILE}")):
            other = RunDir(file.parent)
            try:
                if other.is_done(name, made_from):
                    return other
            except ValueError:  # What another version wrote is no fault of this experiment.
                continue
        return None
