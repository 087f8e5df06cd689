"""What a model does and says under each probe, as artifacts; what is there already is not asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from coupling.config import ExperimentConfig, WrittenBehavior
from coupling.experiment.asking import Asking, Sample, Tally, rows_of_a_pair
from coupling.explanations import formats
from coupling.models import Way
from coupling.progress import Progress
from coupling.records import Behavior, Explanation
from coupling.store import RunDir, json_sha256, read_records, to_json, write_records
from coupling.studies.stress.figures import Heard
from coupling.studies.stress.probes import UNPROBED
from coupling.studies.stress.putting import Put
from coupling.studies.stress.target import Target


@dataclass(frozen=True, slots=True)
class Answered:
    """All that came of one probe."""

    put: Put
    behaviors: tuple[Behavior, ...]
    explanations: Mapping[Way, tuple[Explanation, ...]]

    def heard(self, way: Way) -> Heard:
        return Heard(
            [each.effect for each in self.behaviors], [each.claim for each in self.explanations[way]]
        )


def ways_of(config: ExperimentConfig, target: Target, progress: Progress) -> tuple[Way, ...]:
    """How explanations can be asked for: a sentence is filled in where it has one frame, and where its
    answers can be scored as behaviour is."""
    format = formats.get(config.explanation.format)
    frames = [format.frame(pair.cue) for pair in target.pairs]
    if None in frames or isinstance(config.behavior, WrittenBehavior):
        return Way.FREE, Way.OPENED
    framed = [
        replace(pair, answer_prefix=frame[0])
        for pair, frame in zip(target.pairs, frames, strict=True)
        if frame is not None
    ]
    try:
        target.loaded.renderer.choice_tokens(framed)
    except ValueError as reason:
        progress.note(f"sentences are not filled in: {reason}")
        return Way.FREE, Way.OPENED
    return Way.FREE, Way.OPENED, Way.FILLED


def ask_all(
    config: ExperimentConfig,
    run: RunDir,
    target: Target,
    puts: Sequence[Put],
    ways: Sequence[Way],
    progress: Progress,
) -> tuple[list[Answered], dict[str, str]]:
    """Asks what has not been asked yet; the first of ``puts`` is the unprobed one.

    Returns:
        What came of each, and the hash of every artifact that holds it.
    """
    assert puts[0].probe is UNPROBED
    later = _Later()
    asked = [_Samples.of(config, run, target, each, ways, later) for each in puts]
    every = [sample for each in asked for sample in each.all]
    wanted = [(sample, rows) for sample, rows in every if not sample.is_done(run)]
    if len(wanted) < len(every):
        progress.note(f"asked before: {len(every) - len(wanted)} of {len(every)} samples")
    later.tally = Tally(progress, "ask under probes", sum(rows for _, rows in wanted))
    for sample, _ in wanted:
        sample.make(run)
    behaviors = asked[0].behaviors
    assert behaviors is not None
    answered = [
        Answered(
            put,
            tuple(read_records(run.file((each.behaviors or behaviors).name), Behavior)),
            {
                way: tuple(read_records(run.file(sample.name), Explanation))
                for way, sample in each.explanations.items()
            },
        )
        for put, each in zip(puts, asked, strict=True)
    ]
    for each in answered:
        if len(each.behaviors) < len(each.put.pairs):
            raise ValueError(
                f"under the probe {each.put.probe.name}, {len(each.put.pairs) - len(each.behaviors)} of "
                f"{len(each.put.pairs)} pairs have no answer (empty, cut off, or an endless thought), and "
                "probes are compared pair by pair; raise behavior.max_new_tokens"
            )
    return answered, {sample.name: run.sha(sample.name) for sample, _ in every}


class _Later:
    """Passes rows on to a tally that is known only once it is known what is to be asked."""

    tally: Tally | None = None

    def __call__(self, rows: int) -> None:
        if self.tally is not None:
            self.tally(rows)


@dataclass(frozen=True, slots=True)
class _Samples:
    """What one probe asks."""

    behaviors: Sample | None
    """None where behaviour is by definition that on the unprobed pairs."""
    explanations: Mapping[Way, Sample]
    pairs: int
    rows_of_a_pair: int
    """That behaviour takes."""

    @property
    def all(self) -> list[tuple[Sample, int]]:
        """Each with the number of rows it asks."""
        found = [] if self.behaviors is None else [(self.behaviors, self.rows_of_a_pair * self.pairs)]
        for way, sample in self.explanations.items():
            found.append((sample, (2 if way is Way.FILLED else 1) * self.pairs))
        return found

    @classmethod
    def of(
        cls,
        config: ExperimentConfig,
        run: RunDir,
        target: Target,
        put: Put,
        ways: Sequence[Way],
        advance: _Later,
    ) -> _Samples:
        stem, noted = f"{target.folder}/{put.probe.name}", target.pairs_file
        if put.probe.measures_behavior:
            noted = f"{stem}.pairs.jsonl"
            content = {"pairs": json_sha256([to_json(pair) for pair in put.pairs])}
            run.make(noted, content, lambda path: write_records(path, put.pairs))
        asking = Asking(
            config,
            run,
            target.source,
            target.origin,
            lambda: target.loaded,
            put.pairs,
            advance,
            target.identity,
            noted,
        )
        is_measured = put.probe is UNPROBED or put.probe.measures_behavior
        return cls(
            asking.behaviors(f"{stem}.behaviors.jsonl") if is_measured else None,
            {
                way: asking.explanations_to(f"{stem}.{way}.jsonl", put.messages, way, put.max_new_tokens)
                for way in ways
            },
            len(put.pairs),
            rows_of_a_pair(config),
        )
