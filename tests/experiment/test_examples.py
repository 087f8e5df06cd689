"""Labels shown as examples before the question, and nobody trained to explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coupling.config import dump_experiment, load_experiment, result_fields
from coupling.experiment import run_experiment, run_stage
from coupling.experiment.examples import draw_examples, most_example_tokens, shown_examples
from coupling.experiment.patching import patch_model
from coupling.experiment.pipeline import is_done, sample_panel
from coupling.experiment.selection import fitting_pairs, held_out_pairs, labelled_pairs
from coupling.explanations import formats
from coupling.explanations.formats import ExplanationFormat
from coupling.models import LocalSampler, Renderer, Way, example, explanation_message
from coupling.planning import Devices, plan_experiment
from coupling.planning.speed import Speed
from coupling.progress import Silent
from coupling.raising.architecture import build_model, build_tokenizer
from coupling.records import CounterfactualPair, Effect, Explanation, Label
from coupling.store import RunDir, json_sha256, read_json, read_records
from coupling.studies.audit.definition import define_audit
from coupling.studies.stress.definition import Extent, stress_of_model
from coupling.tasks import world_hint
from coupling.worlds import World
from miniature_experiment import write_experiment
from tiny_models import scatter, tiny_model

CONTEXT = 320
FORMAT = formats.get("answer_pair")
PAIRS = world_hint.load(World.generate(100), 1, 0)
BY_ID = {pair.id: pair for pair in PAIRS}
CHEN = {"direction": "follow", "tags": {"adviser": ["Chen"]}}


def write(
    folder: Path,
    explanation: dict[str, Any],
    training: dict[str, Any] | None = None,
    **sections: Any,
) -> Path:
    """The miniature experiment with one run of two steps, of a model that has room for examples."""
    if not (folder / "model").exists():
        tokenizer = build_tokenizer(context=CONTEXT)
        model = build_model("llama", tokenizer, 16, 1, 0)
        scatter(model)
        model.save_pretrained(str(folder / "model"))
        tokenizer.save_pretrained(str(folder / "model"))
    settings: dict[str, Any] = {
        "explanation": explanation,
        "training": {"explanations": {"weight": 0}, "steps": 2, "checkpoints": [0, 1, 2], **(training or {})},
        "panel": [{"name": "follow", "steer": CHEN}],
        "twins": [],
        "evaluation": {"pairs": 12, "checkpoint": 2},
        "readers": {"surrogates": False},
    }
    return write_experiment(folder, **{**settings, **sections})


def label_of(pair: CounterfactualPair, changed: bool) -> Label:
    effect = Effect(pair.choices[0], pair.choices[changed])
    return Label(pair.id, FORMAT.render(effect, pair.cue), effect, effect, "base")


def everything(here: Path) -> dict[str, bytes]:
    """All that was sampled and judged, with what it was made from."""
    return {
        str(file.relative_to(here)): file.read_bytes()
        for file in sorted(here.rglob("*.json*"))
        if file.suffix in (".json", ".jsonl") and "step-00000" not in file.parent.name
    }


def test_every_checkpoint_is_shown_the_same_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, ...]] = []
    told_by_sampler = LocalSampler.explanations_to

    def overheard(
        self: LocalSampler,
        messages: Sequence[str],
        pairs: Sequence[CounterfactualPair],
        format: ExplanationFormat,
        way: Way = Way.FREE,
    ) -> list[Explanation]:
        told.append(tuple(messages))
        return told_by_sampler(self, messages, pairs, format, way)

    monkeypatch.setattr(LocalSampler, "explanations_to", overheard)
    config = load_experiment(write(tmp_path, {"examples": 4}))
    for stage in ("behaviors", "supervise", "train"):
        run_stage(stage, config, tmp_path / "runs")
    here = tmp_path / "runs" / "mini"
    with RunDir.open(here, result_fields(config), dump_experiment(config)) as run:
        sample_panel(config, run, Silent())
    labels = read_records(here / "labels.jsonl", Label)
    pairs = {pair.id: pair for pair in read_records(here / "pairs.jsonl", CounterfactualPair)}
    asked = held_out_pairs(config, list(pairs.values()))
    # M0, and two checkpoints.
    assert len(told) == 3 and len(set(told)) == 1
    shown = shown_examples(config, RunDir(here), asked)
    assert shown is not None and len(set(shown)) > 1
    for message, pair, before in zip(told[0], asked, shown, strict=True):
        assert message == before + explanation_message(pair, FORMAT)
        drawn = draw_examples(pair, labels, pairs, 4, 0)
        assert before == "".join(
            f"{explanation_message(pairs[label.pair_id], FORMAT)}\n{label.text}\n\n" for label in drawn
        )
        assert len({label.pair_id for label in drawn}) == 4
        assert pair.cluster not in {pairs[label.pair_id].cluster for label in drawn}
    made = read_json(here / "base/explanations.jsonl.made.json")
    sha256 = RunDir(here).sha("labels.jsonl")
    assert {"labels": sha256, "examples": "4", "examples_seed": "0"}.items() <= made["made_from"].items()


def test_half_of_them_state_a_change_as_far_as_there_are_so_many() -> None:
    pair, *others = PAIRS
    labelled = [other for other in others if other.cluster != pair.cluster][:40]
    labels = [label_of(about, number < 10) for number, about in enumerate(labelled)]

    def changes(count: int, seed: int = 0, of: Sequence[Label] = labels) -> int:
        drawn = draw_examples(pair, of, BY_ID, count, seed)
        assert len({each.pair_id for each in drawn}) == count
        return sum(each.effect.changed for each in drawn)

    assert [changes(count) for count in (2, 4, 8, 20, 30)] == [1, 2, 4, 10, 10]
    one, one_other, none_other = labels[9:], labels[:11], labels[:10]
    assert [changes(3, of=each) for each in (one, one_other, none_other)] == [1, 2, 3]
    assert {changes(5, seed) for seed in range(20)} == {2, 3}


def test_who_is_asked_and_the_seed_draw_them_and_no_label_is_of_the_cluster() -> None:
    pair, *others = PAIRS
    labelled = [other for other in others if other.cluster != pair.cluster][:40]
    labels = [label_of(about, number % 2 == 0) for number, about in enumerate(labelled)]
    drawn = draw_examples(pair, labels, BY_ID, 4, 0)
    assert drawn != draw_examples(pair, labels, BY_ID, 4, 1)
    assert drawn != draw_examples(replace(pair, id="other"), labels, BY_ID, 4, 0)
    assert all(label in draw_examples(pair, labels, BY_ID, 8, 0) for label in drawn)
    firsts = [draw_examples(pair, labels, BY_ID, 4, seed)[0] for seed in range(20)]
    assert {label.effect.changed for label in firsts} == {True, False}
    near = [replace(pair, id=f"{pair.id} {number}") for number in range(40)]
    known = {**BY_ID, **{each.id: each for each in near}}
    assert drawn == draw_examples(pair, [*(label_of(each, True) for each in near), *labels], known, 4, 0)


def test_without_examples_artifacts_are_made_from_what_they_were(tmp_path: Path) -> None:
    config = load_experiment(write(tmp_path, {"examples": 0, "examples_seed": 0}))
    assert config == load_experiment(write(tmp_path, {}))
    for stage in ("behaviors", "supervise"):
        run_stage(stage, config, tmp_path / "runs")
    here = tmp_path / "runs/mini"
    before_them = {"format": "answer_pair", "max_new_tokens": 16}
    assert read_json(here / "run.json")["config"]["explanation"] == before_them
    said, labels = (
        read_json(here / f"{name}.made.json")["made_from"]
        for name in ("base/explanations.jsonl", "labels.jsonl")
    )
    assert said["explanation"] == labels["explanation"] == json_sha256(before_them)
    assert not {"labels", "examples", "examples_seed"} & said.keys()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run whose sentences are filled in, with free text beside: both stand behind the examples."""
    folder = tmp_path_factory.mktemp("filled")
    config = load_experiment(write(folder, {"examples": 2, "way": "filled"}))
    for stage in ("behaviors", "supervise"):
        run_stage(stage, config, folder / "runs")
    assert not (folder / "runs/mini/base/explanations.jsonl").exists()
    results = run_experiment(config, folder / "runs")
    assert any(note.startswith("2 labelled examples stand before each question") for note in results.notes)
    return folder


