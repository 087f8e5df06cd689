"""How behaviours and explanations of a model get into a run directory.

What is sampled carries the hash of the weights, tokenizer and chat template it was sampled from, of the
pairs, and of every option that could change it: no checkpoint's answers can be served for another's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coupling import ranks
from coupling.config import ExperimentConfig, ReasonedBehavior, WrittenBehavior
from coupling.experiment.artifacts import MODEL, PAIRS, answers_of, reasoning_of
from coupling.experiment.detection import detector_sha256, noted_detector
from coupling.experiment.examples import examples_made_from, shown_examples
from coupling.experiment.origin import Origin, Source, elsewhere
from coupling.experiment.reasoned import read_reasoning, shown_reasoning
from coupling.explanations import formats
from coupling.models import LoadedModel, LocalSampler, ReasonedSampler, Way, WrittenSampler
from coupling.models.memory import out_of_memory_told
from coupling.progress import Progress
from coupling.records import Answers, Behavior, CounterfactualPair, Explanation, Reasoning
from coupling.store import Json, RunDir, json_sha256, read_records, write_records


class Tally:
    """Adds up rows as they are done and passes the sum on."""

    def __init__(self, progress: Progress, task: str, total: int) -> None:
        self.progress, self.task, self.total, self.done = progress, task, total, 0

    def __call__(self, rows: int) -> None:
        self.done += rows
        self.progress.update(self.task, self.done, self.total)


def rows_of_a_pair(config: ExperimentConfig) -> int:
    """Rows that a model is asked for the behaviour on one pair: two inputs, reasoned about first or not."""
    return 4 if isinstance(config.behavior, ReasonedBehavior) else 2


def rows_of_an_explanation(config: ExperimentConfig) -> int:
    """Rows that a model is asked for one explanation: two answers are scored where it is filled in."""
    return 2 if config.explanation.is_filled else 1


def explanation_texts(config: ExperimentConfig) -> Json:
    """What the texts of explanations follow from, those of the labels among them."""
    return config.explanation.model_dump(mode="json", exclude={"way", "examples", "examples_seed"})


@dataclass(frozen=True, slots=True)
class Sample:
    """Answers or explanations of one model, which are asked for only where they are not there yet."""

    name: str
    made_from: Mapping[str, str]
    build: Callable[[Path], None]
    before: Sample | None = None
    """What it is made of, and has to be there first."""

    def is_done(self, run: RunDir) -> bool:
        return (self.before is None or self.before.is_done(run)) and run.is_done(self.name, self.made_from)

    def make(self, run: RunDir) -> None:
        if self.before is not None:
            self.before.make(run)
        run.make(self.name, self.made_from, self.build)


@dataclass(frozen=True, slots=True)
class Batching:
    """How a model is asked: in batches of so many rows, and whether in just these (`LocalSampler`)."""

    size: int
    whole: bool = False

    @property
    def told(self) -> str:
        return f"{self.size}, whole" if self.whole else str(self.size)


class Asking:
    """What one model is to be asked about some pairs.

    ``source`` is the hash of the model, which is loaded only when something has to be asked; ``origin`` is
    where the processes find it with whom the asking is shared, and its identity stands in the artifact
    ``identity``. The pairs are among those of the artifact ``noted``.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        run: RunDir,
        source: str,
        origin: Origin,
        load: Callable[[], LoadedModel],
        pairs: Sequence[CounterfactualPair],
        advance: Callable[[int], None] = lambda rows: None,
        identity: str = MODEL,
        noted: str = PAIRS,
    ) -> None:
        self.config, self.run, self.pairs = config, run, pairs
        self.here, self.elsewhere = Source(load, advance), elsewhere(origin)
        self.made_from = {
            "model": source,
            "dtype": config.model.dtype,
            "pairs": run.sha(noted),
            "asked": json_sha256([pair.id for pair in pairs]),
            "identity": run.sha(identity),
        }

    def behaviors(self, name: str) -> Sample:
        return self._behaviors(name, Batching(self.config.evaluation.batch_size))

    def behaviors_again(self, name: str) -> Sample:
        """Measured a second way: what then differs is the measurement floor."""
        return self._behaviors(name, Batching(self.config.evaluation.remeasure_batch_size, whole=True))

    def explanations(self, name: str, way: Way | None = None) -> Sample:
        """What the model says of its answers. Where its reasoning is shown, its behaviours come first; where
        labels are shown as examples, these do.

        Args:
            way: how it is asked; by default as the experiment says.
        """
        batching = Batching(self.config.evaluation.batch_size)
        asked = Way(self.config.explanation.way) if way is None else way

        def build(path: Path) -> None:
            shown = shown_reasoning(self.config, self.pairs, self.run, name)
            examples = shown_examples(self.config, self.run, self.pairs)
            job = (self.config, self.pairs, batching, shown, asked, examples)
            write_records(path, ranks.together(_explanations, job, self.here, self.elsewhere))

        made_from = {
            **self.made_from,
            "batch_size": batching.told,
            "explanation": json_sha256(explanation_texts(self.config)),
            **examples_made_from(self.config, self.run),
        }
        if asked is not Way.FREE:
            made_from |= {"way": str(asked), "normalization": self.config.behavior.normalization}
        behavior = self.config.behavior
        if isinstance(behavior, ReasonedBehavior) and behavior.shown is not None:
            made_from["behavior"] = json_sha256(behavior.model_dump(mode="json"))
        return Sample(name, made_from, build)

    def explanations_to(self, name: str, messages: Sequence[str], way: Way, max_new_tokens: int) -> Sample:
        """Explanations of the pairs when it is told messages of one's own (`LocalSampler`)."""
        batching = Batching(self.config.evaluation.batch_size)

        def build(path: Path) -> None:
            job = (self.config, self.pairs, batching, messages, way, max_new_tokens)
            write_records(path, ranks.together(_told, job, self.here, self.elsewhere))

        made_from = {
            **self.made_from,
            "batch_size": batching.told,
            "format": self.config.explanation.format,
            "max_new_tokens": str(max_new_tokens),
            "messages": json_sha256(list(messages)),
            "way": str(way),
        }
        return Sample(name, made_from, build)

    def _behaviors(self, name: str, batching: Batching) -> Sample:
        made_from = {**self.made_from, "batch_size": batching.told}
        behavior = self.config.behavior
        if behavior.normalization != "none":
            made_from["normalization"] = behavior.normalization
        if isinstance(behavior, ReasonedBehavior):
            return self._reasoned(name, batching, made_from, behavior)
        if not isinstance(behavior, WrittenBehavior):

            def build(path: Path) -> None:
                job = (self.config, self.pairs, batching)
                write_records(path, ranks.together(_scored, job, self.here, self.elsewhere))

            return Sample(name, made_from, build)

        detector = detector_sha256(self.config, self.run)

        def write_answers(path: Path) -> None:
            job = (self.config, self.pairs, batching, detector)
            write_records(path, ranks.together(_written, job, self.here, self.elsewhere))

        def read_behaviors(path: Path) -> None:
            answers = read_records(self.run.file(answers_of(name)), Answers)
            write_records(path, [each.behavior for each in answers])

        made_from["behavior"] = json_sha256(behavior.model_dump(mode="json", exclude={"openings"}))
        made_from["detector"] = detector
        return Sample(name, made_from, read_behaviors, Sample(answers_of(name), made_from, write_answers))

    def _reasoned(
        self, name: str, batching: Batching, made_from: Mapping[str, str], behavior: ReasonedBehavior
    ) -> Sample:
        """Reasoning first, then answers behind it."""
        # How explanations show the reasoning changes none of it.
        asked = behavior.model_dump(mode="json", exclude={"shown"})
        made_from = {**made_from, "behavior": json_sha256(asked)}

        def write_reasoning(path: Path) -> None:
            job = (self.config, self.pairs, batching)
            write_records(path, ranks.together(_reasoning, job, self.here, self.elsewhere))

        def build(path: Path) -> None:
            reasoning = read_reasoning(self.run, name)
            job = (self.config, self.pairs, batching, reasoning)
            write_records(path, ranks.together(_behind_reasoning, job, self.here, self.elsewhere))

        return Sample(name, made_from, build, Sample(reasoning_of(name), made_from, write_reasoning))


