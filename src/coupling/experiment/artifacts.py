"""What a run directory holds, by name, and how behaviours and explanations get there.

    pairs.jsonl                                   the pairs this experiment uses
    base/behaviors.jsonl, base/explanations.jsonl what M0 does and says; every run at step 0
    base/model.json                               M0's fingerprint
    target/behaviors.jsonl                        what the target does, where it is not M0 and is known
    given.jsonl                                   labels made elsewhere, those that are used
    left_out.json                                 how many pairs of the task the model has no room for
    labels.jsonl                                  the fixed dataset of explanations
    runs/NAME/step-000040/                        a checkpoint
    runs/NAME/step-000040.behaviors.jsonl, .explanations.jsonl, .remeasured.jsonl
    results.json, report.html
    mechanism.json                                what patching found, where it was asked for

What is sampled carries the hash of the weights, tokenizer and chat template it was sampled from, of the
pairs, and of every option that could change it: no checkpoint's answers can be served for another's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coupling.config import ExperimentConfig, RunConfig
from coupling.explanations import formats
from coupling.models import LoadedModel, LocalSampler, Sampler, explanation_message
from coupling.records import Behavior, CounterfactualPair, Effect, Explanation
from coupling.store import RunDir, from_json, json_sha256, read_json, read_records, write_records

PAIRS = "pairs.jsonl"
BASE, TARGET = "base", "target"
MODEL = f"{BASE}/model.json"
TARGET_MODEL = f"{TARGET}/model.json"
LEFT_OUT = "left_out.json"
GIVEN = "given.jsonl"
LABELS = "labels.jsonl"
RESULTS = "results.json"
REPORT = "report.html"
MECHANISM = "mechanism.json"


def checkpoint(member: RunConfig, step: int) -> str:
    """The folder of a checkpoint, and the stem of what is sampled from it. At step 0 every run is M0."""
    return BASE if step == 0 else f"runs/{member.name}/step-{step:06d}"


def behaviors_of(stem: str) -> str:
    return f"{stem}/behaviors.jsonl" if stem in (BASE, TARGET) else f"{stem}.behaviors.jsonl"


def explanations_of(stem: str) -> str:
    return f"{stem}/explanations.jsonl" if stem == BASE else f"{stem}.explanations.jsonl"


def remeasured_of(stem: str) -> str:
    return f"{stem}.remeasured.jsonl"


def read_effects(run: RunDir, name: str) -> dict[str, Effect]:
    return {behavior.pair_id: behavior.effect for behavior in read_records(run.file(name), Behavior)}


def read_explanations(run: RunDir, name: str) -> dict[str, Explanation]:
    return {said.pair_id: said for said in read_records(run.file(name), Explanation)}


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model answered, and all of it that could change an answer: ``model.json``."""

    fingerprint: str
    """SHA-256 of weights, configuration, tokenizer and chat template."""
    device: str
    """Kind of device it ran on, as cpu or cuda."""
    prompts: str
    """SHA-256 of the token ids of every prompt of the experiment, as its chat template writes them."""

    def require(self, now: ModelIdentity, path: str, noted: Path) -> None:
        """Raises ValueError when the model is ``now`` another one than the file ``noted`` says it was."""
        changed = {
            "its weights, configuration or tokenizer": self.fingerprint != now.fingerprint,
            f"its device (was {self.device}, is {now.device})": self.device != now.device,
            "the prompts its chat template writes": self.prompts != now.prompts,
        }
        for what, differs in changed.items():
            if differs:
                raise ValueError(
                    f"model {path!r}: {what} changed since {noted} was written; restore that, or run under "
                    "another name"
                )


def identify(
    model: LoadedModel, pairs: Sequence[CounterfactualPair], config: ExperimentConfig
) -> ModelIdentity:
    """The identity of a model that is asked about ``pairs``."""
    format = formats.get(config.explanation.format)
    prefixes = [pair.answer_prefix for pair in pairs]
    prompts = [
        *model.renderer.prompt_ids([pair.with_cue for pair in pairs], prefixes),
        *model.renderer.prompt_ids([pair.without_cue for pair in pairs], prefixes),
        *model.renderer.prompt_ids([explanation_message(pair, format) for pair in pairs]),
    ]
    return ModelIdentity(model.fingerprint, model.model.device.type, json_sha256(prompts))


def noted_model(file: Path) -> ModelIdentity:
    """The identity in a ``model.json``."""
    return from_json(ModelIdentity, read_json(file), str(file))


@dataclass(frozen=True, slots=True)
class Sample:
    """Answers or explanations of one model, which are asked for only where they are not there yet."""

    name: str
    made_from: Mapping[str, str]
    build: Callable[[Path], None]

    def is_done(self, run: RunDir) -> bool:
        return run.is_done(self.name, self.made_from)

    def make(self, run: RunDir) -> None:
        run.make(self.name, self.made_from, self.build)


class Asking:
    """What one model is to be asked about some pairs.

    ``source`` is the fingerprint of the model, which is loaded only when something has to be asked; its
    identity stands in the artifact ``identity``.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        run: RunDir,
        source: str,
        load: Callable[[], LoadedModel],
        pairs: Sequence[CounterfactualPair],
        advance: Callable[[int], None] = lambda rows: None,
        identity: str = MODEL,
    ) -> None:
        self.config, self.load, self.pairs, self.advance = config, load, pairs, advance
        self.made_from = {
            "model": source,
            "dtype": config.model.dtype,
            "pairs": run.sha(PAIRS),
            "asked": json_sha256([pair.id for pair in pairs]),
            "identity": run.sha(identity),
        }

    def behaviors(self, name: str) -> Sample:
        batch_size = self.config.evaluation.batch_size

        def build(path: Path) -> None:
            write_records(path, self._sampler(batch_size).behaviors(self.pairs))

        return Sample(name, {**self.made_from, "batch_size": str(batch_size)}, build)

    def behaviors_again(self, name: str) -> Sample:
        """Measured a second way: what then differs is the measurement floor."""
        batch_size = self.config.evaluation.remeasure_batch_size

        def build(path: Path) -> None:
            write_records(path, self._sampler(batch_size, whole_batches=True).behaviors(self.pairs))

        return Sample(name, {**self.made_from, "batch_size": f"{batch_size}, whole"}, build)

    def explanations(self, name: str) -> Sample:
        options, batch_size = self.config.explanation, self.config.evaluation.batch_size
        format = formats.get(options.format)

        def build(path: Path) -> None:
            write_records(path, self._sampler(batch_size).explanations(self.pairs, format))

        made_from = {
            **self.made_from,
            "batch_size": str(batch_size),
            "explanation": json_sha256(options.model_dump(mode="json")),
        }
        return Sample(name, made_from, build)

    def _sampler(self, batch_size: int, whole_batches: bool = False) -> Sampler:
        loaded = self.load()
        return LocalSampler(
            loaded.model,
            loaded.renderer,
            batch_size,
            self.config.explanation.max_new_tokens,
            self.advance,
            whole_batches,
        )
