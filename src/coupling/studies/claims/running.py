"""``coupling claims``: provides what arms start from, runs every arm in every case, patches, writes the page.

Everything that is done is passed over, so a killed command is mended by repeating it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from coupling.config import ExperimentConfig
from coupling.experiment import is_done, run_path
from coupling.experiment.patching import patch_run
from coupling.processes import side_by_side
from coupling.progress import Progress, Silent
from coupling.store import require_writable, to_json, write_json, write_text
from coupling.studies.claims.cases import Arm, Case
from coupling.studies.claims.findings import ClaimsResults, find
from coupling.studies.claims.page import render_html, render_markdown
from coupling.studies.claims.subject import Subject, chosen_arms
from coupling.studies.points import Together, run_point


def run_claims(
    subject: Subject,
    cases: Sequence[Case],
    is_quick: bool,
    folder: Path,
    markdown: Path | None = None,
    workers: int = 2,
    only: Sequence[str] | None = None,
    only_read: bool = False,
    progress: Progress | None = None,
) -> ClaimsResults:
    """Runs what is not done; writes ``claims.json`` and ``claims.html``, and the page ``markdown``.

    Args:
        folder: of the experiments and of the first two.
        is_quick: only the arms that decide most claims.
        markdown: the page of the documentation, where one is wanted.
        only: names of the arms to run, beside those that they build upon; None runs all. The pages tell of
            all that have been run.
        only_read: runs nothing and writes the pages from what is there.

    Raises:
        ValueError: no such arm; a folder holds something else; something is missing that only the user can
            provide; a worker process was killed; with ``only_read``, nothing has been run.
    """
    progress = progress or Silent()
    to_run = chosen_arms(subject, only, is_quick)
    figures_file, page_file = files_of(folder, is_quick)
    for file in (figures_file, page_file, *([] if markdown is None else [markdown])):
        require_writable(file)  # Hours before it is needed.
    if not only_read:
        waves = subject.waves(to_run)
        subject.prepare([arm for wave in waves for arm in wave], cases, workers, progress)
        for wave in waves:
            _run_arms(subject, wave, cases, folder, workers, progress)
    results = find(subject, chosen_arms(subject, None, is_quick), cases, is_quick, folder)
    if only_read and not any(result.figures for result in results.arms):
        raise ValueError(
            f"{folder}: none of the experiments has been run there; run the same command without --read. "
            "No page was written"
        )
    write_json(figures_file, to_json(results))
    write_text(page_file, render_html(results, subject))
    if markdown is not None:
        write_text(markdown, render_markdown(results, subject))
    return results


def files_of(folder: Path, is_quick: bool) -> tuple[Path, Path]:
    """Where figures and page of a version stand; the quick one never replaces the full one's."""
    stem = "claims-quick" if is_quick else "claims"
    return folder / f"{stem}.json", folder / f"{stem}.html"


def _run_arms(
    subject: Subject,
    arms: Sequence[Arm],
    cases: Sequence[Case],
    folder: Path,
    workers: int,
    progress: Progress,
) -> None:
    # Case by case: what is cut short leaves whole cases behind, and not whole claims without.
    configs = [(arm, subject.experiment(arm, case)) for case in cases for arm in arms]
    wanted = [(config, folder) for _, config in configs if not is_done(config, folder)]
    if len(wanted) < len(configs):
        progress.note(f"done before: {len(configs) - len(wanted)} of {len(configs)} experiments")
    together = Together(progress, tuple(config.name for config, _ in wanted))
    side_by_side(run_point, wanted, workers, together)
    patched = [(config, folder) for arm, config in configs if arm.is_patched and is_done(config, folder)]
    side_by_side(_patch, patched, workers, progress)


def _patch(config: ExperimentConfig, folder: Path, progress: Progress) -> None:
    try:
        patch_run(run_path(config, folder), experiment=config, progress=progress)
    except ValueError as error:  # The page is written all the same, without circuits.
        progress.note(f"{config.name}: could not be patched: {error}")