_told_of_room = out_of_memory_told(
    "sampling",
    "lower evaluation.batch_size (under another name, for it is part of what results follow from), set "
    "model.dtype: bfloat16, or use more GPUs (model.device_map: auto)",
)


@_told_of_room
def _scored(
    config: ExperimentConfig, pairs: Sequence[CounterfactualPair], batching: Batching, source: Source
) -> list[Behavior]:
    return _sampler(config, config.explanation.max_new_tokens, batching, source).behaviors(pairs)


@_told_of_room
def _explanations(
    config: ExperimentConfig,
    pairs: Sequence[CounterfactualPair],
    batching: Batching,
    shown: Sequence[str] | None,
    way: Way,
    examples: Sequence[str] | None,
    source: Source,
) -> list[Explanation]:
    format = formats.get(config.explanation.format)
    sampler = _sampler(config, config.explanation.max_new_tokens, batching, source)
    return sampler.explanations(pairs, format, shown, way, examples)


@_told_of_room
def _reasoning(
    config: ExperimentConfig, pairs: Sequence[CounterfactualPair], batching: Batching, source: Source
) -> list[Reasoning]:
    return _reasoner(config, batching, source).reasoning(pairs)


@_told_of_room
def _behind_reasoning(
    config: ExperimentConfig,
    pairs: Sequence[CounterfactualPair],
    batching: Batching,
    reasoning: Mapping[str, Reasoning],
    source: Source,
) -> list[Behavior]:
    return _reasoner(config, batching, source).behaviors(pairs, reasoning)


def _reasoner(config: ExperimentConfig, batching: Batching, source: Source) -> ReasonedSampler:
    behavior = config.behavior
    assert isinstance(behavior, ReasonedBehavior)
    return ReasonedSampler(_sampler(config, behavior.max_new_tokens, batching, source), behavior.instruction)


@_told_of_room
def _told(
    config: ExperimentConfig,
    pairs: Sequence[CounterfactualPair],
    batching: Batching,
    messages: Sequence[str],
    way: Way,
    max_new_tokens: int,
    source: Source,
) -> list[Explanation]:
    format = formats.get(config.explanation.format)
    return _sampler(config, max_new_tokens, batching, source).explanations_to(messages, pairs, format, way)


@_told_of_room
def _written(
    config: ExperimentConfig,
    pairs: Sequence[CounterfactualPair],
    batching: Batching,
    detector_sha256: str,
    source: Source,
) -> list[Answers]:
    assert isinstance(config.behavior, WrittenBehavior)
    writer = _sampler(config, config.behavior.max_new_tokens, batching, source)
    detector = noted_detector(config, detector_sha256, source.load().model.device)
    return WrittenSampler(writer, detector, source.advance, batching.whole).answers(pairs)


def _sampler(
    config: ExperimentConfig, max_new_tokens: int, batching: Batching, source: Source
) -> LocalSampler:
    loaded = source.load()
    return LocalSampler(
        loaded.model,
        loaded.renderer,
        batching.size,
        max_new_tokens,
        source.advance,
        batching.whole,
        config.behavior.normalization,
    )
