from __future__ import annotations

from dataclasses import replace
from math import log
from pathlib import Path

import numpy as np
import pytest

from coupling.cli.calibrate import calibrate
from coupling.faithfulness import Evidence, judge
from coupling.faithfulness.judge import encoded_baselines
from coupling.faithfulness.results import COUPLED
from coupling.faithfulness.scores import tabulate
from coupling.faithfulness.statistics import rate
from coupling.faithfulness.thresholds import FROZEN
from coupling.records import Behavior, Effect
from coupling.studies.calibrate import emitters, running
from coupling.studies.calibrate.draws import Judged, Size, covered, judged_draws
from coupling.studies.calibrate.emitters import EMITTERS, IMPOSTORS, ITSELF, MIXTURES, cast, claims_of
from coupling.studies.calibrate.figures import (
    BySize,
    WorldFigures,
    calibration,
    margins,
    rates,
    read_calibration,
    smallest,
)
from coupling.studies.calibrate.page import render_markdown
from coupling.studies.calibrate.parts import FULL, PANEL, SHAM, SHUFFLED, PoolPlan, parts_of
from coupling.studies.calibrate.pool import Pool, Sham, mean_kl, nearest, run_name
from coupling.studies.calibrate.running import Extent, run_calibration
from coupling.studies.calibrate.wishes import misses
from synthetic_panels import STEERING, TWINS, drifting_panel
from tiny_models import save_tiny

