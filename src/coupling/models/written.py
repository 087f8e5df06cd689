"""Behaviour that is written: the model answers in its own words, and a detector reads which choice that is.

Answers are decoded greedily, from the message alone: no words are put into the model's mouth. Choices have no
log-probabilities then, and those stay empty. The words themselves are kept beside the behaviour, so that
people can check what the detector made of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from coupling.explanations.formats import ExplanationFormat
from coupling.models.detector import Detector
from coupling.models.sampling import LocalSampler
from coupling.records import Answers, Behavior, CounterfactualPair, Explanation


class WrittenSampler:
    """A sampler whose behaviours are written.

    Args:
        writer: writes the answers; its ``max_new_tokens`` is where they are cut off.
        explainer: writes the explanations.
        detector: reads the answers.
    """

    def __init__(self, writer: LocalSampler, explainer: LocalSampler, detector: Detector) -> None:
        self.writer, self.explainer, self.detector = writer, explainer, detector

    def answers(self, pairs: Sequence[CounterfactualPair]) -> list[Answers]:
        """What the model writes about each pair, in the order given, and how it is read.

        A message that several pairs share is answered once, but where the writer asks in whole batches.

        Raises:
            ValueError: a pair has other choices than the detector knows, or words that open its answer.
        """
        check_written(pairs, self.detector.choices)
        messages = [message for pair in pairs for message in (pair.with_cue, pair.without_cue)]
        if self.writer.whole_batches:
            texts = self.writer.written(messages, self.writer.advance)
        else:
            shared = Counter(messages)
            written = self.writer.written(list(shared), self.writer.advance)
            # Every pair counts as two rows asked, however often its messages were shared.
            self.writer.advance(len(messages) - len(shared))
            text_of = dict(zip(shared, written, strict=True))
            texts = [text_of[message] for message in messages]
        read = self.detector.read(texts)
        return [
            Answers(pair.id, with_cue, without_cue)
            for pair, with_cue, without_cue in zip(pairs, read[::2], read[1::2], strict=True)
        ]

    def behaviors(self, pairs: Sequence[CounterfactualPair]) -> list[Behavior]:
        return [answers.behavior for answers in self.answers(pairs)]

    def explanations(
        self, pairs: Sequence[CounterfactualPair], format: ExplanationFormat
    ) -> list[Explanation]:
        return self.explainer.explanations(pairs, format)


def check_written(pairs: Sequence[CounterfactualPair], choices: frozenset[str]) -> None:
    """Holds pairs against the detector that is to read their answers.

    Raises:
        ValueError: a pair has other choices than ``choices``, or words that open its answer.
    """
    for pair in pairs:
        if set(pair.choices) != choices:
            raise ValueError(
                f"pair {pair.id}: its choices are {', '.join(map(repr, pair.choices))}, but "
                f"behavior.detector reads answers as {', '.join(map(repr, sorted(choices)))}; use another "
                "task, map the classifier's labels to these choices, or set behavior: {kind: scored}"
            )
        if pair.answer_prefix:
            raise ValueError(
                f"pair {pair.id}: field 'answer_prefix' is {pair.answer_prefix!r}, but behavior.kind is "
                "'written', and the model speaks freely; leave it out"
            )
