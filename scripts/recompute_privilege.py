"""Compute P of a run directory anew, from its artifacts, by other code and another optimiser.

    python scripts/recompute_privilege.py runs/quickstart

It follows the definition in docs/judging.md, and neither it nor `privilege_inputs.py` imports ``coupling``.
The program fits its observers by Newton's method over padded arrays; here rows are ragged, and scipy
minimises by L-BFGS and then by conjugate gradients, until no slope is above `SLOPE`. Prints every figure
beside that of ``results.json``; exits with 1 where two differ by more than `TOLERANCE` bits. Intervals are
not compared.

It covers experiments whose labels state the effects of one source (no mix).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from privilege_inputs import (
    SIDES,
    Array,
    Panel,
    frequent_answers,
    frequent_tags,
    nearest_of,
    read_panel,
    shared_features,
    single_features,
    votes,
)
from scipy import sparse
from scipy.optimize import minimize, minimize_scalar
from scipy.sparse.linalg import LinearOperator, cg

TOLERANCE = 1e-6
SLOPE = 1e-6
"""In nats per unit of a weight, where a fit counts as found."""
FOLDS, DEALS = 7, (0, 1)
SHARED, OWN, SCALE, TRUST = 3.0, 30.0, 1.0, 1.0
"""Ridges."""


@dataclass
class Choices:
    """Rows of choices, one below the other: row i has those of ``starts[i]`` up to ``starts[i + 1]``."""

    features: Array
    starts: Array
    made: Array
    """Place of the choice that is made, among all."""
    pair_of: Array
    """Row → number of its pair."""

    @classmethod
    def stacked(cls, rows: Sequence[Array], made: Sequence[int], pairs: Sequence[int]) -> Choices:
        starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        return cls(np.concatenate(rows), starts, starts[:-1] + np.array(made), np.array(pairs))

    def log_probabilities(self, weights: Array) -> Array:
        return self._normalised(self.features @ weights)

    def _normalised(self, utilities: Array) -> Array:
        begins, lengths = self.starts[:-1], np.diff(self.starts)
        utilities = utilities - np.repeat(np.maximum.reduceat(utilities, begins), lengths)
        return np.asarray(utilities - np.repeat(np.log(np.add.reduceat(np.exp(utilities), begins)), lengths))

    def fit(self, counted: Array, ridge: float, around: Array, start: Array) -> Array:
        """The weights that make the choices of the ``counted`` rows likeliest, held to ``around``."""
        begins, lengths = self.starts[:-1], np.diff(self.starts)
        weight_of = np.repeat(counted.astype(float), lengths)
        features, made = sparse.csr_array(self.features), self.made[counted]
        transposed = sparse.csr_array(features.T)
        of_made = self.features[made].sum(axis=0)

        def loss(weights: Array) -> tuple[float, Array]:
            log_p = self._normalised(features @ weights)
            off = weights - around
            value = -log_p[made].sum() + ridge / 2 * off @ off
            return float(value), transposed @ (np.exp(log_p) * weight_of) - of_made + ridge * off

        def curvature(weights: Array) -> LinearOperator:
            chance = np.exp(self._normalised(features @ weights))

            def times(direction: Array) -> Array:
                along = features @ direction
                mean = np.add.reduceat(chance * along, begins)
                spread = chance * (along - np.repeat(mean, lengths)) * weight_of
                return np.asarray(transposed @ spread + ridge * direction)

            return LinearOperator((len(weights),) * 2, times, dtype=float)

        found = minimize(
            loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-3}
        ).x
        # Rounding of the loss ends a search along lines too early; the slope is more exact than that.
        for _ in range(5):
            slope = loss(found)[1]
            if np.abs(slope).max() <= SLOPE:
                return np.asarray(found)
            found = found - cg(curvature(found), slope, rtol=1e-6)[0]
        raise SystemExit(f"a fit did not end: its slope is {np.abs(slope).max():.1e}")


def folds_of(panel: Panel, seed: int) -> Array:
    count = int(panel.cluster_of.max()) + 1
    return np.asarray((np.random.default_rng(seed).permutation(count) % FOLDS)[panel.cluster_of])


def choices_of(panel: Panel, run: int, side: str, features: Callable[[int], list[Array]]) -> Choices:
    rows = range(len(panel.pairs))
    made = [panel.pairs[row]["choices"].index(panel.runs[run].answers[row][side]) for row in rows]
    return Choices.stacked([np.stack(features(row), axis=-1) for row in rows], made, list(rows))


def joined(parts: Sequence[Choices]) -> Choices:
    offsets = np.cumsum([0, *(len(part.features) for part in parts[:-1])])
    return Choices(
        np.concatenate([part.features for part in parts]),
        np.concatenate(
            [[0], *(part.starts[1:] + offset for part, offset in zip(parts, offsets, strict=True))]
        ),
        np.concatenate([part.made + offset for part, offset in zip(parts, offsets, strict=True)]),
        np.concatenate([part.pair_of for part in parts]),
    )


def unscaled(panel: Panel, beyond: bool, deals: Sequence[Array]) -> list[list[Choices]]:
    """Of each deal: a `Choices` for each side and run (sides first), whose one feature is what the observer
    expects of each choice, in nats."""
    tags, answers = frequent_tags(panel), frequent_answers(panel)
    found: list[list[Choices]] = [[] for _ in deals]
    for side in SIDES:
        shared = []
        for run in range(len(panel.runs)):

            def features(row: int, run: int = run, side: str = side) -> list[Array]:
                known = shared_features(panel, row, run, side, tags, answers)
                return known + (votes(panel, row, run, side) if beyond else [])

            shared.append(choices_of(panel, run, side, features))
        everybody = joined(shared)
        width = everybody.features.shape[1]
        nowhere = np.zeros(width)
        start = everybody.fit(np.ones(len(everybody.made), dtype=bool), SHARED, nowhere, nowhere)
        centres = [
            [everybody.fit(deal[everybody.pair_of] != fold, SHARED, nowhere, start) for fold in range(FOLDS)]
            for deal in deals
        ]
        for run, choices in enumerate(shared):
            if beyond:
                nearest = nearest_of(panel, run)
                of_single = [
                    np.stack(single_features(panel, row, nearest, side), axis=-1)
                    for row in range(len(panel.pairs))
                ]
                choices.features = np.concatenate([choices.features, np.concatenate(of_single)], axis=1)
            for number, deal in enumerate(deals):
                expected = np.empty(len(choices.features))
                for fold in range(FOLDS):
                    centre = np.pad(centres[number][fold], (0, choices.features.shape[1] - width))
                    weights = choices.fit(deal != fold, OWN, centre, centre)
                    asked = np.repeat(deal == fold, np.diff(choices.starts))
                    expected[asked] = choices.log_probabilities(weights)[asked]
                found[number].append(
                    Choices(expected[:, np.newaxis], choices.starts, choices.made, choices.pair_of)
                )
    return found


def scaled(parts: Sequence[Choices], deal: Array) -> list[Array]:
    """Log-probabilities of each part once all are multiplied by a number learned on the other folds."""
    everything = joined(parts)
    one = np.ones(1)
    scales = np.array(
        [everything.fit(deal[everything.pair_of] != fold, SCALE, one, one)[0] for fold in range(FOLDS)]
    )
    found = []
    for part in parts:
        of_choice = np.repeat(scales[deal[part.pair_of]], np.diff(part.starts))
        rescaled = Choices(part.features * of_choice[:, np.newaxis], part.starts, part.made, part.pair_of)
        found.append(rescaled.log_probabilities(one))
    return found


def observers(panel: Panel, beyond: bool) -> list[tuple[Array, list[list[Array]]]]:
    """Of each deal: the fold of each pair, and log-probabilities, side by side, run by run, choice by
    choice."""
    deals = [folds_of(panel, seed) for seed in DEALS]
    found = []
    for deal, parts in zip(deals, unscaled(panel, beyond, deals), strict=True):
        flat = scaled(parts, deal)
        count = len(panel.runs)
        found.append((deal, [flat[side * count : (side + 1) * count] for side in range(len(SIDES))]))
    return found


def worth(panel: Panel, observer: tuple[Array, list[list[Array]]]) -> tuple[Array, Array]:
    """What own claims are worth, and what the observer does not know, in bits: of each run and pair."""
    deal, log_probabilities = observer
    gains, unknown = (np.zeros((len(panel.runs), len(panel.pairs))) for _ in range(2))
    starts = np.cumsum([0, *(len(pair["choices"]) for pair in panel.pairs)])
    for side, of_side in zip(SIDES, log_probabilities, strict=True):
        groups: dict[bool, list[tuple[int, int, float, bool]]] = {True: [], False: []}
        for run, me in enumerate(panel.runs):
            for row, pair in enumerate(panel.pairs):
                expected = of_side[run][starts[row] : starts[row + 1]]
                unknown[run, row] -= expected[pair["choices"].index(me.answers[row][side])]
                claim = me.claims[row].get(side)
                if claim in pair["choices"]:
                    chance = float(np.exp(expected[pair["choices"].index(claim)]))
                    hit = claim == me.answers[row][side]
                    groups[claim == pair["cue_value"]].append((run, row, chance, hit))
        for group in groups.values():
            if not group:
                continue
            runs, rows, chances, hits = (np.array(each) for each in zip(*group, strict=True))
            for fold in range(FOLDS):
                held_out = deal[rows] == fold
                trust = trust_in(chances[~held_out], hits[~held_out])
                gain = trust * hits - np.log(1 + chances * (np.exp(trust) - 1))
                gains[runs[held_out], rows[held_out]] += gain[held_out]
    return gains / np.log(2), unknown / np.log(2)


def trust_in(chances: Array, hits: Array) -> float:
    """How far claims are to be trusted: the logarithm of the factor of the odds of what is claimed."""

    def loss(trust: float) -> float:
        return float(TRUST / 2 * trust**2 - (trust * hits - np.log(1 + chances * (np.exp(trust) - 1))).sum())

    def slope(trust: float) -> float:
        informed = chances * np.exp(trust) / (1 + chances * (np.exp(trust) - 1))
        return float(TRUST * trust + (informed - hits).sum())

    near = float(minimize_scalar(loss, bracket=(-1.0, 1.0)).x)
    low, high = near - 0.1, near + 0.1
    for _ in range(100):  # The slope rises: halving finds where it is 0 more exactly than the loss can.
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return (low + high) / 2


def recomputed(panel: Panel) -> dict[str, Array]:
    """Figure → of each run and pair, in bits."""
    alone = [worth(panel, each)[0] for each in observers(panel, beyond=False)]
    found = {"p_alone": np.mean(alone, axis=0)}
    if len(panel.runs) > 1:
        both = [worth(panel, each) for each in observers(panel, beyond=True)]
        found["p"] = np.mean([gains for gains, _ in both], axis=0)
        found["p_unknown"] = np.mean([unknown for _, unknown in both], axis=0)
        found["p_shared"] = found["p_alone"] - found["p"]
    return found


def main(root: Path, results: Path) -> int:
    config = json.loads((root / "run.json").read_text(encoding="utf-8"))["config"]
    held = json.loads(results.read_text(encoding="utf-8"))
    panel = read_panel(root, held["step"], config)
    told = {
        (row["figure"], row["run"]): row["estimate"]["value"]
        for row in held["rows"]
        if (row["step"], row["subset"], row["explainer"]) == (held["step"], "all", "own")
    }
    steered = [run for run, me in enumerate(panel.runs) if me.is_steered]
    pooled = {"all runs": list(range(len(panel.runs)))}
    pooled |= {"all steered runs": steered} if steered else {}
    pooled |= {me.name: [run] for run, me in enumerate(panel.runs)}
    greatest = 0.0
    print(f"{len(panel.pairs)} pairs of {int(panel.cluster_of.max()) + 1} clusters, {len(panel.runs)} runs")
    for figure, values in recomputed(panel).items():
        for name, numbers in pooled.items():
            if (figure, name) not in told:
                raise SystemExit(f"{results}: holds no {figure} of {name}; evaluate the experiment again")
            anew, before = float(values[numbers].mean()), told[figure, name]
            greatest = max(greatest, abs(anew - before))
            print(f"{figure:10} {name:20} {anew:+.9f} {before:+.9f} {anew - before:+.1e}")
    print(f"greatest difference {greatest:.1e} bits; {TOLERANCE:.0e} may be")
    return 0 if greatest <= TOLERANCE else 1


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    directory = Path(sys.argv[1])
    sys.exit(main(directory, Path(sys.argv[2]) if len(sys.argv) == 3 else directory / "results.json"))