SIZE = Size(24, 600)


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Two training seeds of a panel that reads itself, on 30 clusters; whoever explains it is known."""
    first, second = (drifting_panel("self", seed=0), drifting_panel("self", seed=0))
    drift = drifting_panel("shared", seed=0)

    def renamed(evidence: Evidence, kind: str, seed: int) -> list[object]:
        return [replace(run, name=run_name(kind, run.name, seed)) for run in evidence.runs]

    runs = (
        *renamed(first, PANEL, 0),
        *renamed(second, PANEL, 1),
        *renamed(drift, SHUFFLED, 0),
        replace(drift.runs[0], name="sham@4"),
    )
    table = tabulate(replace(first, runs=runs, twins=()))  # type: ignore[arg-type]
    baselines = encoded_baselines(first, table)
    names = [run_name(PANEL, position, seed) for position in STEERING for seed in (0, 1)]
    return Pool(
        world=100,
        positions=tuple(STEERING),
        twins=TWINS,
        steered={run.name: run.steered for run in first.runs},
        alike={
            "plain": "plain",
            "follow-Chen": "follow-Diaz",
            "ignore-Chen": "ignore-Diaz",
            "follow-Diaz": "follow-Chen",
            "ignore-Diaz": "ignore-Chen",
        },
        seeds={PANEL: (0, 1), SHUFFLED: (0,), SHAM: (100,)},
        table=table,
        baselines=baselines,
        shams={(name, 100): Sham(name, "sham@4", 0.1, 0.11) for name in names},
        surrogate=baselines["copy_the_cue"],
        observers={name: table.behaviors[table.runs.index(name)] for name in names},
        sha256="0" * 64,
    )


@pytest.fixture(scope="module")
def judged(pool: Pool) -> list[Judged]:
    return [each for of_draw in judged_draws(pool, SIZE, 3, 200, 0) for each in of_draw]


def of(judged: list[Judged], emitter: str) -> list[Judged]:
    return [each for each in judged if each.emitter == emitter]


def test_the_oracle_is_always_coupled_and_whoever_reads_the_text_never(judged: list[Judged]) -> None:
    assert all(each.is_coupled for each in of(judged, "oracle"))
    for name in ("sibling", "frozen_base", "surrogate"):
        found = of(judged, name)
        assert found and not any(each.is_coupled for each in found)
        assert all(each.figures["t"].value in (None, 0.5) for each in found)


def test_a_mixture_rises_with_its_strength(judged: list[Judged]) -> None:
    means = [np.mean(_values(of(judged, name), "self")) for name in _names_of_mixtures()]
    assert means == sorted(means) and means[-1] == 1


def test_every_emitter_is_judged_on_the_same_panel(judged: list[Judged]) -> None:
    assert {each.emitter for each in judged} == {emitter.name for emitter in EMITTERS}
    assert len({(each.draw, each.figures["discordant_pairs"]) for each in judged}) == 3


def test_draws_are_the_same_however_many_there_are(pool: Pool, judged: list[Judged]) -> None:
    again = [each for of_draw in judged_draws(pool, SIZE, 1, 200, 0) for each in of_draw]
    assert again == judged[: len(EMITTERS)]
    assert next(iter(judged_draws(pool, SIZE, 1, 200, 1))) != again


def test_a_draw_is_judged_as_any_panel_is(pool: Pool) -> None:
    """All clusters and pairs of one seed: what `judge` says of the same evidence."""
    evidence = drifting_panel("self", seed=0)
    everything = Size(pool.clusters, len(pool.table.pairs))
    (of_draw,) = judged_draws(pool, everything, 1, 200, 0, (ITSELF,))
    whole = judge(evidence, resamples=200)
    for name in ("self", "delta", "t", "a", "r", "discordant_pairs"):
        assert of_draw[0].figures[name].value == pytest.approx(whole.figures(name).value), name
    assert of_draw[0].verdict == whole.verdict().verdict == COUPLED


def test_other_margins_say_what_the_rule_would(pool: Pool, judged: list[Judged]) -> None:
    assert all(
        each.coupled_at(FROZEN.twin_margin, FROZEN.advantage_margin, FROZEN.rivalry_margin) == each.is_coupled
        for each in judged
    )
    assert not any(each.coupled_at(1.0, 0.0, None) or each.coupled_at(0.5, 5.0, None) for each in judged)
    grid = margins(judged)
    strict, loose = grid[-1], grid[0]
    assert all(loose.errors[name].count >= strict.errors[name].count for name in loose.errors)
    assert loose.own.count >= strict.own.count and loose.own.trials == 3
    assert loose.errors[loose.worst].count == max(each.count for each in loose.errors.values())
    assert sum(each.is_frozen for each in grid) == 1
    assert strict.rivalry_margin == 0.0 and loose.rivalry_margin is None


def test_a_rival_in_the_panel_shuts_out_whoever_says_what_another_run_says(judged: list[Judged]) -> None:
    for name in ("sibling", "sibling_alike", "unsteered", "frozen_base", "surrogate"):
        assert not any(each.coupled_at(0.0, -1.0, 0.0) for each in of(judged, name)), name
    assert all(each.coupled_at(0.5, 0.0, 0.0) for each in of(judged, "oracle"))


def test_who_explains_whom(pool: Pool) -> None:
    drawn = cast(pool, np.random.default_rng(0))
    by_name = {emitter.name: claims_of(emitter, pool, drawn) for emitter in EMITTERS}
    follow = pool.positions.index("follow-Chen")
    assert drawn.seeds["follow-Chen"] == drawn.seeds["ignore-Chen"]
    assert all(drawn.others[position] != drawn.seeds[position] for position in pool.positions)
    like = pool.row(PANEL, "follow-Diaz", drawn.seeds["follow-Diaz"])
    assert np.array_equal(by_name["sibling_alike"][follow], pool.table.claims[like])
    plain = pool.row(PANEL, "plain", drawn.others["plain"])
    assert np.array_equal(by_name["unsteered"][0], pool.table.claims[plain])
    assert np.array_equal(by_name["sham"][0], pool.table.claims[pool.table.runs.index("sham@4")])


def test_kl_by_hand_and_the_nearest_of_them() -> None:
    half, quarter = (log(0.5), log(0.5)), (log(0.25), log(0.75))
    effect = Effect("Bern", "Bern")
    base = [Behavior("p", effect, half, half)]
    now = [Behavior("p", effect, quarter, half)]
    by_hand = 0.5 * log(0.5 / 0.25) + 0.5 * log(0.5 / 0.75)
    assert mean_kl(base, base) == 0
    assert mean_kl(base, now) == pytest.approx(by_hand / 2)
    assert mean_kl(now, base) == pytest.approx((0.25 * log(0.25 / 0.5) + 0.75 * log(0.75 / 0.5)) / 2)
    assert nearest(0.1, {"a": 0.04, "b": 0.2, "c": 0.19}) == "c"
    assert nearest(0.1, {"b": 0.2, "a": 0.05}) == "a"  # As far in ratio: the alphabet decides.


def test_coverage_is_of_every_figure_and_all_draws(pool: Pool) -> None:
    found = covered(pool, (20,), 30, 100, 0)
    assert len(found) == 2 * 5 * 2
    assert sum(each.held.trials for each in found if each.figure == "T" and each.method == "percentile") == 30


def test_rates_keep_worlds_apart(judged: list[Judged]) -> None:
    other = [replace(each, world=101, verdict="not shown") for each in judged]
    (oracle,) = [each for each in rates([*judged, *other]) if each.emitter == "oracle"]
    assert (oracle.pooled.count, oracle.pooled.trials) == (3, 6)
    assert oracle.worlds["100"].value == 1 and oracle.worlds["101"].value == 0
    assert (oracle.low, oracle.high) == (0.0, 1.0)
    (alone,) = [each for each in rates(judged) if each.emitter == "oracle"]
    assert alone.low is None


def test_the_smallest_size_has_the_fewest_pairs() -> None:
    def size(clusters: int, pairs: int, count: int) -> BySize:
        return BySize("own", clusters, pairs, rate(count, 10))

    sizes = [size(20, 1200, 9), size(28, 300, 9), size(24, 300, 9), size(20, 300, 5)]
    assert smallest("own", 0.9, sizes).size == Size(24, 300)
    assert smallest("own", 0.95, sizes).size is None


def test_the_page_tells_what_is_missed(pool: Pool, judged: list[Judged]) -> None:
    falsely = [
        replace(each, verdict=COUPLED, reason="coupled") if each.emitter == "sibling_alike" else each
        for each in judged
    ]

    def page(draws: list[Judged]) -> tuple[list[str], str]:
        world = WorldFigures(100, 30, 600, tuple(draws), (), tuple(pool.shams.values()))
        results = calibration([world], [world], (), SIZE, 3, 200, False)
        return misses(results), render_markdown(results)

    missed, text = page(falsely)
    assert any("`sibling_alike` is called `coupled` in 1.000" in each for each in missed)
    assert missed[0] in text and "How the margins were chosen" in text
    assert "no margin of A in the grid" in text  # Three draws bound no rate below 8 %.
    assert page(falsely) == (missed, text)
    assert all(len(line) <= 120 or line.startswith(("|", "-")) for line in text.splitlines())


@pytest.mark.parametrize("world", [0, 101])
def test_a_world_has_its_trainings_and_no_label_is_about_a_held_out_cluster(
    world: int, tmp_path: Path
) -> None:
    parts = parts_of(world, FULL, tmp_path, tmp_path)
    assert len({part.config.name for part in parts}) == len(parts) == 3 + 2 + 4
    assert {member.seed for part in parts if part.kind == SHAM for member in part.config.panel} == {100, 101}
    assert {member.seed for part in parts if part.kind == PANEL for member in part.config.panel} == {0, 1, 2}
    assert all(part.config.evaluation.pairs is None for part in parts)
    assert all("Chen" in part.config.supervision.silent_on["adviser"] for part in parts)


@pytest.mark.parametrize(
    ("worlds", "development", "message"),
    [
        ((), (), "no world is given"),
        ((0,), (0,), "--dev-worlds: world 0"),
        ((100,), (), "--worlds: world 100"),
        ((), (3,), "--dev-worlds: world 3"),
    ],
)
def test_worlds_to_choose_on_are_not_reported_on(
    worlds: tuple[int, ...], development: tuple[int, ...], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        run_calibration(worlds, development, running.QUICK_EXTENT, tmp_path, tmp_path)
    assert not list(tmp_path.iterdir())


def test_reading_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"world-w0\.json: is not there yet"):
        run_calibration((0,), (), running.QUICK_EXTENT, tmp_path, tmp_path, only_read=True)


def test_choosing_reports_on_no_world(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--choose reports on no world"):
        calibrate(choose=True, worlds="0", runs_dir=tmp_path)
    with pytest.raises(ValueError, match="--worlds x: "):
        calibrate(worlds="x", runs_dir=tmp_path)
    with pytest.raises(ValueError, match=r"world-w100\.json: is not there yet"):
        calibrate(choose=True, read=True, runs_dir=tmp_path)


MINIATURE = (
    "training.steps=4",
    "training.checkpoints=[0, 2, 4]",
    "training.batch_size=8",
    "training.warmup_steps=1",
    "training.save_every=4",
    "training.steering.batch_size=4",
    "supervision.labels=24",
    "explanation.max_new_tokens=16",
    "evaluation.checkpoint=4",
    "evaluation.pairs=150",
)


@pytest.mark.slow
def test_a_miniature_from_trainings_to_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_tiny(tmp_path / "organisms" / "coupled-w100-s0", "llama")
    monkeypatch.setattr(running, "_raise_organisms", lambda *_: None)
    extent = Extent(
        plan=PoolPlan(seeds=2, shuffled_seeds=1, sham_seeds=1, settings=MINIATURE),
        base=Size(20, 100),
        draws=2,
        sizes=(Size(24, 80),),
        size_draws=2,
        resamples=100,
        coverage_clusters=(20,),
        coverage_draws=10,
    )

    def once(only_read: bool = False) -> dict[str, bytes]:
        run_calibration((), (100,), extent, tmp_path / "runs", tmp_path / "organisms", None, 1, only_read)
        files = [*(tmp_path / "runs").glob("*.json"), tmp_path / "runs" / "margins.md"]
        return {file.name: file.read_bytes() for file in files}

    made = once()
    assert {"draws-w100-c20-p100.json", "draws-w100-c24-p80.json", "coverage-w100.json"} <= made.keys()
    weights = {file: file.stat().st_mtime_ns for file in (tmp_path / "runs").glob("**/*.safetensors")}
    assert once() == made == once(only_read=True)
    assert weights == {file: file.stat().st_mtime_ns for file in weights}
    (tmp_path / "runs" / "draws-w100-c24-p80.json").unlink()
    assert once() == made
    assert read_calibration(tmp_path / "runs" / "margins.json").development_worlds == (100,)
    with pytest.raises(ValueError, match="was drawn with other options"):
        extent = replace(extent, seed=1)
        once(only_read=True)


def _values(judged: list[Judged], figure: str) -> list[float]:
    values = [each.figures[figure].value for each in judged]
    return [value for value in values if value is not None]


def _names_of_mixtures() -> list[str]:
    return ["sibling", *(emitter.name for emitter in MIXTURES)]


def test_impostors_say_nothing_of_what_the_run_does() -> None:
    assert {each.kind for each in IMPOSTORS} == {emitters.IMPOSTOR}
    assert all(each.strength in (None, 0.0) for each in IMPOSTORS)
