"""The pool that draws are made from: what the runs of one world did and said on all held-out clusters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from coupling import __version__
from coupling.config import ExperimentConfig
from coupling.experiment import run_path
from coupling.experiment.artifacts import BASE, LABELS, PAIRS, behaviors_of, checkpoint, explanations_of
from coupling.experiment.evidence import evidence_at
from coupling.faithfulness import Evidence, RunEvidence
from coupling.faithfulness.judge import encoded_baselines
from coupling.faithfulness.scores import Table, tabulate
from coupling.faithfulness.statistics import IntArray
from coupling.faithfulness.surrogate import cross_fitted_claims, fitted_claims
from coupling.records import Behavior, CounterfactualPair, Effect
from coupling.store import RunDir, from_json, json_sha256, read_json, read_records, to_json, write_json
from coupling.studies.calibrate.parts import PANEL, SHAM, Part

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Sham:
    """Which sham update stands in for a run, and how far each of them has gone from M0."""

    run: str
    sham: str
    kl: float
    """Mean KL(M0 || run) over the held-out inputs with and without cue, in nats."""
    sham_kl: float


@dataclass(frozen=True, slots=True)
class Pool:
    """One world."""

    world: int
    positions: tuple[str, ...]
    """The runs of a panel, in order."""
    twins: tuple[tuple[str, str], ...]
    """Of positions."""
    steered: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Position → on which pairs it is steered."""
    alike: Mapping[str, str]
    """Position → the position that is steered in the same direction on other pairs; an unsteered one is its
    own."""
    seeds: Mapping[str, tuple[int, ...]]
    """panel, shuffled and sham → training seeds there are."""
    table: Table
    """All runs over all pairs; a run is called as `run_name` says."""
    baselines: Mapping[str, IntArray]
    shams: Mapping[tuple[str, int], Sham]
    """A run of the panel and a sham seed → the nearest sham update."""
    surrogate: IntArray
    """Claims of the text's reader that was fitted on the labels, shape (pairs, 2)."""
    observers: Mapping[str, IntArray]
    """A run of the panel → claims of the reader that was fitted on that run itself."""
    sha256: str
    """Hash of all that the pool was made from."""

    def row(self, kind: str, position: str, seed: int) -> int:
        """Which row of the table a run is."""
        return self.table.runs.index(run_name(kind, position, seed))

    @property
    def clusters(self) -> int:
        return int(self.table.clusters.max()) + 1


@dataclass(frozen=True, slots=True)
class _Read:
    """What the text's readers claim, kept because fitting takes a while: ``readers-w0.json``."""

    made_from: str
    surrogate: Mapping[str, Effect]
    observers: Mapping[str, Mapping[str, Effect]]


def run_name(kind: str, position: str, seed: int) -> str:
    return f"{kind}/{position}/{seed}"


def load_pool(world: int, parts: Sequence[Part], folder: Path, drawn: Path) -> Pool:
    """Reads the artifacts of a world's experiments, which lie in ``folder``; fits what reads the text, where
    that was not done, and keeps it in ``drawn``."""
    panels = [part for part in parts if part.kind == PANEL]
    first = panels[0].config
    shas: dict[str, str] = {}
    evidences = [(part, _evidence(part.config, folder, shas)) for part in parts if part.kind != SHAM]
    base = evidences[0][1]
    panel = [_renamed(run, part) for part, evidence in evidences for run in evidence.runs]
    kls = {
        run_name(part.kind, member.name, part.seed): _kl(
            part.config, folder, member.name, last_step(part.config)
        )
        for part in panels
        for member in part.config.panel
    }
    shams = _shams([part for part in parts if part.kind == SHAM], folder, kls, shas)
    evidence = replace(
        base,
        runs=(*panel, *{run.name: run for run, _ in shams.values()}.values()),
        twins=(),
    )
    table = tabulate(evidence)
    positions = tuple(member.name for member in first.panel)
    of_runs = json_sha256({**shas, "shams": [to_json(sham) for _, sham in shams.values()]})
    read = _readers(evidence, first, folder, drawn / f"readers-w{world}.json", of_runs)
    return Pool(
        world=world,
        positions=positions,
        twins=first.twins,
        steered={member.name: member.steer.region if member.steer else {} for member in first.panel},
        alike=_alike(first),
        seeds={
            kind: tuple(dict.fromkeys(part.seed for part in parts if part.kind == kind))
            for kind in dict.fromkeys(part.kind for part in parts)
        },
        table=table,
        baselines=encoded_baselines(evidence, table),
        shams={key: sham for key, (_, sham) in shams.items()},
        surrogate=table.encode(read.surrogate[pair.id] for pair in table.pairs),
        observers={
            name: table.encode(claims[pair.id] for pair in table.pairs)
            for name, claims in read.observers.items()
        },
        sha256=json_sha256({"runs": of_runs, "readers": to_json(read)}),
    )


def made_before(record: type[Made], file: Path, made_from: str) -> Made | None:
    """What a file holds; None where it is not there, or was made from something else."""
    document = read_json(file) if file.is_file() else None
    if not isinstance(document, dict) or document.get("made_from") != made_from:
        return None
    return from_json(record, document, str(file))