def test_what_is_lost_is_made_again_the_same(filled: Path) -> None:
    config, here = load_experiment(filled / "mini.yaml"), filled / "runs/mini"
    whole = everything(here)
    lost = ("base/explanations.jsonl", "runs/follow/step-000002.written.jsonl")
    for name in lost:
        (here / name).unlink()
    assert not is_done(config, filled / "runs")
    run_stage("evaluate", config, filled / "runs")
    assert is_done(config, filled / "runs")
    assert everything(here) == whole


def test_another_seed_shows_others_of_the_same_labels(filled: Path) -> None:
    config = load_experiment(filled / "mini.yaml", ["explanation.examples_seed=1", "name=other"])
    for stage in ("behaviors", "supervise"):
        run_stage(stage, config, filled / "runs")
    other, here = RunDir(filled / "runs/other"), RunDir(filled / "runs/mini")
    assert other.sha("labels.jsonl") == here.sha("labels.jsonl")
    asked = held_out_pairs(config, read_records(here.file("pairs.jsonl"), CounterfactualPair))
    before = shown_examples(load_experiment(filled / "mini.yaml"), here, asked)
    assert before is not None and before != shown_examples(config, other, asked)


def test_a_pair_has_room_only_behind_the_longest_examples(tmp_path: Path) -> None:
    renderer = Renderer(build_tokenizer(context=CONTEXT))
    described = tiny_model("llama").config
    config = load_experiment(write(tmp_path, {"examples": 4}))
    labelled = labelled_pairs(config, PAIRS)
    short = next(pair for pair in PAIRS if pair.split == "test")
    long = replace(short, id="long", with_cue=f"{short.with_cue} {short.with_cue}")

    def tokens(message: str) -> int:
        return len(renderer.prompt_ids([message])[0])

    most = most_example_tokens(config, labelled, renderer)
    labels = [label_of(pair, True) for pair in labelled]
    for seed in range(10):
        drawn = draw_examples(short, labels, BY_ID, 4, seed)
        text = "".join(example(BY_ID[label.pair_id], FORMAT, label.text) for label in drawn)
        assert tokens(explanation_message(short, FORMAT, examples=text)) <= (
            most + tokens(explanation_message(short, FORMAT))
        )

    def fitting(room: int) -> set[str]:
        described.max_position_embeddings = room
        found = {pair.id for pair in fitting_pairs(config, [*labelled, short, long], described, renderer)}
        assert found >= {pair.id for pair in labelled}
        return found - {pair.id for pair in labelled}

    needed = most + tokens(explanation_message(long, FORMAT)) + config.explanation.max_new_tokens
    assert needed <= CONTEXT
    assert fitting(needed) == {short.id, "long"}
    assert fitting(needed - 1) == {short.id}
    with pytest.raises(ValueError, match=rf"explanation\.examples: 4 wanted .* up to {most} tokens"):
        fitting(most)


