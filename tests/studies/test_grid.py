from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from coupling.config import ExperimentConfig, LoraConfig, shipped_experiment
from coupling.config.section import FolderName
from coupling.studies.definition import plan_sweep, shipped_sweeps
from coupling.studies.grid import Axis, Point, build_points, parse_axis

SWEEP_FILE = """\
experiment: quickstart
set: [training.steps=40, "training.checkpoints=[0, 40]", evaluation.checkpoint=40]
vary: ["training.kl.weight=0,1"]
"""


def points(*vary: str) -> tuple[Point, ...]:
    return build_points([parse_axis(text) for text in vary], partial(shipped_experiment, "quickstart", ()))


def settings(text: str) -> Sequence[object]:
    return [value for (value,) in parse_axis(text).values]


def test_values_are_yaml_and_commas_within_brackets_part_nothing() -> None:
    assert settings("a=1,1e-4,no,null,x y") == [1, 1e-4, "no", None, "x y"]
    assert settings("a={rank: 8, alpha: 16},null") == [{"rank": 8, "alpha": 16}, None]
    assert settings("a=[0,40],[0,20,80]") == [[0, 40], [0, 20, 80]]
    assert settings("a='1,2;b',organism:plain") == ["1,2;b", "organism:plain"]
    assert settings("seed=0..4,7") == [0, 1, 2, 3, 4, 7]


def test_axes_are_multiplied_and_fields_of_one_axis_move_together() -> None:
    grid = points("training.kl.weight=0,1", "seed=0..2")
    assert [(p.settings["training.kl.weight"], p.settings["seed"]) for p in grid] == [
        (weight, seed) for weight in (0, 1) for seed in (0, 1, 2)
    ]
    assert [p.name for p in grid[:2]] == ["kl.weight-0_seed-0", "kl.weight-0_seed-1"]
    together = points("training.steps=40,80;training.checkpoints=[0,40],[0,80];evaluation.checkpoint=40,80")
    assert [p.config.training.checkpoints for p in together] == [(0, 40), (0, 80)]
    assert [p.name for p in together] == ["steps-40", "steps-80"]


def test_a_point_is_the_experiment_with_its_settings() -> None:
    quickstart = shipped_experiment()
    without, with_rank = points("training.lora=null,{rank: 8, alpha: 16}")
    own = {"name": without.name, "workers": 1}
    assert without.config == quickstart.model_copy(update=own)
    assert with_rank.config.training.lora == LoraConfig(rank=8, alpha=16)


def test_seed_is_added_to_the_seed_of_every_run() -> None:
    (point,) = points("seed=3")
    assert [run.seed for run in point.config.panel] == [run.seed + 3 for run in shipped_experiment().panel]


@pytest.mark.parametrize(
    ("vary", "told"),
    [
        (["training.kl.wieght=1"], "did you mean 'training.kl.weight'?"),
        (
            ["training.kl.weight=1,much"],
            "--vary training.kl.weight=much: field 'training.kl.weight' is 'much'",
        ),
        (["training.checkpoints=[0,40]"], "training.checkpoints is [0, 40]: expected rising steps"),
        (["training.checkpoints=[0,40]"], "(at the point training.checkpoints=[0, 40])"),
        (["training.kl.weight=1,1.0"], "training.kl.weight=1.0 stands twice in the grid"),
        (["seed=1,1"], "seed=1 stands twice in the grid"),
        (["seed=1", "seed=2"], "--vary seed: varied 2 times"),
        (["seed=-1"], "expected whole numbers from 0 up"),
        (["seed=true"], "expected whole numbers from 0 up"),
        (["seed=4..0"], "4..0 is no range"),
        (["seed=0..99999999999"], "is no range"),
        (["seed=0..99", "supervision.labels=1..99"], "the grid has 9900 points"),
        (["training.kl.weight"], "expected a field, '=' and values"),
        (["training.kl.weight="], "expected a field, '=' and values"),
        (["training.kl.weight=[1"], "--vary training.kl.weight=[1"),
        (["name=a,b"], "'name' cannot be varied"),
        (["training.steps=40,80;training.checkpoints=[0,40]"], "need equally many values"),
        (["training.steps=40;training.steps=80"], "'training.steps' stands twice"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused_whole(vary: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        points(*vary)


def unchecked(varied: Sequence[str]) -> ExperimentConfig:
    """An experiment for any settings: told apart by its name alone."""
    return QUICKSTART.model_copy(update={"name": repr(varied)})


QUICKSTART = shipped_experiment()
VALUES = st.lists(
    st.one_of(st.text("aA-_. é/:", min_size=1), st.integers(), st.floats(-1e9, 1e9)),
    min_size=1,
    max_size=6,
    unique_by=lambda value: repr(value),
)


@given(VALUES)
def test_points_have_names_that_are_folders_and_their_own(values: list[object]) -> None:
    axis = Axis(("training.kl.weight",), tuple((value,) for value in values))  # type: ignore[misc]
    names = [point.name for point in build_points([axis], unchecked)]
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        TypeAdapter(FolderName).validate_python(name)


@pytest.mark.parametrize("name", sorted(shipped_sweeps()))
def test_shipped_sweeps_are_valid(name: str) -> None:
    sweep = plan_sweep(Path(name))
    assert sweep.name == name and len(sweep.points) >= 6
    assert name not in {"quickstart", sweep.experiment}


def test_a_sweep_file_is_told_from_an_experiment_and_options_are_added(tmp_path: Path) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(SWEEP_FILE, encoding="utf-8")
    sweep = plan_sweep(file, vary=["seed=0,1"], overrides=["supervision.labels=10"])
    assert (sweep.name, sweep.experiment, len(sweep.points)) == ("short", "quickstart", 4)
    assert {point.config.supervision.labels for point in sweep.points} == {10}
    assert {point.config.training.steps for point in sweep.points} == {40}


def test_a_sweep_is_called_after_what_it_varies() -> None:
    assert (
        plan_sweep(Path("quickstart"), ["training.kl.weight=1", "seed=0"]).name == "quickstart-by-weight-seed"
    )
    assert plan_sweep(Path("quickstart"), ["seed=0"], name="mine").name == "mine"
    with pytest.raises(ValueError, match="--name a/b: 'a/b' is no folder name"):
        plan_sweep(Path("quickstart"), ["seed=0"], name="a/b")
    with pytest.raises(ValueError, match="nothing is varied"):
        plan_sweep(Path("quickstart"))
