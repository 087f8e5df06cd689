"""A real model as a subject: `smollm2-135m`, or any other that answers questions in words.

It has no worlds. Cases are training seeds: they share labels, held-out pairs and all else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from coupling.config import ExperimentConfig, limited, reseeded, shipped_experiment
from coupling.config.model import told
from coupling.config.yaml_text import dump_inline
from coupling.experiment.artifacts import checkpoint
from coupling.models.catalogue import CATALOGUE, fetched_folder
from coupling.models.folders import DESCRIPTION_FILES, find_folder
from coupling.progress import Progress
from coupling.studies.claims.asking import Claim, Untested
from coupling.studies.claims.cases import SEED_STRIDE, Arm, Case
from coupling.studies.claims.real_arms import (
    BEFORE,
    EXPERIMENT,
    LIKENESS,
    OTHER_FAMILY,
    PAIRS,
    real_arms,
)
from coupling.studies.claims.real_table import UNTESTED, further_claims, paper_claims
from coupling.studies.claims.subject import Waves, Words

SEEDS, QUICK_SEEDS = "0..1", "0"
FAMILIES = {"gemma3-270m": "smollm2-135m"}
"""Model → one of another family, where that is not `FAMILY`."""
FAMILY = "gemma3-270m"


@dataclass(frozen=True, slots=True)
class RealModel:
    """A `Subject`."""

    path: str
    """As ``model.path`` spells it."""
    folder: Path
    """Of the experiments, some of which begin where another ended."""
    limit: int | None
    """Labels and evaluated pairs of an experiment, at the most; None leaves that to the arms."""
    words: Words
    arms: tuple[Arm, ...]
    claims: tuple[Claim, ...]
    beyond: tuple[Claim, ...]
    untested: tuple[Untested, ...] = UNTESTED
    similarity_arms: tuple[str, ...] = LIKENESS

    @property
    def name(self) -> str:
        return short_name(self.path)

    def experiment(self, arm: Arm, case: Case) -> ExperimentConfig:
        assert case.world is None, "a real model lives in no world"
        settings = [
            *arm.settings,
            f"name={arm.experiment_name(case)}",
            f"model.path={dump_inline(self.path)}",
            "workers=1",
        ]
        if arm.model is not None:
            settings.append(self._trained(arm.model, case))
        if arm.target is not None:
            target = self.path if arm.target == BEFORE else other_family(self.path)
            settings.append(f"supervision.target={dump_inline(target)}")
        config = reseeded(shipped_experiment(arm.experiment, settings), SEED_STRIDE * case.seed)
        if config.explanation.examples:
            # Nothing is trained there, so cases would differ in nothing else.
            seed = config.explanation.examples_seed + SEED_STRIDE * case.seed
            explanation = config.explanation.model_copy(update={"examples_seed": seed})
            config = config.model_copy(update={"explanation": explanation})
        return config if self.limit is None else limited(config, self.limit)

    def waves(self, arms: Sequence[Arm]) -> Waves:
        wanted = {arm.name for arm in arms}
        needed = {arm.model for arm in arms if arm.model is not None}
        first = [arm for arm in self.arms if arm.name in wanted | needed and arm.model is None]
        then = [arm for arm in arms if arm.model is not None]
        return [wave for wave in (first, then) if wave]

    def prepare(self, arms: Sequence[Arm], cases: Sequence[Case], workers: int, progress: Progress) -> None:
        """Makes sure that all models are there."""
        _require("--model", self.path)
        others = [arm.name for arm in arms if arm.target == OTHER_FAMILY]
        if not others:
            return
        try:
            _require("supervision.target", other_family(self.path))
        except ValueError as error:
            raise ValueError(
                f"{error}. It labels for {', '.join(others)}; `--only` runs other arms without it"
            ) from error

    def _trained(self, name: str, case: Case) -> str:
        """The setting by which a model is what another arm made of this one."""
        arm = next(each for each in self.arms if each.name == name)
        trained = self.experiment(arm, case)
        (member,) = trained.panel
        where = self.folder / trained.name / checkpoint(member, trained.training.steps)
        field = "model.path" if trained.training.lora is None else "model.adapter"
        return f"{field}={dump_inline(str(where))}"


def real_model(path: str, folder: Path, limit: int | None = None) -> RealModel:
    """The model at ``path`` as a subject; nothing of it is loaded.

    Args:
        folder: of the experiments.
        limit: labels and evaluated pairs of an experiment, at the most.
    """
    steps = shipped_experiment(EXPERIMENT).training.steps
    return RealModel(
        path, folder, limit, _words(path, limit), real_arms(), paper_claims(), further_claims(steps)
    )


def other_family(path: str) -> str:
    """A model of another family than the one at ``path``."""
    return FAMILIES.get(path, FAMILY)


def short_name(path: str) -> str:
    """What files and pages call a model."""
    return PurePath(path).name or path


def _require(field: str, path: str) -> None:
    """Raises ValueError unless a model is there; of a hub model its description is fetched."""
    if path in CATALOGUE and not Path(path).is_dir():
        fetched_folder(path)
    elif not Path(path).is_file():
        find_folder(path, None, field, DESCRIPTION_FILES)


def _words(path: str, limit: int | None) -> Words:
    name = short_name(path)
    size = "" if limit is None else f" --limit {limit}"
    pairs = PAIRS if limit is None else min(limit, PAIRS)
    return Words(
        title=f"The paper's claims, and what {name} shows",
        command=f"coupling claims --model {told(path)}{size}",
        asked=(
            f"The model is {name}, asked in words. Every arm is the experiment smollm2 or smollm2-dilemmas "
            f"with the change that is named below, and {pairs} held-out pairs. Two runs make a panel where "
            "nothing else is said."
        ),
        pooled=(
            "Cases are training seeds: they share labels, hints and held-out pairs. A claim is decided by "
            "pooled estimates: the mean over seeds, with an interval that adds how far seeds lie apart to "
            "the interval from resampled clusters, which all of them share. From three seeds on the former "
            "is a t-interval; with two it takes the normal quantile, and is too narrow where seeds differ. "
            "Nothing here tells of other models, other questions or other hints."
        ),
        here=name,
        decided=(
            "A shift is followed where P of the steered runs, the bits that explanations tell beyond what "
            "an outsider knows, lies above 0; T is told beside it."
        ),
        few="With few seeds that asks for much.",
        case_columns="seed",
        alone="each seed alone",
        by_case="Seed by seed",
        by_case_asked=(
            "Each question with each training seed, with the interval from resampled clusters, and how it "
            "would stand by that seed alone. n/a: not measured there; the verdicts of the arms say why. This "
            "is no vote: the pooled column decides."
        ),
        similarity=(
            "Δ of two unsteered runs over their similarity to the model whose behaviour the labels state, "
            "one point a seed: own labels, and labels of another family, alone or mixed with own ones."
        ),
    )
