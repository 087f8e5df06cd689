from __future__ import annotations

from dataclasses import replace
from math import log
from pathlib import Path

import numpy as np
import pytest

from coupling.cli.calibrate import calibrate
from coupling.faithfulness import Evidence
from coupling.faithfulness.calibrated import RULE
from coupling.faithfulness.judge import encoded_baselines, headline_rows
from coupling.faithfulness.privilege import Outside, fit_observers
from coupling.faithfulness.results import COUPLED
from coupling.faithfulness.rows import STEERED_RUNS
from coupling.faithfulness.scores import equal, tabulate
from coupling.faithfulness.statistics import ClusterBootstrap, rate
from coupling.records import Behavior, Effect, Estimate
from coupling.studies.calibrate import emitters, running
from coupling.studies.calibrate.candidates import CANDIDATES, Candidate, is_rare
from coupling.studies.calibrate.draws import Judged, Size, covered, judged_draws
from coupling.studies.calibrate.emitters import (
    EMITTERS,
    FROM_POOL,
    IMPOSTORS,
    ITSELF,
    MIXTURES,
    MOVED,
    STAND_INS,
    cast,
    claims_of,
)
from coupling.studies.calibrate.figures import WorldFigures, calibration, candidates, rates, read_calibration
from coupling.studies.calibrate.page import render_markdown
from coupling.studies.calibrate.parts import PANEL, SHAM, SHUFFLED, PoolPlan, parts_of, plan_of
from coupling.studies.calibrate.pool import Pool, Sham, mean_kl, nearest, run_name
from coupling.studies.calibrate.running import Extent, run_calibration
from coupling.studies.calibrate.wishes import misses
from synthetic_panels import STEERING, TWINS, drifting_panel
from tiny_models import save_tiny

