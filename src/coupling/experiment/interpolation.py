"""Weights between twins: do the answer with the cue and the claim about it turn at the same point?

Asked for by a command of its own, beside the stages. What is sampled is kept as all samples are, so that a
command that was killed goes on from there:

interpolated/FIRST+SECOND/a=0.1000.behaviors.jsonl, .explanations.jsonl
interpolation.json, interpolation.md
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from coupling import __version__, ranks
from coupling.config import ExperimentConfig, RunConfig, dump_experiment, load_experiment, result_fields
from coupling.experiment.artifacts import (
    MODEL,
    PAIRS,
    behaviors_of,
    checkpoint,
    explanations_of,
    noted_model,
    read_effects,
    read_explanations,
)
from coupling.experiment.asking import Asking, Sample
from coupling.experiment.between import Between
from coupling.experiment.members import load_base
from coupling.experiment.origin import Origin
from coupling.experiment.selection import held_out_pairs
from coupling.faithfulness.interpolation import (
    INTERPOLATION_SCHEMA,
    NULL_DEALS,
    Interpolation,
    Passage,
    TwinTurns,
    interpolation_rows,
    read_interpolation,
    turns_of,
)
from coupling.faithfulness.rows import twins_name
from coupling.models import LoadedModel
from coupling.progress import Progress, Silent
from coupling.records import CounterfactualPair
from coupling.report.interpolation import render_interpolation
from coupling.store import Json, RunDir, json_sha256, read_records, write_json, write_text
from coupling.store.run_dir import EXPERIMENT_FILE
from coupling.training.checkpoints import CheckpointSlot

INTERPOLATION = "interpolation.json"
INTERPOLATION_PAGE = "interpolation.md"
MOST_POINTS = 101


def interpolate_run(
    path: Path,
    points: int = 11,
    pairs: int = 200,
    experiment: ExperimentConfig | None = None,
    progress: Progress | None = None,
) -> Interpolation:
    """Interpolates between the twins of a run directory, leaves ``interpolation.json`` and a page.

    Args:
        path: a run directory that holds the twins' checkpoints at ``evaluation.checkpoint``.
        points: of the way, both ends counted.
        pairs: asked about at the most, for each twin pair, of the held-out pairs on which the twins' answers
            with the cue differ.
        experiment: of the directory; needed only where its paths stand relative to another folder.

    Raises:
        ValueError: no twins, a twin that is not trained or was changed, twins that answer alike, adapters
            that cannot be merged, or a number of points out of range.
    """
    RunDir(path)
    progress = progress or Silent()
    config = experiment or load_experiment(path / EXPERIMENT_FILE)
    if not 3 <= points <= MOST_POINTS:
        raise ValueError(
            f"--points {points}: give 3 to {MOST_POINTS}; both twins count, and one lies between"
        )
    if ranks.launched() > 1:
        raise ValueError("coupling interpolate works in one process; call it without accelerate launch")
    if not config.twins:
        raise ValueError(
            f"{path}: {config.name} names no twins, and between other runs more than steering changes; name "
            "two runs under twins, and run it under another name"
        )
    if config.evaluation.checkpoint == 0:
        raise ValueError(
            f"{path}: its verdict is about step 0, where both twins are the base; set evaluation.checkpoint "
            "to a later step, and run it under another name"
        )
    with RunDir.open(path, result_fields(config), dump_experiment(config)) as run:
        ways = [_Way.between(config, run, twins, points) for twins in config.twins]
        held_out = held_out_pairs(config, read_records(run.file(PAIRS), CounterfactualPair))
        for way in ways:
            for sample in way.ends(config, run, held_out):
                sample.make(run)
        artifacts = {name: run.sha(name) for way in ways for name in way.artifacts} | {
            name: run.sha(name) for name in (PAIRS, MODEL)
        }
        options: dict[str, Json] = {"points": points, "pairs": pairs}
        made_from = {
            **artifacts,
            "config": run.config_sha256,
            "options": json_sha256(options),
            "schema": str(INTERPOLATION_SCHEMA),
            "coupling": __version__,
        }
        if run.is_done(INTERPOLATION, made_from):
            progress.note("interpolated before")
        else:
            results = _interpolate(config, run, ways, held_out, pairs, artifacts, progress)
            run.make(INTERPOLATION, made_from, lambda file: write_json(file, results.to_json()))
        found = read_interpolation(run.file(INTERPOLATION))
        page = {"interpolation": run.sha(INTERPOLATION), "coupling": __version__}
        run.make(INTERPOLATION_PAGE, page, lambda file: write_text(file, render_interpolation(found)))
    return found


@dataclass(frozen=True, slots=True)
class _Way:
    """From one twin to the other."""

    first: RunConfig
    second: RunConfig
    stems: tuple[str, str]
    """Their checkpoints."""
    points: tuple[float, ...]

    @classmethod
    def between(cls, config: ExperimentConfig, run: RunDir, twins: tuple[str, str], points: int) -> _Way:
        """Raises ValueError where one of the two is not trained."""
        named = {member.name: member for member in config.panel}
        step = config.evaluation.checkpoint
        for name in twins:
            stem = checkpoint(named[name], step)
            if not run.file(stem).is_dir():
                raise ValueError(
                    f"{run.file(stem)}: there is no such checkpoint, so twin {name!r} is not trained yet; "
                    f"run `coupling train {run.file(EXPERIMENT_FILE)}`, or `coupling run`, first"
                )
        first, second = (named[name] for name in twins)
        return cls(
            first,
            second,
            (checkpoint(first, step), checkpoint(second, step)),
            tuple(place / (points - 1) for place in range(points)),
        )

    @property
    def name(self) -> str:
        return twins_name(self.first.name, self.second.name)

    @property
    def artifacts(self) -> list[str]:
        """What it leads between: checkpoints, and what they answer and say."""
        return [name for stem in self.stems for name in (stem, behaviors_of(stem), explanations_of(stem))]

    def stem(self, point: float) -> str:
        """Of what is sampled at a point; at the ends of what the twins were asked for the verdict."""
        if point in (0, 1):
            return self.stems[int(point)]
        # No name of a run holds a plus sign.
        return f"interpolated/{self.first.name}+{self.second.name}/a={point:.4f}"

    def ends(
        self, config: ExperimentConfig, run: RunDir, held_out: Sequence[CounterfactualPair]
    ) -> list[Sample]:
        """What `coupling evaluate` asks the twins as well, and has asked them as a rule."""

        def load(stem: str) -> LoadedModel:
            base = load_base(config, run)
            return LoadedModel(CheckpointSlot(base.model).load(run.file(stem)), base.renderer, run.sha(stem))

        return [
            sample
            for stem in self.stems
            for sample in self._samples(
                Asking(
                    config, run, run.sha(stem), self._origin(config, run, stem), partial(load, stem), held_out
                ),
                stem,
            )
        ]

    def between_ends(
        self, config: ExperimentConfig, run: RunDir, pairs: Sequence[CounterfactualPair]
    ) -> list[Sample]:
        between = Between(config, run, *self.stems)
        samples = []
        for point in self.points[1:-1]:
            source: dict[str, Json] = {"between": [run.sha(stem) for stem in self.stems], "point": point}
            asking = Asking(
                config,
                run,
                json_sha256(source),
                self._origin(config, run, self.stems[0]),
                partial(between.load, point),
                pairs,
            )
            samples += self._samples(asking, self.stem(point))
        return samples

    @staticmethod
    def _samples(asking: Asking, stem: str) -> list[Sample]:
        return [asking.behaviors(behaviors_of(stem)), asking.explanations(explanations_of(stem))]

    @staticmethod
    def _origin(config: ExperimentConfig, run: RunDir, stem: str) -> Origin:
        # For other processes, of which there are none here.
        return Origin(config.model, noted_model(run.file(MODEL)).fingerprint, run.file(stem))

    def differing(self, run: RunDir, held_out: Sequence[CounterfactualPair]) -> list[CounterfactualPair]:
        """The pairs on which the twins' answers with the cue differ, in the order of their lots."""
        first, second = (read_effects(run, behaviors_of(stem)) for stem in self.stems)
        return [
            pair
            for pair in held_out
            if pair.id in first.keys() & second.keys() and first[pair.id].with_cue != second[pair.id].with_cue
        ]

    def passage(self, run: RunDir, pairs: Sequence[CounterfactualPair]) -> Passage:
        stems = [self.stem(point) for point in self.points]
        effects = [read_effects(run, behaviors_of(stem)) for stem in stems]
        # Where answers are written, one may be missing on the way.
        pairs = [pair for pair in pairs if all(pair.id in of_stem for of_stem in effects)]
        said = [read_explanations(run, explanations_of(stem)) for stem in stems]
        claims = [[each[pair.id].claim for pair in pairs] for each in said]
        return Passage(
            self.first.name,
            self.second.name,
            self.points,
            tuple(pairs),
            tuple(tuple(each[pair.id].with_cue for pair in pairs) for each in effects),
            tuple(tuple(None if claim is None else claim.with_cue for claim in row) for row in claims),
        )


