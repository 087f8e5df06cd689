"""What follows the number of steps: checkpoints, the step of the verdict and the warm-up, unless given.

All of it is filled in before the schema reads it, so leaving such a field out and spelling it out give the
same hash.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from coupling.config.evaluation import EvaluationConfig
from coupling.config.training import TrainingConfig
from coupling.store import Json

STEPS, CHECKPOINTS = "training.steps", "training.checkpoints"
WARMUP, VERDICT = "training.warmup_steps", "evaluation.checkpoint"


def following_steps(raw: Json, overridden: Collection[str]) -> Json:
    """The content of an experiment file with what follows its steps filled in.

    Args:
        overridden: dotted fields that options gave. Where steps are among them, what the file says of the
            others follows as well: checkpoints are cut off at the last step, or end with it.
    """
    if not isinstance(raw, dict):
        return raw
    training, evaluation = raw.get("training", {}), raw.get("evaluation", {})
    if not isinstance(training, dict) or not isinstance(evaluation, dict):
        return raw
    steps = training.get("steps", TrainingConfig().steps)
    if type(steps) is not int or steps < 1:
        return raw

    def follows(field: str) -> bool:
        return STEPS in overridden and not any(name.startswith(field) for name in overridden)

    checkpoints = training.get("checkpoints")
    if "checkpoints" not in training:
        checkpoints = quarters(steps)
    elif follows(CHECKPOINTS):
        checkpoints = _ending_with(checkpoints, steps)
    return {
        **raw,
        "training": {
            **training,
            "checkpoints": checkpoints,
            "warmup_steps": _warmup(training, steps, follows(WARMUP)),
        },
        "evaluation": {
            **evaluation,
            "checkpoint": _verdict(training, evaluation, checkpoints, steps, follows(VERDICT)),
        },
    }


def quarters(steps: int) -> list[Json]:
    """Five steps from 0 to the last, or as many as there are."""
    return [*sorted({steps * quarter // 4 for quarter in range(5)})]


def _ending_with(checkpoints: Json, steps: int) -> Json:
    if not isinstance(checkpoints, list) or any(type(each) is not int for each in checkpoints):
        return checkpoints
    return [*(each for each in checkpoints if isinstance(each, int) and each < steps), steps]


def _warmup(training: Mapping[str, Json], steps: int, follows: bool) -> Json:
    given = training.get("warmup_steps", TrainingConfig().warmup_steps)
    if type(given) is int and (follows or "warmup_steps" not in training):
        return min(given, steps)
    return given


def _verdict(
    training: Mapping[str, Json], evaluation: Mapping[str, Json], checkpoints: Json, steps: int, follows: bool
) -> Json:
    held: list[Json] = checkpoints if isinstance(checkpoints, list) else []
    if "checkpoint" in evaluation:
        given = evaluation["checkpoint"]
        return steps if follows and given not in held else given
    # A file that names checkpoints, and no step for the verdict, has always been judged at the default step.
    default = EvaluationConfig().checkpoint
    return default if "checkpoints" in training and default in held and not follows else steps
