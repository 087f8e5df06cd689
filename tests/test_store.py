"""Artifacts are whole or absent, read back as they were written, and made anew when their sources change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError

from coupling.records import Behavior, CounterfactualPair, Effect, Explanation, Label
from coupling.store import (
    RunDir,
    atomic_directory,
    file_sha256,
    from_json,
    from_versioned,
    json_sha256,
    read_complete,
    read_json,
    read_records,
    read_rows,
    read_versioned,
    to_json,
    write_bytes,
    write_json,
    write_records,
    write_text,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
EFFECTS = st.builds(Effect, TEXT, TEXT)
LOGPROBS = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=4).map(tuple)
RECORDS = st.one_of(
    st.builds(
        CounterfactualPair,
        *[TEXT] * 6,
        cue_value=st.none() | TEXT,
        choices=st.lists(TEXT, max_size=3).map(tuple),
        answer_prefix=TEXT,
        tags=st.dictionaries(TEXT, TEXT, max_size=3),
    ),
    st.builds(Behavior, TEXT, EFFECTS, LOGPROBS, LOGPROBS),
    st.builds(Explanation, TEXT, TEXT, st.none() | EFFECTS),
    st.builds(Label, TEXT, TEXT, EFFECTS, EFFECTS, TEXT),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
BEHAVIOR = Behavior("p1", Effect("A", "B"))


# Records


@given(RECORDS)
def test_records_come_back_as_they_were(record: object) -> None:
    assert from_json(type(record), to_json(record), "here") == record


@dataclass(frozen=True)
class Document:
    schema: int
    share: float


def test_a_document_of_another_version_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    write_json(file, {"schema": 2, "share": 0.5})
    assert read_versioned(Document, file, 2, "make it anew") == Document(2, 0.5)
    with pytest.raises(ValueError, match=r"found\.json: schema 2, but this version reads 3; make it anew"):
        read_versioned(Document, file, 3, "make it anew")
    for none in ({"share": 0.5}, [], None):
        with pytest.raises(ValueError, match="here: schema None, but this version reads 2"):
            from_versioned(Document, none, 2, "here", "make it anew")
    with pytest.raises(ValueError, match="here: field 'share'"):
        from_versioned(Document, {"schema": 2, "share": "half"}, 2, "here", "make it anew")


def test_a_file_of_records_comes_back_whatever_its_texts_hold(tmp_path: Path) -> None:
    texts = ["two\nlines", "line\u2028separator", "carriage\rreturn", "\x85\x1c", '"', "東京", ""]
    records = [Explanation(str(number), text, None) for number, text in enumerate(texts)]
    write_records(tmp_path / "explanations.jsonl", records)
    assert read_records(tmp_path / "explanations.jsonl", Explanation) == records


def test_files_of_other_makers_may_have_marks_blank_lines_and_left_out_defaults(tmp_path: Path) -> None:
    row = b'{"effect": {"without_cue": "B", "with_cue": "A"}, "pair_id": "p1"}'
    (tmp_path / "b.jsonl").write_bytes(b"\xef\xbb\xbf" + row + b"\r\n\r\n" + row)
    assert read_records(tmp_path / "b.jsonl", Behavior) == [BEHAVIOR, BEHAVIOR]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ('{"pair_id": "p1"}', "field 'effect' is missing"),
        ('{"pair_id": 1, "effect": {"with_cue": "A", "without_cue": "B"}}', "field 'pair_id' is 1"),
        (
            '{"pair_id": "p1", "effect": {"with_cue": "A", "without_cue": null}}',
            "'effect.without_cue' is None",
        ),
        ('{"pair_id": "p1", "effect": {"with_cue": "A"}}', "field 'effect.without_cue' is missing"),
        ('{"pair_id": "p1", "effect": {"with_que": "A"}}', "did you mean 'effect.with_cue'?"),
        ('{"pair_id": "p1", "effect": ["A", "B"]}', "field 'effect' is ['A', 'B']"),
        ('{"pairid": "p1"}', "unknown field 'pairid': did you mean 'pair_id'?"),
        ('{"pair_id": "p1", "logprobs_with": ["0.5"]}', "field 'logprobs_with.0' is '0.5'"),
        ('{"pair_id": "p1", "logprobs_with": [NaN]}', "not valid JSON"),
        ('{"pair_id": "p1"', "not valid JSON"),
        ("[]", "expected a JSON object"),
    ],
)
def test_what_does_not_fit_is_named_with_file_and_line(tmp_path: Path, row: str, complaint: str) -> None:
    path = tmp_path / "behaviors.jsonl"
    write_records(path, [BEHAVIOR])
    path.write_text(path.read_text() + row + "\n")
    with pytest.raises(ValueError) as error:
        read_records(path, Behavior)
    assert f"{path} line 2" in str(error.value)
    assert complaint in str(error.value)


def test_a_record_with_a_figure_that_is_not_finite_is_not_written(tmp_path: Path) -> None:
    broken = Behavior("p2", Effect("A", "B"), logprobs_with=(-0.5, float("nan")))
    with pytest.raises(ValueError, match=r"line 2: field 'logprobs_with\.1'.*p2"):
        write_records(tmp_path / "behaviors.jsonl", [BEHAVIOR, broken])
    assert not list(tmp_path.iterdir())


@given(JSON)
def test_json_comes_back_and_equal_content_is_equal_bytes(obj: object) -> None:
    shuffled = json.loads(json.dumps(obj), object_pairs_hook=lambda items: dict(reversed(items)))
    assert json_sha256(obj) == json_sha256(shuffled)


def test_json_files_hold_null_where_a_figure_is_not_finite(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": [float("nan"), 0.1 + 0.2, (1, "é")], "a": float("-inf")})
    assert read_json(tmp_path / "a.json") == {"a": None, "b": [None, 0.1 + 0.2, [1, "é"]]}


@pytest.mark.parametrize("read", [lambda path: list(read_rows(path)), read_json, file_sha256])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, read: object) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(ValueError, match=str(path)):
            read(path)


# Atomic files and directories


def test_a_disk_that_refuses_is_a_value_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"file/below: cannot be written .* another place"):
        write_text(tmp_path / "file" / "below", "x")
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    with pytest.raises(ValueError, match="folder: cannot be written"):
        write_bytes(tmp_path / "folder", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_directory_is_complete_with_its_hashes_and_notes(tmp_path: Path) -> None:
    with atomic_directory(tmp_path / "made", {"step": 40}) as staging:
        (staging / "inner").mkdir()
        (staging / "inner" / "weights").write_bytes(b"w")
        assert not (tmp_path / "made").exists()
    manifest = read_complete(tmp_path / "made")
    assert manifest is not None
    assert manifest.files == {"inner/weights": file_sha256(tmp_path / "made" / "inner" / "weights")}
    assert manifest.metadata == {"step": 40}


def test_a_directory_whose_writer_fails_leaves_all_as_it_was(tmp_path: Path) -> None:
    with atomic_directory(tmp_path / "made") as staging:
        (staging / "a").write_text("first")
    with pytest.raises(RuntimeError), atomic_directory(tmp_path / "made") as staging:
        (staging / "a").write_text("second")
        raise RuntimeError
    assert (tmp_path / "made" / "a").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_directory_replaces_the_one_before_it_with_all_its_files(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with atomic_directory(tmp_path / "made") as staging:
            (staging / name).write_text(name)
    assert read_complete(tmp_path / "made") is not None
    assert not (tmp_path / "made" / "old").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


@pytest.mark.parametrize("spoilt", ["a", "manifest.json"])
def test_a_changed_file_of_a_directory_is_named(tmp_path: Path, spoilt: str) -> None:
    with atomic_directory(tmp_path / "made") as staging:
        (staging / "a").write_text("a")
    (tmp_path / "made" / spoilt).write_text("b")
    with pytest.raises(ValueError, match=f"made/{spoilt}.*remove"):
        read_complete(tmp_path / "made")


def test_what_bears_no_marker_does_not_exist(tmp_path: Path) -> None:
    with atomic_directory(tmp_path / "made") as staging:
        (staging / "a").write_text("a")
    (tmp_path / "made" / "COMPLETE").unlink()
    assert read_complete(tmp_path / "made") is None
    assert read_complete(tmp_path / "absent") is None


# Run directories

CONFIG = {"training": {"steps": 120}, "panel": [{"name": "a"}]}
FROM = {"labels": "0123"}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDir]:
    with RunDir.open(tmp_path / "run", CONFIG, "name: run\n") as run:
        yield run


def test_an_artifact_is_made_once_and_anew_when_its_source_changes(run: RunDir) -> None:
    calls = []

    def build(path: Path) -> None:
        calls.append(path)
        write_text(path, "content")

    for made_from in (FROM, FROM, {"labels": "4567"}, {"labels": "4567"}):
        assert run.make("runs/a/out.txt", made_from, build).read_text() == "content"
    assert len(calls) == 2
    run.file("runs/a/out.txt").write_text("edited")
    assert not run.is_done("runs/a/out.txt", {"labels": "4567"})


def test_directories_are_artifacts_too(run: RunDir) -> None:
    def build(path: Path) -> None:
        with atomic_directory(path) as staging:
            (staging / "weights").write_text("w")

    path = run.make("step-40", FROM, build)
    assert run.is_done("step-40", FROM)
    (path / "weights").write_text("v")
    assert not run.is_done("step-40", FROM)
    run.make("step-40", FROM, build)
    assert run.is_done("step-40", FROM)


def test_the_hash_of_an_artifact_is_given_only_while_it_is_what_was_recorded(run: RunDir) -> None:
    with pytest.raises(ValueError, match=r"out\.txt: not made yet"):
        run.sha("out.txt")
    path = run.make("out.txt", FROM, lambda path: write_text(path, "content"))
    assert run.sha("out.txt") == file_sha256(path)
    path.write_text("edited")
    with pytest.raises(ValueError, match=r"out\.txt: changed since it was made"):
        run.sha("out.txt")


def test_a_run_directory_can_be_moved(tmp_path: Path) -> None:
    with RunDir.open(tmp_path / "here", CONFIG, "") as run:
        run.make("out.txt", FROM, lambda path: write_text(path, "content"))
    (tmp_path / "here").rename(tmp_path / "there")
    with RunDir.open(tmp_path / "there", CONFIG, "") as run:
        assert run.is_done("out.txt", FROM)
        assert run.config_sha256 == json_sha256(CONFIG)


def test_a_directory_of_another_configuration_is_refused_with_what_differs(tmp_path: Path) -> None:
    with RunDir.open(tmp_path / "run", CONFIG, "") as run:
        run.make("out.txt", FROM, lambda path: write_text(path, "content"))
    other = {"training": {"steps": 60}, "panel": [{"name": "a"}]}
    with (
        pytest.raises(ValueError, match=r"training\.steps \(120 there, 60 now\).*--runs-dir") as error,
        RunDir.open(tmp_path / "run", other, ""),
    ):
        pass
    assert "panel" not in str(error.value) and f"`rm -r {tmp_path / 'run'}`" in str(error.value)


def test_a_configuration_may_be_replaced_until_something_is_made_or_begun(tmp_path: Path) -> None:
    path, other = tmp_path / "run", {"training": {"steps": 60}}
    with RunDir.open(path, CONFIG, "name: before\n") as run:
        (path / "runs" / "follow").mkdir(parents=True)
    RunDir.check(path, other)
    with RunDir.open(path, other, "name: after\n") as run:
        assert run.config_sha256 == json_sha256(other) and run.is_empty
        assert (path / "experiment.yaml").read_text() == "name: after\n"
        (path / "runs" / "follow" / "state").write_text("three hours of training")
    with pytest.raises(ValueError, match="belongs to another configuration"):
        RunDir.check(path, CONFIG)


def test_files_that_are_not_ours_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ValueError, match=r"thesis\.tex.*no run directory"), RunDir.open(tmp_path, CONFIG, ""):
        pass
    with pytest.raises(ValueError, match=r"no run\.json"):
        RunDir(tmp_path)


def test_nothing_is_written_through_a_link(run: RunDir, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").write_text("years of work")
    (run.path / "base").symlink_to(elsewhere)
    with pytest.raises(ValueError, match=r"base: is a symbolic link"):
        run.make("base/out.txt", FROM, lambda path: write_text(path, "content"))
    with pytest.raises(ValueError, match=r"base: is a symbolic link"):
        run.is_done("base", FROM)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".lock").symlink_to(elsewhere / "lock")
    with (
        pytest.raises(ValueError, match=r"\.lock: cannot be written"),
        RunDir.open(tmp_path / "other", CONFIG, ""),
    ):
        pass
    assert os.listdir(elsewhere) == ["lock"] and (elsewhere / "lock").read_text() == "years of work"


@pytest.mark.parametrize("read", [read_json, file_sha256, lambda path: list(read_rows(path))])
def test_a_pipe_or_a_device_is_not_waited_for(read: Callable[[Path], object], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ValueError, match=f"{path}: is a pipe or a device"):
            read(path)


def test_safetensors_of_a_full_disk_are_told_of_as_any_file(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"step-40: cannot be written .*room"),
        atomic_directory(tmp_path / "step-40"),
    ):
        raise SafetensorError("I/O error: No space left on device (os error 28)")
    assert not list(tmp_path.iterdir())


def test_one_command_at_a_time_but_its_workers_join(run: RunDir) -> None:
    with RunDir.join(run.path) as worker:
        worker.make("out.txt", FROM, lambda path: write_text(path, "content"))
    assert run.is_done("out.txt", FROM)
    with (
        pytest.raises(ValueError, match=f"in use by process {os.getpid()}"),
        RunDir.open(run.path, CONFIG, ""),
    ):
        pass


KILLED_AT_EVERY_STEP = """
import os, signal, sys
from itertools import count
from pathlib import Path
from coupling.store import RunDir, atomic_directory, write_text

def work(path):
    with RunDir.open(path, {"a": 1}, "a: 1") as run:
        run.make("file.txt", {}, lambda path: write_text(path, "whole"))
        for text in ("first", "second"):
            with atomic_directory(path / "made") as staging:
                (staging / "a").write_text(text)
        run.record("made", {})

def work_until(path, step):
    events = count(1)
    def kill(event, arguments):
        if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir") and next(events) == step:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(kill)
    work(path)
    os._exit(0)

for step in count(1):
    child = os.fork() or work_until(Path(sys.argv[1]) / str(step), step)
    if os.waitpid(child, 0)[1] == 0:
        break
"""


def test_a_writer_killed_at_any_step_leaves_nothing_half_and_no_lock(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED_AT_EVERY_STEP, str(tmp_path)], check=True)
    paths = list(tmp_path.iterdir())
    assert len(paths) > 30
    for path in paths:
        with RunDir.open(path, {"a": 1}, "a: 1") as run:
            assert not list(path.rglob("*.partial"))
            assert (path / "made").exists() == (read_complete(path / "made") is not None)
            run.make("file.txt", {}, lambda path: write_text(path, "whole"))
            assert run.is_done("file.txt", {})
