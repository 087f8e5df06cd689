"""Who else explains the runs, and does not read them."""

from __future__ import annotations

from typing import Self

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from coupling.config.section import FolderName, LocalPath, Section

LANGUAGE_MODEL_NAME = "language-model"
"""Folder of the language model that begins from random weights; no other reader may be called so."""


class ReaderTraining(Section):
    """How a reader is trained on the labels: explanations alone, without KL and without steering."""

    steps: PositiveInt = 400
    """Optimizer steps of its training."""
    batch_size: PositiveInt = 128
    """Labels in each step."""
    learning_rate: PositiveFloat = 1e-3
    """Peak of its learning rate (AdamW)."""
    warmup_steps: NonNegativeInt = 20
    """Steps in which its learning rate rises from 0 to that peak."""
    seed: NonNegativeInt = 0
    """Draws the order of the data, and weights that begin at random."""

    @model_validator(mode="after")
    def _warms_up_in_time(self) -> Self:
        if self.warmup_steps > self.steps:
            raise ValueError(
                f"warmup_steps is {self.warmup_steps}: expected at most steps, which is {self.steps}"
            )
        return self


class LanguageModelReader(ReaderTraining):
    """A language model of M0's architecture with fresh random weights: what the labels alone can teach."""


class _NamedModel(Section):
    name: FolderName
    """Name of the reader, in the report and as a folder."""
    path: LocalPath
    """The model, as in model.path; it is run as the target would be."""


class ModelReader(ReaderTraining, _NamedModel):
    """Another model, trained on the same labels from its own weights."""

    steps: PositiveInt = 80
    """Optimizer steps of its training."""
    learning_rate: PositiveFloat = 5e-4
    """Peak of its learning rate (AdamW)."""
    warmup_steps: NonNegativeInt = 5
    """Steps in which its learning rate rises from 0 to that peak."""


class ReadersConfig(Section):
    """Who else explains the runs, and does not read them: how much of Self is in the text alone?"""

    surrogates: bool = True
    """Whether text surrogates (TF-IDF and linear models) are fitted: on the labels, and on each run's
    behaviour."""
    language_model: LanguageModelReader | None = None
    """A language model of M0's size, trained on the labels from random weights; null trains none."""
    models: tuple[ModelReader, ...] = ()
    """Other models trained on the same labels, as an organism of another seed or of another kind."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        taken = {LANGUAGE_MODEL_NAME: "the language model from random weights"}
        for position, model in enumerate(self.models):
            earlier = taken.setdefault(model.name.casefold(), f"models.{position}")
            if earlier != f"models.{position}":
                raise ValueError(f"models.{position}.name is {model.name!r}, taken by {earlier}; rename it")
        return self
