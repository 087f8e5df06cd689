"""Label sources, from the first stage to the report: a mix of models, and labels made elsewhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from coupling.config import load_experiment
from coupling.experiment import run_experiment, run_stage
from coupling.explanations import formats
from coupling.faithfulness import Results
from coupling.records import Behavior, CounterfactualPair, Effect, Label
from coupling.store import read_records
from coupling.supervision import states_own
from coupling.tasks import world_hint
from coupling.worlds import World
from miniature_experiment import write_experiment
from tiny_models import save_tiny

PAIRS = world_hint.load(World.generate(100), 1, 0)
SPOKEN_OF = [pair for pair in PAIRS if pair.split == "train" and pair.tags["adviser"] != "Chen"]


def run(folder: Path, **supervision: Any) -> Results:
    config = load_experiment(write_experiment(folder, supervision=supervision))
    return run_experiment(config, folder / "runs")


def labels(folder: Path, **supervision: Any) -> list[Label]:
    """The labels of a run of the first two stages."""
    shutil.rmtree(folder / "runs", ignore_errors=True)
    config = load_experiment(write_experiment(folder, supervision=supervision))
    for stage in ("behaviors", "supervise"):
        run_stage(stage, config, folder / "runs")
    return read_records(folder / "runs/mini/labels.jsonl", Label)


def effects(folder: Path, of: str) -> dict[str, Effect]:
    file = folder / "runs/mini" / of / "behaviors.jsonl"
    return {each.pair_id: each.effect for each in read_records(file, Behavior)}


def write_labels(folder: Path, pairs: list[CounterfactualPair]) -> None:
    lines = [
        {
            "pair_id": pair.id,
            "text": formats.get("answer_pair").render(Effect(pair.choices[0], pair.choices[1]), pair.cue),
        }
        for pair in pairs
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "elsewhere.jsonl").write_text(text, encoding="utf-8")


def test_a_mix_of_two_models(tmp_path: Path) -> None:
    save_tiny(tmp_path / "other", "gpt_neox", seed=1)
    results = run(tmp_path, target="other", own_share=0.5)
    base, other = effects(tmp_path, "base"), effects(tmp_path, "target")
    pairs = {pair.id: pair for pair in read_records(tmp_path / "runs/mini/pairs.jsonl", CounterfactualPair)}
    made = read_records(tmp_path / "runs/mini/labels.jsonl", Label)
    for label in made:
        own = states_own(pairs[label.pair_id], 0.5, 0)
        assert label.source == ("base" if own else "other")
        assert label.effect == (base if own else other)[label.pair_id]
    by_name = {source.name: source for source in results.sources}
    assert set(by_name) == {"base", "other"}
    assert by_name["base"].labels + by_name["other"].labels == len(made) == 24
    assert by_name["base"].labels == sum(label.source == "base" for label in made) > 0
    # At step 0 the model is the base: what the mix differs from it by are the other model's questions.
    held_out = [pair for pair in pairs.values() if pair.split == "test"]
    agrees = [states_own(pair, 0.5, 0) or other[pair.id] == base[pair.id] for pair in held_out]
    similarity = results.figures("similarity", step=0).value
    assert similarity == pytest.approx(sum(agrees) / len(agrees)) and similarity != 1.0
    assert results.target.name == "other, and the base on 0.5 of questions"
    assert any("state the base's own effects, the others those of other" in note for note in results.notes)
    assert "Source by source" in (tmp_path / "runs/mini/report.html").read_text(encoding="utf-8")


def test_at_its_ends_a_mix_is_the_target_or_the_base(tmp_path: Path) -> None:
    save_tiny(tmp_path / "other", "gpt_neox", seed=1)
    of_base = labels(tmp_path)
    assert labels(tmp_path, target="other", own_share=1.0) == of_base
    of_other = labels(tmp_path, target="other")
    assert labels(tmp_path, target="other", own_share=0.0) == of_other != of_base
    assert [label.pair_id for label in of_other] == [label.pair_id for label in of_base]
    half = labels(tmp_path, target="other", own_share=0.5)
    assert all(label in (own, theirs) for label, own, theirs in zip(half, of_base, of_other, strict=True))


def test_labels_of_a_file_whose_author_is_not_known(tmp_path: Path) -> None:
    write_labels(tmp_path, SPOKEN_OF[:20])
    results = run(tmp_path, file="elsewhere.jsonl")
    made = read_records(tmp_path / "runs/mini/labels.jsonl", Label)
    assert {label.pair_id for label in made} == {pair.id for pair in SPOKEN_OF[:20]}
    assert results.counts.labels == 20
    assert not [row for row in results.rows if row.figure in ("orig", "gap", "delta", "similarity")]
    told = {(row.run, row.step) for row in results.rows if row.figure == "self"}
    assert {(run.name, step) for run in results.runs for step in results.steps} <= told
    assert results.verdict().reason in ("no_target", "parse_rate")
    assert (results.target.name, results.target.fingerprint) == ("the author of elsewhere.jsonl", None)
    assert not (tmp_path / "runs/mini/target").exists()


def test_labels_of_a_file_whose_author_is_known(tmp_path: Path) -> None:
    """The base itself, say: then nothing is discordant at step 0."""
    labels(tmp_path)
    answers = (tmp_path / "runs/mini/base/behaviors.jsonl").read_text(encoding="utf-8")
    (tmp_path / "author.jsonl").write_text(answers, encoding="utf-8")
    shutil.rmtree(tmp_path / "runs")
    write_labels(tmp_path, SPOKEN_OF[:20])
    noise = {"kind": "flipped", "rate": 0.5}
    results = run(tmp_path, file="elsewhere.jsonl", effects="author.jsonl", noise=noise)
    assert results.figures("similarity", step=0).value == 1.0
    assert any("(flipped noise at rate 0.5); Orig is held against" in note for note in results.notes)
    run(tmp_path, file="elsewhere.jsonl", effects="author.jsonl", noise=noise)


def test_of_a_long_file_as_many_labels_are_drawn_as_are_asked_for(tmp_path: Path) -> None:
    write_labels(tmp_path, SPOKEN_OF[:60])
    few = labels(tmp_path, file="elsewhere.jsonl", labels=10)
    more = labels(tmp_path, file="elsewhere.jsonl", labels=30)
    assert len(few) == 10 and more[:10] == few and len(more) == 30


def test_a_file_that_changes_under_a_run_is_refused(tmp_path: Path) -> None:
    write_labels(tmp_path, SPOKEN_OF[:20])
    labels(tmp_path, file="elsewhere.jsonl")
    text = (tmp_path / "elsewhere.jsonl").read_text(encoding="utf-8")
    (tmp_path / "elsewhere.jsonl").write_text(text.replace("With the", "with the", 1), encoding="utf-8")
    with pytest.raises(ValueError, match=r"given.jsonl: holds something else than .*elsewhere.jsonl gives"):
        run_stage("behaviors", load_experiment(tmp_path / "mini.yaml"), tmp_path / "runs")


def test_effects_that_leave_out_a_held_out_pair_are_refused(tmp_path: Path) -> None:
    write_labels(tmp_path, SPOKEN_OF[:20])
    line = {"pair_id": PAIRS[0].id, "effect": {"with_cue": "Bern", "without_cue": "Bern"}}
    (tmp_path / "author.jsonl").write_text(json.dumps(line), encoding="utf-8")
    with pytest.raises(ValueError, match=r"author\.jsonl: \d+ of the 40 judged pairs are missing"):
        labels(tmp_path, file="elsewhere.jsonl", effects="author.jsonl")


def test_a_target_that_does_not_know_the_choices_is_refused(tmp_path: Path) -> None:
    """A model of another family, whose tokenizer has never met one of the answers."""
    save_tiny(tmp_path / "other", "gpt_neox", seed=1)
    file = tmp_path / "other" / "tokenizer.json"
    tokenizer = json.loads(file.read_text(encoding="utf-8"))
    del tokenizer["model"]["vocab"]["Europe"]
    file.write_text(json.dumps(tokenizer), encoding="utf-8")
    with pytest.raises(ValueError, match=r"supervision\.target: .*other' cannot be asked .*choice 'Europe'"):
        labels(tmp_path, target="other")
