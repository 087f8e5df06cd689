"""What reads the answers of an experiment in which they are written: the same detector from first to last."""

from __future__ import annotations

import torch

from coupling.answers import Written, is_english, rules_sha256
from coupling.config import ClassifierDetector, ExperimentConfig, WrittenBehavior
from coupling.config.model import told
from coupling.experiment.artifacts import answers_of
from coupling.models import Detector, load_detector
from coupling.records import Answers
from coupling.store import RunDir, read_json, read_records, write_json

DETECTOR = "detector.json"
"""The fingerprint of the classifier that reads the answers, where one does."""


def detector_files(config: ExperimentConfig) -> list[str]:
    """The artifacts that say what reads the answers; rules are part of the program, and need none."""
    return [] if _classifier(config) is None else [DETECTOR]


def detector_sha256(config: ExperimentConfig, run: RunDir) -> str:
    """The fingerprint of what reads the answers. Loads no model."""
    if _classifier(config) is None:
        return rules_sha256()
    run.sha(DETECTOR)
    noted = read_json(run.file(DETECTOR))
    assert isinstance(noted, dict)
    return str(noted["fingerprint"])


def note_detector(config: ExperimentConfig, run: RunDir) -> None:
    """Notes the fingerprint of the classifier, where there is one.

    Raises:
        ValueError: it cannot be loaded, or is another one than when the run was begun.
    """
    classifier = _classifier(config)
    if classifier is None:
        return
    fingerprint = load_detector(classifier).fingerprint
    if run.file(DETECTOR).is_file():
        _require(fingerprint, detector_sha256(config, run))
    made_from = {"fingerprint": fingerprint}
    run.make(DETECTOR, made_from, lambda path: write_json(path, {"fingerprint": fingerprint}))


def noted_detector(config: ExperimentConfig, noted: str, device: torch.device | str) -> Detector:
    """The detector, made sure to be the one whose fingerprint was noted."""
    assert isinstance(config.behavior, WrittenBehavior)
    detector = load_detector(config.behavior.detector, device)
    _require(detector.fingerprint, noted)
    return detector


def detector_note(config: ExperimentConfig) -> str:
    """What a report says of how answers were read."""
    assert isinstance(config.behavior, WrittenBehavior)
    classifier = _classifier(config)
    reader = "rules" if classifier is None else f"the classifier {told(classifier.model_dump()['path'])}"
    return (
        f"Answers are written, up to {config.behavior.max_new_tokens} tokens, and read by {reader}: an "
        "answer is here what that makes of the words."
    )


def reads_by_rules(config: ExperimentConfig) -> bool:
    """Whether answers are read by rules, which are for English."""
    return isinstance(config.behavior, WrittenBehavior) and _classifier(config) is None


def share_not_english(config: ExperimentConfig, run: RunDir, behaviors: str) -> float | None:
    """Of the answers from which behaviours were read, and which are long enough to tell, those that are not
    English; None where no rules for English read them."""
    if not reads_by_rules(config):
        return None
    answers = read_records(run.file(answers_of(behaviors)), Answers)
    texts = [Written(each.text).answer for both in answers for each in (both.with_cue, both.without_cue)]
    known = [of_one for text in texts if text is not None and (of_one := is_english(text)) is not None]
    return known.count(False) / len(known) if known else None


def _classifier(config: ExperimentConfig) -> ClassifierDetector | None:
    behavior = config.behavior
    if isinstance(behavior, WrittenBehavior) and isinstance(behavior.detector, ClassifierDetector):
        return behavior.detector
    return None


def _require(fingerprint: str, noted: str) -> None:
    if fingerprint != noted:
        raise ValueError(
            f"behavior.detector: changed since {DETECTOR} was written; restore it, or run under another name"
        )
