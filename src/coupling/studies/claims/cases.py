"""What is run: arms, each in several cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SEED_STRIDE = 10
"""Seeds of one case of the claims lie so far from those of the next, since panels use several."""


@dataclass(frozen=True, slots=True)
class Case:
    """Where an arm was run."""

    world: int | None
    """None of a subject that has no worlds: then cases differ in their training seeds alone."""
    seed: int
    """Counts the cases of one world, or of a subject without worlds."""

    @property
    def words(self) -> str:
        return f"seed {self.seed}" if self.world is None else f"world {self.world}, seed {self.seed}"

    @property
    def numbers(self) -> str:
        return f"{self.seed}" if self.world is None else f"{self.world}, {self.seed}"

    @property
    def folder(self) -> str:
        """What the names of its experiments end in."""
        return f"s{self.seed}" if self.world is None else f"w{self.world}-s{self.seed}"


@dataclass(frozen=True, slots=True)
class Arm:
    """One experiment, to be run in every case."""

    name: str
    experiment: str
    """Shipped experiment that it starts from."""
    settings: tuple[str, ...]
    target: str | None = None
    """Whose behaviour the labels state, as the subject calls it; None leaves that to the experiment."""
    model: str | None = None
    """What is trained, as the subject calls it; None for the subject's usual model."""
    is_quick: bool = False
    """Whether the quick version runs it."""
    is_patched: bool = False
    """Whether its unsteered run is patched, before and after training."""
    words: str = ""
    """What sets it apart, for the page; empty where that is told elsewhere."""

    def experiment_name(self, case: Case) -> str:
        return f"{self.name}-{case.folder}"


def told_together(cases: Sequence[Case]) -> str:
    """Cases in a sentence."""
    if any(case.world is None for case in cases):
        return f"training seeds {', '.join(str(case.seed) for case in cases)}"
    return f"worlds {', '.join(f'{case.world} (seed {case.seed})' for case in cases)}"


def counted_together(cases: Sequence[Case]) -> str:
    """What cases there are, for a heading."""
    has_worlds = all(case.world is not None for case in cases)
    if len(cases) == 1:
        return "one world" if has_worlds else "one training seed"
    return f"{len(cases)} {'worlds and seeds' if has_worlds else 'training seeds'}"
