"""Weights are safetensors in the model's own folder, whatever names them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from coupling.models.description import check_description
from coupling.models.weight_files import INDEX, WHOLE, check_weights

SHARD = "model-00001-of-00001.safetensors"


def sharded(folder: Path, shard: object = SHARD, metadata: object = None) -> Path:
    """A folder whose index names one file, which is there where it can be."""
    folder.mkdir(parents=True)
    index = {"metadata": {} if metadata is None else metadata, "weight_map": {"a": shard, "b": shard}}
    (folder / INDEX).write_text(json.dumps(index))
    (folder / SHARD).touch()
    return folder


def test_an_index_names_files_beside_it(tmp_path: Path) -> None:
    check_weights(sharded(tmp_path / "tiny"), "model tiny")
    (tmp_path / "by-another-way").symlink_to(tmp_path / "tiny")
    check_weights(tmp_path / "by-another-way", "model tiny")


@pytest.mark.parametrize(
    "shard", ["pytorch_model.bin", "../other/model.safetensors", "/etc/x.safetensors", "a/b.safetensors", 7]
)
def test_an_index_names_nothing_else(shard: object, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / WHOLE).touch()
    folder = sharded(tmp_path / "tiny", shard)
    (folder / "pytorch_model.bin").touch()
    with pytest.raises(
        ValueError, match=rf"model tiny: {INDEX} names .*files \*\.safetensors in the model's"
    ):
        check_weights(folder, "model tiny")


def test_what_is_named_must_be_there(tmp_path: Path) -> None:
    folder = sharded(tmp_path / "tiny", "model-00002-of-00002.safetensors")
    with pytest.raises(ValueError, match=r"names 'model-00002-of-00002.safetensors', which is not there"):
        check_weights(folder, "model tiny")


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"metadata": {}, "weight_map": []}', '{"weight_map": {"a": "b"}}']
)
def test_an_index_that_is_none(content: str, tmp_path: Path) -> None:
    folder = sharded(tmp_path / "tiny")
    (folder / INDEX).write_text(content)
    with pytest.raises(ValueError, match=rf"model tiny: {INDEX} is no index"):
        check_weights(folder, "model tiny")


@pytest.mark.parametrize("named", ["adapter_model.bin", "../x.safetensors", "x.safetensors.index.json"])
def test_a_configuration_names_no_other_file(named: str, tmp_path: Path) -> None:
    folder = sharded(tmp_path / "tiny")
    (folder / "config.json").write_text(json.dumps({"transformers_weights": named}))
    with pytest.raises(ValueError, match=r"config.json \(transformers_weights\) names"):
        check_weights(folder, "model tiny")
    (folder / "config.json").write_text(json.dumps({"transformers_weights": SHARD}))
    check_weights(folder, "model tiny")


@pytest.mark.parametrize("name", [WHOLE, SHARD])
def test_links_are_of_the_hubs_cache_alone(name: str, tmp_path: Path) -> None:
    repository = tmp_path / "models--someone--tiny"
    snapshot = sharded(repository / "snapshots" / ("0" * 40))
    (repository / "blobs").mkdir()
    (repository / "blobs" / "abc").touch()
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "abc").touch()
    (snapshot / name).unlink(missing_ok=True)
    (snapshot / name).symlink_to(Path("../../blobs/abc"))
    check_weights(snapshot, "model tiny")

    copied = tmp_path / "copied"
    shutil.copytree(snapshot, copied, symlinks=True)
    for target in (tmp_path / "blobs" / "abc", repository / "blobs" / "abc"):
        for folder in (copied, snapshot):
            if folder == snapshot and target.is_relative_to(repository):
                continue
            (folder / name).unlink()
            (folder / name).symlink_to(target)
            with pytest.raises(ValueError, match=rf"{name} is a link to .*model's folder alone"):
                check_weights(folder, "model tiny")


def described(folder: Path, **fields: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", **fields}))
    return folder


@pytest.mark.parametrize(
    "fields",
    [
        {"num_hidden_layers": 10**9},
        {"hidden_size": 10**12},
        {"vocab_size": 2**40},
        {"text_config": {"num_hidden_layers": 10**9}},
        {"attn_implementation": "someone/kernel"},
        {"_attn_implementation": "someone/kernel"},
    ],
)
def test_a_description_that_no_model_has(fields: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model tiny: .* in config.json is"):
        check_description(described(tmp_path, **fields), "tiny", False)


def test_a_description_as_models_have_it(tmp_path: Path) -> None:
    sound = {"num_hidden_layers": 126, "max_position_embeddings": 10_485_760, "rope_theta": 10**9}
    check_description(described(tmp_path, **sound), "tiny", False)


def test_a_pipe_in_the_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(described(tmp_path) / "tokenizer.json")
    with pytest.raises(ValueError, match=r"tokenizer.json: is a pipe or a device"):
        check_description(tmp_path, "tiny", False)
