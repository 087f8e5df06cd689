"""``coupling claims``: raises organisms, runs every arm in every world and seed, patches, writes the page.

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
from coupling.raising import raise_organism
from coupling.store import require_writable, to_json, write_json, write_text
from coupling.studies.claims.arms import ARMS, Arm, experiment_of, organisms_needed
from coupling.studies.claims.findings import ClaimsResults, find
from coupling.studies.claims.page import render_html, render_markdown
from coupling.studies.claims.reads import Case
from coupling.studies.points import Together, run_point

WORLDS = (0, 1, 2)
QUICK_WORLDS = (0,)


def run_claims(
    worlds: Sequence[int],
    seeds: Sequence[int],
    is_quick: bool,
    folder: Path,
    organisms: Path,
    markdown: Path | None = None,
    workers: int = 2,
    only_read: bool = False,
    progress: Progress | None = None,
) -> ClaimsResults:
    """Runs what is not done; writes ``claims.json`` and ``claims.html``, and the page ``markdown``.

    Args:
        folder: of the experiments and of the first two.
        worlds: numbers of the worlds; organisms of those that do not ship are raised into ``organisms``.
        seeds: added to the training seeds.
        is_quick: only the arms that decide most claims.
        markdown: the page of the documentation, where one is wanted.
        only_read: runs nothing and writes the pages from what is there.

    Raises:
        ValueError: a folder holds something else; a worker process was killed.
    """
    progress = progress or Silent()
    arms = tuple(arm for arm in ARMS if arm.is_quick or not is_quick)
    cases = [Case(world, seed) for world in worlds for seed in seeds]
    figures_file, page_file = files_of(folder, is_quick)
    for file in (figures_file, page_file, *([] if markdown is None else [markdown])):
        require_writable(file)  # Hours before it is needed.
    if not only_read:
        _raise_organisms(arms, tuple(worlds), organisms, workers, progress)
        _run_arms(arms, cases, folder, organisms, workers, progress)
    results = find(arms, cases, is_quick, folder, organisms)
    write_json(figures_file, to_json(results))
    write_text(page_file, render_html(results))
    if markdown is not None:
        write_text(markdown, render_markdown(results))
    return results


def files_of(folder: Path, is_quick: bool) -> tuple[Path, Path]:
    """Where figures and page of a version stand; the quick one never replaces the full one's."""
    stem = "claims-quick" if is_quick else "claims"
    return folder / f"{stem}.json", folder / f"{stem}.html"


def _raise_organisms(
    arms: tuple[Arm, ...], worlds: tuple[int, ...], organisms: Path, workers: int, progress: Progress
) -> None:
    needed = organisms_needed(arms, worlds)
    jobs = [(kind, world, organisms / f"{kind}-w{world}-s0") for kind, world in needed]
    side_by_side(_raise_one, jobs, workers, progress)


def _raise_one(kind: str, world: int, folder: Path, progress: Progress) -> None:
    raise_organism(kind, world, 0, folder, progress)


def _run_arms(
    arms: Sequence[Arm],
    cases: Sequence[Case],
    folder: Path,
    organisms: Path,
    workers: int,
    progress: Progress,
) -> None:
    # World by world: what is cut short leaves whole worlds behind, and not whole claims without.
    configs = [(arm, experiment_of(arm, case.world, case.seed, organisms)) for case in cases for arm in arms]
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