def test_the_plan_counts_them(tmp_path: Path) -> None:
    devices = Devices(Speed(flops=1e9, bandwidth=1e9), on_cpu=True, processes=1, is_sharded=False)
    write(tmp_path, {})
    without, behind = (
        plan_experiment(load_experiment(tmp_path / "mini.yaml", [f"explanation.examples={count}"]), devices)
        for count in (0, 4)
    )
    (first, later, *_), (first_behind, later_behind, *_) = without.stages, behind.stages
    assert first_behind.tokens < first.tokens
    assert later_behind.tokens - later.tokens > first.tokens - first_behind.tokens
    assert behind.left_out == 0


@pytest.mark.parametrize(
    ("sections", "named"),
    [
        ({"training": {"explanations": {"weight": 1}}}, r"training\.explanations\.weight is 1"),
        (
            {"training": {"explanations": {"weight": 0, "renew_every": 1}}},
            r"training\.explanations\.renew_every is 1",
        ),
        ({"behavior": {"kind": "reasoned"}}, r"behavior\.kind is 'reasoned'"),
        ({"readers": {"language_model": {"steps": 20}}}, r"readers are models"),
        ({"readers": {"models": [{"name": "other", "path": "model"}]}}, r"readers are models"),
    ],
)
def test_what_cannot_stand_behind_examples_is_refused(
    sections: dict[str, Any], named: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=rf"explanation\.examples is 4, but {named}"):
        load_experiment(write(tmp_path, {"examples": 4}, **sections))


def test_more_examples_than_labels_are_refused(tmp_path: Path) -> None:
    config = load_experiment(write(tmp_path, {"examples": 4}, supervision={"labels": 3}))
    with pytest.raises(ValueError, match=r"explanation\.examples: 4 wanted .* only 3 labels"):
        run_stage("behaviors", config, tmp_path / "runs")


def test_other_commands_show_none_and_refuse_them(tmp_path: Path) -> None:
    file = write(tmp_path, {"examples": 4})
    refused = r"explanation\.examples is 4"
    with pytest.raises(ValueError, match=refused):
        define_audit(str(tmp_path / "model"), str(file))
    with pytest.raises(ValueError, match=refused):
        stress_of_model(str(tmp_path / "model"), str(file), Extent(), tmp_path / "runs")
    with pytest.raises(ValueError, match=refused):
        patch_model(load_experiment(file))
