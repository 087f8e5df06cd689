"""Which pairs are used for what: a function of the configuration and the pairs' ids alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from transformers import PreTrainedConfig

from coupling.config import ExperimentConfig, ReasonedBehavior, ScoredBehavior, WrittenBehavior
from coupling.experiment.examples import most_example_tokens
from coupling.explanations import formats
from coupling.faithfulness import check_groups
from coupling.models import Renderer, check_reasoned, check_written, context_length, explanation_message
from coupling.models.reasoned import instructed
from coupling.records import CounterfactualPair, Label
from coupling.supervision import candidate_pairs, check_tags, read_given_labels
from coupling.tasks import draw
from coupling.tasks.steering import is_steered


def fitting_pairs(
    config: ExperimentConfig,
    pairs: Sequence[CounterfactualPair],
    described: PreTrainedConfig,
    renderer: Renderer,
) -> list[CounterfactualPair]:
    """The pairs about which the model has room to be asked, and to answer in ``max_new_tokens``.

    Examples stand before questions about held-out pairs, and of these only such as have room for the longest
    that could be drawn are kept.

    Raises:
        ValueError: there is room for none, or fewer labels than a prompt is to show.
    """
    room = context_length(described, renderer.tokenizer)
    format = formats.get(config.explanation.format)
    prompts = renderer.prompt_ids([explanation_message(pair, format) for pair in pairs])
    shown = _room_for_shown(config, renderer)
    explained = [len(prompt) + shown + config.explanation.max_new_tokens for prompt in prompts]
    needed = [max(both) for both in zip(explained, _answering(config, pairs, renderer), strict=True)]
    fitting = [pair for pair, tokens in zip(pairs, needed, strict=True) if tokens <= room]
    if not fitting:
        raise ValueError(
            f"model {config.model.path!r}: has room for {room} tokens, but every pair needs {min(needed)} or "
            f"more, {config.explanation.max_new_tokens} of them for its explanation; lower "
            "max_new_tokens (of explanation, or of a written behavior), or give shorter pairs"
        )
    if config.explanation.examples:
        tokens_of = {pair.id: tokens for pair, tokens in zip(pairs, explained, strict=True)}
        return _fitting_behind_examples(config, fitting, tokens_of, room, renderer)
    return fitting


def _fitting_behind_examples(
    config: ExperimentConfig,
    pairs: Sequence[CounterfactualPair],
    explained: Mapping[str, int],
    room: int,
    renderer: Renderer,
) -> list[CounterfactualPair]:
    """Of pairs that fit without examples those that do with them.

    Args:
        explained: pair id → tokens of its explanation and of all that stands before it but examples.
    """
    more = most_example_tokens(config, labelled_pairs(config, pairs), renderer)
    fitting = [pair for pair in pairs if pair.split == "train" or explained[pair.id] + more <= room]
    if all(pair.split == "train" for pair in fitting):
        raise ValueError(
            f"explanation.examples: {config.explanation.examples} wanted before each question, which take up "
            f"to {more} tokens, but model {config.model.path!r} has room for {room} in all, and for no "
            "held-out pair behind them; lower it, or explanation.max_new_tokens, or take a model with a "
            "longer context"
        )
    return fitting


def require_room(
    config: ExperimentConfig,
    pairs: Sequence[CounterfactualPair],
    described: PreTrainedConfig,
    renderer: Renderer,
) -> None:
    """Raises ValueError where a model has no room to answer, and only that, about some of the pairs."""
    room = context_length(described, renderer.tokenizer)
    needed = _answering(config, pairs, renderer)
    too_long = sum(tokens > room for tokens in needed)
    if too_long:
        raise ValueError(
            f"it has room for {room} tokens, but {too_long} of the {len(pairs)} pairs it is asked about need "
            f"more, up to {max(needed)}; give shorter pairs, or a model with a longer context"
        )


def _answering(
    config: ExperimentConfig, pairs: Sequence[CounterfactualPair], renderer: Renderer
) -> list[int]:
    """Tokens that it takes to answer the longer of each pair's two inputs."""
    behavior = config.behavior
    prefixes = ["" if isinstance(behavior, WrittenBehavior) else pair.answer_prefix for pair in pairs]
    new = 0 if isinstance(behavior, ScoredBehavior) else behavior.max_new_tokens
    instruction = behavior.instruction if isinstance(behavior, ReasonedBehavior) else ""
    both = (
        renderer.prompt_ids([instructed(pair.with_cue, instruction) for pair in pairs], prefixes),
        renderer.prompt_ids([instructed(pair.without_cue, instruction) for pair in pairs], prefixes),
    )
    return [max(map(len, prompts)) + new for prompts in zip(*both, strict=True)]


