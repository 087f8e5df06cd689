"""What reads written answers: rules, or any Hugging Face text classifier.

A detector says one of its choices of every answer, and why. It sees the answer and nothing else. Where
nothing was answered (`Written`), it says nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Protocol, cast

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from coupling.answers import CHOICES, Written, read_answer, rules_sha256
from coupling.config import ClassifierDetector, DetectorConfig, RulesDetector
from coupling.models.batching import by_length
from coupling.models.finite import check_weights_finite
from coupling.models.folders import DESCRIPTION_FILES, WEIGHT_FILES, find_folder
from coupling.models.loading import weights_sha256
from coupling.models.rendering import context_length
from coupling.models.weight_files import check_weights
from coupling.records import WrittenAnswer
from coupling.store.complaints import first_line

BATCH_SIZE = 32
FIELD = "behavior.detector.path"


class Detector(Protocol):
    @property
    def choices(self) -> frozenset[str]:
        """All it can say."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all that its reading follows from."""

    def read(self, written: Sequence[Written]) -> list[WrittenAnswer | None]:
        """Each text with the choice as which it is read; None where it holds no answer."""


class Rules:
    """The rules of ``coupling.answers``: refusal or compliance, with the phrase that says so."""

    choices = frozenset(CHOICES)

    @property
    def fingerprint(self) -> str:
        return rules_sha256()

    def read(self, written: Sequence[Written]) -> list[WrittenAnswer | None]:
        readings = [(each.text, read_answer(*each)) for each in written]
        return [
            None if reading is None else WrittenAnswer(text, reading.choice, reading.reason)
            for text, reading in readings
        ]


class Classifier:
    """A text classifier. The label of highest probability is what it says of an answer.

    Args:
        choice_of: the choice that each of its labels stands for.
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, choice_of: dict[str, str]
    ) -> None:
        self.model, self.tokenizer, self.choice_of = model.eval(), tokenizer, choice_of
        named = dict(model.config.id2label or {})
        self.label_of = {int(number): str(label) for number, label in named.items()}
        self.longest = context_length(model.config, tokenizer)

    @property
    def choices(self) -> frozenset[str]:
        return frozenset(self.choice_of.values())

    @property
    def fingerprint(self) -> str:
        configuration = self.model.config.to_diff_dict()
        configuration.pop("transformers_version", None)
        parts = [configuration, self.tokenizer.backend_tokenizer.to_str(), self.choice_of]
        described = json.dumps([*parts, weights_sha256(self.model)], sort_keys=True, default=str)
        return hashlib.sha256(described.encode()).hexdigest()

    @torch.inference_mode()
    def read(self, written: Sequence[Written]) -> list[WrittenAnswer | None]:
        """Answers longer than the classifier's context are read up to there."""
        answers = {i: answer for i, each in enumerate(written) if (answer := each.answer) is not None}
        read: dict[int, WrittenAnswer] = {}
        numbers = list(answers)
        for of_batch in by_length([len(answer) for answer in answers.values()], BATCH_SIZE):
            rows = [numbers[place] for place in of_batch]
            batch = self.tokenizer(
                [answers[i] for i in rows],
                # An answer that spells a control token holds none.
                split_special_tokens=True,
                padding=True,
                truncation=True,
                max_length=self.longest,
                return_tensors="pt",
            )
            logits = self.model(**batch.to(self.model.device)).logits
            probabilities, labels = logits.float().softmax(-1).max(-1)
            for i, probability, label in zip(rows, probabilities.tolist(), labels.tolist(), strict=True):
                name = self.label_of[label]
                reason = f"label {name}, probability {probability:.3f}"
                read[i] = WrittenAnswer(written[i].text, self.choice_of[name], reason)
        return [read.get(i) for i in range(len(written))]


def load_detector(config: DetectorConfig, device: torch.device | str = "cpu") -> Detector:
    """The detector of an experiment.

    Raises:
        ValueError: the classifier cannot be loaded, or its labels are not those that are mapped to choices.
    """
    match config:
        case RulesDetector():
            return Rules()
        case ClassifierDetector():
            return _load_classifier(config, device)


def _load_classifier(config: ClassifierDetector, device: torch.device | str) -> Classifier:
    where = f"{FIELD}: {str(config.path)!r}"
    files = (*DESCRIPTION_FILES, *WEIGHT_FILES)
    folder = find_folder(config.path, config.revision, FIELD, files).path
    check_weights(folder, where)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False)
        loaded = AutoModelForSequenceClassification.from_pretrained(
            str(folder),
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except Exception as error:  # As `damage_told` says.
        raise ValueError(
            f"{where}: its files are not those of a text classifier with its tokenizer "
            f"({first_line(error)}); give another"
        ) from error
    model, report = cast(tuple[PreTrainedModel, dict[str, Any]], loaded)
    absent = sorted(report["missing_keys"]) + sorted(key[0] for key in report["mismatched_keys"])
    if absent:
        # A language model without a classifier's head: transformers would go on with a random one.
        raise ValueError(
            f"{where}: {len(absent)} tensors of a text classifier are missing or of another shape than "
            f"config.json says, such as {absent[0]}; give one that was trained to classify"
        )
    if not tokenizer.is_fast or tokenizer.pad_token_id is None:
        raise ValueError(f"{where}: needs a fast tokenizer with a pad_token; save it again with both")
    found = set((model.config.id2label or {}).values())
    if found != config.labels.keys():
        raise ValueError(
            f"behavior.detector.labels: maps {', '.join(sorted(config.labels))}, but the labels of "
            f"{str(config.path)!r} are {', '.join(sorted(found))}; name each of them and its choice"
        )
    check_weights_finite(model, where, "give another")
    model.to(device)  # type: ignore[arg-type]  # transformers' wrapper hides the signature
    return Classifier(model, tokenizer, dict(config.labels))
