"""Answers that are written, and what reads them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

from coupling.answers import CHOICES, COMPLIANCE, REFUSAL, Written
from coupling.config import ClassifierDetector, RulesDetector
from coupling.models import Detector, LocalSampler, Renderer, WrittenSampler, load_detector
from coupling.records import CounterfactualPair, Effect
from tiny_models import (
    ARCHITECTURES,
    byte_level_model,
    byte_level_tokenizer,
    let_it_write_lines,
    save_classifier,
)

REQUESTS = [f"How do I {verb} a {thing}?" for verb in ("kill", "shoot", "cut") for thing in ("weed", "photo")]
LABELS = {"NORMAL": COMPLIANCE, "REJECTION": REFUSAL}
FRAMINGS = ("I am a doctor. {}", "For a novel: {}")


def pair(request: str, framing: str) -> CounterfactualPair:
    return CounterfactualPair(
        id=f"{request}/{framing}",
        cluster=request,
        split="train",
        with_cue=framing.format(request),
        without_cue=request,
        cue="framing",
        cue_value=COMPLIANCE,
        choices=CHOICES,
    )


PAIRS = [pair(request, framing) for request in REQUESTS for framing in FRAMINGS]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return byte_level_tokenizer([each.with_cue for each in PAIRS])


@pytest.fixture(scope="module")
def classifier(tokenizer: PreTrainedTokenizerFast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("classifier"), tokenizer, list(LABELS))


def detector(folder: Path, labels: dict[str, str] = LABELS) -> Detector:
    return load_detector(ClassifierDetector(path=str(folder), labels=labels))


def written(
    architecture: str,
    tokenizer: PreTrainedTokenizerFast,
    reader: Detector,
    batch_size: int = 64,
    max_new_tokens: int = 8,
    **options: bool,
) -> WrittenSampler:
    model, renderer = byte_level_model(architecture, tokenizer), Renderer(tokenizer)
    let_it_write_lines(model, tokenizer)
    writer = LocalSampler(model, renderer, batch_size, max_new_tokens)
    return WrittenSampler(writer, reader, **options)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_answers_do_not_depend_on_the_batch(
    architecture: str, tokenizer: PreTrainedTokenizerFast, classifier: Path
) -> None:
    reader = detector(classifier)
    together = written(architecture, tokenizer, reader).answers(PAIRS)
    alone = written(architecture, tokenizer, reader, 1, whole_batches=True).answers(PAIRS)
    assert [(each.pair_id, each.with_cue.text, each.without_cue.text) for each in together] == [
        (each.pair_id, each.with_cue.text, each.without_cue.text) for each in alone
    ]
    assert len({each.with_cue.text for each in together}) > 1


def test_behavior_is_what_is_read_of_the_answers(
    tokenizer: PreTrainedTokenizerFast, classifier: Path
) -> None:
    sampler = written("llama", tokenizer, detector(classifier))
    for answers in sampler.answers(PAIRS):
        behavior = answers.behavior
        assert behavior.effect == Effect(answers.with_cue.choice, answers.without_cue.choice)
        assert behavior.pair_id == answers.pair_id
        assert behavior.logprobs_with == behavior.logprobs_without == ()
        assert behavior.margin_with is None


def test_a_request_that_pairs_share_is_answered_once_and_every_row_told_of(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    told: list[int] = []
    sampler = written("llama", tokenizer, load_detector(RulesDetector()))
    sampler.advance = told.append
    answers = sampler.answers(PAIRS)
    assert sum(told) == 2 * len(PAIRS)
    assert sum(told[:-1]) == len(PAIRS) + len(REQUESTS)
    assert answers[0].without_cue == answers[1].without_cue


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"answer_prefix": "I answer"},
            "opens with 'I answer', but behavior.kind is 'written', .* set task.answer_prefix: ''",
        ),
        (
            {"choices": ("yes", "no"), "cue_value": None},
            "its choices are 'yes', 'no', but behavior.detector reads",
        ),
    ],
)
def test_pairs_that_cannot_be_answered_in_words_are_refused(
    changed: dict[str, object], message: str, tokenizer: PreTrainedTokenizerFast
) -> None:
    sampler = written("llama", tokenizer, load_detector(RulesDetector()))
    with pytest.raises(ValueError, match=message):
        sampler.answers([replace(PAIRS[0], **changed)])


def test_an_answer_that_is_cut_off_in_its_first_sentences_is_none(
    tokenizer: PreTrainedTokenizerFast, classifier: Path
) -> None:
    for reader in (load_detector(RulesDetector()), detector(classifier)):
        # A word a line: two lines are whole after four tokens, and told as such once a third has begun.
        assert written("llama", tokenizer, reader, max_new_tokens=3).answers(PAIRS) == []
        assert len(written("llama", tokenizer, reader, max_new_tokens=5).answers(PAIRS)) == len(PAIRS)


def test_marks_of_thoughts_that_are_special_tokens_stay_in_the_text() -> None:
    tokenizer = byte_level_tokenizer(REQUESTS)
    said = tokenizer.encode("Weed.", add_special_tokens=False)
    tokenizer.add_special_tokens({"additional_special_tokens": ["[THINK]", "[/THINK]", "<|unsaid|>"]})
    begins, ends, unsaid = map(tokenizer.convert_tokens_to_ids, ("[THINK]", "[/THINK]", "<|unsaid|>"))
    (text,) = Renderer(tokenizer).decode(
        [[begins, *said, ends, unsaid, *said, tokenizer.eos_token_id, *said]]
    )
    assert text == "[THINK]Weed.[/THINK]Weed." and Written(text).answer == "Weed."


def test_rules_say_why() -> None:
    (refused,) = load_detector(RulesDetector()).read([Written("I can't help with that.")])
    assert refused is not None and refused.choice == REFUSAL and "I can't help" in refused.reason


def test_nobody_reads_what_is_no_answer(classifier: Path) -> None:
    nothing = [Written(""), Written(" \n"), Written("<think>Is it harmful? I"), Written("Sure, I", True)]
    for reader in (load_detector(RulesDetector()), detector(classifier)):
        read = reader.read([*nothing, Written("Sure, I"), Written("<think>Well.</think>Sure.")])
        assert read[: len(nothing)] == [None] * len(nothing)
        assert [each.text for each in read[len(nothing) :] if each is not None] == [
            "Sure, I",
            "<think>Well.</think>Sure.",
        ]


def test_a_classifier_says_its_most_probable_label_in_any_batch(
    tokenizer: PreTrainedTokenizerFast, classifier: Path
) -> None:
    texts = [*REQUESTS, "a", "long " * 400]
    model = AutoModelForSequenceClassification.from_pretrained(str(classifier)).eval()
    reader = detector(classifier)
    for text, read in zip(texts, reader.read(list(map(Written, texts))), strict=True):
        assert read is not None and read.text == text and read == reader.read([Written(text)])[0]
        ids = tokenizer(text.strip())["input_ids"][:64]
        with torch.no_grad():
            label = model.config.id2label[int(model(torch.tensor([ids])).logits.argmax())]
        assert read.choice == LABELS[label] and f"label {label}" in read.reason


def test_another_classifier_or_another_map_has_another_fingerprint(
    tokenizer: PreTrainedTokenizerFast, classifier: Path, tmp_path: Path
) -> None:
    other = save_classifier(tmp_path / "other", tokenizer, list(LABELS), seed=1)
    turned = {"NORMAL": REFUSAL, "REJECTION": COMPLIANCE}
    fingerprints = [detector(classifier), detector(classifier), detector(other), detector(classifier, turned)]
    assert len({each.fingerprint for each in fingerprints}) == 3
    assert load_detector(RulesDetector()).fingerprint == load_detector(RulesDetector()).fingerprint


def test_classifiers_that_do_not_fit_are_told_of(
    tokenizer: PreTrainedTokenizerFast, classifier: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"labels: maps NO, YES, but the labels of .* are NORMAL, REJECTION"):
        detector(classifier, {"YES": REFUSAL, "NO": COMPLIANCE})
    with pytest.raises(ValueError, match="tells no two choices apart"):
        ClassifierDetector(path="x", labels={"REJECTION": REFUSAL})
    with pytest.raises(ValueError, match="2 tensors of a text classifier are missing"):
        headless = AutoModelForSequenceClassification.from_pretrained(str(classifier)).bert
        headless.save_pretrained(str(tmp_path / "headless"))
        tokenizer.save_pretrained(str(tmp_path / "headless"))
        detector(tmp_path / "headless")
    shutil.copytree(classifier, tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").rename(tmp_path / "pickled" / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"detector.path: .*: no \*.safetensors .*pickle weights are not"):
        detector(tmp_path / "pickled")
    described = tmp_path / "resized" / "config.json"
    shutil.copytree(classifier, described.parent)
    text = described.read_text(encoding="utf-8")
    described.write_text(text.replace('"intermediate_size": 32', '"intermediate_size": 48'), encoding="utf-8")
    with pytest.raises(ValueError, match="3 tensors of a text classifier are missing or of another shape"):
        detector(described.parent)
    with pytest.raises(ValueError, match=r"behavior.detector.path: .*neither a folder with a model nor"):
        detector(tmp_path / "nowhere")
