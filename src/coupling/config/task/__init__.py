"""The task: which inputs are put with and without a cue."""

from typing import Annotated, TypeAlias

from pydantic import Field

from coupling.config.task.cues import CuesConfig
from coupling.config.task.mmlu_hint import MmluHintTask
from coupling.config.task.moral_verdict import MoralVerdictTask
from coupling.config.task.pairs import PairsTask
from coupling.config.task.question_hint import QuestionHintTask
from coupling.config.task.refusal import RefusalTask
from coupling.config.task.world import WorldTask
from coupling.config.task.world_chain import WorldChainTask

TaskConfig: TypeAlias = Annotated[
    WorldTask | WorldChainTask | MmluHintTask | QuestionHintTask | MoralVerdictTask | RefusalTask | PairsTask,
    Field(discriminator="kind"),
]

__all__ = [
    "CuesConfig",
    "MmluHintTask",
    "MoralVerdictTask",
    "PairsTask",
    "QuestionHintTask",
    "RefusalTask",
    "TaskConfig",
    "WorldChainTask",
    "WorldTask",
]
