"""Experiment files: read strictly, told plainly when wrong, written back the same."""

from __future__ import annotations

import pickle
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.config import (
    ExperimentConfig,
    commented_experiment,
    config_sha256,
    dump_experiment,
    load_experiment,
    parse_experiment,
    quickened,
    result_fields,
    shipped_experiment,
    training_fields,
)
from coupling.config.yaml_text import dump_inline, dump_yaml, parse_yaml
from coupling.shown import plain
from coupling.store.complaints import dotted_names

QUICKSTART = dump_experiment(shipped_experiment())


def read(*overrides: str, text: str = QUICKSTART) -> ExperimentConfig:
    return parse_experiment(text, "my.yaml", None, overrides)


# There and back


def test_what_is_dumped_and_what_is_commented_load_back_equal() -> None:
    assert read() == shipped_experiment()
    assert read(text=commented_experiment()) == shipped_experiment()
    changed = read("training.lora.rank=8", "task={kind: mmlu_hint, path: q.jsonl}", "panel.4.seed=1")
    assert read(text=dump_experiment(changed)) == changed
    assert read(text=commented_experiment(changed)) == changed
    read_by = read("readers={language_model: {steps: 50}, models: [{name: plain, path: organism:plain}]}")
    assert read(text=commented_experiment(read_by)) == read_by


def test_the_commented_file_documents_each_field_once() -> None:
    comments = [
        line.strip(" #") for line in commented_experiment().splitlines() if line.strip().startswith("#")
    ]
    named = {
        line.strip(" #-").partition(":")[0] for line in commented_experiment().splitlines() if ":" in line
    }
    fields = {name.rpartition(".")[2] for name in dotted_names(ExperimentConfig)}
    assert fields <= named
    assert sum(comment.startswith("Optimizer steps.") for comment in comments) == 1
    assert comments.count("Rank of each adapter.") == 1
    assert comments.count("Answers drawn for each input; rewards are compared within this group.") == 1


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8)
        | st.sampled_from(
            ["no", "yes", "1e-4", "1e4", "null", "~", "", "010", "1_000", "2024-01-01", "1:30", ".5"]
        ),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("ab:#- ", max_size=4), inner, max_size=3)
        ),
        max_leaves=6,
    )
)
def test_yaml_comes_back_as_it_was(obj: object) -> None:
    assert parse_yaml(dump_yaml(obj), "here") == obj
    assert parse_yaml(dump_inline(obj), "here") == obj


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1E4", 1e4),
        ("-1.5e+3", -1500.0),
        (".5", 0.5),
        ("3.", 3.0),
        ("120", 120),
        ("no", "no"),
        ("yes", "yes"),
        ("2024-01-01", "2024-01-01"),
        ("010", "010"),
        ("true", True),
        ("~", None),
        ("", None),
    ],
)
def test_yaml_is_read_as_people_mean_it(text: str, value: object) -> None:
    read_back = parse_yaml(text, "here")
    assert (read_back, type(read_back)) == (value, type(value))


def test_small_floats_are_numbers_in_files_and_overrides() -> None:
    assert read("training.learning_rate=1e-4").training.learning_rate == 1e-4
    assert read(text=QUICKSTART.replace("0.0005", "5e-4")) == shipped_experiment()


# Overrides


def test_overrides_reach_sections_list_items_and_sections_left_out() -> None:
    changed = read(
        "panel.4.seed=3",
        "training.lora.rank=8",
        "supervision.silent_on.adviser=[Silva]",
        "model.path=organism:plain",
        "training={steps: 60, checkpoints: [0, 60]}",
        "evaluation.checkpoint=60",
    )
    assert changed.panel[4].seed == 3
    assert changed.training.steps == 60
    assert changed.supervision.silent_on == {"adviser": ("Silva",)}
    assert changed.model.path == "organism:plain"
    assert read("training.lora.rank=8").training.lora is not None


SHORT = "name: mine\nmodel: organism:coupled\ntask: {kind: world}\npanel: [{name: alone}]\n"


