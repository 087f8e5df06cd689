"""The directory of one experiment: its artifacts, and of each what it was made from.

    run.json              the configuration the directory belongs to
    experiment.yaml       the same, as the user may edit and run it again
    labels.jsonl          an artifact (a file, or a directory written by ``atomic_directory``)
    labels.jsonl.made.json   its hash, the schema's version, and the hashes of what it was made from

An artifact is done when its sidecar says that it was made from the very things at hand, and its hash is still
the one noted. So the same command resumes a killed one: what is done is passed over, the rest is made.
Names are relative posix paths and nothing absolute is stored, so the directory can be moved.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from coupling.records import SCHEMA_VERSION
from coupling.store.atomic import (
    file_sha256,
    open_here,
    read_complete,
    reading,
    remove_partials,
    write_text,
    writing,
)
from coupling.store.records import Json, from_json, json_sha256, read_json, to_json, write_json

RUN_FILE = "run.json"
EXPERIMENT_FILE = "experiment.yaml"
SIDECAR_SUFFIX = ".made.json"
LOCK_FILE = ".lock"
WORKERS_LOCK_FILE = ".workers.lock"
ORPHANS_GRACE_SECONDS = 10.0
_FROM_THE_FIRST = {RUN_FILE, EXPERIMENT_FILE, LOCK_FILE, WORKERS_LOCK_FILE}


@dataclass(frozen=True, slots=True)
class _Made:
    """A sidecar. ``made_from`` holds a hash by the name of each thing the artifact depends on."""

    sha256: str
    schema: int
    made_from: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Owner:
    """``run.json``: whose results the directory holds."""

    schema: int
    config_sha256: str
    config: Mapping[str, object]


class RunDir:
    """A run directory that exists, to read from. Who makes artifacts enters by ``open`` or ``join``.

    Raises ValueError when ``path`` is no run directory.
    """

    def __init__(self, path: Path) -> None:
        if not (path / RUN_FILE).is_file():
            raise ValueError(f"{path}: no run directory (no {RUN_FILE} in it); `coupling run FILE` makes one")
        self.path = path

    @staticmethod
    def check(path: Path, config: Mapping[str, Json]) -> None:
        """Raises ValueError when ``path`` cannot be the directory of ``config``: it is no run's, or
        holds what was made for another configuration."""
        _refuse_foreign(path)
        if (path / RUN_FILE).is_file():
            _refuse_other_config(path, config)

    @classmethod
    @contextmanager
    def open(
        cls, path: Path, config: Mapping[str, Json], experiment: str, instead: str = ""
    ) -> Iterator[RunDir]:
        """Make or resume the directory of ``config`` and hold its lock: one command at a time.

        ``config`` is all that determines the results, ``experiment`` the YAML text to keep beside them, and
        ``instead`` what a user may do when the directory is another configuration's.
        What a killed process left half written is removed. A directory in which nothing was made yet becomes
        that of ``config``. Raises ValueError when another configuration's artifacts are in it, when another
        process holds it, it is no run directory, or cannot be written.
        """
        _refuse_foreign(path)
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
        with _locked(path):
            remove_partials(path)
            if (path / RUN_FILE).is_file():
                _refuse_other_config(path, config, instead)
            if not (path / RUN_FILE).is_file() or _owner(path).config_sha256 != json_sha256(config):
                write_text(path / EXPERIMENT_FILE, experiment)
                sha256 = json_sha256(config)
                write_json(path / RUN_FILE, to_json(_Owner(SCHEMA_VERSION, sha256, config)))
            yield cls(path)

    @classmethod
    @contextmanager
    def join(cls, path: Path) -> Iterator[RunDir]:
        """Enter as a worker of the command that holds the lock, to make artifacts that no other worker makes.

        A command that is killed may leave workers behind; as long as one has joined, nobody can ``open``.
        """
        with _lock_file(path / WORKERS_LOCK_FILE) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield cls(path)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was made in it yet, nor begun to be."""
        return _is_empty(self.path)

    @property
    def config_sha256(self) -> str:
        return _owner(self.path).config_sha256

    def file(self, name: str) -> Path:
        """Where the artifact ``name`` is, or will be. Raises ValueError where a link leads elsewhere."""
        parts = PurePosixPath(name).parts
        assert parts and not name.startswith("/") and ".." not in parts, (
            f"{name!r} is not a relative posix path"
        )
        place = self.path
        for part in parts:
            place /= part
            if place.is_symlink():
                raise ValueError(
                    f"{place}: is a symbolic link, and nothing is written through one; put what it points to "
                    "in its place, or give --runs-dir a folder on another disk"
                )
        return place

    def is_done(self, name: str, made_from: Mapping[str, str]) -> bool:
        """Whether ``name`` is there, whole, unchanged, of this schema, and made from just these hashes."""
        made = self._sidecar(name)
        return (
            made is not None
            and made.schema == SCHEMA_VERSION
            and made.made_from == made_from
            and made.sha256 == _artifact_sha256(self.file(name))
        )

    def record(self, name: str, made_from: Mapping[str, str]) -> None:
        """Note that ``name`` has been written, and from what."""
        sha256 = _artifact_sha256(self.file(name))
        assert sha256 is not None, f"{name} is recorded before it is written"
        write_json(self._sidecar_path(name), to_json(_Made(sha256, SCHEMA_VERSION, made_from)))

    def make(self, name: str, made_from: Mapping[str, str], build: Callable[[Path], None]) -> Path:
        """Return the artifact ``name``, which ``build`` writes at the path it is given, unless it is done."""
        path = self.file(name)
        if not self.is_done(name, made_from):
            build(path)
            self.record(name, made_from)
        return path

    def sha(self, name: str) -> str:
        """The hash of a recorded artifact, for the ``made_from`` of what is made from it.

        Raises ValueError when it has not been made, or is no longer what was recorded.
        """
        made = self._sidecar(name)
        if made is None:
            raise ValueError(f"{self.file(name)}: not made yet; run the stage before it, or `coupling run`")
        if made.sha256 != _artifact_sha256(self.file(name)):
            raise ValueError(
                f"{self.file(name)}: changed since it was made; remove it, and it will be made again"
            )
        return made.sha256

    def _sidecar_path(self, name: str) -> Path:
        path = self.file(name)
        return path.with_name(path.name + SIDECAR_SUFFIX)

    def _sidecar(self, name: str) -> _Made | None:
        path = self._sidecar_path(name)
        return from_json(_Made, read_json(path), str(path)) if path.is_file() else None


