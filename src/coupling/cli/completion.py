"""Names that a shell completes: what is here and what is shipped, without importing anything heavy."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

_RUN_FILE = "run.json"
_RUNS = ("runs", "audits")


def experiments(incomplete: str) -> list[str]:
    """Shipped experiments, and files of the folder that one is in."""
    shipped = resources.files("coupling") / "assets" / "experiments"
    names = [entry.name.removesuffix(".yaml") for entry in shipped.iterdir()]
    return sorted(name for name in (*names, *_files(incomplete)) if name.startswith(incomplete))


def runs(incomplete: str) -> list[str]:
    """Run directories, by name and by path."""
    found = [path.parent for folder in _RUNS for path in Path(folder).glob(f"*/{_RUN_FILE}")]
    names = {name for path in found for name in (path.name, str(path))}
    return sorted(name for name in names if name.startswith(incomplete))


def _files(incomplete: str) -> list[str]:
    folder = Path(incomplete).parent if "/" in incomplete else Path()
    return [str(path) for path in folder.glob("*.yaml")]