def _room_for_shown(config: ExperimentConfig, renderer: Renderer) -> int:
    """Tokens that a reasoning takes at the most where the explanation's prompt shows it."""
    behavior = config.behavior
    if not isinstance(behavior, ReasonedBehavior) or behavior.shown is None:
        return 0
    wording = behavior.shown.format(reasoning="")
    # Written anew, a reasoning need not come to the same tokens again; nearly always it does.
    around = len(renderer.prompt_ids([wording])[0]) - len(renderer.prompt_ids([""])[0])
    return behavior.max_new_tokens + around


def select_pairs(
    config: ExperimentConfig, pairs: Sequence[CounterfactualPair]
) -> tuple[CounterfactualPair, ...]:
    """The pairs an experiment needs: labelled ones, steered ones, and those it is evaluated on.

    Raises:
        ValueError: too few pairs to label, none to evaluate on, a tag in a field that no pair bears, or pairs
            that cannot be answered in words where behaviour is written.
    """
    if isinstance(config.behavior, WrittenBehavior):
        check_written(pairs, config.behavior.detector.choices)
    if isinstance(config.behavior, ReasonedBehavior):
        check_reasoned(pairs)
    check_tags(pairs, config.supervision.silent_on, "supervision.silent_on")
    for number, member in enumerate(config.panel):
        if member.steer is not None:
            check_tags(pairs, member.steer.tags, f"panel.{number}.steer.tags")
            check_tags(pairs, member.steer.among, f"panel.{number}.steer.among")
    check_groups(held_out_pairs(config, pairs), config.evaluation.groups, "evaluation.groups")
    used = {pair.id for pair in (*labelled_pairs(config, pairs), *held_out_pairs(config, pairs))}
    steers = [member.steer for member in config.panel]
    return tuple(
        pair
        for pair in pairs
        if pair.id in used or (pair.split == "train" and any(is_steered(pair, steer) for steer in steers))
    )


def labelled_pairs(config: ExperimentConfig, pairs: Sequence[CounterfactualPair]) -> list[CounterfactualPair]:
    """The pairs the labels speak of, in the order of the dataset.

    Raises:
        ValueError: there are too few, or the file of labels does not fit the task.
    """
    supervision = config.supervision
    if supervision.file is not None:
        spoken_of = {label.pair_id for label in given_labels(config, pairs)}
        return _drawn(config, [pair for pair in pairs if pair.id in spoken_of])
    candidates = candidate_pairs(pairs, supervision.silent_on)
    if supervision.labels > len(candidates):
        raise ValueError(
            f"supervision.labels: {supervision.labels} wanted, but only {len(candidates)} training pairs may "
            "be labelled; lower it, silence fewer tags, or give the task more pairs"
        )
    return _drawn(config, candidates)


def given_labels(config: ExperimentConfig, pairs: Sequence[CounterfactualPair]) -> list[Label]:
    """All labels of the file that the supervision names, in its order.

    Args:
        pairs: all pairs of the task, not only those drawn: labels about the others are no mistake.

    Raises:
        ValueError: the file does not fit the task; see `read_given_labels`.
    """
    supervision = config.supervision
    assert supervision.file is not None
    by_id = {pair.id: pair for pair in pairs}
    return read_given_labels(Path(supervision.file), by_id, supervision.silent_on, config.explanation.format)


def held_out_pairs(config: ExperimentConfig, pairs: Sequence[CounterfactualPair]) -> list[CounterfactualPair]:
    """The pairs of the evaluated split, or the number of them that is asked for."""
    evaluation = config.evaluation
    of_split = [pair for pair in pairs if pair.split == evaluation.split]
    if not of_split:
        found = ", ".join(sorted({pair.split for pair in pairs})) or "none"
        raise ValueError(f"evaluation.split: no pair is in {evaluation.split!r}; splits with pairs: {found}")
    count = len(of_split) if evaluation.pairs is None else min(evaluation.pairs, len(of_split))
    return draw(of_split, count, evaluation.seed)


def _drawn(config: ExperimentConfig, candidates: Sequence[CounterfactualPair]) -> list[CounterfactualPair]:
    return draw(candidates, config.supervision.labels, config.supervision.seed)
