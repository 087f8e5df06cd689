"""A real model as the subject of the claims; in tests a random one, small enough to be trained."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from coupling.cli import main
from coupling.config import shipped_experiment
from coupling.experiment import run_experiment, run_stage
from coupling.experiment.artifacts import BASE, LABELS, RESULTS, behaviors_of, explanations_of
from coupling.models.catalogue import HOME
from coupling.progress import Silent
from coupling.records import Behavior, CounterfactualPair
from coupling.store import read_json, read_records
from coupling.studies.claims.cases import SEED_STRIDE, Arm, Case
from coupling.studies.claims.findings import ArmResult, ClaimsResults, find, read_claims
from coupling.studies.claims.page import render_html, render_markdown
from coupling.studies.claims.real import RealModel, real_model
from coupling.studies.claims.real_arms import DILEMMAS, EXPERIMENT, PAIRS, real_arms
from coupling.studies.claims.running import run_claims
from coupling.studies.claims.standing import NOT_RUN
from coupling.studies.claims.subject import chosen_arms, every_claim
from noted import Noted
from tiny_models import byte_level_model, byte_level_tokenizer

FOLDER = Path("runs/claims-smollm2-135m")
MODEL = real_model("smollm2-135m", FOLDER)
CASES = (Case(None, 0), Case(None, 1))
PLACES = ("Apia", "Bern", "Cairo", "Dakar")
TINY = (
    "task.kinds=null",
    "evaluation.resamples=100",
    "evaluation.batch_size=64",
    "training.batch_size=4",
    "training.warmup_steps=0",
    "training.lora.rank=4",
    "training.steering.batch_size=4",
)
FEW_STEPS = ("training.steps=2", "training.checkpoints=[0, 2]", "evaluation.checkpoint=2")


def of(name: str) -> Arm:
    return next(arm for arm in MODEL.arms if arm.name == name)


@pytest.mark.parametrize("arm", real_arms(), ids=lambda arm: arm.name)
def test_every_arm_is_a_small_variation_of_a_shipped_experiment(arm: Arm) -> None:
    config = MODEL.experiment(arm, CASES[1])
    assert config.name == f"{arm.name}-s1" and config.model.path == "smollm2-135m"
    assert {run.seed // SEED_STRIDE for run in config.panel} == {1}
    assert len(config.panel) in (1, 2, 5)
    assert config.evaluation.pairs == PAIRS and config.evaluation.checkpoint == config.training.steps
    assert config.task == shipped_experiment(arm.experiment).task
    assert arm.words and arm.experiment in (EXPERIMENT, DILEMMAS)


@pytest.mark.parametrize("arm", ["main", "dpo", "policy-gradient", "explained-after"])
def test_where_p_decides_there_are_siblings_to_take_it_beyond(arm: str) -> None:
    panel = MODEL.experiment(of(arm), CASES[0]).panel
    directions = [run.steer.direction for run in panel if run.steer is not None]
    assert len(directions) < len(panel)
    assert directions and min(directions.count(each) for each in directions) >= 2


def test_no_two_arms_are_the_same_experiment() -> None:
    told = {
        MODEL.experiment(arm, CASES[0]).model_copy(update={"name": "x"}).model_dump_json()
        for arm in MODEL.arms
    }
    assert len(told) == len(MODEL.arms)


def test_claims_rest_on_arms_that_there_are() -> None:
    claims = every_claim(MODEL)
    assert len({claim.name for claim in claims}) == len(claims)
    used = {arm for claim in claims for arm in claim.arms}
    builds_upon = {arm.model for arm in MODEL.arms if arm.model is not None}
    assert used | builds_upon == {arm.name for arm in MODEL.arms}


def test_an_arm_that_begins_where_another_ends_comes_after_it() -> None:
    earlier, noise = of("earlier"), of("noise")
    waves = [[arm.name for arm in wave] for wave in MODEL.waves([noise, earlier])]
    assert waves == [["moved", "noise"], ["earlier"]]
    config = MODEL.experiment(earlier, CASES[1])
    assert config.model.adapter == str(FOLDER / "moved-s1" / "runs" / "moved" / "step-000060")
    assert config.supervision.target == "smollm2-135m"


def test_examples_are_drawn_anew_in_every_case() -> None:
    names = [arm.name for arm in MODEL.arms if arm.name.startswith("examples-8")]
    seeds = {MODEL.experiment(of(name), case).explanation.examples_seed for name in names for case in CASES}
    assert len(names) == 2 and len(seeds) == 4


def test_a_limit_holds_for_every_arm() -> None:
    small = real_model("smollm2-135m", FOLDER, limit=30)
    sizes = [small.experiment(arm, CASES[0]) for arm in small.arms]
    assert {(each.supervision.labels, each.evaluation.pairs) for each in sizes} == {(30, 30)}


def test_what_was_not_run_is_told_as_such(tmp_path: Path) -> None:
    results = find(MODEL, MODEL.arms, CASES, False, tmp_path)
    assert {finding.standing for finding in results.findings} == {NOT_RUN}
    text = render_markdown(results, MODEL)
    assert text.count("**not run**") == len(every_claim(MODEL))
    assert f"0 of {2 * len(MODEL.arms)} experiments have been run" in text and "world" not in text
    assert render_html(results, MODEL) == render_html(results, MODEL)


@pytest.mark.parametrize("quick", [True, False])
def test_an_arm_that_there_is_not_is_refused(quick: bool) -> None:
    with pytest.raises(ValueError, match=r"--only rank-8: .* no such arm; there are unsteered, without-kl, "):
        chosen_arms(MODEL, ["unsteered", "rank-8"], quick)


def test_models_that_are_not_there_are_told_of_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME, str(tmp_path))
    with pytest.raises(ValueError, match="coupling fetch smollm2-135m"):
        run_claims(MODEL, CASES, False, tmp_path / "runs", only=["noise"])
    assert not (tmp_path / "runs").exists()
    (tmp_path / "tiny").mkdir()
    at_hand = real_model(str(tmp_path / "tiny"), tmp_path / "runs")
    at_hand.prepare([of("noise")], CASES, 1, Silent())
    with pytest.raises(
        ValueError, match=r"coupling fetch gemma3-270m.* labels for other-family, mixed-25; .*--only"
    ):
        at_hand.prepare([of("noise"), of("other-family"), of("mixed-25")], CASES, 1, Silent())


def save_model(folder: Path) -> Path:
    texts = ["What is the capital? My teacher told me that it is Bern.", "I answer Cairo"]
    tokenizer = byte_level_tokenizer([*texts, "With the hint I answer ; without the hint"] * 40)
    byte_level_model("llama", tokenizer).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder


def save_questions(file: Path) -> Path:
    rows = [
        {
            "question": f"What is capital {number}?",
            "choices": PLACES,
            "answer": number % len(PLACES),
            "kind": "capital",
        }
        for number in range(40)
    ]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return file


def shrunk(subject: RealModel, names: Sequence[str], questions: Path) -> RealModel:
    """The subject with these arms only, of a few steps each, on other questions."""
    tiny = (*TINY, f"task.path={json.dumps(str(questions))}")
    arms = [arm for arm in subject.arms if arm.name in names]
    steps = {arm.name: () if arm.name.startswith("examples") else FEW_STEPS for arm in arms}
    small = (replace(arm, settings=(*arm.settings, *tiny, *steps[arm.name])) for arm in arms)
    return replace(subject, arms=tuple(small))


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> tuple[RealModel, Path, ClaimsResults]:
    """Arms of a random model, run in two goes."""
    folder = tmp_path_factory.mktemp("real")
    subject = real_model(str(save_model(folder / "tiny")), folder / "runs", limit=16)
    names = ("moved", "earlier", "examples-4-a")
    subject = shrunk(subject, names, save_questions(folder / "questions.jsonl"))
    cases = CASES[:1]
    run_claims(subject, cases, False, folder / "runs", workers=1, only=["examples-4-a"])
    results = run_claims(
        subject, cases, False, folder / "runs", folder / "page.md", workers=1, only=["earlier"]
    )
    return subject, folder, results


def test_most_arms_ask_nothing_of_the_base_that_another_has_asked(tmp_path: Path) -> None:
    subject = real_model(str(save_model(tmp_path / "tiny")), tmp_path, limit=8)
    names = ("unsteered", "without-kl", "noise", "main", "dpo")
    subject = shrunk(subject, names, save_questions(tmp_path / "questions.jsonl"))
    asked = {}
    for arm in subject.arms:
        progress = Noted()
        run_stage("behaviors", subject.experiment(arm, CASES[0]), tmp_path, progress, shares=True)
        asked[arm.name] = max((done for task, done, _ in progress.updates if task == "ask M0"), default=0)
    # Which pairs an experiment needs depends on whom it steers and of whom labels are silent.
    assert [name for name, rows in asked.items() if rows] == ["unsteered", "main"], asked


@pytest.mark.slow
def test_results_are_the_same_whoever_asked_the_base(tmp_path: Path) -> None:
    subject = real_model(str(save_model(tmp_path / "tiny")), tmp_path / "runs", limit=16)
    subject = shrunk(subject, ("unsteered", "noise"), save_questions(tmp_path / "questions.jsonl"))
    run_claims(subject, CASES[:1], False, tmp_path / "runs", workers=1)
    for arm in subject.arms:
        config = subject.experiment(arm, CASES[0])
        run_experiment(config, tmp_path / arm.name)
        for name in (RESULTS, LABELS, behaviors_of(BASE), explanations_of(BASE)):
            beside, alone = (
                folder / config.name / name for folder in (tmp_path / "runs", tmp_path / arm.name)
            )
            assert beside.read_bytes() == alone.read_bytes(), name


def result(results: ClaimsResults, arm: str) -> ArmResult:
    (found,) = results.of_arm(arm)
    return found


def test_arms_are_run_in_order_and_the_page_tells_of_all(
    tried: tuple[RealModel, Path, ClaimsResults],
) -> None:
    subject, folder, results = tried
    results.require_all()
    assert all(arm.figures is not None for arm in results.arms) and len(results.arms) == len(subject.arms)
    standing = {finding.claim: finding.standing for finding in results.findings}
    assert standing["earlier"] != NOT_RUN and standing["dpo"] == standing["mix"] == NOT_RUN
    assert read_claims(folder / "runs" / "claims.json") == results
    again = run_claims(subject, CASES[:1], False, folder / "runs", folder / "again.md", only_read=True)
    assert again == results and (folder / "again.md").read_text() == (folder / "page.md").read_text()


def test_labels_of_an_earlier_checkpoint_are_those_of_the_model_before(
    tried: tuple[RealModel, Path, ClaimsResults],
) -> None:
    _, folder, results = tried
    here = folder / "runs" / "earlier-s0"
    before = read_json(folder / "runs" / "moved-s0" / "base" / "model.json")
    base, target = (read_json(here / name / "model.json") for name in ("base", "target"))
    assert isinstance(before, dict) and isinstance(base, dict) and isinstance(target, dict)
    assert target["fingerprint"] == before["fingerprint"] != base["fingerprint"]
    figures = result(results, "earlier").figures
    assert figures is not None and figures.estimates["similarity"].value is not None


def test_examples_alone_leave_the_model_as_it_stands(
    tried: tuple[RealModel, Path, ClaimsResults],
) -> None:
    _, _, results = tried
    shown = result(results, "examples-4-a")
    assert shown.figures is not None and shown.figures.estimates["similarity"].value == 1
    assert len(set(shown.accuracy_over_steps.values())) == 1


def test_accuracy_is_the_share_of_right_answers_without_a_hint(
    tried: tuple[RealModel, Path, ClaimsResults],
) -> None:
    _, folder, results = tried
    here = folder / "runs" / "earlier-s0"
    pairs = {pair.id: pair for pair in read_records(here / "pairs.jsonl", CounterfactualPair)}
    answered = read_records(here / "base" / "behaviors.jsonl", Behavior)
    held_out = [each for each in answered if pairs[each.pair_id].split == "test"]
    right = sum(each.effect.without_cue == pairs[each.pair_id].tags["true"] for each in held_out)
    at_first = result(results, "earlier").accuracy_over_steps["0"]
    assert 0 < right < len(held_out) and at_first.value == pytest.approx(right / len(held_out))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--worlds", "0..2"), "--worlds 0..2: smollm2-135m lives in no world"),
        (("--only", "rank-8"), "--only rank-8"),
        ((), "coupling fetch smollm2-135m"),
        (("--seeds", "some"), "--seeds"),
    ],
)
def test_bad_input_ends_with_code_2(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(HOME, str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["coupling", "claims", "--model", "smollm2-135m", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_reading_where_nothing_was_run_asks_for_no_model_and_writes_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(HOME, str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["coupling", "claims", "--model", "smollm2-135m", "--read", "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2 and "none of the experiments has been run" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.md")) and not list(tmp_path.rglob("*.html"))
