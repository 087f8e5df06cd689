"""``coupling calibrate``: raises organisms, trains the pools, draws panels from them, judges, writes the
page.

Everything that is done is passed over, so a killed command is mended by repeating it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coupling import __version__
from coupling.faithfulness import FROZEN
from coupling.faithfulness.calibrated import HALF, OWN, RULE, Calibrated, PowerQuote, limits_of
from coupling.faithfulness.coverage import Coverage, pooled_coverage
from coupling.faithfulness.statistics import EXPANDED
from coupling.processes import side_by_side
from coupling.progress import Progress, Silent
from coupling.raising import raise_organism
from coupling.store import (
    Json,
    from_json,
    json_sha256,
    read_json,
    require_writable,
    to_json,
    write_json,
    write_text,
)
from coupling.studies.calibrate.draws import KEPT, MOVED_EVERY, Judged, Size, covered, judged_draws
from coupling.studies.calibrate.emitters import EMITTERS, MOVED, Emitter
from coupling.studies.calibrate.figures import Calibration, WorldFigures, calibration
from coupling.studies.calibrate.page import render_markdown
from coupling.studies.calibrate.parts import (
    LEAST_SEEDS,
    PoolPlan,
    is_made,
    make_part,
    parts_of,
    plan_of,
    write_pairs,
)
from coupling.studies.calibrate.pool import Made, Pool, Sham, load_pool, made_before
from coupling.studies.claims.arms import SHIPPED_WORLD
from coupling.studies.points import Together

WORLDS = (10, 11, 12)
DEVELOPMENT_WORLDS, QUICK_WORLDS = (0, 1, 2), (0,)
FIRST_REPORTED_WORLD, LAST_REPORTED_WORLD = 10, 99
"""Worlds for reporting; those before and behind them are for choosing."""
BASE = Size(28, 1200)
"""The quickstart's evaluation."""
FEWER = (Size(28, 600),)
"""Half the pairs. Of half the clusters a verdict says too little drift, whatever else there is."""
ELSEWHERE = tuple(emitter for emitter in EMITTERS if emitter is not MOVED)
"""Who is judged at other sizes than the base."""
SAVE_EVERY = 5
"""Draws after which they are written down: a draw takes a quarter of a minute."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is drawn."""

    plan: PoolPlan
    base: Size
    draws: int
    sizes: tuple[Size, ...]
    """Other sizes than the base."""
    size_draws: int
    """Draws of each of them."""
    resamples: int
    """Behind each interval of a draw, to begin with; bounds that decide take as many as it needs."""
    coverage_clusters: tuple[int, ...]
    coverage_draws: int
    """In each world, at each number of clusters."""
    seed: int = 0


FULL_EXTENT = Extent(
    plan=plan_of(LEAST_SEEDS),
    base=BASE,
    draws=45,
    sizes=FEWER,
    size_draws=20,
    resamples=500,
    coverage_clusters=(20, 28, 40),
    coverage_draws=1000,
)
QUICK_EXTENT = Extent(
    plan=plan_of(LEAST_SEEDS),
    base=BASE,
    draws=15,
    sizes=(),
    size_draws=0,
    resamples=500,
    coverage_clusters=(28,),
    coverage_draws=500,
)


@dataclass(frozen=True, slots=True)
class _World:
    """``world-w0.json``."""

    pool: str
    """Hash of what the pool was made from."""
    clusters: int
    pairs: int
    shams: tuple[Sham, ...]


@dataclass(frozen=True, slots=True)
class _Draws:
    """``draws-w0-c28-p1200.json``: the draws from 0 on that are made."""

    made_from: str
    draws: int
    judged: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class _Covered:
    """``coverage-w0.json``."""

    made_from: str
    coverage: tuple[Coverage, ...]


