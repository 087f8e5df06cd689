"""Files and directories that are whole or absent, whatever kills the process.

Both are written under a temporary name in the destination's own folder (a rename is atomic within one
file system only), synced, and renamed. A directory also gets ``manifest.json``, which holds the SHA-256
of each of its files, and last the marker ``COMPLETE``, which holds the SHA-256 of the manifest. What bears
no marker does not exist for a reader.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError

PARTIAL_SUFFIX = ".partial"
MANIFEST = "manifest.json"
MARKER = "COMPLETE"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a complete directory holds: SHA-256 by relative posix path, and what its maker noted."""

    files: Mapping[str, str]
    metadata: Mapping[str, str | int]

    @property
    def sha256(self) -> str:
        """The hash of the whole directory."""
        return hashlib.sha256(_manifest_bytes(self)).hexdigest()


def file_sha256(path: Path) -> str:
    """Raises ValueError when the file cannot be read."""
    require_regular(path)
    with reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_bytes(path: Path, at_most: int | None = None) -> bytes:
    """All of a file. Raises ValueError when it cannot be read, is no regular file (a pipe may never end), or
    holds more than ``at_most`` bytes."""
    require_regular(path)
    with reading(path):
        size = path.stat().st_size
        if at_most is not None and size > at_most:
            raise ValueError(f"{path}: holds {size} bytes, and at most {at_most} are read; shorten it")
        return path.read_bytes()


def read_text(path: Path, at_most: int | None = None) -> str:
    """A text in UTF-8, with or without a mark of byte order. Raises ValueError as `read_bytes`, and when it
    is not UTF-8."""
    data = read_bytes(path, at_most)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path} line {line}: not UTF-8 ({error.reason}); save the file as UTF-8") from error


def require_regular(path: Path) -> None:
    """Raises ValueError for what cannot be read to its end: a pipe, a device, a folder."""
    with reading(path):
        mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise ValueError(f"{path}: cannot be read ({os.strerror(errno.EISDIR)}); check the path")
    if not stat.S_ISREG(mode):
        raise ValueError(f"{path}: is a pipe or a device, and no file; copy what it gives into a file")


def require_files(folder: Path) -> None:
    """Raises ValueError where a folder cannot be listed, or holds what is neither file nor folder: libraries
    would wait for a pipe."""
    with reading(folder):
        entries = [entry for entry in folder.iterdir() if entry.exists() and not entry.is_dir()]
    for entry in entries:
        require_regular(entry)


def open_here(path: Path, mode: str) -> IO[bytes]:
    """Opens a file to add to it, where it lies: never what a symbolic link in its place points to."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NOFOLLOW, 0o666)

    return open(path, mode + "b", opener=opener)


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``path`` whole or not at all; its folder is made. Raises ValueError when the disk refuses."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = _partial_name(path)
        try:
            with partial.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        _sync(path.parent)


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode("utf-8"))


def require_writable(path: Path) -> None:
    """Raises ValueError when ``write_bytes`` would; for what is written hours later. Leaves nothing."""
    with writing(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        made = [folder for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        probe = _partial_name(path)
        probe.touch(exist_ok=False)
        probe.unlink()
        with suppress(OSError):  # Somebody else writes there by now.
            for folder in made:
                folder.rmdir()


@contextmanager
def atomic_directory(path: Path, metadata: Mapping[str, str | int] | None = None) -> Iterator[Path]:
    """Yield an empty staging directory; when the block ends well it becomes ``path``, complete.

    A directory that stood at ``path`` is replaced only then. When the block raises, nothing changes.
    Raises ValueError when the disk refuses, also while the block writes.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        staging, replaced = _partial_name(path), _partial_name(path)
        staging.mkdir()
        try:
            yield staging
            _seal(staging, metadata or {})
            if path.is_symlink():
                path.unlink()
            elif path.exists():
                path.rename(replaced)
            staging.rename(path)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        _sync(path.parent)
        shutil.rmtree(replaced, ignore_errors=True)


def read_complete(path: Path, *, verify: bool = True) -> Manifest | None:
    """The manifest of a directory written by ``atomic_directory``; None when it is absent or unmarked.

    Raises ValueError naming the file that is missing or whose hash is another (with ``verify``), and when the
    manifest itself is not the one that the marker vouches for.
    """
    marker, manifest_path = path / MARKER, path / MANIFEST
    if not marker.is_file():
        return None
    data = read_bytes(manifest_path)
    if hashlib.sha256(data).hexdigest().encode() != read_bytes(marker).strip():
        raise ValueError(f"{manifest_path}: changed since it was completed; remove {path} to make it anew")
    try:
        manifest = _MANIFEST_JSON.validate_json(data)
    except ValidationError as error:
        raise ValueError(f"{manifest_path}: not a manifest ({error.error_count()} errors)") from error
    if verify:
        for name, expected in manifest.files.items():
            found = file_sha256(path / name)
            if found != expected:
                raise ValueError(
                    f"{path / name}: its SHA-256 is {found[:12]}…, the manifest says {expected[:12]}…; "
                    f"remove {path} to make it anew"
                )
    return manifest


def remove_partials(folder: Path) -> None:
    """Remove what killed processes left below ``folder``. Call only while nobody else writes there."""
    with writing(folder):
        for partial in sorted(folder.rglob(f".*{PARTIAL_SUFFIX}")):
            if partial.is_dir() and not partial.is_symlink():
                shutil.rmtree(partial)
            else:
                partial.unlink(missing_ok=True)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn the system's refusal to read into a ValueError that names the path."""
    try:
        yield
    except FileNotFoundError as error:
        raise ValueError(f"{error.filename or path}: no such file; check the path") from error
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write, which safetensors words its own way, into a ValueError that names
    the path."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ValueError(
            f"{path}: cannot be written ({reason or error}); free the path, make room on its disk, make it "
            "writable, or choose another place"
        ) from error


_MANIFEST_JSON = TypeAdapter(Manifest)


def _manifest_bytes(manifest: Manifest) -> bytes:
    ordered = Manifest(dict(sorted(manifest.files.items())), dict(sorted(manifest.metadata.items())))
    return _MANIFEST_JSON.dump_json(ordered, indent=2) + b"\n"


def _seal(staging: Path, metadata: Mapping[str, str | int]) -> None:
    files = [path for path in staging.rglob("*") if path.is_file()]
    for file in files:
        _sync(file)
    manifest = Manifest({file.relative_to(staging).as_posix(): file_sha256(file) for file in files}, metadata)
    write_bytes(staging / MANIFEST, _manifest_bytes(manifest))
    for folder in (path for path in staging.rglob("*") if path.is_dir()):
        _sync(folder)
    write_text(staging / MARKER, manifest.sha256 + "\n")


def _partial_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL_SUFFIX}")


def _sync(path: Path) -> None:
    """Flush a file's data, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
