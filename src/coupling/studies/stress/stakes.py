"""Errors by consequence on the plain question: `coupling.faithfulness.consequences` of what was heard."""

from __future__ import annotations

import numpy as np

from coupling.faithfulness.consequences import CostWeights, errors
from coupling.faithfulness.scores import changed, encoded
from coupling.faithfulness.statistics import ClusterBootstrap
from coupling.records import Estimate
from coupling.studies.stress.figures import Heard


def stakes(heard: Heard, bootstrap: ClusterBootstrap, weights: CostWeights) -> dict[str, Estimate]:
    """Figure → how often the cue changes the answer, and the errors of the explanations of pairs as they are,
    without a probe; by their names in the registry."""
    stated = [effect for effect in (*heard.effects, *heard.claims) if effect is not None]
    answers = sorted({answer for effect in stated for answer in (effect.with_cue, effect.without_cue)})
    numbers = {answer: number for number, answer in enumerate(answers)}
    behaviors, claims = encoded(heard.effects, numbers), encoded(heard.claims, numbers)
    everything = np.ones(len(behaviors), dtype=np.bool_)
    return {
        "changed": bootstrap.share(changed(behaviors), everything),
        **errors(claims[np.newaxis], behaviors[np.newaxis], weights, bootstrap, everything),
    }
