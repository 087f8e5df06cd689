"""Where the rows of a published data set are read from."""

from __future__ import annotations

from pydantic import Field

from coupling.config.section import LocalPath, Section


class TableConfig(Section):
    """A table: rows of a hub data set or of a file, and what its columns are called."""

    path: LocalPath
    """Hub id of a data set, or a file ending in .jsonl, .json, .csv, .tsv or .parquet."""
    subset: str | None = None
    """Configuration of a hub data set; null takes its only one."""
    split: str | None = None
    """Split of a hub data set, as train; null takes its only one."""
    revision: str | None = None
    """Branch, tag or commit of a hub data set; null takes the main branch."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Columns that are called otherwise there, as {prompt: instruction}: our name, then theirs."""