def last_step(config: ExperimentConfig) -> int:
    return config.evaluation.checkpoint


def mean_kl(base: Iterable[Behavior], now: Iterable[Behavior]) -> float:
    """Mean over inputs, with cue and without it, of KL(M0 || now) = Σ q (ln q - ln p) over the choices."""
    of_base = {behavior.pair_id: behavior for behavior in base}
    sums = []
    for behavior in now:
        before = of_base[behavior.pair_id]
        for q, p in (
            (before.logprobs_with, behavior.logprobs_with),
            (before.logprobs_without, behavior.logprobs_without),
        ):
            log_q, log_p = np.array(q), np.array(p)
            sums.append(float((np.exp(log_q) * (log_q - log_p)).sum()))
    return float(np.mean(sums))


def nearest(kl: float, candidates: Mapping[str, float]) -> str:
    """The candidate whose KL is nearest in ratio: 0.1 is as far from 0.2 as from 0.05."""
    return min(
        candidates, key=lambda name: (abs(np.log(max(candidates[name], 1e-12) / max(kl, 1e-12))), name)
    )


def _evidence(
    config: ExperimentConfig, folder: Path, shas: dict[str, str], step: int | None = None
) -> Evidence:
    run = RunDir(run_path(config, folder))
    at = last_step(config) if step is None else step
    evidence = evidence_at(at, config, run)
    for name in (PAIRS, LABELS, behaviors_of(BASE), explanations_of(BASE)):
        shas[f"{config.name}/{name}"] = run.sha(name)
    for member in config.panel:
        stem = checkpoint(member, at)
        for name in (behaviors_of(stem), explanations_of(stem)):
            shas[f"{config.name}/{name}"] = run.sha(name)
    return evidence


def _renamed(run: RunEvidence, part: Part) -> RunEvidence:
    return replace(run, name=run_name(part.kind, run.name, part.seed))


def _shams(
    parts: Sequence[Part], folder: Path, kls: Mapping[str, float], shas: dict[str, str]
) -> dict[tuple[str, int], tuple[RunEvidence, Sham]]:
    """For each run of the panel and each seed of the sham updates, the nearest of its checkpoints."""
    found = {}
    evidences: dict[tuple[str, int], RunEvidence] = {}
    for seed in dict.fromkeys(part.seed for part in parts):
        candidates = {
            f"{part.config.name}@{step}": (part, step)
            for part in parts
            if part.seed == seed
            for step in part.config.training.checkpoints
            if step > 0
        }
        sham_kls = {
            name: _kl(part.config, folder, part.config.panel[0].name, step)
            for name, (part, step) in candidates.items()
        }
        for run, kl in kls.items():
            name = nearest(kl, sham_kls)
            part, step = candidates[name]
            if (name, step) not in evidences:
                (of_sham,) = _evidence(part.config, folder, shas, step).runs
                # All runs of a pool stand at one step, that of the panel.
                evidences[name, step] = replace(
                    of_sham, name=name, step=last_step(part.config), remeasured=None
                )
            found[run, seed] = (evidences[name, step], Sham(run, name, kl, sham_kls[name]))
    return found


def _kl(config: ExperimentConfig, folder: Path, member: str, step: int) -> float:
    run = RunDir(run_path(config, folder))
    by_name = {each.name: each for each in config.panel}
    base = read_records(run.file(behaviors_of(BASE)), Behavior)
    return mean_kl(base, read_records(run.file(behaviors_of(checkpoint(by_name[member], step))), Behavior))


def _readers(evidence: Evidence, config: ExperimentConfig, folder: Path, file: Path, sha256: str) -> _Read:
    made_from = json_sha256({"pool": sha256, "coupling": __version__})
    before = made_before(_Read, file, made_from)
    if before is not None:
        return before
    every = {
        pair.id: pair
        for pair in read_records(RunDir(run_path(config, folder)).file(PAIRS), CounterfactualPair)
    }
    labelled = [every[label.pair_id] for label in evidence.labels]
    stated = {label.pair_id: label.effect for label in evidence.labels}
    observed = [run for run in evidence.runs if run.name.startswith(f"{PANEL}/")]
    claims = cross_fitted_claims(evidence.pairs, [run.behaviors for run in observed])
    assert claims is not None
    read = _Read(
        made_from,
        fitted_claims(labelled, stated, evidence.pairs),
        {run.name: said for run, said in zip(observed, claims, strict=True)},
    )
    write_json(file, to_json(read))
    return read


def _alike(config: ExperimentConfig) -> dict[str, str]:
    """Who is steered the same way on other pairs; a run that nobody is like is its own."""
    alike = {}
    for member in config.panel:
        others = [
            other.name
            for other in config.panel
            if other.name != member.name
            and member.steer is not None
            and other.steer is not None
            and other.steer.direction == member.steer.direction
        ]
        alike[member.name] = others[0] if others else member.name
    return alike
