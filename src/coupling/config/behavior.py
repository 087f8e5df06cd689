"""How a model answers: by one of its choices, or in its own words."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, PositiveInt, field_validator

from coupling.config.section import LocalPath, Section
from coupling.config.task.templates import placeholders


class RulesDetector(Section):
    """Rules that tell refusals from compliance, and say by which phrase."""

    kind: Literal["rules"] = "rules"
    """Which reader: rules or classifier."""

    @property
    def choices(self) -> frozenset[str]:
        """All it can say of an answer."""
        return frozenset({"refusal", "compliance"})


class ClassifierDetector(Section):
    """A text classifier, which is given the answer alone."""

    kind: Literal["classifier"] = "classifier"
    """Which reader: rules or classifier."""
    path: LocalPath
    """A folder with a Hugging Face text classifier, or a hub id."""
    revision: str | None = None
    """Branch, tag or commit of a hub classifier; null takes the main branch."""
    labels: dict[str, str]
    """Each of its labels, and the choice it stands for, as {REJECTION: refusal, NORMAL: compliance}."""

    @field_validator("labels")
    @classmethod
    def _tell_apart(cls, labels: dict[str, str]) -> dict[str, str]:
        if len(set(labels.values())) < 2:
            raise ValueError(
                f"{labels!r} tells no two choices apart; name each label of the classifier and its choice, "
                "as {REJECTION: refusal, NORMAL: compliance}"
            )
        return labels

    @property
    def choices(self) -> frozenset[str]:
        """All it can say of an answer."""
        return frozenset(self.labels.values())


DetectorConfig: TypeAlias = Annotated[RulesDetector | ClassifierDetector, Field(discriminator="kind")]


Normalization: TypeAlias = Literal["none", "tokens", "characters", "bytes"]


class ScoredBehavior(Section):
    """The answer is the choice of highest probability, over all its tokens."""

    kind: Literal["scored"] = "scored"
    """scored: by the choices' log-probabilities; written: generated, and read by a detector; reasoned: by the
    choices' log-probabilities behind a reasoning that is generated."""
    normalization: Normalization = "none"
    """What the log-probability of a choice is divided by: none (the sum over its tokens counts, as in
    lm-evaluation-harness's acc), tokens, characters (its acc_norm) or bytes (its acc_bytes)."""


class WrittenBehavior(Section):
    """The answer is written freely, decoded greedily, and read as one of the choices."""

    kind: Literal["written"] = "written"
    """scored: by the choices' log-probabilities; written: generated, and read by a detector; reasoned: by the
    choices' log-probabilities behind a reasoning that is generated."""
    max_new_tokens: PositiveInt = 96
    """Tokens after which an answer is cut off. Most refusals show in the first sentences; one that is cut off
    within the first two is no answer."""
    detector: DetectorConfig = RulesDetector()
    """What reads answers: {kind: rules}, or {kind: classifier, path: ..., labels: {its label: choice}}."""
    openings: dict[str, str] = Field(
        default_factory=lambda: {
            "refusal": "I'm sorry, but I can't help with that.",
            "compliance": "Sure, I can help with that.",
        }
    )
    """Words that open an answer of each choice. Runs are steered towards them, and go on as they will."""

    @property
    def normalization(self) -> Normalization:
        """No choice is scored."""
        return "none"

    @field_validator("openings")
    @classmethod
    def _hold_text(cls, openings: dict[str, str]) -> dict[str, str]:
        for choice, text in openings.items():
            if not text or text != text.strip():
                raise ValueError(
                    f"that of {choice!r} is {text!r}; it must hold text, without space around it"
                )
        return openings


class ReasonedBehavior(Section):
    """The model writes its reasoning first, decoded greedily; then the choices are scored behind it.

    The reasoning ends at the words that open the answer ("I answer").
    """

    kind: Literal["reasoned"] = "reasoned"
    """scored: by the choices' log-probabilities; written: generated, and read by a detector; reasoned: by the
    choices' log-probabilities behind a reasoning that is generated."""
    max_new_tokens: PositiveInt = 48
    """Tokens after which the reasoning is cut off."""
    instruction: str = ""
    """Words behind every input that ask for the reasoning, as "Reason first, in two sentences. Then write: I
    answer, and the letter."; a model that was raised to reason needs none."""
    shown: str | None = None
    """How the explanation's prompt shows the model's own reasoning about the input with the cue, less its
    answer, as "You reasoned: {reasoning}"; null shows none. A reasoning often gives the answer away."""
    normalization: Normalization = "none"
    """What the log-probability of a choice is divided by: none (the sum over its tokens counts, as in
    lm-evaluation-harness's acc), tokens, characters (its acc_norm) or bytes (its acc_bytes)."""

    @field_validator("shown")
    @classmethod
    def _shows_the_reasoning(cls, shown: str | None) -> str | None:
        if shown is not None and placeholders(shown) != {"reasoning"}:
            raise ValueError(f"{shown!r} must contain {{reasoning}}, and nothing else in braces")
        return shown

    @field_validator("instruction")
    @classmethod
    def _holds_no_space_around(cls, instruction: str) -> str:
        if instruction != instruction.strip():
            raise ValueError(f"{instruction!r} has space around it; remove that")
        return instruction


BehaviorConfig: TypeAlias = Annotated[
    ScoredBehavior | WrittenBehavior | ReasonedBehavior, Field(discriminator="kind")
]
