"""Errors by consequence on the plain question: `coupling.faithfulness.consequences` of what was heard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coupling.faithfulness.consequences import CostWeights, Errors, errors
from coupling.faithfulness.scores import changed, encoded
from coupling.faithfulness.statistics import ClusterBootstrap
from coupling.records import Estimate
from coupling.studies.stress.figures import Heard


@dataclass(frozen=True, slots=True)
class Stakes:
    decided: Estimate
    """Share of pairs on which the cue changes the answer."""
    errors: Errors


def stakes(heard: Heard, bootstrap: ClusterBootstrap, weights: CostWeights) -> Stakes:
    """The errors of the explanations of pairs as they are, without a probe."""
    stated = [effect for effect in (*heard.effects, *heard.claims) if effect is not None]
    answers = sorted({answer for effect in stated for answer in (effect.with_cue, effect.without_cue)})
    numbers = {answer: number for number, answer in enumerate(answers)}
    behaviors, claims = encoded(heard.effects, numbers), encoded(heard.claims, numbers)
    everything = np.ones(len(behaviors), dtype=np.bool_)
    return Stakes(
        decided=bootstrap.share(changed(behaviors), everything),
        errors=errors(claims[np.newaxis], behaviors[np.newaxis], weights, bootstrap, everything),
    )