def _interpolate(
    config: ExperimentConfig,
    run: RunDir,
    ways: Sequence[_Way],
    held_out: Sequence[CounterfactualPair],
    pairs: int,
    artifacts: dict[str, str],
    progress: Progress,
) -> Interpolation:
    """Asks along each way, and makes the figures."""
    differing = [way.differing(run, held_out) for way in ways]
    if not any(differing):
        raise ValueError(
            f"{run.path}: on none of {len(held_out)} held-out pairs do twins answer differently with the "
            "cue, so nothing turns between them; steer them further apart, or evaluate more pairs"
        )
    passages = []
    for way, differ in zip(ways, differing, strict=True):
        asked = differ[:pairs]
        samples = way.between_ends(config, run, asked) if asked else []
        for number, sample in enumerate(samples, start=1):
            sample.make(run)
            progress.update(f"interpolate {way.name}", number, len(samples))
        passages.append(way.passage(run, asked) if asked else _nowhere(way))
    options = config.evaluation
    return Interpolation(
        schema=INTERPOLATION_SCHEMA,
        experiment=config.name,
        explanation_format=config.explanation.format,
        split=options.split,
        step=options.checkpoint,
        points=ways[0].points,
        twins=tuple(
            TwinTurns(passage.first, passage.second, len(differ), turns_of(passage))
            for passage, differ in zip(passages, differing, strict=True)
        ),
        rows=tuple(
            interpolation_rows(
                [passage for passage in passages if passage.pairs],
                options.checkpoint,
                options.resamples,
                options.seed,
            )
        ),
        resamples=options.resamples,
        deals=NULL_DEALS,
        seed=options.seed,
        artifacts=artifacts,
    )


def _nowhere(way: _Way) -> Passage:
    """Twins who answer alike."""
    nothing: tuple[tuple[str, ...], ...] = ((),) * len(way.points)
    return Passage(way.first.name, way.second.name, way.points, (), nothing, nothing)
