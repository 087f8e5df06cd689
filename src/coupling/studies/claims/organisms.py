"""The organisms as a subject: the same kinds in several worlds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coupling.config import ExperimentConfig, limited
from coupling.processes import side_by_side
from coupling.progress import Progress
from coupling.raising import raise_organism
from coupling.studies.claims.arms import ARMS, experiment_of, organisms_needed
from coupling.studies.claims.asking import Claim, Untested
from coupling.studies.claims.cases import Arm, Case
from coupling.studies.claims.subject import Waves, Words
from coupling.studies.claims.table import BEYOND, CLAIMS, LIKENESS, UNTESTED

WORLDS = (0, 1, 2)
QUICK_WORLDS = (0,)
WORDS = Words(
    title="The paper's claims, and what organisms show",
    command="coupling claims",
    asked=(
        "The model is the coupled organism of each world (0.4 million parameters), which explains itself "
        "before any of this training (see Self at step 0); arms called plain take one that does not, and "
        "third-person one that grew up explaining others. Every figure stands on held-out countries."
    ),
    pooled=(
        "A claim is decided by pooled estimates: the mean over worlds, seeds of a world averaged first, and "
        "the wider of a t-interval over worlds and the interval from resampled countries. With fewer than "
        "three worlds an interval says little of other worlds."
    ),
    here="these organisms",
    decided=(
        "A shift is followed where P of the steered runs, the bits that explanations tell beyond what an "
        "outsider knows, lies above 0; T is told beside it. "
        "The program was built on worlds 0 to 2, so this page is no test on fresh ones."
    ),
    few="With few worlds that asks for much: with three, t has two degrees of freedom.",
    case_columns="world, seed",
    alone="each world alone",
    by_case="World by world",
    by_case_asked=(
        "Each question in each world and seed, with the interval from resampled countries, and how it would "
        "stand by that world alone. n/a: not measured there; the verdicts of the arms say why. This is no "
        "vote: the pooled column decides."
    ),
    similarity=(
        "Δ of three unsteered runs over their similarity to the model whose behaviour the labels state, one "
        "point a world: own labels, and labels of another world, alone or mixed with own ones."
    ),
)


@dataclass(frozen=True, slots=True)
class Organisms:
    """A `Subject`."""

    folder: Path
    """Where organisms of worlds that do not ship are raised."""
    limit: int | None = None
    """Labels and evaluated pairs of an experiment, at the most; None leaves that to the arms."""
    arms: tuple[Arm, ...] = ARMS
    claims: tuple[Claim, ...] = CLAIMS
    beyond: tuple[Claim, ...] = BEYOND
    untested: tuple[Untested, ...] = UNTESTED
    similarity_arms: tuple[str, ...] = LIKENESS
    words: Words = WORDS
    name: str = "organisms"

    def experiment(self, arm: Arm, case: Case) -> ExperimentConfig:
        assert case.world is not None, "organisms live in worlds"
        config = experiment_of(arm, case.world, case.seed, self.folder)
        return config if self.limit is None else limited(config, self.limit)

    def waves(self, arms: Sequence[Arm]) -> Waves:
        """One: what arms start from is raised before."""
        return [arms]

    def prepare(self, arms: Sequence[Arm], cases: Sequence[Case], workers: int, progress: Progress) -> None:
        """Raises the organisms that are not there."""
        worlds = sorted({case.world for case in cases if case.world is not None})
        needed = organisms_needed(arms, worlds)
        jobs = [(kind, world, self.folder / f"{kind}-w{world}-s0") for kind, world in needed]
        side_by_side(_raise_one, jobs, workers, progress)


def _raise_one(kind: str, world: int, folder: Path, progress: Progress) -> None:
    raise_organism(kind, world, 0, folder, progress)