def run_calibration(
    worlds: Sequence[int],
    development_worlds: Sequence[int],
    extent: Extent,
    folder: Path,
    organisms: Path,
    markdown: Path | None = None,
    workers: int = 2,
    only_read: bool = False,
    is_quick: bool = False,
    progress: Progress | None = None,
    trainings: Path | None = None,
) -> Calibration:
    """Makes what is not made; writes ``calibration.json`` and ``validity.md`` into ``folder``, and the page.

    Args:
        worlds: numbers of the worlds on which error rates, power and coverage are reported.
        development_worlds: numbers of those on which the rule is chosen.
        extent: how much is trained and drawn.
        folder: of all that is drawn.
        organisms: where organisms of worlds that do not ship lie, or are raised.
        markdown: the page of the documentation, where one is wanted.
        only_read: makes nothing and writes the pages from what is there.
        trainings: folder of the experiments; by default the same as of what is drawn.

    Raises:
        ValueError: no world is given, or one in the wrong list; a folder holds something else; with
            ``only_read``, something is not there.
    """
    progress = progress or Silent()
    _check_worlds(worlds, development_worlds)
    every = [*development_worlds, *worlds]
    trainings = folder if trainings is None else trainings
    figures_file, page_file = files_of(folder, is_choice=not worlds)
    for file in (figures_file, page_file, *([] if markdown is None else [markdown])):
        require_writable(file)  # Hours before it is needed.
    if not only_read:
        _raise_organisms(every, organisms, workers, progress)
        _make_parts(every, extent.plan, trainings, organisms, workers, progress)
        jobs = [(world, extent, folder, trainings, organisms) for world in every]
        side_by_side(_draw_world, jobs, workers, progress)
    reported = [_read_world(world, extent, folder) for world in worlds]
    development = [_read_world(world, extent, folder) for world in development_worlds]
    results = calibration(
        reported,
        development,
        pooled_coverage([each for world in reported or development for each in world.coverage]),
        extent.base,
        extent.draws,
        extent.resamples,
        is_quick,
    )
    write_json(figures_file, to_json(results))
    page = render_markdown(results)
    write_text(page_file, page)
    if markdown is not None:
        write_text(markdown, page)
    return results


def files_of(folder: Path, is_choice: bool) -> tuple[Path, Path]:
    """Where figures and page stand; those of development worlds alone never replace a full calibration's."""
    if is_choice:
        return folder / "candidates.json", folder / "candidates.md"
    return folder / "calibration.json", folder / "validity.md"


def calibrated(results: Calibration) -> Calibrated:
    """What `coupling plan` quotes of it."""
    return Calibrated(
        worlds=results.worlds,
        rule=results.rule,
        limits=limits_of(FROZEN),
        quotes=tuple(
            PowerQuote(each.emitter, each.clusters, each.pairs, each.rate.count, each.rate.trials)
            for each in results.sizes
            if each.emitter in (OWN, HALF)
        ),
    )


def _check_worlds(worlds: Sequence[int], development_worlds: Sequence[int]) -> None:
    if not worlds and not development_worlds:
        raise ValueError("calibrate: no world is given; name some by --worlds or --dev-worlds")
    wrong = [("--worlds", world) for world in worlds if not _is_for_reporting(world)]
    wrong += [("--dev-worlds", world) for world in development_worlds if _is_for_reporting(world)]
    for option, world in wrong:
        raise ValueError(
            f"{option}: world {world}; worlds {FIRST_REPORTED_WORLD} to {LAST_REPORTED_WORLD} are for "
            "reporting, and all others for choosing the rule"
        )


def _is_for_reporting(world: int) -> bool:
    return FIRST_REPORTED_WORLD <= world <= LAST_REPORTED_WORLD


def _raise_organisms(worlds: Sequence[int], organisms: Path, workers: int, progress: Progress) -> None:
    jobs = [(world, organisms / f"coupled-w{world}-s0") for world in worlds if world != SHIPPED_WORLD]
    side_by_side(_raise_one, jobs, workers, progress)


def _raise_one(world: int, folder: Path, progress: Progress) -> None:
    raise_organism("coupled", world, 0, folder, progress)


def _make_parts(
    worlds: Sequence[int],
    plan: PoolPlan,
    folder: Path,
    organisms: Path,
    workers: int,
    progress: Progress,
) -> None:
    for world in worlds:
        write_pairs(world, folder)
    configs = [part.config for world in worlds for part in parts_of(world, plan, folder, organisms)]
    wanted = [(config, folder) for config in configs if not is_made(config, folder)]
    if len(wanted) < len(configs):
        progress.note(f"done before: {len(configs) - len(wanted)} of {len(configs)} experiments")
    together = Together(progress, tuple(config.name for config, _ in wanted))
    side_by_side(make_part, wanted, workers, together)


