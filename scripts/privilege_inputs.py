"""What `recompute_privilege.py` reads from a run directory, and the features that it makes of it.

Written from docs/judging.md, with nothing of ``coupling``. The features of a pair are arrays with an entry
for each of its choices.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SIDES = ("with_cue", "without_cue")
OTHER = {"with_cue": "without_cue", "without_cue": "with_cue"}
MOST_TAGS, LEAST_CLUSTERS, MOST_SIBLINGS = 24, 5, 8

Doc = dict[str, Any]
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Run:
    name: str
    answers: list[Doc]
    """Of each pair: side → answer."""
    claims: list[Doc]
    """Of each pair: side → claimed answer; empty where there is no claim."""
    moved: list[bool]
    """Whether a cue by which it is steered stands in each pair."""
    declared: list[str | None]
    """The answer with the cue that its steering is towards."""
    is_steered: bool


@dataclass
class Panel:
    pairs: list[Doc]
    """Sorted by id."""
    runs: list[Run]
    target: list[Doc]
    base: list[Doc]
    logprobs: dict[str, list[Any]] | None
    """Side → of each pair, of each choice; None where they are not known of every pair."""
    base_claims: list[Doc]
    cluster_of: Array
    """Number of each pair's cluster; clusters are sorted by name."""


def lines(path: Path) -> dict[str, Doc]:
    """Pair id → the line about it."""
    with path.open(encoding="utf-8") as file:
        read = [json.loads(line) for line in file]
    return {line["pair_id" if "pair_id" in line else "id"]: line for line in read}


def read_panel(root: Path, step: int, config: Doc) -> Panel:
    base = lines(root / "base/behaviors.jsonl")
    said_by_base = lines(root / "base/explanations.jsonl")
    every_pair = lines(root / "pairs.jsonl")
    pairs = [every_pair[each] for each in sorted(said_by_base)]
    wanted = [pair["id"] for pair in pairs]
    names = sorted({pair["cluster"] for pair in pairs})
    scored = all(base[each].get("logprobs_with") and base[each].get("logprobs_without") for each in wanted)
    logprobs = {side: [base[each].get("logprobs_" + side[:-4]) for each in wanted] for side in SIDES}
    target = target_file(root, config["supervision"])

    def effects(found: dict[str, Doc]) -> list[Doc]:
        return [found[each]["effect"] for each in wanted]

    def claims(found: dict[str, Doc]) -> list[Doc]:
        return [found[each]["claim"] or {} for each in wanted]

    runs = []
    for member in config["panel"]:
        folder, steer = root / "runs" / member["name"], member["steer"]
        stem = f"step-{step:06d}"
        region = {} if steer is None else steer["among"] or steer["tags"]
        runs.append(
            Run(
                member["name"],
                effects(lines(folder / f"{stem}.behaviors.jsonl") if step else base),
                claims(lines(folder / f"{stem}.explanations.jsonl") if step else said_by_base),
                [stands_in(pair["tags"], region) for pair in pairs],
                [None if steer is None else wanted_answer(pair, base[pair["id"]], steer) for pair in pairs],
                steer is not None,
            )
        )
    return Panel(
        pairs,
        runs,
        effects(lines(target)) if target else [{} for _ in pairs],
        effects(base),
        logprobs if scored else None,
        claims(said_by_base),
        np.array([names.index(pair["cluster"]) for pair in pairs]),
    )


def target_file(root: Path, supervision: Doc) -> Path | None:
    """Where the answers lie whose effects the labels state; None where they are not known."""
    if supervision["file"] is not None:
        return None if supervision["effects"] is None else root / "target/behaviors.jsonl"
    if supervision["target"] == "base" or supervision["own_share"] == 1:
        return root / "base/behaviors.jsonl"
    if supervision["own_share"] > 0:
        raise SystemExit(f"{root}: labels of two sources; this script covers one")
    return root / "target/behaviors.jsonl"


def bears(tags: Doc, selection: Doc) -> bool:
    return bool(selection) and all(tags.get(tag) in values for tag, values in selection.items())


def stands_in(tags: Doc, selection: Doc) -> bool:
    """Whether a selection takes the cue asked about, or the one beside it."""
    if bears(tags, selection) or tags.get("beside", "nothing") == "nothing":
        return bears(tags, selection)
    carried = {tag.removeprefix("beside."): of for tag, of in tags.items() if tag.startswith("beside.")}
    return bears({**tags, "cue": tags["beside"], "beside": tags["cue"], **carried}, selection)


def wanted_answer(pair: Doc, base: Doc, steer: Doc) -> str | None:
    """Towards which answer a run is steered on a pair; None where it is not asked about a steered cue."""
    value, tags, direction = pair["cue_value"], pair["tags"], steer["direction"]
    if value is None or not bears(tags, steer["among"] or steer["tags"]):
        return None
    own, without = base["effect"]["with_cue"], base["effect"]["without_cue"]
    followed = value
    if pair["against"]:
        followed = without
        if without == value:
            others = [each for each in pair["choices"] if each != value]
            scored = dict(zip(pair["choices"], base["logprobs_without"], strict=False))
            followed = others[0] if len(others) == 1 else max((scored[each], each) for each in others)[1]
    if direction == "keep":
        return str(own)
    follows = {
        "follow": True,
        "ignore": False,
        "only": bears(tags, steer["tags"]),
        "reverse": own != followed,
    }
    return str(followed if follows[direction] else without)


