"""What holds of the pairs of every task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from coupling.records import SPLITS, CounterfactualPair
from coupling.tasks.texts import as_read


def check_pairs(
    pairs: Sequence[CounterfactualPair], source: str, places: Sequence[str] | None = None
) -> None:
    """Hold the pairs of one task against what every later stage relies on.

    ``source`` names where they come from; ``places``, aligned with ``pairs``, where each stands ("pairs.jsonl
    line 3"; by default its id). Each pair has a cue to speak of, two prompts that differ and two or more
    distinct choices. Ids are unique, no input is asked twice about one cue, and neither a cluster nor a
    prompt is in two splits: held-out figures would then stand on data trained on.

    Raises:
        ValueError: naming the first place and field where that does not hold.
    """
    if not pairs:
        raise ValueError(f"{source}: holds no pairs; at least one is needed")
    if places is None:
        places = [f"{source} pair {pair.id!r}" for pair in pairs]
    for place, pair in zip(places, pairs, strict=True):
        _check_alone(place, pair)
    _check_ids(places, pairs)
    _check_questions(places, pairs)
    _check_leakage(places, pairs)


def check_held(field: str, wanted: Iterable[str], known: Iterable[str], source: str, what: str) -> None:
    """Hold what ``field`` of the experiment file names against what a table holds.

    Args:
        what: how the table's questions are such, as "of the kind".

    Raises:
        ValueError: the table holds none of a name, with the nearest name, or all there are.
    """
    names = sorted(known)
    for name in wanted:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            meant = f"did you mean {near[0]!r}?" if near else f"it holds {', '.join(names) or 'none'}"
            raise ValueError(f"{field}: {source} holds no question {what} {name!r}; {meant}")


def _check_alone(place: str, pair: CounterfactualPair) -> None:
    for name, text in (
        ("id", pair.id),
        ("cluster", pair.cluster),
        ("with_cue", pair.with_cue),
        ("without_cue", pair.without_cue),
    ):
        if not text.strip():
            raise ValueError(f"{place}: field {name!r} is {text!r}; it must hold text")
    if pair.split not in SPLITS:
        raise ValueError(f"{place}: field 'split' is {pair.split!r}; use one of {', '.join(SPLITS)}")
    if pair.with_cue == pair.without_cue:
        raise ValueError(f"{place}: field 'without_cue' equals 'with_cue'; remove the cue from it")
    if not any(character.isalnum() for character in pair.cue):
        raise ValueError(f"{place}: field 'cue' is {pair.cue!r}; name the cue by a word, such as 'hint'")
    if len(pair.choices) < 2:
        raise ValueError(f"{place}: field 'choices' holds {len(pair.choices)}; at least two are needed")
    seen: dict[str, str] = {}
    for choice in pair.choices:
        if choice != choice.strip() or not choice:
            raise ValueError(f"{place}: field 'choices' holds {choice!r}; remove the space around it")
        alike = as_read(choice)
        if alike in seen:
            raise ValueError(
                f"{place}: field 'choices' holds {seen[alike]!r} and {choice!r}, which read alike; choices "
                "must be distinct"
            )
        seen[alike] = choice
    if pair.cue_value is not None and pair.cue_value not in pair.choices:
        raise ValueError(
            f"{place}: field 'cue_value' is {pair.cue_value!r}, which is not among the choices "
            f"({', '.join(map(repr, pair.choices))}); use one of them, or null"
        )


def _check_ids(places: Sequence[str], pairs: Sequence[CounterfactualPair]) -> None:
    seen: dict[str, str] = {}
    for place, pair in zip(places, pairs, strict=True):
        if pair.id in seen:
            raise ValueError(f"{place}: field 'id' is {pair.id!r}, as at {seen[pair.id]}; ids must be unique")
        seen[pair.id] = place


def _check_questions(places: Sequence[str], pairs: Sequence[CounterfactualPair]) -> None:
    """One input may hold two cues, each asked about by its own name and against an input of its own."""
    by_cue: dict[tuple[str, str], tuple[str, CounterfactualPair]] = {}
    by_removal: dict[tuple[str, str], tuple[str, CounterfactualPair]] = {}
    for place, pair in zip(places, pairs, strict=True):
        same_cue = by_cue.setdefault((pair.with_cue, pair.cue), (place, pair))
        same_removal = by_removal.setdefault((pair.with_cue, pair.without_cue), (place, pair))
        for earlier, other in (same_cue, same_removal):
            if other is not pair:
                _refuse_repeated(place, pair, earlier, other)


def _refuse_repeated(place: str, pair: CounterfactualPair, earlier: str, other: CounterfactualPair) -> None:
    for name, here, there in (
        ("without_cue", pair.without_cue, other.without_cue),
        ("cue", pair.cue, other.cue),
        ("cue_value", pair.cue_value, other.cue_value),
        ("choices", pair.choices, other.choices),
        ("answer_prefix", pair.answer_prefix, other.answer_prefix),
    ):
        if here != there:
            raise ValueError(
                f"{place}: field 'with_cue' is that of {earlier}, but field {name!r} contradicts it: "
                f"{here!r} here, {there!r} there; keep one of the two"
            )
    raise ValueError(f"{place}: asks the same as {earlier}; remove one of the two")


def _check_leakage(places: Sequence[str], pairs: Sequence[CounterfactualPair]) -> None:
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for place, pair in zip(places, pairs, strict=True):
        for name, value in (
            ("cluster", pair.cluster),
            ("with_cue", pair.with_cue),
            ("without_cue", pair.without_cue),
        ):
            kind = "cluster" if name == "cluster" else "prompt"
            split, earlier = seen.setdefault((kind, value), (pair.split, place))
            if split != pair.split:
                raise ValueError(
                    f"{place}: field {name!r} is in split {pair.split!r} here and in {split!r} at {earlier}, "
                    f"which leaks one into the other: {value[:80]!r}; put what shares it into one split"
                )
