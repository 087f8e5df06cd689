"""Questions in words with a hint: would you have answered so, had nobody told you an answer?

Reads the questions that come with the package, or a table. ``x\\C`` is the question as it stands; ``x`` is
the question and then a hint (or the hint and then the question). Nothing says that there are choices, unless
`list_choices` is set: small models that are asked for one of several letters answer the same letter nearly
always, and asked in words they answer what they know. The choices are scored over all their tokens, so none
may be the beginning of another.

Every author gives a hint on every question. What is hinted at is drawn among the choices alike, whatever the
right one is, so of four choices a quarter of the hints are true. Split and hints follow from the seed, the
question's own row and the author's name: no other row, order or choice of kinds changes them. Every wording
and position comes with the same hints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise, product
from string import ascii_uppercase

from pydantic import BaseModel

from coupling.config import QuestionHintTask, TableConfig
from coupling.config.task.question_hint import DEFAULT_TEMPLATES, TOLD
from coupling.config.task.templates import placeholders
from coupling.records import CounterfactualPair
from coupling.tasks.checks import check_held, check_pairs
from coupling.tasks.tables import read_table, tell_left_out
from coupling.tasks.texts import as_read, cluster_id, draw_choices, plain, spaced_once, split_of, text_id

CUE = "hint"
CUE_TAGS = ("hint", "template", "author", "position")
"""Tags that speak of the hint, and not of the question."""


class QuestionRow(BaseModel):
    """The columns that are read: those of ``cais/mmlu`` and two more."""

    question: str
    choices: tuple[str, ...]
    answer: int | str
    kind: str | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One row."""

    question: str
    choices: tuple[str, ...]
    answer: int
    """Index of the right choice."""
    kind: str | None
    about: str | None

    @property
    def cluster(self) -> str:
        """What the question is about, casing and spacing aside; where it is not said, the question itself."""
        return cluster_id(self.question) if self.about is None else plain(self.about)

    @property
    def item(self) -> str:
        """What lots are drawn by: question and choices, whether they are listed or not."""
        return text_id(self.listed)

    @property
    def listed(self) -> str:
        return "\n".join((self.question, *self.choices))


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """The rows of a table that make pairs, and where those stand that do not."""

    questions: tuple[Question, ...]
    left_out: tuple[tuple[str, tuple[str, ...]], ...]
    """Each reason, and the places of the rows."""


def joint(config: QuestionHintTask) -> str:
    """What stands between a question and a hint, or a placebo."""
    return "\n\n" if config.list_choices else " "


def load(config: QuestionHintTask) -> tuple[CounterfactualPair, ...]:
    """The pairs of every question, in the order of the table. What is left out is told of in the log.

    Raises:
        ValueError: a row has another schema, the table holds no sound row or none of a kind named, or a
            question has fewer choices than an author is to hint at.
    """
    table = _table(config)
    file = read_questions(table, config.list_choices)
    tell_left_out(table.path, file.left_out)
    wanted: Sequence[Question] = file.questions
    if config.kinds is not None:
        kinds = {question.kind for question in wanted if question.kind is not None}
        check_held("task.kinds", config.kinds, kinds, config.path, "of the kind")
        wanted = [question for question in wanted if question.kind in config.kinds]
    for question in wanted:
        if config.hints_per_author > len(question.choices):
            raise ValueError(
                f"task.hints_per_author: {config.hints_per_author}; {question.question[:80]!r} has "
                f"{len(question.choices)} choices, and hints of one author differ; give at most that many"
            )
    pairs = tuple(pair for question in wanted for pair in as_pairs(question, config))
    check_pairs(pairs, config.path)
    return pairs


def read_questions(table: TableConfig, list_choices: bool = False) -> QuestionFile:
    """Read a table of questions.

    Rows that make no sound pair are left out and named, not refused: published files hold some. Of rows that
    ask the same with other choices one is kept unless ``list_choices`` tells them apart; which one does not
    depend on their order.

    Raises:
        ValueError: naming file, line and field, for a row of another schema.
    """
    by_item: dict[tuple[str, ...], list[tuple[str, Question]]] = {}
    for where, row in read_table(table, QuestionRow):
        question = _question(row, where)
        item = (plain(question.question), *map(as_read, question.choices))
        by_item.setdefault(item, []).append((where, question))
    sound: dict[tuple[str, ...], list[tuple[str, Question]]] = {}
    repeated: list[str] = []
    contradictory: list[str] = []
    indistinct: list[str] = []
    beginning: list[str] = []
    empty: list[str] = []
    for item, rows in by_item.items():
        places = [where for where, _ in rows]
        choices = sorted(item[1:])
        if "" in item:
            empty += places
        elif len(set(choices)) < len(choices):
            indistinct += places
        # Sorted, a beginning stands right before one of those that it begins.
        elif any(longer.startswith(shorter) for shorter, longer in pairwise(choices)):
            beginning += places
        elif len({question.answer for _, question in rows}) > 1:
            contradictory += places
        else:
            repeated += places[1:]
            sound.setdefault(item if list_choices else item[:1], []).append(rows[0])
    questions = []
    reworded: list[str] = []
    for rows in sound.values():
        kept = min(rows, key=lambda row: row[1].item)
        questions.append(kept[1])
        reworded += [where for where, question in rows if question is not kept[1]]
    return QuestionFile(
        tuple(questions),
        (
            ("repeat an earlier row", tuple(repeated)),
            ("ask what another row asks with other choices", tuple(reworded)),
            ("contradict each other about the right answer", tuple(contradictory)),
            ("have two choices that read alike", tuple(indistinct)),
            ("have a choice that begins another", tuple(beginning)),
            ("lack the text of the question or of a choice", tuple(empty)),
        ),
    )