@pytest.mark.parametrize(
    ("text", "overrides", "checkpoints", "verdict", "warmup"),
    [
        (SHORT, (), (0, 20, 40, 60, 80), 80, 5),
        (SHORT + "training: {steps: 120}\n", (), (0, 30, 60, 90, 120), 120, 5),
        (SHORT + "training: {steps: 3}\n", (), (0, 1, 2, 3), 3, 3),
        (SHORT, ("training.steps=10",), (0, 2, 5, 7, 10), 10, 5),
        # A file that spells its checkpoints out keeps those that are left.
        (QUICKSTART, ("training.steps=50",), (0, 20, 40, 50), 50, 5),
        (QUICKSTART, ("training.steps=2",), (0, 2), 2, 2),
        (QUICKSTART, ("training.steps=160", "evaluation.checkpoint=80"), (0, 20, 40, 60, 80, 160), 80, 5),
        (QUICKSTART, ("training.steps=9", "training.checkpoints=[0, 4, 9]"), (0, 4, 9), 9, 5),
        # What was a sound file before steps were followed means what it meant.
        (SHORT + "training: {steps: 120, checkpoints: [0, 80, 120]}\n", (), (0, 80, 120), 80, 5),
    ],
)
def test_checkpoints_follow_steps_unless_they_are_given(
    text: str, overrides: tuple[str, ...], checkpoints: tuple[int, ...], verdict: int, warmup: int
) -> None:
    config = read(*overrides, text=text)
    assert config.training.checkpoints == checkpoints
    assert (config.evaluation.checkpoint, config.training.warmup_steps) == (verdict, warmup)
    spelt_out = parse_experiment(dump_experiment(config), "my.yaml")
    assert config_sha256(config) == config_sha256(spelt_out)


def test_results_of_the_shipped_main_job_are_those_of_before() -> None:
    assert config_sha256(shipped_experiment()).startswith("29087e4dbfe5")


@pytest.mark.parametrize("name", ["quickstart", "sharp-reversal", "shift-and-undo", "explained-after"])
def test_a_quick_look_is_small_everywhere_and_has_a_folder_of_its_own(name: str) -> None:
    config = shipped_experiment(name)
    quick = quickened(config)
    assert quick.name == f"{name}-quick"
    assert quick.supervision.labels < config.supervision.labels
    assert quick.evaluation.pairs is not None and quick.evaluation.pairs < (config.evaluation.pairs or 0)
    assert quick.training.steps < config.training.steps
    # It loads back, so all that must agree does, and terms set in at the same share of the steps.
    assert read(text=dump_experiment(quick)) == quick
    for long, short in zip(
        config.training.steering.objectives, quick.training.steering.objectives, strict=True
    ):
        assert long.start * quick.training.steps // config.training.steps == short.start
    assert quickened(quick).training == quick.training


def test_a_model_may_stand_as_its_path_alone() -> None:
    section = "model:\n  path: organism:coupled\n"
    text = "name: mine\nmodel: organism:coupled\ntask: {kind: world}\npanel: [{name: alone}]\n"
    spelt_out = text.replace("model: organism:coupled\n", section)
    assert read(text=text) == read(text=spelt_out)
    assert config_sha256(read(text=text)) == config_sha256(read(text=spelt_out))
    named = read("model=Qwen/Qwen3-8B", "model.dtype=bfloat16", "model.new_words=[brillig]", text=text).model
    assert (named.path, named.dtype, named.new_words) == ("Qwen/Qwen3-8B", "bfloat16", ("brillig",))
    assert read("model.revision=v1", text=text).model.path == "organism:coupled"


def test_every_shipped_experiment_is_valid_and_named_after_its_file() -> None:
    folder = resources.files("coupling") / "assets" / "experiments"
    for file in folder.iterdir():
        name = file.name.removesuffix(".yaml")
        assert shipped_experiment(name).name == name


