"""Behaviour that is written: the model answers in its own words, and a detector reads which choice that is.

Answers are decoded greedily, from the message alone: no words are put into the model's mouth. Choices have no
log-probabilities then, and those stay empty. The words themselves are kept beside the behaviour, so that
people can check what the detector made of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from coupling.answers import Written
from coupling.models.detector import Detector
from coupling.records import Answers, CounterfactualPair


class Writer(Protocol):
    """Whoever answers a message in words: a model in memory, or a server."""

    def written(self, messages: Sequence[str], advance: Callable[[int], None]) -> Sequence[Written | None]:
        """What is written when each message is told; ``advance`` gets the number done after each batch.

        None where a server gave nothing.
        """


class WrittenSampler:
    """Has a model answer pairs in its own words, and a detector read them.

    Args:
        writer: writes the answers.
        detector: reads the answers.
        advance: called with the number of rows done after each batch.
        whole_batches: every message is asked. By default one that several pairs share is asked once.
    """

    def __init__(
        self,
        writer: Writer,
        detector: Detector,
        advance: Callable[[int], None] = lambda rows: None,
        whole_batches: bool = False,
    ) -> None:
        self.writer, self.detector = writer, detector
        self.advance, self.whole_batches = advance, whole_batches

    def answers(self, pairs: Sequence[CounterfactualPair]) -> list[Answers]:
        """What the model writes about each pair, in the order given, and how it is read.

        A pair of which an answer is missing is left out.

        Raises:
            ValueError: a pair has other choices than the detector knows, or words that open its answer.
        """
        check_written(pairs, self.detector.choices)
        messages = [message for pair in pairs for message in (pair.with_cue, pair.without_cue)]
        if self.whole_batches:
            found = list(self.writer.written(messages, self.advance))
        else:
            shared = Counter(messages)
            written = self.writer.written(list(shared), self.advance)
            # Every pair counts as two rows asked, however often its messages were shared.
            self.advance(len(messages) - len(shared))
            written_of = dict(zip(shared, written, strict=True))
            found = [written_of[message] for message in messages]
        # What was not written holds no answer either.
        read = self.detector.read([each or Written("") for each in found])
        return [
            Answers(pair.id, with_cue, without_cue)
            for pair, with_cue, without_cue in zip(pairs, read[::2], read[1::2], strict=True)
            if with_cue is not None and without_cue is not None
        ]


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
                f"pair {pair.id}: its answer opens with {pair.answer_prefix!r}, but behavior.kind is "
                "'written', and the model speaks freely; set task.answer_prefix: '' (of whole pairs, leave "
                "the field out), or behavior: {kind: scored}"
            )
