"""Sampling of N checkpoints, which is linear in N; and the matrix of emitters by columns, which is a join."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from transformers import PreTrainedModel

from benchmarks.sampling import test_pairs
from benchmarks.timing import Finding, seconds
from coupling.explanations import formats
from coupling.faithfulness import Evidence, RunEvidence
from coupling.faithfulness.matrix import matrix_rows
from coupling.faithfulness.panel import Panel
from coupling.faithfulness.scores import tabulate
from coupling.faithfulness.statistics import ClusterBootstrap
from coupling.models import LocalSampler, Renderer
from coupling.raising.architecture import build_model, build_tokenizer
from coupling.records import CounterfactualPair
from coupling.tasks import draw

COUNTS, QUICK_COUNTS = (2, 4, 8), (2, 3)
PAIRS, QUICK_PAIRS = 128, 16
RESAMPLES, MIN_RUNS = 2000, 3


def findings(is_quick: bool) -> Iterator[Finding]:
    counts, size = (QUICK_COUNTS, QUICK_PAIRS) if is_quick else (COUNTS, PAIRS)
    pairs = draw(test_pairs(), size, 0)
    renderer = Renderer(build_tokenizer())
    models = [build_model("llama", build_tokenizer(), 96, 3, seed).eval() for seed in range(max(counts))]
    sample(models[0], renderer, pairs, "warm-up")
    sampled: dict[int, float] = {}
    joined: dict[int, float] = {}
    for count in counts:
        runs: list[RunEvidence] = []
        for number, model in enumerate(models[:count]):
            taken = seconds(lambda: runs.append(sample(model, renderer, pairs, f"run-{number}")))  # noqa: B023
            sampled[count] = sampled.get(count, 0.0) + taken
        evidence = panel(pairs, runs)
        joined[count] = seconds(lambda: join(evidence))  # noqa: B023
    few, many = counts[0], counts[-1]
    told = ", ".join(f"{count}: {1000 * sampled[count]:.0f} ms" for count in counts)
    yield Finding(
        f"sampling {many} checkpoints against {few}",
        sampled[many] / sampled[few],
        "x",
        at_most=1.25 * many / few,
        detail=f"{told}; linear is {many / few:.0f} x",
    )
    told = ", ".join(f"{count}: {1000 * joined[count]:.0f} ms" for count in counts)
    yield Finding(f"matrix of {many} runs, in seconds", joined[many], "s", detail=f"{told}, {size} pairs")


def sample(
    model: PreTrainedModel, renderer: Renderer, pairs: Sequence[CounterfactualPair], name: str
) -> RunEvidence:
    sampler = LocalSampler(model, renderer, max_new_tokens=16)
    behaviors = {each.pair_id: each.effect for each in sampler.behaviors(pairs)}
    explanations = {each.pair_id: each for each in sampler.explanations(pairs, formats.get("answer_pair"))}
    return RunEvidence(name, 1, behaviors, explanations, steered={}, remeasured=None)


def panel(pairs: Sequence[CounterfactualPair], runs: Sequence[RunEvidence]) -> Evidence:
    """The first run is the target as well."""
    first = runs[0]
    return Evidence(
        pairs=tuple(pairs),
        target=first.behaviors,
        base=first.behaviors,
        base_explanations=first.explanations,
        labels=(),
        label_clusters=frozenset(),
        runs=tuple(runs),
        twins=(),
    )


def join(evidence: Evidence) -> None:
    table = tabulate(evidence)
    matrix_rows(Panel(table, ClusterBootstrap(table.clusters, RESAMPLES, 0)), MIN_RUNS)