def test_a_model_is_called_as_the_file_spells_it(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    path = tmp_path / "my.yaml"
    path.write_text(QUICKSTART)
    called = load_experiment(path, ["model=tiny", f"model.adapter={tmp_path}/tuned"]).model
    assert called.path == str(tmp_path / "tiny")
    assert called.name == "tiny + tuned"
    another = called.another("org/other")
    assert (another.path, another.adapter, another.name) == ("org/other", None, "org/other")


# Errors


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("training.stps=3", "unknown field 'training.stps': did you mean 'training.steps'?"),
        ("trainning.steps=3", "unknown field 'trainning.steps': did you mean 'training.steps'?"),
        ("kl.weight=0", "unknown field 'kl.weight': did you mean 'training.kl.weight'?"),
        ("learning_rate=1", "unknown field 'learning_rate': did you mean 'training.learning_rate'?"),
        ("panel.0.sede=3", "unknown field 'panel.0.sede': did you mean 'panel.0.seed'?"),
        ("panel.9.seed=3", "'9' is no position in a list of 5"),
        ("name.x=3", "'x' would stand inside 'quickstart'"),
        ("task.hints_per_advisor=2", "did you mean 'task.hints_per_adviser'?"),
        (
            "task={kind: pairs, path: p.jsonl, wrld: 3}",
            "unknown field 'task.wrld': known here are kind, path",
        ),
        ("task={kind: pairs}", "field 'task.path' is missing"),
        (
            "task.kind=riddles",
            "field 'task.kind' is 'riddles': should be one of 'world', 'world_chain', 'mmlu_hint', "
            "'question_hint', 'moral_verdict', 'refusal', 'pairs'",
        ),
        ("model=3", "field 'model' is 3: should be an object"),
        ("model.attention=fast", "should be 'eager', 'sdpa', 'flash_attention_2'"),
        ("training.steps=many", "field 'training.steps' is 'many': should be a valid integer"),
        ("training.steps=true", "field 'training.steps' is True"),
        (
            "training.learning_rate='1e-4'",
            "field 'training.learning_rate' is '1e-4': should be a valid number",
        ),
        ("training.batch_size=0", "field 'training.batch_size' is 0: should be greater than 0"),
        ("supervision.noise={kind: uniform, rate: 1.5}", "field 'supervision.noise.rate' is 1.5"),
        ("supervision.noise.kind=flopped", "field 'supervision.noise.kind' is 'flopped'"),
        (
            "supervision.own_share=1.5",
            "field 'supervision.own_share' is 1.5: should be less than or equal to 1",
        ),
        ("supervision.own_share=-0.1", "field 'supervision.own_share' is -0.1"),
        ("supervision.silent_on.adviser=[3]", "field 'supervision.silent_on.adviser.0' is 3"),
        ("training.kl.direction=up", "should be 'forward' or 'reverse'"),
        ("name=../elsewhere", "'../elsewhere' is no folder name"),
        ("panel=[]", "field 'panel' is []"),
        ("panel.0.steer.tags={}", "selects no pairs"),
        ("task={kind: mmlu_hint, path: q, templates: {a: Hm.}}", "'Hm.' must contain {letter}"),
        ("task={kind: mmlu_hint, path: q, templates: {}}", "field 'task.templates' is {}"),
        (
            "task={kind: mmlu_hint, path: q, templates: {a: '{author} says {letter}.'}}",
            "has an {author}, but authors is empty",
        ),
        ("task={kind: mmlu_hint, path: q.csv, split: test}", "'q.csv' is a file, which has none"),
        ("task={kind: mmlu_hint, path: q, positions: [after, after]}", "'after' stands twice"),
        ("task={kind: question_hint, templates: {a: Hm.}}", "'Hm.' must contain {choice}"),
        ("task={kind: question_hint, authors: []}", "has an {author}, but authors is empty"),
        ("task={kind: question_hint, split: test}", "split is given, but path is 'shipped'"),
        ("task={kind: moral_verdict, path: q, for_nta: {}, for_yta: {}}", "there is no cue"),
        ("task={kind: moral_verdict, path: q, for_yta: {innocent: Sorry.}}", "'innocent' stands twice"),
        ("task={kind: moral_verdict, path: q, for_yta: {guilty: 'It is {it}.'}}", "nothing in braces"),
        ("task={kind: pairs, path: q.csv}", "whole pairs stand in a file .jsonl"),
        ("task={kind: pairs, path: q.jsonl, choices: [a, b]}", "choices is given without with_cue"),
        ("task={kind: pairs, path: q.csv, with_cue: '{post}'}", "no {cue} that could be left out"),
        ("task={kind: pairs, path: q.csv, with_cue: '{copy} {cue}'}", "columns: {text: copy}"),
        ("task.cues.placebos={'?': Hm.}", "names no cue"),
        ("task.cues.placebos={nothing: Hm.}", "no placebo may be called 'nothing'"),
        ("task.cues.placebos={date: ' '}", "is no sentence"),
        ("task.cues.naming='{cue}'", "gives two cues one name"),
        ("steps", "expected a dotted field, '=' and a value"),
        ("training.steps=[1", "--set training.steps=[1 line 1, column 3"),
    ],
)
def test_a_wrong_override_is_named_with_what_was_meant(override: str, complaint: str) -> None:
    with pytest.raises(ValueError) as error:
        read(override)
    assert str(error.value).startswith(f"--set {override}")
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        (
            ["training.steps=60", "training.checkpoints=[0, 80]"],
            "training.checkpoints is [0, 80]: expected rising steps from 0 to",
        ),
        (["training.checkpoints=[0, 80, 40, 120]"], "training.checkpoints is [0, 80, 40, 120]"),
        (["training.checkpoints=[40, 120]"], "training.checkpoints is [40, 120]"),
        (["model.device=cpu", "model.device_map=auto"], "device is 'cpu' and device_map 'auto'"),
        (["model.adapter_revision=v1"], "adapter_revision is 'v1', but no adapter is given"),
        (["model.attention=flash_attention_2"], "does not compute in float32; set dtype: bfloat16"),
        (["training.checkpoints=[]"], "training.checkpoints is []"),
        (["training.warmup_steps=121"], "training.warmup_steps is 121: expected at most training.steps"),
        (["evaluation.checkpoint=50"], "evaluation.checkpoint is 50: expected one of training.checkpoints"),
        (["evaluation.remeasure_batch_size=256"], "evaluation.remeasure_batch_size is 256"),
        (["evaluation.groups=[adviser, adviser]"], "'adviser' is named twice"),
        (["supervision.noise.rate=0.3"], "rate is 0.3 but kind is 'none'"),
        (["panel.1.name=Follow-Chen"], "panel.1.name is 'Follow-Chen', taken by panel.0"),
        (["twins=[[follow-chen, unsteered]]"], "'unsteered' is not steered"),
        (["twins=[[follow-chen, follow-che]]"], "no run of the panel is called 'follow-che'"),
        (["twins=[[follow-chen, follow-chen]]"], "a run is not its own twin"),
        (["twins.1=[ignore-chen, follow-chen]"], "named before"),
        (["task.cues.together=placebos"], "together is 'placebos', but there are none"),
        (["training.steering.undo=80"], "training.steering.undo is 80: expected less than training.steps"),
        (
            ["training.steering={undo: 40, objectives: [{kind: sft, start: 40}]}"],
            "undo is 40, but no objective sets in before that",
        ),
        (
            ["training.steering={undo: 40, objectives: [{kind: sft, stop: 40}]}"],
            "undo is 40, but no objective is on after that",
        ),
        (["panel.0.seed=3"], "their seeds are 3 and 0"),
        (["readers.language_model={steps: 9, warmup_steps: 10}"], "warmup_steps is 10: expected at most"),
        (
            ["readers.models=[{name: Language-Model, path: a}]"],
            "models.0.name is 'Language-Model', taken by the language model from random weights",
        ),
        (
            ["readers.models=[{name: a, path: b}, {name: A, path: c}]"],
            "models.1.name is 'A', taken by models.0",
        ),
        (["panel.0.steer.direction=ignore"], "both are steered alike"),
        (
            ["task={kind: mmlu_hint, path: q, split_shares: {test: 0.5}}"],
            "1.2 together; they must add up to 1",
        ),
    ],
)
def test_sections_that_do_not_fit_together_are_named(overrides: list[str], complaint: str) -> None:
    with pytest.raises(ValueError) as error:
        read(*overrides)
    assert complaint in str(error.value)


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    with pytest.raises(ValueError, match=r"my\.yaml: no such file.*coupling init"):
        load_experiment(path)
    for text, complaint in [
        ("", "expected the sections of an experiment"),
        ("name: a\nname: b\n", "line 2, column 1: the key 'name' stands twice"),
        ("name: [a\n", "line 2"),
        (QUICKSTART.replace("steps:", "stps:", 1), "unknown field 'training.stps': did you mean"),
    ]:
        path.write_text(text)
        with pytest.raises(ValueError) as error:
            load_experiment(path)
        assert str(error.value).startswith(str(path))
        assert complaint in str(error.value)