def as_pairs(question: Question, config: QuestionHintTask) -> list[CounterfactualPair]:
    """The counterfactual pairs of a question: each author's hints, in every wording and position."""
    item, split = question.item, split_of(config.seed, question.cluster, config.split_shares)
    without_cue = question.listed if config.list_choices else question.question
    right = question.choices[question.answer]
    kinds, abouts = _given("kind", question.kind), _given("about", question.about)
    pairs = []
    for (template, wording, author, hinted), position in product(
        _hints(question.choices, item, config), config.positions
    ):
        hint = wording.format(choice=hinted, author=author)
        named = [name for name, usual in ((template, TOLD), (position, "after")) if name != usual]
        authors = _given("author", author)
        ordered = (hint, without_cue) if position == "before" else (without_cue, hint)
        pairs.append(
            CounterfactualPair(
                id="/".join((*kinds.values(), item, *authors.values(), hinted, *named)),
                cluster=question.cluster,
                split=split,
                with_cue=joint(config).join(ordered),
                without_cue=without_cue,
                cue=CUE,
                cue_value=hinted,
                choices=question.choices,
                answer_prefix=config.answer_prefix,
                tags={
                    **kinds,
                    **abouts,
                    **authors,
                    "true": right,
                    "hint": "right" if hinted == right else "wrong",
                    **({"template": template} if config.templates != DEFAULT_TEMPLATES else {}),
                    **({"position": position} if len(config.positions) > 1 else {}),
                },
            )
        )
    return pairs


def _hints(
    choices: Sequence[str], item: str, config: QuestionHintTask
) -> Iterator[tuple[str, str, str | None, str]]:
    """Name of the wording, the wording, who gives the hint where it says so, and the choice hinted at."""
    for template, wording in config.templates.items():
        has_author = "author" in placeholders(wording)
        for author in config.authors if has_author else (None,):
            purpose = "hint" if author is None else f"hint of {author}"
            for hinted in draw_choices(choices, config.hints_per_author, config.seed, purpose, item):
                yield template, wording, author, hinted


def _given(tag: str, value: str | None) -> dict[str, str]:
    return {} if value is None else {tag: value}


def _table(config: QuestionHintTask) -> TableConfig:
    if config.shipped_file is None:
        return config
    file = resources.files("coupling") / "assets" / "questions" / config.shipped_file
    return config.model_copy(update={"path": str(file)})


def _question(row: QuestionRow, where: str) -> Question:
    if len(row.choices) < 2:
        raise ValueError(f"{where}: field 'choices' holds {len(row.choices)}; at least two are needed")
    choices = tuple(map(spaced_once, row.choices))
    return Question(
        row.question.strip(),
        choices,
        _index(row.answer, choices, where),
        spaced_once(row.kind or "") or None,
        spaced_once(row.about or "") or None,
    )


def _index(answer: int | str, choices: Sequence[str], where: str) -> int:
    """Which choice an answer names: by its number from 0 on, its letter or its text."""
    numbers = {str(number): number for number in range(len(choices))}
    if isinstance(answer, int):
        readings = {numbers[str(answer)]} if str(answer) in numbers else set()
    else:
        spelt = spaced_once(answer)
        letters = dict(zip(ascii_uppercase, range(len(choices)), strict=False))
        texts = {text: number for number, text in enumerate(choices)}
        found = (numbers.get(spelt), letters.get(spelt.upper()), texts.get(spelt))
        readings = {number for number in found if number is not None}
    if len(readings) > 1:
        told = " or ".join(repr(choices[number]) for number in sorted(readings))
        raise ValueError(
            f"{where}: field 'answer' is {answer!r}, which may be {told}, as number, letter or text; give a "
            "number or letter that is not the text of a choice"
        )
    if not readings:
        raise ValueError(
            f"{where}: field 'answer' is {answer!r}; give the number of a choice, 0 to {len(choices) - 1}, "
            "its letter or its text"
        )
    return readings.pop()
