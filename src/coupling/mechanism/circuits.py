"""The read-outs of one model: through which components its answers and its explanations see the cue."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coupling.config import Normalization
from coupling.explanations.formats import ExplanationFormat
from coupling.faithfulness.circuits import READOUTS, Circuits
from coupling.faithfulness.overlap import compare
from coupling.mechanism.anatomy import dissect
from coupling.mechanism.contrasts import behavior_contrasts, claim_contrasts
from coupling.mechanism.patching import components_of, patch
from coupling.models import LoadedModel, LocalSampler
from coupling.records import CounterfactualPair, Effect


def changed_pairs(
    model: LoadedModel,
    pairs: Sequence[CounterfactualPair],
    count: int,
    batch_size: int,
    normalization: Normalization = "none",
) -> list[tuple[CounterfactualPair, Effect]]:
    """The first ``count`` pairs whose effect is changed, each with it.

    Raises:
        ValueError: none is.
    """
    sampler = LocalSampler(model.model, model.renderer, batch_size, normalization=normalization)
    changed: list[tuple[CounterfactualPair, Effect]] = []
    # No more are asked than it takes: there may be many pairs, and the model large.
    for start in range(0, len(pairs), count):
        asked = pairs[start : start + count]
        effects = [behavior.effect for behavior in sampler.behaviors(asked)]
        changed += [each for each in zip(asked, effects, strict=True) if each[1].changed]
        if len(changed) >= count:
            break
    if not changed:
        raise ValueError(
            f"none of {len(pairs)} pairs shows a change: the cue moves no answer of this model, so nothing "
            "can be patched; give other pairs, or another model"
        )
    return changed[:count]


def circuits_of(
    name: str,
    model: LoadedModel,
    pairs: Sequence[CounterfactualPair],
    count: int,
    format: ExplanationFormat,
    batch_size: int = 256,
    resamples: int = 2000,
    seed: int = 0,
    tell: Callable[[int, int], None] = lambda done, total: None,
    normalization: Normalization = "none",
) -> Circuits:
    """The circuits of one model, on its own changed pairs.

    Args:
        name: what the model is called.
        pairs: in the order in which they are taken until ``count`` show a change.
        tell: called with the rows done and those there are.
        normalization: by what the log-probability of a choice is divided.

    Raises:
        ValueError: no pair shows a change, or the model or the pairs cannot be patched.
    """
    anatomy = dissect(model.model)
    chosen = changed_pairs(model, pairs, count, batch_size, normalization)
    taken, effects = [pair for pair, _ in chosen], [effect for _, effect in chosen]
    components = components_of(anatomy)
    done = 0

    def advance(rows: int) -> None:
        nonlocal done
        done += rows
        tell(done, len(READOUTS) * len(taken))

    behavior, with_cue, without_cue = (
        patch(model.model, anatomy, contrasts, components, model.renderer.pad, batch_size, advance)
        for contrasts in (
            behavior_contrasts(model.renderer, taken, effects),
            *claim_contrasts(model.renderer, taken, effects, format),
        )
    )
    clusters = [pair.cluster for pair in taken]
    return compare(name, components, clusters, behavior, with_cue, without_cue, resamples, seed)