CHAIN = "\n".join(f"a{number}: &a{number} [{f'*a{number - 1}' if number else ''}]" for number in range(99))
LAUGHS = "\n".join(f"{each}: &{each} [{f'*{before}, ' * 10}]" for before, each in pairwise("abcdefghi"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"a: &a [x]\n{LAUGHS}", "line 6, column 4: unfolds to more than 100000 values"),
        (CHAIN, "line 50, column 12: nested deeper than 50 levels"),
        ("a: &a [*a]", "line 1, column 8: the alias 'a' stands inside itself"),
        ("[" * 500 + "]" * 500, "line 1, column 51: nested deeper than 50 levels"),
        ("a:\n" + "".join(f"{'  ' * depth}- a:\n" for depth in range(99)), "nested deeper than 50 levels"),
        ("a: !!bool foo", "line 1, column 4: 'foo' is no bool"),
        ("a: !!int x", "'x' is no int"),
        (f"a: {'9' * 5000}", "more characters) … 999"),
        ("a: !!timestamp x", "the tag 'timestamp' stands for nothing here"),
        ("- !!map a", "the tag 'map' stands for nothing here"),
        ("a: !!python/name:os.system x", "the tag 'python/name:os.system' stands for nothing here"),
        ('a: "\\ud800"', "a character that no file can hold"),
        ('a: "\\0"', "a character that no file can hold"),
        ("#" * 1_000_001, "holds 1000001 characters, and at most 1000000 are read"),
        (f"? {'k' * 200_000}\n: 1\n? {'k' * 200_000}\n: 2", "stands twice"),
    ],
)
def test_yaml_that_is_too_much_is_refused_where_it_stands(text: str, complaint: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_yaml(text, "my.yaml")
    assert str(error.value).startswith("my.yaml") and complaint in str(error.value)
    assert len(str(error.value)) < 300


def test_an_alias_repeats_what_it_names() -> None:
    assert parse_yaml("a: &it {b: [1]}\nc: [*it, *it]", "") == {"a": {"b": [1]}, "c": [{"b": [1]}] * 2}


@pytest.mark.parametrize(
    "override",
    [
        "evaluation.resamples=1000000000",
        "training.steps=99999999999",
        f"evaluation.seed={2**64}",
        "training.learning_rate=1e300",
        f"model.path={'x' * 100_000}",
        'model.path="a\\e[2Jb"',
        f"name={'x' * 100_000}",
        f"panel.{'0.' * 2000}seed=1",
        f"panel.{'9' * 5000}.seed=1",
        f"{'x' * 100_000}=1",
    ],
)
def test_absurd_values_are_refused_in_a_few_words(override: str) -> None:
    with pytest.raises(ValueError) as error:
        shipped_experiment("quickstart", [override])
    assert "--set" in str(error.value) and len(str(error.value)) < 6000
    assert plain(str(error.value)) == str(error.value)


# Paths and hashes


def test_a_path_beside_the_file_is_found_but_saved_and_hashed_as_written(tmp_path: Path) -> None:
    hashes = set()
    for folder in (tmp_path / "here", tmp_path / "there"):
        folder.mkdir()
        (folder / "pairs.jsonl").write_text("")
        (folder / "my.yaml").write_text(QUICKSTART)
        config = load_experiment(
            folder / "my.yaml",
            ["task={kind: pairs, path: pairs.jsonl}", "supervision.target=elsewhere/model"],
        )
        assert config.task.kind == "pairs"
        assert config.task.path == str(folder / "pairs.jsonl")
        assert config.supervision.target == "elsewhere/model"
        assert str(tmp_path) not in dump_experiment(config)
        copy = pickle.loads(pickle.dumps(config))
        assert dump_experiment(copy) == dump_experiment(config)
        hashes.add(config_sha256(config))
    assert len(hashes) == 1


def test_the_hash_holds_all_that_determines_results_and_no_more() -> None:
    assert config_sha256(read("workers=7")) == config_sha256(read())
    assert config_sha256(read("training.kl.weight=0.5")) != config_sha256(read())
    without = result_fields(read())
    assert without.keys() == ExperimentConfig.model_fields.keys() - {"workers", "readers"}
    asked_for = result_fields(read("readers.surrogates=false"))
    assert asked_for.keys() - without.keys() == {"readers"}


def test_what_changes_memory_alone_may_change_in_a_run_that_was_begun() -> None:
    before = read()
    training = before.training.model_copy(update={"micro_batch_size": 2, "gradient_checkpointing": True})
    assert result_fields(before.model_copy(update={"training": training})) == result_fields(before)


def test_runs_stand_side_by_side_on_a_cpu_and_where_it_is_said() -> None:
    silent = read().model_copy(update={"workers": None})
    assert (silent.workers_on("cpu"), silent.workers_on("cuda")) == (2, 1)
    assert silent.model_copy(update={"workers": 3}).workers_on("cuda:1") == 3


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("supervision.noise.rate=0.3", "set kind to uniform, flipped, shuffled or constant"),
        ("supervision.own_share=0.5", "own_share is 0.5, but target is 'base'"),
        ("supervision.effects=a.jsonl", "effects is 'a.jsonl', but no file is given"),
        ("supervision={file: a.jsonl, target: b}", "file is 'a.jsonl' and target is 'b'"),
        ("supervision={file: a.jsonl, own_share: 0.5}", "file is 'a.jsonl' and own_share is '0.5'"),
    ],
)
def test_supervision_that_contradicts_itself_is_refused(override: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=r"field 'supervision") as error:
        read(override)
    assert complaint in str(error.value)


def test_fields_that_came_later_change_no_hash_until_they_are_set() -> None:
    stated = result_fields(shipped_experiment("mmlu"))
    assert "consequences" not in stated["evaluation"] and "fields" not in stated["task"]  # type: ignore[operator]
    assert "undo" not in stated["training"]["steering"]  # type: ignore[index,call-overload,operator]
    undone = shipped_experiment("shift-and-undo")
    assert result_fields(undone)["training"]["steering"]["undo"] == 60  # type: ignore[index,call-overload]
    assert training_fields(undone.training) == result_fields(undone)["training"]
    weighed = shipped_experiment("mmlu", ["evaluation.consequences.denied=2", "task.fields=[law]"])
    stated = result_fields(weighed)
    assert stated["evaluation"]["consequences"]["denied"] == 2  # type: ignore[index,call-overload]
    assert stated["task"]["fields"] == ["law"]  # type: ignore[index,call-overload]


def test_errors_that_cost_nothing_are_refused() -> None:
    free = "evaluation.consequences={denied: 0, invented: 0, misnamed: 0, unparseable: 0}"
    with pytest.raises(ValueError, match="no error costs anything"):
        shipped_experiment("mmlu", [free])
