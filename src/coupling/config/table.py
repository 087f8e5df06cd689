"""Rows that were made elsewhere: where they lie, what their columns are called, how splits are dealt."""

from __future__ import annotations

import math
from pathlib import PurePath
from typing import Annotated, Self

from pydantic import Field, model_validator

from coupling.config.section import LocalPath, Section

FILE_ENDINGS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")


class TableConfig(Section):
    """A table: a data set of the Hugging Face hub, or a file."""

    path: LocalPath
    """Hub id of a data set, or a file that ends in .jsonl, .json, .csv, .tsv or .parquet."""
    subset: str | None = None
    """Configuration of a hub data set, as all of cais/mmlu; null takes its default."""
    split: str | None = None
    """Split of a hub data set that is read, as test; null takes the only one there is."""
    revision: str | None = None
    """Branch, tag or commit of a hub data set; null takes the main branch."""
    columns: dict[str, str] = Field(default_factory=dict)
    """What columns are called there, where it is not what they are called here, as {question: Prompt}."""

    @property
    def is_file(self) -> bool:
        """Whether the path is one of a file, by its ending."""
        return PurePath(self.path).suffix.lower() in FILE_ENDINGS

    @model_validator(mode="after")
    def _hub_fields_are_for_the_hub(self) -> Self:
        for field, value in (("subset", self.subset), ("split", self.split), ("revision", self.revision)):
            if self.is_file and value is not None:
                raise ValueError(
                    f"{field} is {value!r}, but {self.path!r} is a file, which has none; remove {field}, or "
                    "give the id of a hub data set"
                )
        return self


class SplitShares(Section):
    """Shares of the clusters (questions, posts) that go to each split; they add up to 1."""

    train: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Clusters that labels and training may use."""
    dev: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Clusters for choosing settings by."""
    test: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Clusters that only the final evaluation sees."""

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        total = self.train + self.dev + self.test
        if not math.isclose(total, 1.0, abs_tol=1e-6):
            raise ValueError(f"train, dev and test are {total:g} together; they must add up to 1")
        return self
