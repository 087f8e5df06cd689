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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

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
    with reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    """Raises ValueError when ``write_bytes`` would; for what is written after hours of work."""
    with writing(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        probe = _partial_name(path)
        probe.touch(exist_ok=False)
        probe.unlink()


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
            if path.exists():
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
    with reading(manifest_path):
        data = manifest_path.read_bytes()
    if hashlib.sha256(data).hexdigest() != marker.read_text(encoding="ascii").strip():
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
            if partial.is_dir():
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
    """Turn the system's refusal to write into a ValueError that names the path."""
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"{path}: cannot be written ({error.strerror or error}); free the path, make it writable, "
            "or choose another place"
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
