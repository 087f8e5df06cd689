"""Artifacts on disk: whole or absent, hashed, and read back strictly.

- ``atomic``       files and directories that are never half written
- ``records``      the dataclasses of ``coupling.records`` as JSON and JSONL
- ``run_dir``      the directory of one experiment: what was made, and from what
- ``complaints``   validation errors as sentences a user can act on
"""

from coupling.store.atomic import (
    Manifest,
    atomic_directory,
    file_sha256,
    read_bytes,
    read_complete,
    read_text,
    require_files,
    require_regular,
    require_writable,
    write_bytes,
    write_text,
)
from coupling.store.records import (
    Json,
    from_json,
    from_versioned,
    json_sha256,
    read_json,
    read_records,
    read_rows,
    read_versioned,
    to_json,
    write_json,
    write_records,
)
from coupling.store.run_dir import RunDir

__all__ = [
    "Json",
    "Manifest",
    "RunDir",
    "atomic_directory",
    "file_sha256",
    "from_json",
    "from_versioned",
    "json_sha256",
    "read_bytes",
    "read_complete",
    "read_json",
    "read_records",
    "read_rows",
    "read_text",
    "read_versioned",
    "require_files",
    "require_regular",
    "require_writable",
    "to_json",
    "write_bytes",
    "write_json",
    "write_records",
    "write_text",
]
