"""The same questions, asked by coupling and by lm-evaluation-harness.

    pip install lm_eval==0.4.13        # once; coupling does without it
    python scripts/compare_harness.py [smollm2] [--split dev] [--limit 60] [--rounds 3] [--json]

Takes the model of an experiment (a shipped one or a file) and the questions of its task, without hints, whose
pairs bear the tag `true`, the right answer. coupling scores the choices by `LocalSampler.choice_logprobs`.
The harness' own model class scores them as `loglikelihood` requests: it gets the same weights, the rendered
prompt as context, and each choice behind a space as continuation. Token ids must be equal, or nothing is
compared.
Both normalise as the harness does:

    acc         the sum of the log-probabilities of a choice's tokens     normalization: none
    acc_norm    the sum by the characters of the choice                   normalization: characters
    acc_bytes   the sum by its bytes in UTF-8                             normalization: bytes

Log-probabilities are compared as coupling gives them, normalised over the choices of a question. Times are
CPU time of one thread, both in turn, after a few questions that are not counted. The exit code is 1 where an
answer differs, and 2 where nothing could be compared.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from coupling.config import Normalization, named_experiment
from coupling.lots import order
from coupling.models import LoadedModel, LocalSampler, Renderer, load_model, prepare_process, world_of
from coupling.records import CounterfactualPair
from coupling.tasks import load_pairs

HARNESS = "lm_eval==0.4.13"
WARM_UP = 4
"""Questions asked before times are taken."""
LENGTHS: dict[str, tuple[Normalization, Callable[[str], int]]] = {
    "acc": ("none", lambda choice: 1),
    "acc_norm": ("characters", len),
    "acc_bytes": ("bytes", lambda choice: len(choice.encode("utf-8"))),
}
"""Of each of the harness' metrics coupling's name for it, and by what it divides."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("experiment", nargs="?", default="smollm2")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--limit", type=int, default=60, help="questions, drawn by lot")
    parser.add_argument("--rounds", type=int, default=3, help="of each way, in turn")
    parser.add_argument("--batch-size", type=int, default=16, help="rows of one forward pass of the harness")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if find_spec("lm_eval") is None:
        parser.error(f"lm-evaluation-harness is not installed; pip install {HARNESS}")
    if options.limit <= WARM_UP or options.rounds < 1:
        parser.error(f"--limit must be above {WARM_UP}, and --rounds at least 1")
    prepare_process()
    try:
        found = compared(options)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(found, indent=2) if options.json else told(found))
    return 1 if any(row["answers_that_differ"] for row in found["metrics"].values()) else 0


def compared(options: argparse.Namespace) -> dict[str, Any]:
    """What is printed.

    Raises:
        ValueError: no such experiment, model or questions; or both read a question as different tokens.
    """
    config = named_experiment(Path(options.experiment), options.overrides)
    model = load_model(config.model)
    pairs = [pair for pair in load_pairs(config.task, world_of(config.model)) if pair.split == options.split]
    pairs = [pair for pair in pairs if pair.tags.get("true") in pair.choices]
    if len({pair.without_cue for pair in pairs}) <= WARM_UP:
        raise ValueError(
            f"{options.experiment}: the split {options.split} holds {len(pairs)} pairs whose right answer is "
            f"known (tag true); more than {WARM_UP} questions are needed"
        )
    by_question = {pair.without_cue: pair for pair in pairs}
    asked = [by_question[text] for text in sorted(by_question, key=lambda text: order(0, text))]
    ways = Ways(model, asked[: options.limit], config.evaluation.batch_size, options.batch_size)
    ways.check_tokens()
    return {
        "model": config.model.name,
        "split": options.split,
        "questions": len(ways.pairs),
        "lm_eval": version("lm_eval"),
        "transformers": version("transformers"),
        "torch": version("torch"),
        **ways.compared(options.rounds),
    }


