"""Whose effects the labels state: the base's, the target's, a mix of both, or what a file says.

Of held-out pairs as of labelled ones: what Orig is held against follows from the same rule as the labels.
"""

from __future__ import annotations

from collections.abc import Mapping

from coupling.config import ExperimentConfig
from coupling.config.model import told
from coupling.config.section import BASE as BASE_TARGET
from coupling.experiment.artifacts import BASE, TARGET, behaviors_of, read_effects
from coupling.records import CounterfactualPair, Effect
from coupling.store import RunDir
from coupling.supervision import states_own


def target_of(config: ExperimentConfig) -> str | None:
    """Where the target's behaviour lies; None for labels of a file whose author's answers are not known."""
    supervision = config.supervision
    if supervision.file is not None:
        return None if supervision.effects is None else TARGET
    return BASE if supervision.target == BASE_TARGET or supervision.own_share == 1 else TARGET


def asks_target(config: ExperimentConfig) -> bool:
    """Whether the target is a model that has to be asked, beside M0."""
    return config.supervision.file is None and target_of(config) == TARGET


def is_mixed(config: ExperimentConfig) -> bool:
    """Whether labels state the effects of two models."""
    return asks_target(config) and config.supervision.own_share > 0


def target_name(config: ExperimentConfig) -> str:
    """What labels and reports call the target."""
    if target_of(config) == BASE:
        return BASE
    written = config.supervision.model_dump()["target" if config.supervision.file is None else "file"]
    name = told(written)
    return name if name != BASE else TARGET


def source_of(config: ExperimentConfig, pair: CounterfactualPair) -> str:
    """Whose effect a label about a pair states, or would state."""
    supervision = config.supervision
    if is_mixed(config) and states_own(pair, supervision.own_share, supervision.seed):
        return BASE
    return target_name(config)


def effects_by_source(config: ExperimentConfig, run: RunDir) -> Mapping[str, Mapping[str, Effect]]:
    """Name of a source → pair id → its effect; empty where no source's behaviour is known."""
    folder = target_of(config)
    if folder is None:
        return {}
    effects = {target_name(config): read_effects(run, behaviors_of(folder))}
    if is_mixed(config):
        effects[BASE] = read_effects(run, behaviors_of(BASE))
    return effects


def behaviors_stated(config: ExperimentConfig) -> list[str]:
    """The artifacts that hold what ``effects_by_source`` reads."""
    folder = target_of(config)
    folders = [] if folder is None else [folder]
    if is_mixed(config):
        folders.append(BASE)
    return [behaviors_of(each) for each in folders]
