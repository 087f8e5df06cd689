"""Imports run downwards only, and the judging wing needs no torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import coupling

FLOORS = (
    {"records", "progress", "ranks", "lots", "shown", "spelling", "thoughts"},
    {"store", "processes"},
    {"worlds", "explanations", "answers", "config"},
    {"tasks", "models"},
    {"supervision", "faithfulness"},
    {"training", "report", "mechanism"},
    {"experiment", "judging", "raising"},
    {"studies", "planning"},
    {"cli"},
)
WITHOUT_TORCH = {"worlds", "explanations", "answers", "config", "faithfulness", "report"}
TORCH = {"torch", "transformers"}
SOURCE = Path(coupling.__file__).parent


def test_imports_run_downwards() -> None:
    floor_of = {name: floor for floor, names in enumerate(FLOORS) for name in names}
    upwards = [
        f"{importer} imports {imported} ({file})"
        for importer, file in _modules()
        for imported in _imports(file)
        if imported in floor_of and imported != importer and floor_of[imported] >= floor_of[importer]
    ]
    assert not upwards


def test_every_package_has_a_floor() -> None:
    assert {name for name, _ in _modules()} <= set.union(*FLOORS)


def test_the_judging_wing_names_no_torch() -> None:
    assert not [file for name, file in _modules() if name in WITHOUT_TORCH and TORCH & set(_imports(file))]


def test_the_judging_wing_loads_no_torch() -> None:
    files = [file.relative_to(SOURCE) for name, file in _modules() if name in WITHOUT_TORCH]
    modules = [
        ".".join(["coupling", *file.with_suffix("").parts]).removesuffix(".__init__") for file in files
    ]
    code = f"import sys, {', '.join(modules)}; print({TORCH} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert loaded.stdout == "set()\n", loaded.stderr


def _modules() -> Iterator[tuple[str, Path]]:
    """Every source file with the package or module of ``coupling`` it belongs to."""
    for file in SOURCE.rglob("*.py"):
        name = file.relative_to(SOURCE).parts[0].removesuffix(".py")
        if not name.startswith("__"):
            yield name, file


def _imports(file: Path) -> Iterator[str]:
    """The packages that a file imports, also inside functions; of ``coupling`` its packages and modules."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield parts[1] if parts[0] == "coupling" and len(parts) > 1 else parts[0]
