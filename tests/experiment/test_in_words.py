"""Experiments whose answers are words of several tokens, from the first stage to the report."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coupling.config import ExperimentConfig, load_experiment
from coupling.experiment import run_experiment, run_stage
from coupling.experiment.members import sample_run
from coupling.experiment.pipeline import is_done
from coupling.faithfulness.explainers import WRITTEN
from coupling.faithfulness.results import FILLED, Results
from coupling.progress import Silent
from coupling.records import Behavior, Explanation
from coupling.store import read_records
from miniature_experiment import write_experiment
from tiny_models import byte_level_model, byte_level_tokenizer

SCRIPT = Path(__file__).parents[2] / "scripts" / "recompute_privilege.py"
CHOICES = ("Bad Ems", "Bad Orb", "Bad Ins")


def write(folder: Path, architecture: str = "llama", **sections: Any) -> Path:
    rows = [
        {
            "id": f"{number}/{author}",
            "cluster": f"q{number}",
            "split": ("train", "test")[number % 2],
            "with_cue": f"Which city is number {number}? {author} says {CHOICES[number % 3]}.",
            "without_cue": f"Which city is number {number}?",
            "cue": "hint",
            "cue_value": CHOICES[number % 3],
            "choices": list(CHOICES),
            "answer_prefix": "I answer",
            "tags": {"author": author},
        }
        for number in range(28)
        for author in ("Ann", "Bob")
    ]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    tokenizer = byte_level_tokenizer(
        [str(row["with_cue"]) for row in rows] + ["With the hint I answer ; without the hint"] * 40
    )
    if not (folder / "model").exists():
        byte_level_model(architecture, tokenizer).save_pretrained(str(folder / "model"))
        tokenizer.save_pretrained(str(folder / "model"))
    steer = {"tags": {"author": ["Ann"]}}
    settings: dict[str, Any] = {
        "task": {"kind": "pairs", "path": "pairs.jsonl"},
        "explanation": {"way": "filled", "max_new_tokens": 24},
        "supervision": {"labels": 14, "silent_on": {"author": ["Ann"]}},
        "training": {"kl": {"support": "choices"}},
        "panel": [
            {"name": "follow", "steer": {"direction": "follow", **steer}},
            {"name": "ignore", "steer": {"direction": "ignore", **steer}},
        ],
        "evaluation": {"pairs": None},
    }
    return write_experiment(folder, architecture, **{**settings, **sections})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentConfig, Results, Path]:
    folder = tmp_path_factory.mktemp("words")
    config = load_experiment(write(folder, "gpt_neox"))
    return config, run_experiment(config, folder / "runs"), folder / "runs" / "mini"


def test_a_sentence_filled_in_always_claims_choices(
    finished: tuple[ExperimentConfig, Results, Path],
) -> None:
    config, results, here = finished
    for stem in ("base/", "runs/follow/step-000002.", "runs/ignore/step-000004."):
        for said in read_records(here / f"{stem}explanations.jsonl", Explanation):
            assert said.claim is not None
            assert {said.claim.with_cue, said.claim.without_cue} <= set(CHOICES)
    assert results.explanation_way == FILLED
    assert results.figures("parse_rate").value == 1
    assert is_done(config, here.parent)


def test_free_text_stands_beside_it(finished: tuple[ExperimentConfig, Results, Path]) -> None:
    _, results, here = finished
    written = read_records(here / "runs/follow/step-000004.written.jsonl", Explanation)
    filled = read_records(here / "runs/follow/step-000004.explanations.jsonl", Explanation)
    assert [each.pair_id for each in written] == [each.pair_id for each in filled]
    both = [*written, *read_records(here / "runs/ignore/step-000004.written.jsonl", Explanation)]
    rate = results.figures("parse_rate", explainer=WRITTEN.name).value
    assert rate == sum(each.claim is not None for each in both) / len(both)
    assert {path.name for path in here.rglob("*written.jsonl")} == {"step-000004.written.jsonl"}
    assert results.verdict(explainer=WRITTEN.name).verdict
    assert WRITTEN in results.explainers


def test_p_is_what_an_independent_script_computes(
    finished: tuple[ExperimentConfig, Results, Path],
) -> None:
    """It imports nothing of the package; all pairs offer the same answers, so these are features as well."""
    _, results, here = finished
    assert results.figures("p").value is not None
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), str(here)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_objective_moves_answers_in_words(tmp_path: Path) -> None:
    objectives = [{"kind": "dpo", "weight": 4.0}, {"kind": "policy_gradient", "weight": 4.0}]
    steering = {"batch_size": 8, "objectives": objectives}
    training = {"kl": {"weight": 0}, "steering": steering, "learning_rate": 0.05}
    config = load_experiment(write(tmp_path, training=training))
    for stage in ("behaviors", "supervise", "train"):
        run_stage(stage, config, tmp_path / "runs")
    here = tmp_path / "runs" / "mini"
    member = config.panel[0]
    sample_run(config, here, member, Silent())
    before, after = (
        read_records(here / name, Behavior)
        for name in ("base/behaviors.jsonl", f"runs/{member.name}/step-000004.behaviors.jsonl")
    )
    effects = {each.pair_id: each.effect for each in before}
    assert any(each.effect != effects[each.pair_id] for each in after)
    assert all(abs(sum(map(math.exp, each.logprobs_with)) - 1) < 1e-9 for each in after)


@pytest.mark.parametrize(
    ("explanation", "message"),
    [
        ({"way": "filled", "format": "statement"}, r"explanation\.way is 'filled', but explanation\.format"),
        ({"way": "typed"}, r"explanation\.way"),
    ],
)
def test_what_cannot_be_filled_in_is_refused(
    tmp_path: Path, explanation: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        load_experiment(write(tmp_path, explanation=explanation))