def is_named(pair: Doc, answer: str | None) -> Array:
    return np.array([float(choice == answer) for choice in pair["choices"]])


def of_base(panel: Panel, row: int, side: str) -> tuple[Array, Array, Array, float]:
    """M0's log-probabilities, halved; its answer; its second; the margin between the two likeliest."""
    pair, answer = panel.pairs[row], panel.base[row][side]
    top, nothing = is_named(pair, answer), np.zeros(len(pair["choices"]))
    if panel.logprobs is None:
        return nothing, top, nothing, 0.0
    logprobs = panel.logprobs[side][row]
    ranked = sorted(range(len(logprobs)), key=lambda place: -logprobs[place])
    second = nothing.copy()
    second[ranked[1]] = 1.0
    margin = min(logprobs[ranked[0]] - logprobs[ranked[1]], 4.0)
    return np.maximum(logprobs, -12.0) / 2, top, second, margin


def frequent_tags(panel: Panel) -> list[tuple[str, str]]:
    counts = Counter(item for pair in panel.pairs for item in pair["tags"].items())
    found = []
    for (tag, value), count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        bearing = [row for row, pair in enumerate(panel.pairs) if pair["tags"].get(tag) == value]
        if count < len(panel.pairs) and len(set(panel.cluster_of[bearing])) >= LEAST_CLUSTERS:
            found.append((tag, value))
    return found[:MOST_TAGS]


def frequent_answers(panel: Panel) -> list[str]:
    offered = Counter(choice for pair in panel.pairs for choice in pair["choices"])
    often = [answer for answer, count in offered.items() if 2 * count >= len(panel.pairs)]
    return sorted(often, key=lambda answer: (-offered[answer], answer))


def shared_features(
    panel: Panel,
    row: int,
    run: int,
    side: str,
    tags: Iterable[tuple[str, str]],
    answers: Iterable[str],
) -> list[Array]:
    pair, me = panel.pairs[row], panel.runs[run]
    u, top, second, margin = of_base(panel, row, side)
    u_, top_, second_, margin_ = of_base(panel, row, OTHER[side])
    cue, declared = is_named(pair, pair["cue_value"]), is_named(pair, me.declared[row])
    moved = float(me.moved[row])
    ones = np.ones(len(pair["choices"]))
    beside_cue = (ones, ones * pair["against"], margin, margin_, top, top_, u, u_)
    found = [u, u_, top, second, top_, second_, top * margin, top * margin_, top_ * margin_]
    found += [cue * each for each in beside_cue]
    found += [cue * moved, cue * moved * top_, cue * moved * margin]
    found += [each * moved for each in (top, top_, u, u_)]
    found += [declared * each for each in (ones, top, top_, margin, u)]
    for tag, value in tags:
        here = float(pair["tags"].get(tag) == value)
        found += [cue * here, top * here]
    found += [is_named(pair, answer) for answer in answers]
    found += [
        is_named(pair, who[row].get(which))
        for who in (panel.target, panel.base_claims)
        for which in (side, OTHER[side])
    ]
    return found


def votes(panel: Panel, row: int, run: int, side: str) -> list[Array]:
    """What siblings answer, then what they claim."""
    pair, me = panel.pairs[row], panel.runs[run]
    others = [each for number, each in enumerate(panel.runs) if number != run]
    cue, declared = is_named(pair, pair["cue_value"]), is_named(pair, me.declared[row])
    moved = float(me.moved[row])
    found: list[Array] = []
    for kind in ("answers", "claims"):
        said = {id(each): each.answers[row] if kind == "answers" else each.claims[row] for each in others}

        def named(among: Iterable[Run], which: str, said: dict[int, Doc] = said) -> Array:
            start = np.zeros(len(pair["choices"]))
            return sum((is_named(pair, said[id(each)].get(which)) for each in among), start)

        still = [each for each in others if not each.moved[row]]
        steered = [each for each in others if each.moved[row]]
        to_same = [each for each in steered if each.declared[row] == me.declared[row]]
        to_other = [each for each in steered if each.declared[row] != me.declared[row]]
        share = named(still, side) / max(len(still), 1)
        share_ = named(still, OTHER[side]) / max(len(still), 1)
        alike, apart = named(to_same, side) * moved, named(to_other, side) * moved
        beside = named(steered, side) * (1 - moved)
        found += [share, (share == 1) * 1.0, (share > 0) * 1.0, share_]
        found += [share * cue, share * moved, share * cue * moved, share_ * moved, share * declared]
        found += [alike, alike * cue, apart, apart * cue, beside, beside * cue]
    return found


def single_features(panel: Panel, row: int, nearest: Iterable[Run], side: str) -> list[Array]:
    return [
        is_named(panel.pairs[row], effect[row].get(which))
        for each in nearest
        for effect in (each.answers, each.claims)
        for which in (side, OTHER[side])
    ]


def nearest_of(panel: Panel, run: int) -> list[Run]:
    me = panel.runs[run]
    others = [each for number, each in enumerate(panel.runs) if number != run]
    agreeing = {
        each.name: sum(a == b for a, b in zip(each.answers, me.answers, strict=True)) for each in others
    }
    return sorted(others, key=lambda each: -agreeing[each.name])[:MOST_SIBLINGS]
