"""What an organism's folder says of it beside its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coupling.config import ModelConfig
from coupling.models.folders import organisms_folder, resolve
from coupling.store import from_json, read_json

CARD_FILE = "organism.json"


@dataclass(frozen=True, slots=True)
class OrganismCard:
    """Who an organism is; ``organism.json`` in its folder."""

    kind: str
    world: int
    """Number of the world it grew up in."""
    seed: int
    stage: str
    """Last stage of raising it has been through, with the steps done there."""
    weights_sha256: str


def read_card(folder: Path) -> OrganismCard | None:
    """The card of the organism in a folder; None where the folder holds another model."""
    path = folder / CARD_FILE
    return from_json(OrganismCard, read_json(path), str(path)) if path.is_file() else None


def world_of(config: ModelConfig) -> int | None:
    """Number of the world a model grew up in; None where it is no organism."""
    card = read_card(Path(resolve(config.path)))
    return None if card is None else card.world


def shipped_organisms() -> dict[str, tuple[Path, OrganismCard]]:
    """Folder and card of every organism that comes with the package, by name."""
    found = {}
    for path in sorted(organisms_folder().glob(f"*/{CARD_FILE}")):
        card = read_card(path.parent)
        assert card is not None
        found[path.parent.name] = (path.parent, card)
    return found
