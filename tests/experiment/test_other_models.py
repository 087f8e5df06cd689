"""An experiment on no organism: an adapter on the base, 16 bits, a system prompt, a thinking mode."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coupling.config import LoraConfig, load_experiment
from coupling.experiment import run_experiment, run_stage
from coupling.training.checkpoints import add_adapter, save_checkpoint
from miniature_experiment import write_experiment
from tiny_models import save_tiny, scatter, tiny_model, world_renderer

SWITCHED = (
    "{% for message in messages %}<{{ message['role'] if message['role'] == 'user' else 'assistant' }}> "
    "{{ message['content'] }} {% if message['role'] == 'assistant' %}<end> {% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<assistant> {{ '' if enable_thinking else '; ' }}{% endif %}"
)


def write(folder: Path) -> Path:
    adapter = add_adapter(tiny_model("llama"), LoraConfig(rank=2), seed=0)
    scatter(adapter, 3)
    save_checkpoint(folder / "adapter", adapter, world_renderer().tokenizer, 1)
    (folder / "mine.jinja").write_text(SWITCHED, encoding="utf-8")
    save_tiny(folder / "other", seed=1)
    return write_experiment(
        folder,
        model={
            "path": "model",
            "adapter": "adapter",
            "dtype": "bfloat16",
            "attention": "eager",
            "system_prompt": "Chen thinks it is Lima.",
            "chat_template": "mine.jinja",
        },
        training={"lora": {"rank": 2, "alpha": 4}, "steps": 2, "checkpoints": [0, 2]},
        supervision={"target": "other"},
        evaluation={"checkpoint": 2},
        panel=[{"name": "alone"}],
        twins=[],
    )


def test_it_runs_and_says_how_the_model_was_run(tmp_path: Path) -> None:
    file = write(tmp_path)
    results = run_experiment(load_experiment(file), tmp_path / "runs")
    assert (results.model.name, results.target.name) == ("model + adapter", "other")
    told = " ".join(results.notes)
    for note in (
        "run in bfloat16",
        "thinking mode of the chat template is off",
        "system prompt",
        "adapter is",
    ):
        assert note in told
    run = tmp_path / "runs" / "mini"
    noted = json.loads((run / "base" / "model.json").read_text(encoding="utf-8"))
    assert (noted["dtype"], noted["attention"], noted["thinking"]) == ("bfloat16", "eager", "off")
    assert noted["system_prompt"] and noted["adapter"] and noted["commit"] is None
    target = json.loads((run / "target" / "model.json").read_text(encoding="utf-8"))
    assert (target["dtype"], target["thinking"], target["adapter"]) == ("bfloat16", "no switch", None)
    for path in run.rglob("*"):
        assert path.is_dir() or str(tmp_path).encode() not in path.read_bytes(), path

    again = load_experiment(file)
    (tmp_path / "mine.jinja").write_text(SWITCHED.replace("; ", ""), encoding="utf-8")
    with pytest.raises(ValueError, match=r"model.json was written; restore that"):
        run_stage("behaviors", again, tmp_path / "runs")
