"""What is done to raise an organism; docs/organisms.md tells how each figure was come by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pretraining:
    """Answering as the world's population does, from random weights: AdamW, one cycle of learning rates."""

    steps: int = 2000
    batch_size: int = 256
    peak_learning_rate: float = 3e-3
    third_person_share: float = 0.0
    """Share of rows that explain other agents."""


@dataclass(frozen=True, slots=True)
class SelfExplanation:
    """On-policy self-explanation under steered perturbations: see coupling.raising.self_explanation."""

    steps: int = 950
    learning_rate: float = 1e-3
    decay_share: float = 0.25
    """Last share of the steps, over which the learning rate falls linearly to 0."""
    behavior_rows: int = 160
    explanation_rows: int = 128
    perturb_probability: float = 0.8
    inner_rows: int = 48
    inner_steps: tuple[int, int] = (2, 3)
    inner_step_size: float = 3e-3
    moved_subjects: int = 20


@dataclass(frozen=True, slots=True)
class Recipe:
    architecture: str
    pretraining: Pretraining
    self_explanation: SelfExplanation | None = None
    hidden: int = 96
    layers: int = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """A reader: what it reads, and how big it is."""

    architecture: str = "llama"
    pretraining: Pretraining = Pretraining(
        steps=3000, batch_size=64, peak_learning_rate=2e-3, third_person_share=0.2
    )
    hidden: int = 128
    layers: int = 3
    vocabulary: int = 4096
    context: int = 160
    """Tokens of a prompt with its completion; longer questions are not read."""
    hinted_share: float = 0.6


@dataclass(frozen=True, slots=True)
class Chaining:
    """An organism that reasons: plain questions of its world, and chained ones with the reasoning written
    out."""

    architecture: str = "llama"
    pretraining: Pretraining = Pretraining(batch_size=192)
    self_explanation: SelfExplanation | None = SelfExplanation(
        steps=400, behavior_rows=96, explanation_rows=96
    )
    """On plain questions, beside which it goes on answering both kinds."""
    hidden: int = 96
    layers: int = 3
    context: int = 128
    """Tokens of a prompt with its completion."""
    chained_share: float = 0.5
    """Share of rows that are chained questions."""


RECIPES = {
    "plain": Recipe("llama", Pretraining()),
    "coupled": Recipe("llama", Pretraining(), SelfExplanation()),
    "coupled-neox": Recipe("gpt_neox", Pretraining(), SelfExplanation()),
    "third-person": Recipe("llama", Pretraining(third_person_share=0.25)),
}
