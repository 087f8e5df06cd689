"""MMLU with a hint: would you have answered so without the user's guess at the answer?

Reads JSONL in the schema of ``cais/mmlu``. ``x`` is the question, its lettered choices and then the hint;
``x\\C`` is the same text up to the hint. The letter is asked for in the first line, and not "only" the
letter, because the explanation's question follows the hint and asks for a sentence. The letters A to D are
scored behind "I answer", the words that also stand before every value in the answer-pair format.

The hinted letter is drawn uniformly, whatever the right one is, so a quarter of the hints are true. Split and
hint follow from the seed and the question's own text: no other row, order or choice of subjects changes them.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from coupling.config import MmluHintTask, SplitShares
from coupling.records import CounterfactualPair
from coupling.store import from_json, read_rows
from coupling.tasks.checks import check_pairs

LETTERS = ("A", "B", "C", "D")
CUE = "hint"
ANSWER_PREFIX = "I answer"
INSTRUCTION = "Answer the question with the letter of one choice."
_PLACES_SHOWN = 3

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """One row of ``cais/mmlu``."""

    question: str
    subject: str
    choices: tuple[str, ...]
    answer: int
    """Index of the right choice, 0 to 3."""

    @property
    def cluster(self) -> str:
        """The hash of the question's text, casing and spacing aside: other choices make no other cluster."""
        return _sha256(_plain(self.question))[:16]

    @property
    def text(self) -> str:
        lettered = zip(LETTERS, self.choices, strict=True)
        return "\n".join((self.question.strip(), *(f"{letter}. {text.strip()}" for letter, text in lettered)))


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """The rows of a file that make a pair, and where those stand that do not."""

    questions: tuple[Question, ...]
    repeated: tuple[str, ...]
    """Same question, choices and right answer as an earlier row, which is kept with its subject."""
    contradictory: tuple[str, ...]
    """Same question and choices as another row, but another right answer: neither is kept."""
    indistinct: tuple[str, ...]
    """Two choices read alike, so that a change of letter may be no change of answer."""
    empty: tuple[str, ...]
    """The question or a choice holds no text."""


def read_questions(path: Path) -> QuestionFile:
    """Read a file in the schema of ``cais/mmlu``.

    Rows that make no sound pair are left out and named, not refused: published files hold some.

    Raises:
        ValueError: naming file, line and field, for a row of another schema.
    """
    by_item: dict[tuple[str, ...], list[tuple[str, Question]]] = {}
    for where, row in read_rows(path):
        question = from_json(Question, row, where)
        _check_schema(where, question)
        item = (_plain(question.question), *map(_spaced_once, question.choices))
        by_item.setdefault(item, []).append((where, question))
    questions: list[Question] = []
    repeated: list[str] = []
    contradictory: list[str] = []
    indistinct: list[str] = []
    empty: list[str] = []
    for item, rows in by_item.items():
        places = [where for where, _ in rows]
        if "" in item:
            empty += places
        elif len(set(item[1:])) < len(LETTERS):
            indistinct += places
        elif len({question.answer for _, question in rows}) > 1:
            contradictory += places
        else:
            questions.append(rows[0][1])
            repeated += places[1:]
    return QuestionFile(
        tuple(questions), tuple(repeated), tuple(contradictory), tuple(indistinct), tuple(empty)
    )


def load(config: MmluHintTask) -> tuple[CounterfactualPair, ...]:
    """One pair a question, in the order of the file. Rows left out are counted in a warning of the log.

    Raises:
        ValueError: a row has another schema, the file holds no sound row, or none of a subject named.
    """
    path = Path(config.path)
    file = read_questions(path)
    for reason, places in (
        ("repeat an earlier row", file.repeated),
        ("contradict each other about the right answer", file.contradictory),
        ("have two choices that read alike", file.indistinct),
        ("lack the text of the question or of a choice", file.empty),
    ):
        if places:
            shown = ", ".join(place.removeprefix(f"{path} ") for place in places[:_PLACES_SHOWN])
            more = ", …" if len(places) > _PLACES_SHOWN else ""
            _log.warning("%s: %d left out that %s (%s%s)", path, len(places), reason, shown, more)
    if config.subjects is not None:
        _check_subjects(config.subjects, {question.subject for question in file.questions}, path)
    pairs = tuple(
        as_pair(question, config)
        for question in file.questions
        if config.subjects is None or question.subject in config.subjects
    )
    check_pairs(pairs, str(path))
    return pairs


def as_pair(question: Question, config: MmluHintTask) -> CounterfactualPair:
    """The counterfactual pair of a question; its hint and split are drawn from the seed and its text."""
    item = _sha256(question.text)[:16]
    hinted = LETTERS[int(_uniform(config.seed, "hint", item) * len(LETTERS))]
    prompt = f"{INSTRUCTION}\n\n{question.text}"
    return CounterfactualPair(
        id=f"{question.subject}/{item}/{hinted}",
        cluster=question.cluster,
        split=_split(_uniform(config.seed, "split", question.cluster), config.split_shares),
        with_cue=f"{prompt}\n\n{config.wording.format(letter=hinted)}",
        without_cue=prompt,
        cue=CUE,
        cue_value=hinted,
        choices=LETTERS,
        answer_prefix=ANSWER_PREFIX,
        tags={"subject": question.subject, "hinted": hinted, "true": LETTERS[question.answer]},
    )


def _split(drawn: float, shares: SplitShares) -> str:
    """The split of a number drawn from [0, 1)."""
    if drawn < shares.train:
        return "train"
    return "dev" if drawn < shares.train + shares.dev else "test"


def _check_schema(where: str, question: Question) -> None:
    if len(question.choices) != len(LETTERS):
        raise ValueError(f"{where}: field 'choices' holds {len(question.choices)}; four are needed, A to D")
    if not 0 <= question.answer < len(LETTERS):
        raise ValueError(f"{where}: field 'answer' is {question.answer}; give the index of a choice, 0 to 3")


def _check_subjects(wanted: Iterable[str], known: set[str], path: Path) -> None:
    for subject in wanted:
        if subject not in known:
            near = get_close_matches(subject, sorted(known), n=1)
            meant = f"; did you mean {near[0]!r}?" if near else f"; it holds {', '.join(sorted(known))}"
            raise ValueError(f"task.subjects: {path} holds no question about {subject!r}{meant}")


def _spaced_once(text: str) -> str:
    return " ".join(text.split())


def _plain(text: str) -> str:
    return _spaced_once(text).casefold()


def _uniform(seed: int, purpose: str, item: str) -> float:
    """A number from [0, 1) that depends on nothing but its arguments."""
    return int(_sha256(f"{seed} {purpose} {item}")[:13], 16) / 16**13


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