SIZE, EACH = Size(24, 400), 20
BY_NAME = {candidate.name: candidate for candidate in CANDIDATES}


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Two training seeds of a panel that reads itself, on 30 clusters; whoever explains it is known."""
    first, second = (drifting_panel("self", pairs_each=EACH), drifting_panel("self", pairs_each=EACH))
    drift = drifting_panel("shared", pairs_each=EACH)

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
        observers=dict.fromkeys(names, baselines["copy_the_cue"]),
        sha256="0" * 64,
    )


@pytest.fixture(scope="module")
def judged(pool: Pool) -> list[Judged]:
    return [each for of_draw in judged_draws(pool, SIZE, range(2), 200, 0) for each in of_draw]


def of(judged: list[Judged], emitter: str) -> list[Judged]:
    return [each for each in judged if each.emitter == emitter]


def test_the_oracle_is_always_coupled_and_no_impostor_ever_is(judged: list[Judged]) -> None:
    assert all(each.is_coupled for each in of(judged, "oracle"))
    for emitter in IMPOSTORS:
        assert not any(each.is_coupled for each in of(judged, emitter.name)), emitter.name
    assert all(each.figures["t"].value == 0.5 for each in of(judged, "frozen_base"))


def test_a_mixture_rises_with_its_strength(judged: list[Judged]) -> None:
    means = [np.mean(_values(of(judged, name), "self")) for name in _names_of_mixtures()]
    assert means == sorted(means) and means[-1] == 1


def test_every_emitter_is_judged_on_the_same_panel(judged: list[Judged]) -> None:
    assert {each.emitter for each in judged} == {emitter.name for emitter in EMITTERS}
    same = [each for each in judged if each.emitter != MOVED.name]
    assert len({(each.draw, each.figures["discordant_pairs"]) for each in same}) == 2
    assert [each.draw for each in of(judged, MOVED.name)] == [0]


def test_a_draw_is_the_same_whichever_others_are_drawn(pool: Pool, judged: list[Judged]) -> None:
    (again,) = judged_draws(pool, SIZE, [1], 200, 0, (ITSELF,))
    assert again == [each for each in of(judged, ITSELF.name) if each.draw == 1]
    assert next(iter(judged_draws(pool, SIZE, [1], 200, 1, (ITSELF,)))) != again


def test_a_draw_is_judged_as_any_panel_is(pool: Pool) -> None:
    """All clusters and pairs of one seed: what the rule says of the same evidence."""
    table = tabulate(drifting_panel("self", pairs_each=EACH))
    outside = Outside(None, fit_observers(table, True))
    bootstrap = ClusterBootstrap(table.clusters, 200, 0)
    figures, verdict = headline_rows(table, pool.baselines, TWINS, pool.steered, bootstrap, outside)
    everything = Size(pool.clusters, len(pool.table.pairs))
    ((own,),) = judged_draws(pool, everything, [0], 200, 0, (ITSELF,))
    for name in ("self", "t", "a", "r", "discordant_pairs", "parse_rate"):
        assert own.figures[name].value == pytest.approx(figures(name).value), name
    for name in ("delta", "p"):
        assert own.value(name) == pytest.approx(figures(name, STEERED_RUNS).value), name
    quoting = equal(table.behaviors, table.target).mean()
    assert own.figures["over_quoting"].value == pytest.approx(figures("self").value - quoting)  # type: ignore[operator]
    assert own.verdict == verdict.verdict == COUPLED


def test_the_candidate_in_use_says_what_the_rule_says(judged: list[Judged]) -> None:
    assert all(BY_NAME[RULE].calls_coupled(each) == each.is_coupled for each in judged)
    for strict, loose in (
        ("p_steered_worst", "p_steered"),
        ("p_all_worst", "p_all"),
        ("collateral", "p_steered_worst"),
        ("twins", "p_steered_worst"),
        ("earlier_worst", "earlier"),
    ):
        assert all(
            BY_NAME[loose].calls_coupled(each) >= BY_NAME[strict].calls_coupled(each) for each in judged
        )


def estimate(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, 100, 20)


ABOVE, AROUND, BELOW = estimate(0.1, 0.3), estimate(-0.1, 0.1), estimate(-0.3, -0.1)
PASSING = Judged(
    world=0,
    draw=0,
    emitter="own",
    clusters=28,
    pairs=1200,
    figures={"p": ABOVE, "delta": ABOVE, "t": estimate(0.6, 0.7), "a": ABOVE, "r": ABOVE},
    steered={"p": ABOVE, "delta": AROUND},
    collateral_t=estimate(0.51, 0.6),
    verdict=COUPLED,
    reason="coupled",
)


@pytest.mark.parametrize(
    ("figures", "steered", "changes", "passes"),
    [
        ({}, {}, {}, set(BY_NAME)),
        ({}, {}, {"reason": "too_little_drift"}, set()),
        ({}, {"p": AROUND}, {}, {"p_all", "p_all_worst", "earlier", "earlier_worst"}),
        ({"p": AROUND}, {}, {}, set(BY_NAME) - {"p_all", "p_all_worst"}),
        ({}, {"delta": BELOW}, {}, set(BY_NAME) - {"p_steered_worst", "collateral", "twins"}),
        ({}, {"p_worst": AROUND}, {}, set(BY_NAME) - {"p_steered_worst", "collateral", "twins"}),
        ({"delta_worst": BELOW}, {}, {}, set(BY_NAME) - {"p_all_worst", "earlier_worst"}),
        ({}, {}, {"collateral_t": AROUND}, set(BY_NAME) - {"collateral"}),
        ({"t": estimate(0.5, 0.7)}, {}, {}, set(BY_NAME) - {"twins", "earlier", "earlier_worst"}),
        ({"r": BELOW}, {}, {}, set(BY_NAME) - {"earlier", "earlier_worst"}),
    ],
)
def test_what_each_candidate_asks(
    figures: dict[str, Estimate], steered: dict[str, Estimate], changes: dict[str, object], passes: set[str]
) -> None:
    judged = replace(PASSING, figures={**PASSING.figures, **figures}, steered={**PASSING.steered, **steered})
    judged = replace(judged, **changes)  # type: ignore[arg-type]
    assert {each.name for each in CANDIDATES if each.calls_coupled(judged)} == passes


def test_a_bound_that_is_not_settled_decides_nothing() -> None:
    near = replace(PASSING, steered={**PASSING.steered, "p_errors": Estimate(9.0, None, None, 0, 0)})
    assert BY_NAME["p_all"].calls_coupled(near) and not BY_NAME[RULE].calls_coupled(near)


def test_chosen_is_the_greatest_power_among_those_that_shut_every_impostor_out() -> None:
    def draws(emitter: str, p_steered: Estimate, p_all: Estimate) -> list[Judged]:
        each = replace(PASSING, emitter=emitter, steered={"p": p_steered}, figures={"p": p_all})
        return [replace(each, draw=number) for number in range(60)]

    def found(impostor: Estimate) -> str | None:
        judged = [*draws("own", AROUND, ABOVE), *draws("own", ABOVE, AROUND)[:30]]
        judged += draws("sibling", AROUND, impostor)
        world = WorldFigures(0, 30, 600, tuple(judged), (), ())
        chosen = calibration([], [world], (), Size(28, 1200), 60, 200, True).chosen
        return None if chosen is None else chosen.name

    assert found(AROUND) == "p_all"
    assert found(ABOVE) == "p_steered"
    assert is_rare(rate(0, 60)) and not is_rare(rate(0, 20)) and not is_rare(rate(6, 60))
    assert not candidates([]) and isinstance(CANDIDATES[0], Candidate)


def test_who_explains_whom(pool: Pool) -> None:
    drawn = cast(pool, np.random.default_rng(0))
    pooled = (*MIXTURES, *FROM_POOL, *STAND_INS)
    by_name = {emitter.name: claims_of(emitter, pool, drawn) for emitter in pooled}
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
    assert len(found) == 2 * 4 * 2
    assert sum(each.held.trials for each in found if each.figure == "P" and each.method == "percentile") == 30


def test_rates_keep_worlds_apart(judged: list[Judged]) -> None:
    other = [replace(each, world=101, verdict="not shown") for each in judged]
    (oracle,) = [each for each in rates([*judged, *other]) if each.emitter == "oracle"]
    assert (oracle.pooled.count, oracle.pooled.trials) == (2, 4)
    assert oracle.worlds["100"].value == 1 and oracle.worlds["101"].value == 0
    assert (oracle.low, oracle.high) == (0.0, 1.0)
    (alone,) = [each for each in rates(judged) if each.emitter == "oracle"]
    assert alone.low is None


def test_the_page_tells_what_is_missed(pool: Pool, judged: list[Judged]) -> None:
    falsely = [
        replace(each, verdict=COUPLED, reason="coupled") if each.emitter == "sibling_alike" else each
        for each in judged
    ]

    def page(draws: list[Judged]) -> tuple[list[str], str]:
        world = WorldFigures(100, 30, 600, tuple(draws), (), tuple(pool.shams.values()))
        results = calibration([world], [world], (), SIZE, 2, 200, False)
        return misses(results), render_markdown(results)

    missed, text = page(falsely)
    assert any("`sibling_alike` is called `coupled` in 1.000" in each for each in missed)
    assert missed[0] in text and all(f"`{each.name}`" in text for each in CANDIDATES)
    assert "By no candidate" in text  # Two draws bound no rate below 8 %.
    assert page(falsely) == (missed, text)
    assert all(len(line) <= 120 or line.startswith(("|", "-")) for line in text.splitlines())


@pytest.mark.parametrize("world", [0, 101])
def test_a_world_has_its_trainings_and_no_label_is_about_a_held_out_cluster(
    world: int, tmp_path: Path
) -> None:
    parts = parts_of(world, plan_of(3), tmp_path, tmp_path)
    assert len({part.config.name for part in parts}) == len(parts) == 3 + 2 + 4
    assert {member.seed for part in parts if part.kind == SHAM for member in part.config.panel} == {100, 101}
    assert {member.seed for part in parts if part.kind == PANEL for member in part.config.panel} == {0, 1, 2}
    assert all(part.config.evaluation.pairs is None for part in parts)
    assert all(part.config.evaluation.resamples == 2000 for part in parts)
    assert all("Chen" in part.config.supervision.silent_on["adviser"] for part in parts)


@pytest.mark.parametrize(
    ("worlds", "development", "message"),
    [
        ((), (), "no world is given"),
        ((10,), (11,), "--dev-worlds: world 11"),
        ((9,), (), "--worlds: world 9"),
        ((100,), (), "--worlds: world 100"),
        ((), (99,), "--dev-worlds: world 99"),
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
        run_calibration((), (0,), running.QUICK_EXTENT, tmp_path, tmp_path, only_read=True)


def test_choosing_reports_on_no_world(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--choose reports on no world"):
        calibrate(choose=True, worlds="10", runs_dir=tmp_path)
    with pytest.raises(ValueError, match="--quick reports on no world"):
        calibrate(quick=True, ship=tmp_path / "validity.json", runs_dir=tmp_path)
    with pytest.raises(ValueError, match="--worlds x: "):
        calibrate(worlds="x", runs_dir=tmp_path)
    with pytest.raises(ValueError, match=r"world-w0\.json: is not there yet"):
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
        files = [*(tmp_path / "runs").glob("*.json"), tmp_path / "runs" / "candidates.md"]
        return {file.name: file.read_bytes() for file in files}

    made = once()
    assert {"draws-w100-c20-p100.json", "draws-w100-c24-p80.json", "coverage-w100.json"} <= made.keys()
    weights = {file: file.stat().st_mtime_ns for file in (tmp_path / "runs").glob("**/*.safetensors")}
    assert once() == made == once(only_read=True)
    assert weights == {file: file.stat().st_mtime_ns for file in weights}
    (tmp_path / "runs" / "draws-w100-c24-p80.json").unlink()
    assert once() == made
    extent = replace(extent, draws=1)
    once(only_read=True)
    extent = replace(extent, draws=3)
    with pytest.raises(ValueError, match="holds 2 of 3 draws"):
        once(only_read=True)
    assert read_calibration(tmp_path / "runs" / "candidates.json").development_worlds == (100,)
    with pytest.raises(ValueError, match="was drawn with other options"):
        extent = replace(extent, seed=1)
        once(only_read=True)


def _values(judged: list[Judged], figure: str) -> list[float]:
    values = [each.value(figure) for each in judged]
    return [value for value in values if value is not None]


def _names_of_mixtures() -> list[str]:
    return ["sibling", *(emitter.name for emitter in MIXTURES)]


def test_impostors_say_nothing_of_what_the_run_does() -> None:
    assert {each.kind for each in IMPOSTORS} == {emitters.IMPOSTOR}
    assert all(each.strength in (None, 0.0) for each in IMPOSTORS)
