"""What a run directory holds, by name, and which model it was sampled from.

pairs.jsonl                                   the pairs this experiment uses
base/behaviors.jsonl, base/explanations.jsonl what M0 does and says; every run at step 0. (Explanations come
                                              after the labels where these are shown as examples.)
base/model.json                               M0's fingerprint, and how it is run
base/answers.jsonl                            the words of answers that are written; so of others
base/reasoning.jsonl                          what is reasoned before answers are scored; so of others
detector.json                                 the classifier that reads them, where one does
base/written.jsonl                            what M0 says in free text, where explanations are filled in
                                              and the verdict is on step 0
target/behaviors.jsonl                        what the target does, where it is not M0 and is known
given.jsonl                                   labels made elsewhere, those that are used
left_out.json                                 how many pairs of the task the model has no room for
base/reference-0-of-2.safetensors             what M0 answers to labelled pairs, while runs are trained
labels.jsonl                                  the fixed dataset of explanations
runs/NAME/step-000040/                        a checkpoint
runs/NAME/step-000040.behaviors.jsonl, .explanations.jsonl, .remeasured.jsonl, .written.jsonl
runs/NAME/step-000040.labels.jsonl            labels made anew at this step, where they are
readers/NAME/model.json, behaviors.jsonl      another model that explains the runs, and what it does itself
readers/NAME/step-000080/                     the same after its training on the labels
readers/NAME/step-000080.explanations.jsonl   what it then says
results.json, report.html
mechanism.json                                what patching found, where it was asked for
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coupling.config import ExperimentConfig, RunConfig
from coupling.explanations import formats
from coupling.models import LoadedModel, Thinking, example, explanation_message
from coupling.records import Behavior, CounterfactualPair, Effect, Explanation
from coupling.store import RunDir, from_json, json_sha256, read_json, read_records, to_json, write_json

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
    return BASE if step == 0 else checkpoint_in(f"runs/{member.name}", step)


def checkpoint_in(folder: str, step: int) -> str:
    """The folder of a checkpoint of whatever is trained in ``folder``."""
    return f"{folder}/step-{step:06d}"


def behaviors_of(stem: str) -> str:
    return f"{stem}/behaviors.jsonl" if stem in (BASE, TARGET) else f"{stem}.behaviors.jsonl"


def explanations_of(stem: str) -> str:
    return f"{stem}/explanations.jsonl" if stem == BASE else f"{stem}.explanations.jsonl"


def written_of(stem: str) -> str:
    """What is written freely, where explanations are filled in."""
    return f"{stem}/written.jsonl" if stem == BASE else f"{stem}.written.jsonl"


def remeasured_of(stem: str) -> str:
    return f"{stem}.remeasured.jsonl"


def answers_of(behaviors: str) -> str:
    """The words from which behaviours were read: ``base/answers.jsonl`` of ``base/behaviors.jsonl``."""
    stem = behaviors.removesuffix(".jsonl")
    opening = stem.removesuffix("behaviors") if stem.endswith("behaviors") else f"{stem}."
    return f"{opening}answers.jsonl"


def reasoning_of(name: str) -> str:
    """What was reasoned, beside behaviours or explanations of one model: ``base/reasoning.jsonl`` of
    ``base/behaviors.jsonl`` and of ``base/explanations.jsonl``."""
    stem = name.removesuffix(".jsonl")
    for kind in ("behaviors", "explanations"):
        if stem.endswith(kind):
            return f"{stem.removesuffix(kind)}reasoning.jsonl"
    return f"{stem}.reasoning.jsonl"


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
    dtype: str
    """Number format of its weights, as bfloat16."""
    attention: str
    """How it computes attention, as sdpa."""
    thinking: Thinking
    """How its chat template's thinking mode stands."""
    system_prompt: str | None
    """SHA-256 of the system prompt; None without one."""
    adapter: str | None
    """SHA-256 of the tensors of the adapter that is merged into it; None without one."""
    commit: str | None
    """Of a hub model, the commit of its repository."""

    def require(self, now: ModelIdentity, path: str, noted: Path) -> None:
        """Raises ValueError when the model is ``now`` another one than the file ``noted`` says it was."""
        changed = {
            "its weights, configuration or tokenizer": self.fingerprint != now.fingerprint,
            f"its device (was {self.device}, is {now.device})": self.device != now.device,
            "the prompts its chat template writes": self.prompts != now.prompts,
            f"its number format (was {self.dtype}, is {now.dtype})": self.dtype != now.dtype,
            f"its attention (was {self.attention}, is {now.attention})": self.attention != now.attention,
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
    examples = [""] * len(pairs)
    if config.explanation.examples:
        # Which labels are shown is not known before they are made, so each pair stands in for them.
        stated = [format.render(Effect(*pair.choices[:2]), pair.cue) for pair in pairs]
        examples = [example(pair, format, text) for pair, text in zip(pairs, stated, strict=True)]
    asked = zip(pairs, examples, strict=True)
    prompts = [
        *model.renderer.prompt_ids([pair.with_cue for pair in pairs], prefixes),
        *model.renderer.prompt_ids([pair.without_cue for pair in pairs], prefixes),
        *model.renderer.prompt_ids(
            [explanation_message(pair, format, examples=before) for pair, before in asked]
        ),
    ]
    system_prompt = model.renderer.system_prompt
    return ModelIdentity(
        fingerprint=model.fingerprint,
        device=model.model.device.type,
        prompts=json_sha256(prompts),
        dtype=str(model.model.dtype).removeprefix("torch."),
        attention=str(model.model.config._attn_implementation),
        thinking=model.renderer.chat.thinks,
        system_prompt=None if system_prompt is None else json_sha256(system_prompt),
        adapter=model.adapter_sha256,
        commit=model.commit,
    )


def noted_model(file: Path) -> ModelIdentity:
    """The identity in a ``model.json``."""
    return from_json(ModelIdentity, read_json(file), str(file))


def note_model(run: RunDir, name: str, path: str, now: ModelIdentity) -> None:
    """Keeps which model answers under ``name``; raises ValueError when it was another.

    What was noted first stays: a commit that changed nothing of the model is no news, and all answers carry
    the hash of this file.
    """
    noted = run.file(name)
    if noted.is_file():
        before = noted_model(noted)
        before.require(now, path, noted)
        if run.is_done(name, {"identity": json_sha256(to_json(before))}):
            return
    run.make(name, {"identity": json_sha256(to_json(now))}, lambda file: write_json(file, to_json(now)))
