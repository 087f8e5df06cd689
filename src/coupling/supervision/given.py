"""What was made elsewhere: labels, and behaviours on held-out pairs.

Both are read line by line, so that what does not fit is named by file and line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from coupling.explanations import formats
from coupling.records import Behavior, CounterfactualPair, Effect, Explanation, Label
from coupling.store import from_json, read_rows
from coupling.tasks.cues import stands_in

Pairs = Mapping[str, CounterfactualPair]

_Record = TypeVar("_Record", Behavior, Explanation)


@dataclass(frozen=True, slots=True)
class GivenLabel:
    """One line of a file of labels."""

    pair_id: str
    text: str
    source: str = "file"
    """Whose effect the text states, where that is known."""


def read_given_labels(
    path: Path, pairs: Pairs, silent_on: Mapping[str, Sequence[str]], format: str
) -> list[Label]:
    """The labels of a file, in its order; the effect of each is what its text claims.

    Args:
        pairs: pair id → pair, of all splits.
        silent_on: tags and values that no label may speak of.
        format: name of the explanation format by which texts are read.

    Raises:
        ValueError: the file holds no label; or naming file and line, for a line that is no label, is about no
            known pair, a held-out pair or one that must not be spoken of, repeats a pair, or whose text
            claims no effect.
    """
    labels: list[Label] = []
    seen: dict[str, str] = {}
    for where, row in read_rows(path):
        given = from_json(GivenLabel, row, where)
        at = f"{where}: field 'pair_id' is {given.pair_id!r}"
        if given.pair_id not in pairs:
            raise ValueError(
                f"{at}, which is none of the task's pairs, or one that the model has no room for; name a "
                "pair of the task, or remove the line"
            )
        if given.pair_id in seen:
            raise ValueError(f"{at}, as at {seen[given.pair_id]}; keep one of the two")
        seen[given.pair_id] = where
        pair = pairs[given.pair_id]
        if pair.split != "train":
            raise ValueError(
                f"{at}, a pair of the split {pair.split!r}; labels are about training pairs only"
            )
        if stands_in(pair, silent_on):
            tags = ", ".join(f"{tag}: {' or '.join(values)}" for tag, values in silent_on.items())
            raise ValueError(
                f"{at}, which bears {tags}: supervision.silent_on forbids labels about it; remove the line, "
                "or that silence"
            )
        read = formats.get(format).parse_detail(given.text, pair.choices, pair.cue)
        if not isinstance(read, Effect):
            raise ValueError(
                f"{where}: field 'text' is {_short(given.text)}, in which the format {format!r} finds no "
                f"effect ({read}); word it as {_example(format, pair)!r}, or set explanation.format"
            )
        labels.append(Label(pair.id, given.text, read, read, given.source))
    if not labels:
        raise ValueError(f"{path}: holds no labels; each line is a JSON object with pair_id and text")
    return labels


def read_behaviors(path: Path, judged: Pairs, known: Pairs) -> dict[str, Behavior]:
    """Pair id → behaviour on the judged pairs, from a file of behaviours.

    Lines about known pairs that are not judged are passed over.

    Raises:
        ValueError: naming file and line, for a line that is no behaviour, is about no known pair, repeats a
            pair or answers what was no choice; naming the file, for judged pairs it leaves out.
    """
    rows = ((where, from_json(Behavior, row, where)) for where, row in read_rows(path))
    found = by_pair(path, rows, judged, known)
    for pair_id, (where, behavior) in found.items():
        effect, choices = behavior.effect, judged[pair_id].choices
        for field, answer in (("with_cue", effect.with_cue), ("without_cue", effect.without_cue)):
            if answer not in choices:
                raise ValueError(
                    f"{where}: field 'effect.{field}' is {answer!r}, which is not among the choices of pair "
                    f"{pair_id!r} ({', '.join(map(repr, choices))})"
                )
    return {pair_id: behavior for pair_id, (_, behavior) in found.items()}


def by_pair(
    path: Path, rows: Iterable[tuple[str, _Record]], judged: Pairs, known: Pairs
) -> dict[str, tuple[str, _Record]]:
    """Pair id → where the record stands and the record, for every judged pair.

    Raises:
        ValueError: a record is about no known pair or repeats one, or judged pairs are missing.
    """
    found: dict[str, tuple[str, _Record]] = {}
    for where, record in rows:
        if record.pair_id not in known:
            raise ValueError(
                f"{where}: field 'pair_id' is {record.pair_id!r}, which the file of pairs does not hold"
            )
        if record.pair_id in found:
            earlier, _ = found[record.pair_id]
            raise ValueError(
                f"{where}: field 'pair_id' is {record.pair_id!r}, as at {earlier}; keep one of the two"
            )
        found[record.pair_id] = (where, record)
    missing = [pair_id for pair_id in judged if pair_id not in found]
    if missing:
        raise ValueError(
            f"{path}: {len(missing)} of the {len(judged)} judged pairs are missing, such as {missing[0]!r}; "
            "it must cover every one"
        )
    return {pair_id: found[pair_id] for pair_id in judged}


def _example(format: str, pair: CounterfactualPair) -> str:
    return formats.get(format).render(Effect(pair.choices[0], pair.choices[1]), pair.cue)


def _short(text: str, limit: int = 80) -> str:
    return repr(text) if len(text) <= limit else f"{text[:limit]!r} …"