def _artifact_sha256(path: Path) -> str | None:
    """The hash of a file or of a complete directory; None when there is neither, or it is spoilt."""
    if not path.is_dir():
        return file_sha256(path) if path.is_file() else None
    try:
        manifest = read_complete(path)
    except ValueError:
        return None
    return None if manifest is None else manifest.sha256


def _owner(path: Path) -> _Owner:
    return from_json(_Owner, read_json(path / RUN_FILE), str(path / RUN_FILE))


def _refuse_foreign(path: Path) -> None:
    """Never write among files that are not ours."""
    with reading(path):
        if not path.exists() or (path / RUN_FILE).is_file():
            return
        names = {entry.name for entry in path.iterdir() if not entry.name.startswith(".")}
    if names - {EXPERIMENT_FILE}:
        raise ValueError(
            f"{path}: holds files ({', '.join(sorted(names)[:3])} …) but is no run directory; "
            "choose another --runs-dir or name"
        )


def _refuse_other_config(path: Path, config: Mapping[str, Json], instead: str = "") -> None:
    owner = _owner(path)
    sha256 = json_sha256(config)
    if owner.config_sha256 == sha256 or _is_empty(path):
        return
    there, here = dict(_leaves(owner.config)), dict(_leaves(config))
    differing = [
        f"{name} ({there.get(name, 'absent')!r} there, {here.get(name, 'absent')!r} now)"
        for name in sorted(there.keys() | here.keys())
        if there.get(name) != here.get(name)
    ]
    raise ValueError(
        f"{path}: belongs to another configuration ({owner.config_sha256[:12]}, this one is {sha256[:12]}); "
        f"different: {', '.join(differing)}. "
        + (
            instead
            or "Choose another name (--set name=NAME) or --runs-dir; or begin anew with "
            f"`rm -r {shlex.quote(str(path))}` and the same command"
        )
    )


def _is_empty(path: Path) -> bool:
    return not any(file.is_file() and file.name not in _FROM_THE_FIRST for file in path.rglob("*"))


def _leaves(obj: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Every figure and text in ``obj`` with its dotted name."""
    if isinstance(obj, Mapping) and obj:
        for key, value in obj.items():
            yield from _leaves(value, f"{name}.{key}".lstrip("."))
    elif isinstance(obj, list | tuple) and obj:
        for position, value in enumerate(obj):
            yield from _leaves(value, f"{name}.{position}")
    else:
        yield name, obj


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the run directory against other commands, once the workers of a killed one have ended."""
    with _lock_file(path / LOCK_FILE) as lock, _lock_file(path / WORKERS_LOCK_FILE) as workers:
        if not _try_lock(lock):
            lock.seek(0)
            holder = lock.read().decode("ascii", "replace").strip() or "unknown"
            raise ValueError(
                f"{path}: in use by process {holder}; wait for it, or choose another name or --runs-dir"
            )
        lock.truncate(0)
        lock.write(b"%d\n" % os.getpid())
        lock.flush()
        give_up = time.monotonic() + ORPHANS_GRACE_SECONDS
        while not _try_lock(workers):
            if time.monotonic() > give_up:
                raise ValueError(f"{path}: workers of a killed command still write here; end them first")
            time.sleep(0.1)
        fcntl.flock(workers, fcntl.LOCK_UN)
        yield


def _lock_file(path: Path) -> IO[bytes]:
    with writing(path):
        return open_here(path, "a+")


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
