"""Cues besides a task's own: placebos that should change nothing, and two cues in one input.

In every pair ``x\\C`` is ``x`` less the cue that is asked about; whatever else stands in ``x`` stands in
both. Made from a task's pairs are

- the placebo alone: the input and the placebo, against the input;
- the placebo beside the task's cue: both, against the task's cue alone;
- where two cues may stand together, the task's cue beside the placebo: both, against the placebo alone; and
  two of the task's own cues on one question, each asked about in turn.

No pair of the task changes but for two tags: ``cue`` says which cue is asked about, by the name the task
gives it, and ``beside`` which other one stands there (``nothing`` where none does). Tags that speak of that
other cue are carried along as ``beside.adviser`` and the like. A placebo speaks for no choice. Everything
made of an input stays in its cluster, and so in its split.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from coupling.config import CuesConfig
from coupling.config.task.cues import ALONE
from coupling.lots import order
from coupling.records import CounterfactualPair
from coupling.tasks.checks import check_pairs
from coupling.tasks.texts import plain, text_id

CUE, BESIDE = "cue", "beside"
"""Tags: the cue asked about, and the one beside it."""


def with_more_cues(
    pairs: Sequence[CounterfactualPair], config: CuesConfig, cue_tags: Collection[str], joint: str = "\n\n"
) -> tuple[CounterfactualPair, ...]:
    """The pairs and those made from them; the pairs as they are where the configuration asks for nothing.

    Args:
        pairs: sound by ``check_pairs``.
        cue_tags: tags that speak of the cue of a pair, and not of its question.
        joint: what stands between an input and a placebo.

    Raises:
        ValueError: a placebo has the name of a task's cue, tags are taken, no two cues can stand together, or
            what is made breaks a rule of ``check_pairs``.
    """
    if not config.placebos and not config.together:
        return tuple(pairs)
    _check_names(pairs, config)
    told = [replace(pair, tags={**pair.tags, CUE: pair.cue, BESIDE: ALONE}) for pair in pairs]
    inputs: dict[tuple[object, ...], list[CounterfactualPair]] = {}
    for pair in told:
        key = (pair.without_cue, pair.cluster, pair.split, pair.choices, pair.answer_prefix)
        inputs.setdefault(key, []).append(pair)
    asked: dict[tuple[str, str], CounterfactualPair] = {}
    for same_input in inputs.values():
        for name, sentence in config.placebos.items():
            for pair in _with_placebo(
                same_input, name, sentence, cue_tags, joint, together=bool(config.together)
            ):
                # One text with other choices, or about two cues, is asked about its placebo once.
                asked.setdefault((pair.with_cue, pair.cue), pair)
    more = list(asked.values())
    if config.together is True:
        combined = [
            pair
            for same_input in inputs.values()
            for one, other in _partners(same_input, config.naming)
            for pair in _combined(one, other, cue_tags, config.naming)
        ]
        if not combined and not config.placebos:
            raise ValueError(
                "task.cues.together: no question has two cues that can stand in one input and be told apart "
                f"by {config.naming!r}; give the task several wordings or authors, or name placebos"
            )
        more += combined
    check_pairs([*told, *more], "task.cues")
    return (*told, *more)


def stands_in(pair: CounterfactualPair, selection: Mapping[str, Sequence[str]]) -> bool:
    """Whether a selection takes the pair for the cue asked about, or would for the one beside it.

    For the one beside it, the cue asked about is what stands beside.
    """
    if pair.bears(selection) or pair.tags.get(BESIDE, ALONE) == ALONE:
        return pair.bears(selection)
    carried = {
        tag.removeprefix(f"{BESIDE}."): value
        for tag, value in pair.tags.items()
        if tag.startswith(f"{BESIDE}.")
    }
    swapped = {CUE: pair.tags[BESIDE], BESIDE: pair.tags[CUE]}
    other = replace(pair, tags={**pair.tags, **swapped, **carried})
    return other.bears(selection)


def _check_names(pairs: Sequence[CounterfactualPair], config: CuesConfig) -> None:
    own = {plain(pair.cue) for pair in pairs}
    for name in config.placebos:
        if plain(name) in own:
            raise ValueError(f"task.cues.placebos: {name!r} is what the task's own cue is called; rename it")
    for pair in pairs:
        for tag in (CUE, BESIDE):
            if tag in pair.tags:
                raise ValueError(
                    f"task.cues: pair {pair.id!r} has a tag {tag!r}, which is to say what the cue is; rename "
                    "that tag"
                )


def _with_placebo(
    same_input: Sequence[CounterfactualPair],
    name: str,
    sentence: str,
    cue_tags: Collection[str],
    joint: str,
    together: bool,
) -> Iterator[CounterfactualPair]:
    """The pairs that one placebo makes of all pairs of one input."""
    first = same_input[0]
    if plain(sentence) in plain(first.without_cue):
        return  # Removing the placebo would not remove it.
    shared = {
        tag: value
        for tag, value in first.tags.items()
        if tag not in cue_tags and all(pair.tags.get(tag) == value for pair in same_input)
    }
    yield replace(
        first,
        id=f"{text_id(first.without_cue)}+{name}/{name}",
        with_cue=f"{first.without_cue}{joint}{sentence}",
        cue=name,
        cue_value=None,
        against=False,
        tags={**shared, CUE: name, BESIDE: ALONE},
    )
    for pair in same_input:
        if plain(sentence) in plain(pair.with_cue):
            continue
        both = f"{pair.with_cue}{joint}{sentence}"
        question = {tag: value for tag, value in pair.tags.items() if tag not in cue_tags}
        yield replace(
            pair,
            id=f"{pair.id}+{name}/{name}",
            with_cue=both,
            without_cue=pair.with_cue,
            cue=name,
            cue_value=None,
            against=False,
            tags={**question, CUE: name, **_standing_beside(pair, cue_tags)},
        )
        if together:
            yield replace(
                pair,
                id=f"{pair.id}+{name}/{pair.cue}",
                with_cue=both,
                without_cue=f"{pair.without_cue}{joint}{sentence}",
                tags={**pair.tags, BESIDE: name},
            )


def _standing_beside(pair: CounterfactualPair, cue_tags: Collection[str]) -> dict[str, str]:
    """The tags by which another pair says that the cue of this one stands beside its own."""
    carried = {f"{BESIDE}.{tag}": value for tag, value in pair.tags.items() if tag in cue_tags}
    return {BESIDE: pair.tags[CUE], **carried}


def _partners(
    same_input: Sequence[CounterfactualPair], naming: str
) -> Iterator[tuple[CounterfactualPair, CounterfactualPair]]:
    """For each pair another by lot whose cue can stand in the same input; each two once, in order of text.

    To combine all with all would make hundreds of pairs of a question that has a dozen.
    """
    inserted = {pair.id: found for pair in same_input if (found := _insertion(pair)) is not None}
    seen: set[frozenset[str]] = set()
    for pair in same_input:
        others = [
            other
            for other in same_input
            if pair.id in inserted
            and other.id in inserted
            and not _overlap(inserted[pair.id][1], inserted[other.id][1])
            and _names(pair, other, naming) is not None
        ]
        if not others:
            continue
        other = min(others, key=lambda each: order(*sorted((pair.id, each.id))))
        if frozenset((pair.id, other.id)) in seen:
            continue
        seen.add(frozenset((pair.id, other.id)))
        # Of two at one place the lot says which stands first: else it would always be the same adviser.
        one, two = sorted((pair, other), key=lambda each: (inserted[each.id][0], order(each.id)))
        yield one, two


def _combined(
    one: CounterfactualPair, two: CounterfactualPair, cue_tags: Collection[str], naming: str
) -> Iterator[CounterfactualPair]:
    """Both cues in one input: asked about the first, and asked about the second."""
    (at, first), (behind, second) = _located(one), _located(two)
    base = one.without_cue
    both = base[:at] + first + base[at:behind] + second + base[behind:]
    names = _names(one, two, naming)
    assert names is not None
    for asked, other, name, which in ((one, two, names[0], "first"), (two, one, names[1], "second")):
        yield replace(
            asked,
            id=f"{one.id}+{two.id}/{which}",
            with_cue=both,
            without_cue=other.with_cue,
            cue=name,
            tags={**asked.tags, **_standing_beside(other, cue_tags)},
        )


def _insertion(pair: CounterfactualPair) -> tuple[int, str] | None:
    """Where ``x`` has text that ``x\\C`` lacks, and that text; None where they differ by more.

    The longest common beginning finds every insertion. Where the cue begins as the text behind it does, it is
    found turned (" hint. I" for "I hint. "): put in there, that gives the same text, also beside another cue.
    """
    equal = [one == other for one, other in zip(pair.with_cue, pair.without_cue, strict=False)]
    at = equal.index(False) if False in equal else len(equal)
    length = len(pair.with_cue) - len(pair.without_cue)
    if length <= 0 or pair.with_cue[at + length :] != pair.without_cue[at:]:
        return None
    return at, pair.with_cue[at : at + length]


def _located(pair: CounterfactualPair) -> tuple[int, str]:
    found = _insertion(pair)
    assert found is not None
    return found


def _overlap(one: str, other: str) -> bool:
    """Whether one cue says the other as well, so that removing that other would not remove it."""
    return plain(one) in plain(other) or plain(other) in plain(one)


def _names(one: CounterfactualPair, two: CounterfactualPair, naming: str) -> tuple[str, str] | None:
    """What the two cues are called beside each other; None where that does not tell them apart."""
    if plain(one.cue) != plain(two.cue):
        return one.cue, two.cue
    try:
        names = [
            naming.format_map({**pair.tags, "cue": pair.cue, "order": order})
            for pair, order in ((one, "first"), (two, "second"))
        ]
    except KeyError:
        return None
    return None if plain(names[0]) == plain(names[1]) else (names[0], names[1])
