"""Counterfactual pairs of your own."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, Field, NonNegativeInt, model_validator

from coupling.config.section import Tags
from coupling.config.table import SplitShares, TableConfig
from coupling.config.task.cues import CuesConfig
from coupling.config.task.kind import Kinded
from coupling.config.task.templates import placeholders

CUE = "cue"
"""In braces: where the worded cue stands. All else in braces is a column."""
GIVEN = "given"
"""Name of the wording that there is by default: the column cue_text as it stands."""


def _is_taken(name: str) -> bool:
    """Whether a column cannot be called so here: pydantic keeps the name, or what it holds is no word."""
    return name.startswith("_") or name in dir(BaseModel) or name in ("choices", "against")


class PairsTask(TableConfig, Kinded):
    """Counterfactual pairs of your own: whole ones, one a line of JSONL, or put together from a table.

    Which it is, with_cue says. A table may also have the columns id, cluster, split, cue_value, against and
    choices; clusters, splits and ids that it lacks follow from the texts.
    """

    kind: Literal["pairs"] = "pairs"
    """Which task: world, world_chain, mmlu_hint, question_hint, moral_verdict, refusal or pairs."""
    with_cue: str | None = None
    """How an input with its cue is put together from columns in braces, as "{post}\\n\\n{cue}", where {cue}
    is the cue as templates word it; null: the file holds whole pairs."""
    without_cue: str | None = None
    """The same without the cue; null leaves out {cue} and the space before it."""
    templates: dict[str, str] = Field(default_factory=lambda: {GIVEN: "{cue_text}"}, min_length=1)
    """How cues are worded, by a name that becomes the tag template, as
    {sides: "I think {cue_value} is right."}. Each row comes in every wording."""
    cue: str = "cue"
    """What an explanation calls the cue: "without the hint"."""
    choices: tuple[str, ...] = ()
    """The answers on offer, where the table has no column choices."""
    answer_prefix: str = "I answer"
    """Words that open the model's answer before the choice; possibly none."""
    tags: Tags = ()
    """Columns that become tags, by which labels, steering and evaluation.groups select pairs."""
    split_shares: SplitShares = SplitShares()
    """How clusters are dealt to the splits, where the table has no column split."""
    seed: NonNegativeInt = 0
    """Deals the clusters."""
    cues: CuesConfig = CuesConfig()
    """Placebos, and two cues in one input."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.with_cue is None:
            self._check_whole()
        else:
            self._check_composed(self.with_cue)
        return self

    def _check_whole(self) -> None:
        mending = 'say how an input is put together, as with_cue: "{post}\\n\\n{cue}"'
        if self.is_file and not self.path.lower().endswith(".jsonl"):
            raise ValueError(f"path is {self.path!r}, but whole pairs stand in a file .jsonl; {mending}")
        for name, is_given in (
            ("without_cue", self.without_cue is not None),
            ("templates", self.templates != {GIVEN: "{cue_text}"}),
            ("columns", bool(self.columns)),
            ("choices", bool(self.choices)),
            ("tags", bool(self.tags)),
            ("cue", self.cue != "cue"),
            ("answer_prefix", self.answer_prefix != "I answer"),
            ("split_shares", self.split_shares != SplitShares()),
            ("seed", self.seed != 0),
        ):
            if is_given:
                raise ValueError(
                    f"{name} is given without with_cue, but whole pairs say themselves what they are; "
                    f"{mending}, or remove {name}"
                )

    def _check_composed(self, with_cue: str) -> None:
        if CUE not in placeholders(with_cue) and self.without_cue is None:
            raise ValueError(
                f"with_cue is {with_cue!r}, which has no {{cue}} that could be left out; put it in, or give "
                "without_cue"
            )
        if self.without_cue is None and with_cue.count("{cue}") != 1:
            raise ValueError(f"with_cue is {with_cue!r}, with several {{cue}}; keep one, or give without_cue")
        for where in (self.without_cue or "", *self.templates.values()):
            if CUE in placeholders(where):
                raise ValueError(f"{where!r} has {{cue}}, which stands in with_cue alone; remove it")
        for name in self.tags:
            if _is_taken(name):
                raise ValueError(
                    f"tags: {name!r} cannot be a tag; use another word there, such as topic, and say "
                    f"columns: {{topic: {name}}}"
                )
        for name in sorted(self.columns_in_braces):
            if not name.isidentifier() or _is_taken(name):
                raise ValueError(
                    f"{{{name}}} cannot stand in braces; use another word there, such as {{text}}, and say "
                    f"columns: {{text: {name}}}"
                )

    @property
    def columns_in_braces(self) -> set[str]:
        """The columns from which an input is put together."""
        assert self.with_cue is not None
        named = placeholders(self.with_cue) | placeholders(self.without_cue or "")
        if CUE in named:
            named = named.union(*map(placeholders, self.templates.values()))
        return named - {CUE}
