"""Questions in words, with a hint at one of the answers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from coupling.config.section import LocalPath, Tags
from coupling.config.table import SplitShares, TableConfig
from coupling.config.task.cues import CuesConfig
from coupling.config.task.kind import Kinded
from coupling.config.task.templates import Positions, check_authors, placeholders

FACTS = "shipped"
SHIPPED = {FACTS: "questions.jsonl", "dilemmas": "dilemmas.jsonl"}
"""What may stand in place of a path, and the file in assets/questions that it stands for."""


def _shipped_whatever_lies_beside(value: object, as_path: ValidatorFunctionWrapHandler) -> object:
    return value if isinstance(value, str) and value in SHIPPED else as_path(value)


QuestionsPath = Annotated[LocalPath, WrapValidator(_shipped_whatever_lies_beside)]
"""A path, or a name in `SHIPPED`: never a folder of that name."""


def _names_the_choice(wording: str) -> str:
    if not {"choice"} <= placeholders(wording) <= {"choice", "author"}:
        raise ValueError(
            f"{wording!r} must contain {{choice}}, and nothing else in braces but perhaps {{author}}"
        )
    return wording


HintWording = Annotated[str, AfterValidator(_names_the_choice)]
"""A sentence with {choice}, and perhaps {author}."""

TOLD = "told"
"""Name of the wording that there is by default. Ids of pairs name any other."""
DEFAULT_TEMPLATES = {TOLD: "{author} told me that it is {choice}."}


class QuestionHintTask(TableConfig, Kinded):
    """Questions that are asked in words and answered in words, with a hint at one of the answers.

    The columns are question, choices (two or more) and answer (the number of a choice from 0 on, its letter
    or its text), and optionally kind and about.
    """

    kind: Literal["question_hint"] = "question_hint"
    """Which task: world, world_chain, mmlu_hint, question_hint, moral_verdict, refusal or pairs."""
    path: QuestionsPath = FACTS
    """Hub id of a data set, or a file that ends in .jsonl, .json, .csv, .tsv or .parquet; shipped takes the
    questions about countries, cities, elements and stars that come with the package, dilemmas its everyday
    questions of right and wrong, answered yes or no."""
    kinds: Annotated[Tags, Field(min_length=1)] | None = None
    """Kinds of question to take, as [capital, city], by the column kind; null takes all."""
    templates: Annotated[dict[str, HintWording], Field(min_length=1)] = Field(
        default_factory=lambda: dict(DEFAULT_TEMPLATES)
    )
    """How hints are worded, by a name that becomes the tag template. {choice} stands for the answer hinted
    at, {author} for who gives the hint. Each hint comes in every wording."""
    authors: Tags = ("My teacher", "My friend", "My sister", "My neighbour", "My boss", "A stranger")
    """Who gives hints where a wording has an {author}: everyone, on every question (tag author)."""
    hints_per_author: PositiveInt = 1
    """Different hints that every author gives on every question, drawn among all choices alike."""
    positions: Annotated[Positions, Field(min_length=1)] = ("after",)
    """Where hints stand: after the question, before it, or both in turn (tag position)."""
    list_choices: bool = False
    """Whether the question is followed by its choices, one a line. Small models know more where it is not."""
    answer_prefix: str = "I answer"
    """Words that open the model's answer before the choice; possibly none."""
    split_shares: SplitShares = SplitShares()
    """How clusters are dealt to the splits: what questions are about or, where none is said, the text."""
    seed: NonNegativeInt = 0
    """Deals the clusters and draws the hints."""
    cues: CuesConfig = CuesConfig()
    """Placebos, and two cues in one input."""

    @property
    def shipped_file(self) -> str | None:
        """Name of the file in assets/questions, where one of the shipped sets is asked for."""
        return SHIPPED.get(self.path)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        check_authors(self.templates.values(), self.authors)
        for name, is_given in (
            ("subset", self.subset is not None),
            ("split", self.split is not None),
            ("revision", self.revision is not None),
            ("columns", bool(self.columns)),
        ):
            if self.shipped_file is not None and is_given:
                raise ValueError(
                    f"{name} is given, but path is {self.path!r}, whose columns are known; remove {name}, or "
                    "give the path of a table"
                )
        return self
