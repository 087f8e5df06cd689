"""The experiment file: its schema, a module a section, and YAML in and out."""

from coupling.config.adjusting import limited, quickened, reseeded
from coupling.config.behavior import (
    BehaviorConfig,
    ClassifierDetector,
    DetectorConfig,
    Normalization,
    ReasonedBehavior,
    RulesDetector,
    ScoredBehavior,
    WrittenBehavior,
)
from coupling.config.commented import commented_experiment
from coupling.config.endpoint import EndpointConfig
from coupling.config.evaluation import EvaluationConfig
from coupling.config.experiment import ExperimentConfig
from coupling.config.explanation import ExplanationConfig
from coupling.config.loading import (
    config_sha256,
    dump_experiment,
    load_experiment,
    named_experiment,
    parse_experiment,
    result_fields,
    shipped_experiment,
    training_fields,
)
from coupling.config.model import ModelConfig
from coupling.config.panel import RunConfig, SteerConfig
from coupling.config.readers import LanguageModelReader, ModelReader, ReadersConfig
from coupling.config.section import TagValues
from coupling.config.supervision import NoiseConfig, SupervisionConfig
from coupling.config.table import SplitShares, TableConfig
from coupling.config.task import (
    CuesConfig,
    MmluHintTask,
    MoralVerdictTask,
    PairsTask,
    QuestionHintTask,
    RefusalTask,
    TaskConfig,
    WorldChainTask,
    WorldTask,
)
from coupling.config.training import (
    MEMORY_FIELDS,
    BehaviorObjective,
    KLConfig,
    LoraConfig,
    PreferenceObjective,
    RewardObjective,
    SteeringConfig,
    SupervisedObjective,
    TrainingConfig,
)

__all__ = [
    "MEMORY_FIELDS",
    "BehaviorConfig",
    "BehaviorObjective",
    "ClassifierDetector",
    "CuesConfig",
    "DetectorConfig",
    "EndpointConfig",
    "EvaluationConfig",
    "ExperimentConfig",
    "ExplanationConfig",
    "KLConfig",
    "LanguageModelReader",
    "LoraConfig",
    "MmluHintTask",
    "ModelConfig",
    "ModelReader",
    "MoralVerdictTask",
    "NoiseConfig",
    "Normalization",
    "PairsTask",
    "PreferenceObjective",
    "QuestionHintTask",
    "ReadersConfig",
    "ReasonedBehavior",
    "RefusalTask",
    "RewardObjective",
    "RulesDetector",
    "RunConfig",
    "ScoredBehavior",
    "SplitShares",
    "SteerConfig",
    "SteeringConfig",
    "SupervisedObjective",
    "SupervisionConfig",
    "TableConfig",
    "TagValues",
    "TaskConfig",
    "TrainingConfig",
    "WorldChainTask",
    "WorldTask",
    "WrittenBehavior",
    "commented_experiment",
    "config_sha256",
    "dump_experiment",
    "limited",
    "load_experiment",
    "named_experiment",
    "parse_experiment",
    "quickened",
    "reseeded",
    "result_fields",
    "shipped_experiment",
    "training_fields",
]
