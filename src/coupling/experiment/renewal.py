"""Labels made anew while a run is trained: from what the run itself does at the time.

The paper's labels are fixed. What comes of labels that keep up is the natural thing to hold them against:
every so many steps the run answers the labelled pairs again, and from then on explanations state that.
Each renewal is an artifact, so that a run that was killed goes on with the labels it had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from transformers import PreTrainedModel

from coupling import ranks
from coupling.config import ExperimentConfig, RunConfig
from coupling.experiment.artifacts import LABELS, PAIRS, checkpoint
from coupling.explanations import formats
from coupling.models import LocalSampler, Renderer
from coupling.models import Sequence as Row
from coupling.records import CounterfactualPair, Label
from coupling.store import RunDir, read_records, write_records
from coupling.supervision import build_labels
from coupling.training.dataset import explanation_rows

Renew = Callable[[PreTrainedModel, int, int], list[Row]]
"""Rows of explanations as of one step, from a model that has been through another number of steps."""


def labels_of(member: RunConfig, step: int) -> str:
    """The labels from which a run is trained from a step on."""
    return f"{checkpoint(member, step)}.labels.jsonl"


def renewal(
    config: ExperimentConfig, run: RunDir, member: RunConfig, renderer: Renderer, made_from: dict[str, str]
) -> Renew | None:
    """How a run comes by new labels; None where they are fixed.

    Args:
        made_from: the hashes of all that the run's checkpoints follow from.

    Raises:
        ValueError: several processes train the run together.
    """
    if config.training.explanations.renew_every is None:
        return None
    if ranks.launched() > 1:
        raise ValueError(
            f"training.explanations.renew_every is set, and {ranks.launched()} processes train each run "
            "together; launch one process, or set it to null"
        )
    pairs = {pair.id: pair for pair in read_records(run.file(PAIRS), CounterfactualPair)}
    labelled = [pairs[label.pair_id] for label in read_records(run.file(LABELS), Label)]
    format = formats.get(config.explanation.format)

    def renew(model: PreTrainedModel, step: int, done: int) -> list[Row]:
        name, made = labels_of(member, step), {**made_from, "step": str(step)}
        if not run.is_done(name, made):
            if done != step:
                raise ValueError(
                    f"{run.file(name)}: is missing or was changed, and the run is at step {done} already; "
                    f"restore it, or remove {run.file(f'runs/{member.name}')} to train the run anew"
                )
            labels = _labels_of(model, renderer, config, member, labelled)
            run.make(name, made, lambda path: write_records(path, labels))
        labels = read_records(run.file(name), Label)
        return explanation_rows(renderer, pairs, labels, format, config.explanation.max_new_tokens)

    return renew


def _labels_of(
    model: PreTrainedModel,
    renderer: Renderer,
    config: ExperimentConfig,
    member: RunConfig,
    labelled: Sequence[CounterfactualPair],
) -> list[Label]:
    sampler = LocalSampler(
        model, renderer, config.evaluation.batch_size, normalization=config.behavior.normalization
    )
    effects = {behavior.pair_id: behavior.effect for behavior in sampler.behaviors(labelled)}
    format = formats.get(config.explanation.format)
    return build_labels(labelled, effects, format, config.supervision, dict.fromkeys(effects, member.name))
