"""Errors by consequence on the plain question: `coupling.faithfulness.consequences` of what was heard."""

from __future__ import annotations

import numpy as np

from coupling.faithfulness.consequences import CostWeights, errors
from coupling.faithfulness.scores import changed, encoded
from coupling.faithfulness.statistics import ClusterBootstrap
from coupling.records import Estimate
from coupling.studies.stress.figures import Heard


def stakes(heard: Heard, bootstrap: ClusterBootstrap, weights: CostWeights) -> dict[str, Estimate]:
    """Figure → how often explanations of pairs as they are, without a probe, are true and can be read, how
    often the cue changes the answer, and the errors; by their names in the registry."""
    stated = [effect for effect in (*heard.effects, *heard.claims) if effect is not None]
    answers = sorted({answer for effect in stated for answer in (effect.with_cue, effect.without_cue)})
    numbers = {answer: number for number, answer in enumerate(answers)}
    behaviors, claims = encoded(heard.effects, numbers), encoded(heard.claims, numbers)
    everything = np.ones(len(behaviors), dtype=np.bool_)
    said = np.array([claim is not None for claim in heard.claims], dtype=np.bool_)
    true = [claim == effect for claim, effect in zip(heard.claims, heard.effects, strict=True)]
    return {
        "self": bootstrap.share(np.array(true, dtype=np.bool_), everything),
        "parse_rate": bootstrap.share(said, everything),
        "changed": bootstrap.share(changed(behaviors), everything),
        **errors(claims[np.newaxis], behaviors[np.newaxis], weights, bootstrap, everything),
    }
