"""Who is asked the paper's claims: the organisms, or one real model.

A subject has arms and claims of its own. How arms are run, pooled over cases and told of is the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from coupling.config import ExperimentConfig
from coupling.progress import Progress
from coupling.studies.claims.asking import Claim, Untested
from coupling.studies.claims.cases import Arm, Case

Waves = Sequence[Sequence[Arm]]


@dataclass(frozen=True, slots=True)
class Words:
    """What pages call a subject and its cases."""

    title: str
    command: str
    """That writes the page."""
    asked: str
    """Who is asked, and on what."""
    pooled: str
    """How one estimate comes of several cases."""
    here: str
    """Where a claim that is contradicted does not hold: in …"""
    decided: str
    """What else a reader must know of how claims are decided."""
    few: str
    """Why few cases decide little."""
    case_columns: str
    """Heads the column that numbers cases."""
    alone: str
    """Heads how a claim stands by each case alone."""
    by_case: str
    """Heads the section with each case's figures."""
    by_case_asked: str
    """How these are asked."""
    similarity: str
    """What is drawn over the similarity of labels and behaviour."""


class Subject(Protocol):
    """Who is asked."""

    @property
    def name(self) -> str:
        """As ``claims.json`` calls it."""

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All experiments that claims rest on."""

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Of the paper."""

    @property
    def beyond(self) -> tuple[Claim, ...]:
        """What we ask beside it."""

    @property
    def untested(self) -> tuple[Untested, ...]:
        """What it cannot be asked."""

    @property
    def similarity_arms(self) -> tuple[str, ...]:
        """Arms in which labels and behaviour agree on more pairs or on fewer."""

    @property
    def words(self) -> Words:
        """What pages call it."""

    def experiment(self, arm: Arm, case: Case) -> ExperimentConfig:
        """The experiment of an arm in one case."""

    def waves(self, arms: Sequence[Arm]) -> Waves:
        """The arms, and those that they build upon, in the order in which they must be run: each wave needs
        what the waves before it leave."""

    def prepare(self, arms: Sequence[Arm], cases: Sequence[Case], workers: int, progress: Progress) -> None:
        """Provides what the arms start from, or makes sure that it is there.

        Raises:
            ValueError: something is missing that only the user can provide.
        """


def every_claim(subject: Subject) -> tuple[Claim, ...]:
    return (*subject.claims, *subject.beyond)


def chosen_arms(subject: Subject, names: Sequence[str] | None, is_quick: bool) -> tuple[Arm, ...]:
    """The arms of a version, or those of them that are named.

    Raises:
        ValueError: an arm is named that there is not.
    """
    arms = tuple(arm for arm in subject.arms if arm.is_quick or not is_quick)
    if names is None:
        return arms
    known = [arm.name for arm in arms]
    for name in names:
        if name not in known:
            version = "the quick version of this subject" if is_quick else "this subject"
            raise ValueError(f"--only {name}: {version} has no such arm; there are {', '.join(known)}")
    return tuple(arm for arm in arms if arm.name in names)
