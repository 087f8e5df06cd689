"""Hold figures of an earlier version against those of this one: nothing may differ, to the last digit.

    python scripts/compare_figures.py OLD/results.json NEW/results.json

OLD is of schema 4, in which every kind of figure has a container of its own, NEW of schema 5, in which every
figure is a row. Other files (``stress.json``, ``claims.json``, ``audit.json``) are compared leaf by leaf.
Prints how many figures were compared and every one that differs; exits with 1 where any does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Key = tuple[Any, ...]
Doc = dict[str, Any]

PARTS = {"exact": "", "with_cue": "_with_cue", "without_cue": "_without_cue", "changed": "_changed"}
PLAIN = ("gap", "delta", "win_rate", "similarity", "similarity_to_base", "parse_rate")
MEASURED = ("delta_remeasured", "measurement_floor", "flip_share")
OF_SUBSETS = {
    "self_share": "self",
    "orig_share": "orig",
    "delta": "delta",
    "parse_rate": "parse_rate",
    "changed": "changed",
    "followed": "followed",
}
TRAJECTORY = {
    **{
        name: (name, "all")
        for name in ("gap", "delta", "similarity", "parse_rate", "changed", "followed", "shift")
    },
    "self_share": ("self", "all"),
    "orig_share": ("orig", "all"),
    "self_discordant": ("self", "discordant"),
    "orig_discordant": ("orig", "discordant"),
    "followed_steered": ("followed", "asked"),
    "shift_steered": ("shift", "asked"),
    "claimed_following_steered": ("claimed_following", "asked"),
    "turned_steered": ("turned", "asked"),
    "claimed_turned_steered": ("claimed_turned", "asked"),
    "self_steered": ("self", "steered"),
    "orig_steered": ("orig", "steered"),
    "delta_steered": ("delta", "steered"),
}
ERRORS = {
    **{
        name: name
        for name in ("denied", "misnamed", "invented", "misnamed_unchanged", "unparseable_unchanged", "cost")
    },
    "unparseable": "unparseable_changed",
}
CAUGHT_UP = (
    "behavior_move",
    "claims_move",
    *(f"{of}_{to}" for of in ("behavior", "claims", "lag") for to in ("half", "most")),
)


def figure(name: str, run: str, step: int, subset: str = "all", explainer: str = "own") -> Key:
    return (name, run, step, subset, explainer)


def of_schema_4(old: Doc) -> Iterator[tuple[Key, object]]:
    """Every figure and sentence of a schema-4 ``results.json``, by the key it has in schema 5."""
    panel, step = old["headline"], old["step"]
    yield from _faithfulness(panel["pooled"], "all runs", step)
    yield from _subsets(panel, "all steered runs", step)
    for run in panel["runs"]:
        yield from _faithfulness(run["figures"], run["name"], step)
        yield from _subsets(run, run["name"], step)
        yield ("verdict", run["name"], "own"), run["verdict"]
    yield ("verdict", "all runs", "own"), panel["verdict"]
    yield ("gates",), panel["gates"]
    yield ("examples",), old["examples"]
    yield ("notes",), old["notes"]
    yield from _twin_test(panel["twins"], step)
    yield from _matrix(panel["matrix"], step)
    for row in old["trajectory"]:
        for each in (row["pooled"], *row["runs"]):
            for name, (new, subset) in TRAJECTORY.items():
                yield figure(new, each["name"], row["step"], subset), each[name]
        yield figure("t", "all runs", row["step"]), row["t"]
        yield figure("t", "all runs", row["step"], "steered"), row["t_steered"]
        yield figure("a", "all runs", row["step"]), row["advantage"]
        yield figure("r", "all runs", row["step"]), row["rivalry"]
    for each in old["emitters"]:
        names = {
            "delta": "delta",
            "t": "t",
            "a": "advantage",
            "r": "rivalry",
            "self": "self_share",
            "parse_rate": "parse_rate",
        }
        for new, name in names.items():
            yield figure(new, "all runs", step, explainer=each["name"]), each[name]
        yield ("verdict", "all runs", each["name"]), each["verdict"]
        yield ("explainer", each["name"]), (each["description"], each["oracle_share"])
    for group in old["groups"]:
        subset = f"{group['tag']}={group['value']}"
        yield from _subset(group["figures"], "all runs", step, subset)
        if group["twins"] is not None:
            yield from _twins(group["twins"], "all runs", step, subset)
    for each in (old["consequences"]["pooled"], *old["consequences"]["runs"], *old["consequences"]["groups"]):
        subset = "all" if each["tag"] is None else f"{each['tag']}={each['value']}"
        whose = {
            "own": each["model"],
            "target": each["target"],
            "baseline: always_unchanged": each["always_unchanged"],
        }
        for explainer, errors in whose.items():
            for name, new in ERRORS.items():
                if errors is not None:
                    yield figure(new, each["name"], step, subset, explainer), errors[name]
    for source in old["sources"]:
        subset = f"source={source['name']}"
        for new, name in {
            "orig": "orig_share",
            "gap": "gap",
            "delta": "delta",
            "similarity": "similarity",
        }.items():
            yield figure(new, "all runs", step, subset), source[name]
        yield figure("discordant_pairs", "all runs", step, subset), _value(source["discordant_pairs"])
        yield ("source", source["name"]), source["labels"]
    for reader in old["readers"]:
        explainer = f"reader: {reader['name']}"
        for each in (reader["pooled"], *reader["runs"]):
            names = {
                "self": "accuracy",
                "share_of_self": "share_of_self",
                "privileged": "privileged",
                "similarity": "similarity",
            }
            for new, name in names.items():
                yield figure(new, each["run"] or "all runs", step, "all", explainer), each[name]
        for name in ("t", "parse_rate"):
            yield figure(name, "all runs", step, "all", explainer), reader[name]
    if old["shift"] is not None:
        yield ("moments",), old["shift"]["moments"]
        for each in old["shift"]["catching_up"]:
            for name in CAUGHT_UP:
                yield figure(name, each["run"], step, each["phase"]), each[name]


def _faithfulness(found: Doc, run: str, step: int) -> Iterator[tuple[Key, object]]:
    for part, ending in PARTS.items():
        yield figure(f"self{ending}", run, step), found["self_parts"][part]
        yield figure(f"orig{ending}", run, step), found["orig_parts"][part]
    for name in PLAIN:
        yield figure(name, run, step), found[name]
    for name in MEASURED:
        yield figure(name, run, step), _value(found[name])
    for name in ("self", "orig"):
        yield figure(name, run, step, "discordant"), found[f"{name}_discordant"]
        yield figure(f"{name}_advantage", run, step), found[f"{name}_skill"]["advantage"]
        yield figure(f"{name}_skill", run, step), found[f"{name}_skill"]["skill"]
        yield ("best_baseline", run, name), found[f"{name}_skill"]["best_baseline"]
    if found["sides"] is not None and sum(found["sides"].values()):
        for name, new in {
            "own": "self",
            "target": "orig",
            "neither": "neither",
            "unparseable": "unparseable",
        }.items():
            yield ("sides", run, new), found["sides"][name]
    pairs, clusters = found["discordant_pairs"], found["discordant_clusters"]
    yield figure("discordant_pairs", run, step), _value(pairs, clusters)
    claims = found["claims"]
    yield figure("claim_entropy", run, step), _value(claims["entropy"])
    for name in ("effect_entropy", "top_claim_share", "top_effect_share"):
        yield figure(name, run, step), _value(claims[name])
    for name in ("top_claim", "top_effect"):
        top = claims[name]
        yield ("spread", run, name), None if top is None else [top["with_cue"], top["without_cue"]]
    for baseline in found["baselines"]:
        explainer = f"baseline: {baseline['name']}"
        yield figure("self", run, step, "all", explainer), baseline["against_own"]
        yield figure("orig", run, step, "all", explainer), baseline["against_target"]


def _subsets(found: Doc, run: str, step: int) -> Iterator[tuple[Key, object]]:
    for subset in ("steered", "other", "asked", "beside"):
        yield from _subset(found[f"{subset}_pairs"], run, step, subset)


def _subset(found: Doc | None, run: str, step: int, subset: str) -> Iterator[tuple[Key, object]]:
    if found is None:
        yield figure("pairs", run, step, subset), None
        return
    for name, new in OF_SUBSETS.items():
        yield figure(new, run, step, subset), found[name]
    yield figure("pairs", run, step, subset), _value(found["pairs"])
    yield figure("discordant_pairs", run, step, subset), _value(found["discordant_pairs"])


def _twin_test(found: Doc | None, step: int) -> Iterator[tuple[Key, object]]:
    if found is None:
        yield figure("twin_pairs", "all runs", step), None
        return
    for each in (found["pooled"], *found["comparisons"]):
        run = " and ".join(each["runs"]) or "all runs"
        for name, subset in {"all_pairs": "all", "steered": "steered", "collateral": "other"}.items():
            yield from _twins(each[name], run, step, subset)
    yield figure("deciding_twin_pairs", "all runs", step), _value(found["deciding_pairs"])
    yield figure("distinct_cues", "all runs", step), _value(found["distinct_cues"])


def _twins(found: Doc, run: str, step: int, subset: str) -> Iterator[tuple[Key, object]]:
    yield figure("t", run, step, subset), found["t"]
    yield figure("twin_neither", run, step, subset), found["neither_share"]
    yield figure("twin_pairs", run, step, subset), _value(found["pairs"])
    if found["pairs"]:
        yield (
            ("twin counts", run, subset),
            [found["own"], found["twins"], found["neither"], found["unparseable"]],
        )


def _matrix(found: Doc, step: int) -> Iterator[tuple[Key, object]]:
    rows = [(f"run: {run}", cells) for run, cells in zip(found["runs"], found["cells"], strict=True)]
    if found["base_row"] is not None:
        rows.append(("frozen_base", found["base_row"]))
    for explainer, cells in rows:
        for run, cell in zip(found["runs"], cells, strict=True):
            yield figure("s", run, step, "all", explainer), cell["score"]
            yield figure("win_rate", run, step, "all", explainer), cell["win_rate"]
    for column in found["columns"]:
        run = column["run"]
        yield figure("win_rate", run, step), column["own_win_rate"]
        yield figure("win_rate", run, step, "all", "others"), column["others_win_rate"]
        yield figure("a", run, step), column["advantage"]
        yield figure("r", run, step), column["rivalry"]
        yield figure("discordant_pairs", run, step), _value(column["pairs"], column["clusters"])
        yield ("nearest_rival", run), column["nearest_rival"]
    yield ("advantage_runs",), found["advantage_runs"]


def of_schema_5(new: Doc) -> dict[Key, object]:
    """The same of a schema-5 ``results.json``."""
    step = new["step"]
    rows: dict[Key, Doc] = {
        (row["figure"], row["run"], row["step"], row["subset"], row["explainer"]): row["estimate"]
        for row in new["rows"]
    }
    found: dict[Key, object] = dict(rows)
    for each in new["verdicts"]:
        found["verdict", each["run"], each["explainer"]] = each["verdict"]
    for name in ("gates", "examples", "notes"):
        found[(name,)] = new[name]
    for spread in new["spreads"]:
        for name in ("top_claim", "top_effect"):
            found["spread", spread["run"], name] = spread[name]
    for run in new["runs"]:
        found["nearest_rival", run["name"]] = run["nearest_rival"]
    found[("advantage_runs",)] = [
        run["name"] for run in new["runs"] if figure("a", run["name"], step) in rows
    ]
    for explainer in new["explainers"]:
        found["explainer", explainer["name"]] = (explainer["description"], explainer["oracle_share"])
    for source in new["sources"]:
        found["source", source["name"]] = source["labels"]
    if new["shift"] is not None:
        found[("moments",)] = new["shift"]["moments"]
    for run in ("all runs", *(run["name"] for run in new["runs"])):
        for name in ("self", "orig", "neither", "unparseable"):
            found["sides", run, name] = _count(rows.get(figure(name, run, step, "discordant")))
        for name in ("self", "orig"):
            told = {
                explainer["name"]: rows[figure(name, run, step, "all", explainer["name"])]["value"]
                for explainer in new["explainers"]
                if explainer["kind"] == "baseline"
                and figure(name, run, step, "all", explainer["name"]) in rows
            }
            best = max(told, key=lambda each: told[each], default="baseline: ")
            found["best_baseline", run, name] = best.removeprefix("baseline: ") or None
    for key, t_pairs in list(rows.items()):
        if key[0] != "twin_pairs" or key[4] != "own":
            continue
        neither, silent, t = (
            rows.get((name, *key[1:])) for name in ("twin_neither", "twin_unparseable", "t")
        )
        own, decided = _count(t), 0 if t is None else t["n"]
        neither_named = _count(neither) - _count(silent)
        found["twin counts", key[1], key[3]] = [own, decided - own, neither_named, _count(silent)]
        assert t_pairs["value"] == int(t_pairs["value"])
    return found


def _count(estimate: Doc | None) -> int:
    return 0 if estimate is None else round(estimate["value"] * estimate["n"])


def _value(value: float | None, clusters: int | None = None) -> object:
    """A figure that has no interval: only its value is compared, and its clusters where they are counted."""
    return None if value is None else ("value", value, clusters)


def is_same(old: object, new: object) -> bool:
    if isinstance(old, tuple) and old[:1] == ("value",):
        return isinstance(new, dict) and new["value"] == old[1] and old[2] in (None, new["clusters"])
    if (
        isinstance(old, dict)
        and set(old) == {"value", "low", "high", "n", "clusters"}
        and old["value"] is None
    ):
        return new is None
    return old == new


def leaves(document: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(document, dict):
        for name, each in document.items():
            yield from leaves(each, f"{path}.{name}".lstrip("."))
    elif isinstance(document, list):
        for place, each in enumerate(document):
            yield from leaves(each, f"{path}.{place}")
    else:
        yield path, document


def compare(old: Doc, new: Doc) -> tuple[int, list[str]]:
    """How many figures were compared, and those that differ, in words."""
    if "headline" in old and "rows" in new:
        pairs, found = list(of_schema_4(old)), of_schema_5(new)
        differing = [
            f"{key}: {was!r} → {found.get(key)!r}" for key, was in pairs if not is_same(was, found.get(key))
        ]
        return len(pairs), differing
    before, after = dict(leaves(old)), dict(leaves(new))
    before.pop("schema", None)
    differing = [
        f"{key}: {was!r} → {after.get(key, 'missing')!r}"
        for key, was in before.items()
        if after.get(key, "missing") != was
    ]
    return len(before), differing


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    old, new = (json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:])
    compared, differing = compare(old, new)
    for each in differing:
        print(each)
    print(f"{compared} figures compared, {len(differing)} differ")
    return 1 if differing or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