def _draw_world(
    world: int, extent: Extent, folder: Path, trainings: Path, organisms: Path, progress: Progress
) -> None:
    """All that is drawn from one world, or what of it is not there."""
    pool = load_pool(world, parts_of(world, extent.plan, trainings, organisms), trainings, folder)
    shams = tuple(pool.shams.values())
    noted = _World(pool.sha256, pool.clusters, len(pool.table.pairs), shams)
    write_json(folder / f"world-w{world}.json", to_json(noted))
    sizes = [extent.base, *extent.sizes]
    for number, size in enumerate(sizes, start=1):
        _draw_size(pool, size, extent, folder, progress)
        progress.update(f"draw from world {world}", number, len(sizes) + 1)
    file, made_from = _coverage_file(world, folder), _covered_from(pool.sha256, extent)
    if made_before(_Covered, file, made_from) is None:
        found = covered(
            pool, extent.coverage_clusters, extent.coverage_draws, 2 * extent.resamples, extent.seed
        )
        write_json(file, to_json(_Covered(made_from, tuple(found))))
    progress.update(f"draw from world {world}", len(sizes) + 1, len(sizes) + 1)


def _draw_size(pool: Pool, size: Size, extent: Extent, folder: Path, progress: Progress) -> None:
    file, made_from = _draws_file(pool.world, size, folder), _drawn_from(pool.sha256, size, extent)
    before = made_before(_Draws, file, made_from)
    judged = [] if before is None else list(before.judged)
    first = 0 if before is None else before.draws
    draws, emitters = _how_many(size, extent)
    task = f"world {pool.world}, {size.pairs} pairs of {size.clusters} clusters"
    numbers = range(first, draws)
    for done, of_draw in enumerate(
        judged_draws(pool, size, numbers, extent.resamples, extent.seed, emitters), start=first + 1
    ):
        judged += of_draw
        if done % SAVE_EVERY == 0 or done == draws:
            write_json(file, to_json(_Draws(made_from, done, tuple(judged))))
        progress.update(task, done, draws)


def _how_many(size: Size, extent: Extent) -> tuple[int, tuple[Emitter, ...]]:
    is_base = size == extent.base
    return (extent.draws, EMITTERS) if is_base else (extent.size_draws, ELSEWHERE)


def _read_world(world: int, extent: Extent, folder: Path) -> WorldFigures:
    """Raises ValueError where something is not there, or was drawn otherwise."""
    file = folder / f"world-w{world}.json"
    _require_there(file)
    noted = from_json(_World, read_json(file), str(file))
    judged: list[Judged] = []
    for size in (extent.base, *extent.sizes):
        made_from = _drawn_from(noted.pool, size, extent)
        file = _draws_file(world, size, folder)
        found_draws = _drawn(_Draws, file, made_from)
        wanted, _ = _how_many(size, extent)
        if found_draws.draws < wanted:
            raise ValueError(
                f"{file}: holds {found_draws.draws} of {wanted} draws; run the same command without --read"
            )
        judged += [each for each in found_draws.judged if each.draw < wanted]
    found = _drawn(_Covered, _coverage_file(world, folder), _covered_from(noted.pool, extent))
    return WorldFigures(world, noted.clusters, noted.pairs, tuple(judged), found.coverage, noted.shams)


def _drawn(record: type[Made], file: Path, made_from: str) -> Made:
    _require_there(file)
    found = made_before(record, file, made_from)
    if found is None:
        raise ValueError(f"{file}: was drawn with other options; run the same command without --read")
    return found


def _require_there(file: Path) -> None:
    if not file.is_file():
        raise ValueError(f"{file}: is not there yet; run the same command without --read")


def _draws_file(world: int, size: Size, folder: Path) -> Path:
    return folder / f"draws-w{world}-c{size.clusters}-p{size.pairs}.json"


def _coverage_file(world: int, folder: Path) -> Path:
    return folder / f"coverage-w{world}.json"


def _drawn_from(pool: str, size: Size, extent: Extent) -> str:
    _, emitters = _how_many(size, extent)
    names = [[emitter.name, emitter.strength] for emitter in emitters]
    drawn: dict[str, Json] = {"size": to_json(size), "emitters": names, "kept": KEPT, "moved": MOVED_EVERY}
    return _made_from(pool, drawn, extent)


def _covered_from(pool: str, extent: Extent) -> str:
    return _made_from(
        pool, {"clusters": list(extent.coverage_clusters), "draws": extent.coverage_draws}, extent
    )


def _made_from(pool: str, drawn: dict[str, Json], extent: Extent) -> str:
    """All that draws follow from."""
    return json_sha256(
        {
            "pool": pool,
            "resamples": extent.resamples,
            "seed": extent.seed,
            "rule": RULE,
            "thresholds": to_json(FROZEN),
            "expanded": EXPANDED,
            "coupling": __version__,
            **drawn,
        }
    )
