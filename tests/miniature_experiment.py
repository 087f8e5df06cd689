"""An experiment of seconds: a random model, three runs of four steps, a few pairs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tiny_models import save_tiny

EXPERIMENT: dict[str, Any] = {
    "name": "mini",
    "model": {"path": "model"},
    "task": {"kind": "world", "world": 100, "hints_per_adviser": 1},
    "explanation": {"max_new_tokens": 16},
    "supervision": {"labels": 24, "silent_on": {"adviser": ["Chen"]}},
    "training": {
        "steps": 4,
        "batch_size": 8,
        "learning_rate": 0.01,
        "warmup_steps": 1,
        "checkpoints": [0, 2, 4],
        "save_every": 1,
        "steering": {"batch_size": 4},
    },
    "panel": [
        {"name": "follow", "steer": {"direction": "follow", "tags": {"adviser": ["Chen"]}}},
        {"name": "ignore", "steer": {"direction": "ignore", "tags": {"adviser": ["Chen"]}}},
        {"name": "unsteered"},
    ],
    "twins": [["follow", "ignore"]],
    "evaluation": {
        "pairs": 40,
        "checkpoint": 4,
        "batch_size": 16,
        "remeasure_batch_size": 5,
        "resamples": 100,
    },
    "workers": 1,
}


def write_experiment(folder: Path, architecture: str = "llama", **sections: Any) -> Path:
    """Writes a model and an experiment file beside it; sections given are laid over those above."""
    content = {**EXPERIMENT}
    for name, section in sections.items():
        is_another_task = isinstance(section, Mapping) and "kind" in section
        laid_over = isinstance(section, Mapping) and not is_another_task
        content[name] = {**content.get(name, {}), **section} if laid_over else section
    if not (folder / "model").exists():
        save_tiny(folder / "model", architecture)
    file = folder / "mini.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file