class Ways:
    """Both ways to score the choices of some questions.

    Args:
        batch_size: rows of one forward pass at most, of coupling.
        harness_batch_size: of the harness.
    """

    def __init__(
        self,
        model: LoadedModel,
        pairs: Sequence[CounterfactualPair],
        batch_size: int,
        harness_batch_size: int,
    ) -> None:
        from lm_eval.models.huggingface import HFLM

        self.model, self.pairs, self.batch_size = model, pairs, batch_size
        self.harness: Any = HFLM(
            pretrained=model.model,
            tokenizer=model.renderer.tokenizer,
            backend="causal",
            batch_size=harness_batch_size,
        )

    def check_tokens(self) -> None:
        """Raises ValueError unless both read each question, and each choice behind it, as the same tokens."""
        renderer = self._renderer()
        prompts = renderer.prompt_ids(
            [pair.without_cue for pair in self.pairs], [pair.answer_prefix for pair in self.pairs]
        )
        for pair, prompt, choices in zip(
            self.pairs, prompts, renderer.choice_tokens(self.pairs), strict=True
        ):
            context = self._context(pair)
            rows = [(context, prompt)]
            for choice, ids in zip(pair.choices, choices.ids, strict=True):
                rows.append((context + continuation(pair, choice), (*prompt, *ids)))
            for text, ours in rows:
                theirs = tuple(self.harness.tok_encode(text))
                if theirs != ours:
                    raise ValueError(
                        f"pair {pair.id}: the harness reads {text!r} as {theirs}, and coupling as {ours}; "
                        "nothing was compared: the tokenizer adds tokens of its own, or joins the choice to "
                        "what precedes it"
                    )

    def ours(
        self, pairs: Sequence[CounterfactualPair], normalization: Normalization = "none"
    ) -> list[np.ndarray]:
        """Log-probabilities of the choices of each question, normalised over them."""
        sampler = LocalSampler(
            self.model.model, self._renderer(), self.batch_size, normalization=normalization
        )
        questions, prefixes = [pair.without_cue for pair in pairs], [pair.answer_prefix for pair in pairs]
        return [np.array(each) for each in sampler.choice_logprobs(pairs, questions, prefixes)]

    def theirs(self, pairs: Sequence[CounterfactualPair]) -> list[np.ndarray]:
        """Log-likelihoods of the choices of each question."""
        from lm_eval.api.instance import Instance

        requests = [
            Instance("loglikelihood", {}, (self._context(pair), continuation(pair, choice)), number)
            for number, (pair, choice) in enumerate(
                (pair, choice) for pair in pairs for choice in pair.choices
            )
        ]
        said = iter(self.harness.loglikelihood(requests, disable_tqdm=True))
        return [np.array([next(said)[0] for _ in pair.choices]) for pair in pairs]

    def compared(self, rounds: int) -> dict[str, Any]:
        """Seconds of CPU time of each round and the median over rounds of the harness' by ours; and of each
        metric the accuracy of both, how many answers differ, and the greatest difference in nats."""
        for ask in (self.ours, self.theirs):
            ask(self.pairs[:WARM_UP])
        ours, theirs = [], []
        for _ in range(rounds):
            scored, seconds = timed(lambda: self.ours(self.pairs))
            sums, seconds_of_theirs = timed(lambda: self.theirs(self.pairs))
            ours.append(seconds)
            theirs.append(seconds_of_theirs)
        return {
            "coupling_seconds": [round(each, 2) for each in ours],
            "lm_eval_seconds": [round(each, 2) for each in theirs],
            "ratio": round(median(other / one for one, other in zip(ours, theirs, strict=True)), 2),
            "metrics": {metric: self._metric(metric, scored, sums) for metric in LENGTHS},
        }

    def _metric(
        self, metric: str, scored: Sequence[np.ndarray], sums: Sequence[np.ndarray]
    ) -> dict[str, float]:
        normalization, length = LENGTHS[metric]
        ours = scored if normalization == "none" else self.ours(self.pairs, normalization)
        lengths = [np.array([length(choice) for choice in pair.choices]) for pair in self.pairs]
        theirs = [log_softmax(each / by) for each, by in zip(sums, lengths, strict=True)]
        right = [pair.choices.index(pair.tags["true"]) for pair in self.pairs]
        both = [(int(np.argmax(one)), int(np.argmax(other))) for one, other in zip(ours, theirs, strict=True)]
        gaps = [float(np.abs(one - other).max()) for one, other in zip(ours, theirs, strict=True)]
        return {
            "coupling": accuracy([one for one, _ in both], right),
            "lm_eval": accuracy([other for _, other in both], right),
            "answers_that_differ": sum(one != other for one, other in both),
            "greatest_difference": max(gaps),
        }

    def _renderer(self) -> Renderer:
        """A new one, which has not tokenised any choice yet, as the harness never has."""
        known = self.model.renderer
        return Renderer(known.tokenizer, known.system_prompt, known.thinking, known.embedded)

    def _context(self, pair: CounterfactualPair) -> str:
        return self.model.renderer.prompt(pair.without_cue) + pair.answer_prefix


def continuation(pair: CounterfactualPair, choice: str) -> str:
    return f" {choice}" if pair.answer_prefix else choice


def timed(ask: Callable[[], list[np.ndarray]]) -> tuple[list[np.ndarray], float]:
    """What was found, and the seconds of CPU time it took."""
    begun = time.process_time()
    found = ask()
    return found, time.process_time() - begun


def log_softmax(scores: np.ndarray) -> np.ndarray:
    return scores - np.logaddexp.reduce(scores)


def accuracy(answers: Sequence[int], right: Sequence[int]) -> float:
    return sum(int(one == other) for one, other in zip(answers, right, strict=True)) / len(right)


def told(found: dict[str, Any]) -> str:
    lines = [
        f"{found['model']}, {found['split']} split: {found['questions']} questions",
        f"{'':10} {'coupling':>10} {'lm_eval':>10} {'differ':>8} {'greatest difference':>20}",
    ]
    for metric, row in found["metrics"].items():
        differing, greatest = row["answers_that_differ"], row["greatest_difference"]
        figures = f"{row['coupling']:10.4f} {row['lm_eval']:10.4f} {differing:8} {greatest:20.1e}"
        lines.append(f"{metric:10} {figures}")
    ours, theirs = median(found["coupling_seconds"]), median(found["lm_eval_seconds"])
    lines.append(f"CPU time: {ours:.1f} s against {theirs:.1f} s, ratio {found['ratio']:.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
