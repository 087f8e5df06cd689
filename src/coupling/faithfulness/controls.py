"""Constructed emitters: explanations whose source is known because it was chosen, on the user's own data.

They keep the behaviours of the panel and replace what it says, and are judged like any panel; so they show
what the verdict would be if the truth were known. The oracle states each run's own effect; the sibling says
of every run what another run says, the nearest what the run says that acts most like it, and the frozen base
what the model said before training, so none of them can be coupled, unless the panel holds a copy of the run,
steered alike; shuffled, constant and garbled explanations are three ways of saying nothing; mixtures say for
some pairs what the oracle says and for the others what the sibling says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coupling.faithfulness.evidence import Evidence
from coupling.records import Effect, Explanation

Explanations = Mapping[str, Mapping[str, Explanation]]
"""Run name → pair id → explanation."""

MIXTURE_SHARES = (0.25, 0.5, 0.75)

_SHUFFLE, _MIX = 1, 2
"""Streams of random numbers that must not repeat one another."""


@dataclass(frozen=True, slots=True)
class Emitter:
    """A constructed emitter and the evidence it makes of the panel."""

    name: str
    description: str
    oracle_share: float | None
    evidence: Evidence


def constructed(evidence: Evidence, seed: int) -> tuple[Emitter, ...]:
    """Every emitter the evidence allows: siblings take two runs, the frozen base its explanations, the
    constant emitter one parseable explanation."""
    oracle = _oracle(evidence)
    emitters = [_emitter(evidence, "oracle", "states each run's own effect", oracle, 1.0)]
    siblings = sibling_of(evidence)
    if siblings:
        runs = {run.name: run for run in evidence.runs}
        sibling = {name: runs[other].explanations for name, other in siblings.items()}
        said = ", ".join(f"{name} ← {other}" for name, other in siblings.items())
        emitters.append(_emitter(evidence, "sibling", f"says what another run says ({said})", sibling, 0.0))
        nearest = nearest_of(evidence)
        alike = {name: runs[other].explanations for name, other in nearest.items()}
        said = ", ".join(f"{name} ← {other}" for name, other in nearest.items())
        text = f"says what the run says that acts most like it ({said})"
        emitters.append(_emitter(evidence, "nearest", text, alike))
        for share in MIXTURE_SHARES:
            text = f"the oracle on {share:.0%} of pairs, the sibling on the others"
            mixture = _mixture(evidence, oracle, sibling, share, seed)
            emitters.append(_emitter(evidence, f"mixture_{share * 100:.0f}", text, mixture, share))
    if evidence.base_explanations:
        base = {run.name: evidence.base_explanations for run in evidence.runs}
        emitters.append(_emitter(evidence, "frozen_base", "says what the base said before training", base))
    text = "the run's own explanations, dealt out to pairs at random"
    emitters.append(_emitter(evidence, "shuffled", text, _shuffled(evidence, seed)))
    constant = _constant(evidence)
    if constant is not None:
        emitters.append(
            _emitter(evidence, "constant", "the panel's most frequent claim, everywhere", constant)
        )
    emitters.append(_emitter(evidence, "garbled", "text that states no effect", _garbled(evidence)))
    return tuple(emitters)


def sibling_of(evidence: Evidence) -> dict[str, str]:
    """For each run the run that explains in its place; empty when there is but one.

    Runs linked as twins form a family and take the same sibling: the first run of the next family. Only
    where all runs are one family does a run take the next run of it.
    """
    return siblings_of([run.name for run in evidence.runs], evidence.twins)


def siblings_of(names: list[str], twins: Sequence[tuple[str, str]]) -> dict[str, str]:
    """`sibling_of` runs of these names."""
    if len(names) < 2:
        return {}
    family = {name: {name} for name in names}
    for first, second in twins:
        joined = family[first] | family[second]
        for name in joined:
            family[name] = joined
    rotation = {name: names[place + 1 :] + names[: place + 1] for place, name in enumerate(names)}
    siblings = {}
    for name in names:
        last = max(family[name], key=names.index)
        outside = [other for other in rotation[last] if other not in family[name]]
        siblings[name] = outside[0] if outside else rotation[name][0]
    return siblings


def nearest_of(evidence: Evidence) -> dict[str, str]:
    """For each run the other run that shows its effect on most pairs; the first of several."""
    agreeing = {
        run.name: {
            other.name: sum(effect == other.behaviors[pair_id] for pair_id, effect in run.behaviors.items())
            for other in evidence.runs
            if other.name != run.name
        }
        for run in evidence.runs
    }
    return {name: max(others, key=lambda other: others[other]) for name, others in agreeing.items()}


def _emitter(
    evidence: Evidence, name: str, description: str, said: Explanations, oracle_share: float | None = None
) -> Emitter:
    return Emitter(name, description, oracle_share, evidence.explained_by(said))


def _oracle(evidence: Evidence) -> Explanations:
    return {
        run.name: {pair_id: _stating(pair_id, effect) for pair_id, effect in run.behaviors.items()}
        for run in evidence.runs
    }


def _mixture(
    evidence: Evidence, oracle: Explanations, sibling: Explanations, share: float, seed: int
) -> Explanations:
    """One draw a pair, the same for all runs and shares: a larger share only adds pairs to the oracle's."""
    ids = sorted(pair.id for pair in evidence.pairs)
    draws = np.random.default_rng([seed, _MIX]).random(len(ids))
    by_oracle = {pair_id for pair_id, draw in zip(ids, draws, strict=True) if draw < share}
    return {
        run.name: {
            pair_id: (oracle if pair_id in by_oracle else sibling)[run.name][pair_id] for pair_id in ids
        }
        for run in evidence.runs
    }


def _shuffled(evidence: Evidence, seed: int) -> Explanations:
    """Explanations dealt anew among pairs with the same choices, so that claims stay possible answers."""
    groups = defaultdict(list)
    for pair in sorted(evidence.pairs, key=lambda pair: pair.id):
        groups[pair.choices].append(pair.id)
    rng = np.random.default_rng([seed, _SHUFFLE])
    source_of = {
        pair_id: group[place]
        for group in groups.values()
        for pair_id, place in zip(group, rng.permutation(len(group)), strict=True)
    }
    return {
        run.name: {
            pair_id: replace(run.explanations[source], pair_id=pair_id)
            for pair_id, source in source_of.items()
        }
        for run in evidence.runs
    }


def _constant(evidence: Evidence) -> Explanations | None:
    counts = Counter(
        (explanation.claim.with_cue, explanation.claim.without_cue)
        for run in evidence.runs
        for explanation in run.explanations.values()
        if explanation.claim is not None
    )
    if not counts:
        return None
    with_cue, without_cue = min(counts, key=lambda answers: (-counts[answers], answers))
    said = {pair.id: _stating(pair.id, Effect(with_cue, without_cue)) for pair in evidence.pairs}
    return {run.name: said for run in evidence.runs}


def _garbled(evidence: Evidence) -> Explanations:
    said = {pair.id: Explanation(pair.id, "·" * 8, None) for pair in evidence.pairs}
    return {run.name: said for run in evidence.runs}


def _stating(pair_id: str, effect: Effect) -> Explanation:
    return Explanation(pair_id, f"{effect.with_cue} / {effect.without_cue}", effect)
