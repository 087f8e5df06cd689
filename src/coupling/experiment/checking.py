"""What can be known of an experiment before any weights are loaded: does it fit its data and its models?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from coupling.config import (
    ClassifierDetector,
    ExperimentConfig,
    ModelConfig,
    TableConfig,
    WrittenBehavior,
)
from coupling.config.task.question_hint import SHIPPED
from coupling.experiment.selection import (
    fitting_pairs,
    given_labels,
    held_out_pairs,
    labelled_pairs,
    require_room,
    select_pairs,
)
from coupling.experiment.sources import asks_target
from coupling.experiment.target import told_of
from coupling.faithfulness import FROZEN
from coupling.models import world_of
from coupling.models.folders import ADAPTER_FILES, DESCRIPTION_FILES, find_folder, resolve
from coupling.models.gguf import gguf_file
from coupling.models.loading import DescribedModel, describe_model
from coupling.records import CounterfactualPair
from coupling.supervision import read_behaviors
from coupling.tasks import load_pairs
from coupling.training.checkpoints import ADAPTER_CONFIG

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Checked:
    pairs: int | None
    """Of the task, those that the model has room for; None where the data were left out."""
    labels: int
    held_out: int
    clusters: int
    """Of the held-out pairs."""
    notes: tuple[str, ...]
    """What was left out, and what no verdict could rest on."""


def check_experiment(config: ExperimentConfig, offline: bool = False) -> Checked:
    """Holds an experiment against its data and models; of these only configuration and tokenizer are read.

    Args:
        offline: leaves out what only the Hugging Face hub has.

    Raises:
        ValueError: all that `run_experiment` would find before it loads weights, one complaint a line.
    """
    check = _Check(config, offline)
    found = check.everything()
    if check.complaints:
        raise ValueError("\n".join(dict.fromkeys(check.complaints)))
    return found


class _Check:
    """Goes on behind a complaint, so that a user mends all of them at once."""

    def __init__(self, config: ExperimentConfig, offline: bool) -> None:
        self._config, self._offline = config, offline
        self.complaints: list[str] = []
        self._notes: list[str] = []

    def everything(self) -> Checked:
        config = self._config
        model = self._described("model.path", config.model)
        if config.model.adapter is not None:
            self._folder(
                "model.adapter", config.model.adapter, config.model.adapter_revision, ADAPTER_FILES[:1]
            )
        if isinstance(config.behavior, WrittenBehavior):
            detector = config.behavior.detector
            if isinstance(detector, ClassifierDetector):
                self._folder("behavior.detector", detector.path, detector.revision, DESCRIPTION_FILES)
        every_pair = self._pairs()
        if every_pair is None:
            return Checked(None, 0, 0, 0, tuple(self._notes))
        pairs, labelled, held_out = self._tried(lambda: self._selected(every_pair, model)) or ((), (), ())
        asked = [*labelled, *held_out]
        if asks_target(config):
            self._another("supervision.target", config.supervision.target, asked)
        for number, reader in enumerate(config.readers.models):
            self._another(f"readers.models.{number}.path", reader.path, asked)
        clusters = len({pair.cluster for pair in held_out})
        if held_out and clusters < FROZEN.min_discordant_clusters:
            self._notes.append(
                f"{len(held_out)} held-out pairs stand in {clusters} clusters, but no verdict rests on fewer "
                f"than {FROZEN.min_discordant_clusters}; give the task more, or evaluation.pairs: null"
            )
        return Checked(len(pairs), len(labelled), len(held_out), clusters, tuple(self._notes))

    def _pairs(self) -> Sequence[CounterfactualPair] | None:
        task = self._config.task
        is_on_hub = (
            isinstance(task, TableConfig)
            and not task.is_file
            and task.path not in SHIPPED
            and not Path(task.path).exists()
        )
        if self._offline and is_on_hub:
            self._left_out("task.path", task.path if isinstance(task, TableConfig) else "")
            return None
        return self._tried(lambda: load_pairs(task, world_of(self._config.model)))

    def _selected(
        self, every_pair: Sequence[CounterfactualPair], model: DescribedModel | None
    ) -> tuple[Sequence[CounterfactualPair], ...]:
        """The pairs there is room for; of these the labelled and the held-out ones."""
        config, pairs = self._config, every_pair
        if model is not None:
            pairs = fitting_pairs(config, every_pair, model.config, model.renderer)
            if len(pairs) < len(every_pair):
                left_out = len(every_pair) - len(pairs)
                self._notes.append(f"{left_out} of {len(every_pair)} pairs are too long for the model")
        select_pairs(config, pairs)
        labelled, held_out = labelled_pairs(config, pairs), held_out_pairs(config, pairs)
        if model is not None and config.behavior.kind != "written":
            model.renderer.choice_tokens([*labelled, *held_out])
        supervision = config.supervision
        if supervision.file is not None:
            given_labels(config, pairs)
        if supervision.effects is not None:
            judged, known = ({pair.id: pair for pair in each} for each in (held_out, every_pair))
            read_behaviors(Path(supervision.effects), judged, known)
        return pairs, labelled, held_out

    def _another(self, field: str, path: str, asked: Sequence[CounterfactualPair]) -> None:
        """A model that is asked what M0 is asked."""
        if (Path(path) / ADAPTER_CONFIG).is_file():  # Whether it is of M0 its weights say.
            return

        def ask() -> None:
            with told_of(field, path):
                model = self._described(field, self._config.model.another(path), raises=True)
                if model is None:
                    return
                if self._config.behavior.kind != "written":
                    model.renderer.choice_tokens(asked)
                require_room(self._config, asked, model.config, model.renderer)

        self._tried(ask)

    def _described(self, field: str, model: ModelConfig, raises: bool = False) -> DescribedModel | None:
        if self._offline and self._is_on_hub(model.path):
            self._left_out(field, model.path)
            return None
        return describe_model(model) if raises else self._tried(lambda: describe_model(model))

    def _folder(self, field: str, path: str, revision: str | None, files: tuple[str, ...]) -> None:
        if self._offline and self._is_on_hub(path):
            self._left_out(field, path)
        else:
            self._tried(lambda: find_folder(path, revision, field, files))

    def _is_on_hub(self, path: str) -> bool:
        """Whether nothing here is called so."""
        if gguf_file(path) is not None:
            return False
        found = self._tried(lambda: resolve(path))
        return found is not None and not Path(found).is_dir()

    def _left_out(self, field: str, path: str) -> None:
        self._notes.append(f"{field}: {path!r} is not on this machine, and was left out as --offline says")

    def _tried(self, work: Callable[[], _Found]) -> _Found | None:
        try:
            return work()
        except ValueError as error:
            self.complaints.append(str(error))
            return None
