"""What every task says first."""

from __future__ import annotations

from coupling.config.section import Section


class Kinded(Section):
    """A section of one kind among several. Named last among the bases, so that its field comes first."""

    kind: str
