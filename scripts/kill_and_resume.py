"""Kills an experiment at random moments, repeats the command until it ends, and compares what comes out.

    python scripts/kill_and_resume.py                       # a miniature experiment, 50 times
    python scripts/kill_and_resume.py --trials 3 --experiment src/coupling/assets/experiments/quickstart.yaml

An uninterrupted run gives the results that are right, and its duration. Each trial then starts in a folder of
its own and gets SIGKILL at moments drawn uniformly from that duration: the command alone, whose workers must
end by themselves. Then the same command is left to end, and must give the same results.json, byte for byte.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

MINIATURE = """\
name: miniature
model: {path: model}
task: {kind: world, world: 100, hints_per_adviser: 1}
explanation: {max_new_tokens: 16}
supervision: {labels: 64, silent_on: {adviser: [Chen]}}
training:
  steps: 24
  batch_size: 16
  warmup_steps: 2
  checkpoints: [0, 6, 12, 24]
  save_every: 2
  steering: {batch_size: 8}
panel:
  - {name: follow-chen, steer: {direction: follow, tags: {adviser: [Chen]}}}
  - {name: ignore-chen, steer: {direction: ignore, tags: {adviser: [Chen]}}}
  - {name: unsteered}
twins:
  - [follow-chen, ignore-chen]
evaluation: {pairs: 200, checkpoint: 24, batch_size: 32, remeasure_batch_size: 7, resamples: 200}
readers:
  language_model: {steps: 24, batch_size: 16, warmup_steps: 2}
"""


@dataclass(frozen=True)
class Command:
    """``coupling run`` of one experiment file."""

    file: Path
    overrides: tuple[str, ...]

    def start(self, runs_dir: Path) -> subprocess.Popen[bytes]:
        runs_dir.mkdir(parents=True, exist_ok=True)
        options = [part for override in self.overrides for part in ("--set", override)]
        arguments = ["run", str(self.file), "--json", "--runs-dir", str(runs_dir), *options]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        with (runs_dir / "stdout").open("wb") as out, (runs_dir / "stderr").open("wb") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "coupling", *arguments], stdout=out, stderr=err, env=environment
            )

    def run_to_its_end(self, runs_dir: Path) -> bytes:
        """The bytes of results.json."""
        process = self.start(runs_dir)
        try:
            code = process.wait()
        finally:
            process.kill()
        if code:
            told = (runs_dir / "stderr").read_text(encoding="utf-8")
            raise RuntimeError(f"exit code {code} in {runs_dir}:\n{told}")
        (results,) = runs_dir.glob("*/results.json")
        return results.read_bytes()

    def run_until(self, seconds: float, runs_dir: Path) -> str | None:
        """Kills the command after so many seconds; the stage it was in, or None when it had ended before."""
        process = self.start(runs_dir)
        try:
            process.wait(seconds)
            return None
        except subprocess.TimeoutExpired:
            return _last_stage(runs_dir)
        finally:
            process.kill()
            process.wait()


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="kill-and-resume-") as folder:
        work = Path(folder)
        file = _write_miniature(work) if options.experiment is None else options.experiment.resolve()
        command = Command(file, tuple(options.set))
        started = time.monotonic()
        expected = command.run_to_its_end(work / "reference")
        duration = time.monotonic() - started
        print(f"an uninterrupted run takes {duration:.1f} s", flush=True)

        rng = random.Random(options.seed)
        killed_in: Counter[str] = Counter()
        identical = 0
        for trial in range(1, options.trials + 1):
            runs_dir = work / f"trial-{trial}"
            stages: list[str | None] = [None]
            while not any(stages):
                shutil.rmtree(runs_dir, ignore_errors=True)
                moments = [rng.uniform(0, duration) for _ in range(rng.randint(1, options.kills))]
                stages = [command.run_until(moment, runs_dir) for moment in moments]
                # A trial without a kill is none: the machine was slower when the duration was measured.
                duration *= 1 if any(stages) else 0.9
            killed_in.update(stage for stage in stages if stage is not None)
            is_identical = command.run_to_its_end(runs_dir) == expected
            identical += is_identical
            kills = ", ".join(
                f"{moment:.1f} s ({stage or 'had ended'})"
                for moment, stage in zip(moments, stages, strict=True)
            )
            print(f"{trial}: killed at {kills}: {'identical' if is_identical else 'DIFFERENT'}", flush=True)
    print("kills by stage: " + ", ".join(f"{stage} {count}" for stage, count in sorted(killed_in.items())))
    print(f"{identical} of {options.trials} identical")
    return 0 if identical == options.trials else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--trials", type=int, default=50, help="how often an experiment is begun anew")
    parser.add_argument("--kills", type=int, default=2, help="kills in a trial, at most")
    parser.add_argument("--experiment", type=Path, help="an experiment file; by default a miniature one")
    parser.add_argument(
        "--set", action="append", default=[], metavar="A.B=VALUE", help="as of `coupling run`"
    )
    parser.add_argument("--seed", type=int, default=0, help="draws the moments")
    return parser.parse_args()


def _write_miniature(folder: Path) -> Path:
    """The experiment file and, beside it, a random model."""
    from coupling.models import prepare_process
    from coupling.raising.architecture import build_model, build_tokenizer

    prepare_process()
    tokenizer = build_tokenizer()
    build_model("llama", tokenizer, hidden=32, layers=1, seed=0).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    file = folder / "miniature.yaml"
    file.write_text(MINIATURE, encoding="utf-8")
    return file


def _last_stage(runs_dir: Path) -> str:
    """The last stage the command told of, such as "train"; "start" before the first."""
    told = (runs_dir / "stderr").read_text(encoding="utf-8", errors="replace").splitlines()
    stages = [line.partition(" ")[2] for line in told if line[:1].isdigit() and line[1:3] == "/5"]
    return stages[-1] if stages else "start"


if __name__ == "__main__":
    sys.exit(main())
