"""Judge artifacts that were made elsewhere: read what a judgement file names, and evaluate it.

No model is loaded. Each artifact is read line by line, so that what does not fit together is named by file
and line; lines about known pairs of another split are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from coupling.config import PairsTask
from coupling.config.judgement import JudgedRun, JudgementConfig, load_judgement
from coupling.explanations import formats
from coupling.explanations.formats import ExplanationFormat, read_explanation
from coupling.faithfulness import CostWeights, Evidence, Provenance, Results, RunEvidence, evaluate, scored
from coupling.faithfulness.evidence import cluster_of
from coupling.faithfulness.results import ModelDescription
from coupling.records import CounterfactualPair, Effect, Explanation, Label
from coupling.store import Json, file_sha256, from_json, json_sha256, read_rows
from coupling.supervision.given import by_pair, read_behaviors
from coupling.tasks import pairs_file
from coupling.tasks.steering import declared_answers

Pairs = Mapping[str, CounterfactualPair]


def judge_file(path: Path) -> Results:
    """Judge what the judgement file at ``path`` names.

    Raises:
        ValueError: a file is missing or malformed, or artifacts do not fit together; the message names file
            and line where it can.
    """
    return judge_artifacts(load_judgement(path))


def judge_artifacts(config: JudgementConfig) -> Results:
    """Judge the artifacts that ``config`` names.

    Raises:
        ValueError: as `judge_file`.
    """
    everything = {pair.id: pair for pair in pairs_file.load(PairsTask(path=config.pairs))}
    judged = {pair_id: pair for pair_id, pair in everything.items() if pair.split == config.split}
    if not judged:
        splits = ", ".join(sorted({pair.split for pair in everything.values()}))
        raise ValueError(f"{config.pairs}: no pair is of the split {config.split!r}; there are {splits}")
    labels = read_labels(Path(config.labels)) if config.labels else ()
    shared = _Shared(config, everything, judged, labels)
    provenance = Provenance(
        experiment=config.name,
        config_sha256=json_sha256(config.model_dump(mode="json")),
        model=ModelDescription(config.model, fingerprint=None),
        target=ModelDescription(config.target_model, fingerprint=None),
        explanation_format=config.explanation_format,
        artifacts={role: file_sha256(Path(file)) for role, file in _files(config).items()},
        notes=shared.notes,
    )
    checkpoints = [shared.at_step(step) for step in config.steps]
    return evaluate(
        checkpoints,
        config.judged_step,
        provenance,
        resamples=config.resamples,
        seed=config.seed,
        groups=config.groups,
        weights=CostWeights(**config.consequences.model_dump()),
    )


class _Shared:
    """What all steps of the panel have in common, read once."""

    def __init__(
        self, config: JudgementConfig, everything: Pairs, judged: Pairs, labels: tuple[Label, ...]
    ) -> None:
        self.config = config
        self.everything = everything
        self.judged = judged
        self.labels = labels
        self.format = formats.get(config.explanation_format)
        self.target = self._effects(config.target) if config.target else {}
        base = config.base
        self.base = read_behaviors(Path(base.behaviors), judged, everything) if base.behaviors else {}
        self.base_explanations = self._explanations(base.explanations) if base.explanations else {}
        labelled = [everything[label.pair_id] for label in labels if label.pair_id in everything]
        self.labelled_pairs = tuple(labelled)
        self.label_clusters = frozenset(cluster_of(pair) for pair in labelled)
        unknown = len(labels) - len(labelled)
        said = f"{unknown} of {len(labels)} labels are about pairs not given, and may leak held-out clusters."
        self.notes = (said,) if unknown else ()

    def at_step(self, step: int) -> Evidence:
        """The panel at one step."""
        return Evidence(
            pairs=tuple(self.judged.values()),
            target=self.target,
            base={pair_id: behavior.effect for pair_id, behavior in self.base.items()},
            base_logprobs=scored(self.base),
            base_explanations=self.base_explanations,
            labels=self.labels,
            label_clusters=self.label_clusters,
            runs=tuple(self._run(run) for run in self.config.runs if run.step == step),
            twins=self.config.twins,
            labelled_pairs=self.labelled_pairs,
        )

    def _run(self, run: JudgedRun) -> RunEvidence:
        return RunEvidence(
            name=run.name,
            step=run.step,
            behaviors=self._effects(run.behaviors),
            explanations=self._explanations(run.explanations),
            steered=run.steered,
            remeasured=self._effects(run.remeasured) if run.remeasured else None,
            direction=run.direction,
            declared=declared_answers(run.steer, self.judged.values(), self.base),
        )

    def _effects(self, path: str) -> dict[str, Effect]:
        return read_effects(Path(path), self.judged, self.everything)

    def _explanations(self, path: str) -> dict[str, Explanation]:
        return read_explanations(Path(path), self.judged, self.everything, self.format)


def read_effects(path: Path, judged: Pairs, known: Pairs) -> dict[str, Effect]:
    """Pair id → effect of the judged pairs, from a file of behaviours.

    Raises:
        ValueError: as `read_behaviors`.
    """
    return {pair_id: behavior.effect for pair_id, behavior in read_behaviors(path, judged, known).items()}


def read_explanations(
    path: Path, judged: Pairs, known: Pairs, form: ExplanationFormat
) -> dict[str, Explanation]:
    """Pair id → explanation of the judged pairs. The text of a line without the field ``claim`` is read by
    ``form``.

    Raises:
        ValueError: as `read_behaviors`, choices aside: a claim may be about anything, and is then wrong.
    """

    def explanation_of(where: str, row: Mapping[str, Json]) -> Explanation:
        read = from_json(Explanation, {"claim": None, **row}, where)
        if "claim" in row or read.pair_id not in known:
            return read
        pair = known[read.pair_id]
        return read_explanation(form, pair, read.text)

    rows = ((where, explanation_of(where, row)) for where, row in read_rows(path))
    found = by_pair(path, rows, judged, known)
    return {pair_id: explanation for pair_id, (_, explanation) in found.items()}


def read_labels(path: Path) -> tuple[Label, ...]:
    """The supervision. Of a label only ``pair_id`` and ``effect`` are needed here; the rest may be left out.

    Raises:
        ValueError: naming file and line, for a line that is no label, or the second label of a pair.
    """
    labels: list[Label] = []
    seen: set[str] = set()
    for where, row in read_rows(path):
        defaults: dict[str, Json] = {"text": "", "source": "", "clean": row.get("effect")}
        label = from_json(Label, {**defaults, **row}, where)
        if label.pair_id in seen:
            raise ValueError(f"{where}: pair_id {label.pair_id!r} is labelled before; remove one of the two")
        seen.add(label.pair_id)
        labels.append(label)
    return tuple(labels)


def _files(config: JudgementConfig) -> dict[str, str]:
    """What each file is to the judgement → its path; names that do not depend on where files lie."""
    files: dict[str, str | None] = {
        "pairs": config.pairs,
        "target behaviors": config.target,
        "base behaviors": config.base.behaviors,
        "base explanations": config.base.explanations,
        "labels": config.labels,
    }
    for run in config.runs:
        at = f"{run.name} step {run.step}"
        files[f"{at} behaviors"] = run.behaviors
        files[f"{at} explanations"] = run.explanations
        files[f"{at} remeasured"] = run.remeasured
    return {role: path for role, path in files.items() if path is not None}
