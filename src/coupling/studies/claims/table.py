"""What the paper claims, beside what is asked here and not there, and what organisms cannot say."""

from __future__ import annotations

from dataclasses import dataclass

from coupling.faithfulness import FROZEN
from coupling.faithfulness.registry import FIGURES
from coupling.studies.claims import rules
from coupling.studies.claims.arms import EARLY, MIXED_ARMS, SIMILARITY_ARMS
from coupling.studies.claims.rules import CLOSE, SHIFT, Read, Rule, pooled

GAP = FIGURES["gap"].symbol
POINTS = f"{100 * CLOSE:.0f} points"


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of the page."""

    name: str
    words: str
    paper: str
    """The paper's figure, or what its words give; empty for what it does not ask."""
    arms: tuple[str, ...]
    figures: tuple[tuple[str, Read], ...]
    """What it turns on: a name each, and where it is read."""
    rule: str
    """When a world and seed bear it out, in words."""
    holds: Rule
    is_patched: bool = False
    """Whether it is read from activation patching of its arms."""


@dataclass(frozen=True, slots=True)
class Untested:
    """A claim about what organisms do not have."""

    words: str
    paper: str
    why: str


def _of(figures: tuple[str, ...], *arms: str) -> tuple[tuple[str, Read], ...]:
    """Figures of each arm, by their names in the registry."""
    return tuple(
        (f"{FIGURES[figure].symbol}, {arm}", pooled(figure, arm)) for arm in arms for figure in figures
    )


def _gap_of(*arms: str) -> tuple[tuple[str, Read], ...]:
    """Δ and the paper's own figure of each arm."""
    return _of(("delta", "gap"), *arms)


def _twins_of(*arms: str) -> tuple[tuple[str, Read], ...]:
    return _of(("t",), *arms)


def _shift(name: str, words: str, arm: str, paper: str, *beside: str) -> Claim:
    """That explanations follow the behaviour that an arm moves."""
    figures = (*_twins_of(arm, *beside), *_of(("delta",), arm))
    rule = (
        f"the verdict is coupled, and twins act apart on {100 * SHIFT:.0f} % or more of the pairs they are "
        "steered on"
    )
    return Claim(name, words, paper, (arm, *beside), figures, rule, rules.follows(arm))


def _adds(name: str, words: str, arm: str, alone: str) -> Claim:
    rule = "T's interval lies above that of the same shift without explanation training"
    holds = rules.is_ahead("t", arm, alone)
    return Claim(f"adds-{name}", words, "", (arm, alone), _twins_of(arm, alone), rule, holds)


def _conflicts(name: str, words: str, arm: str, outspoken: str) -> Claim:
    rule = "T's interval lies below that with labels silent about the shifted cue"
    holds = rules.is_ahead("t", arm, outspoken)
    return Claim(f"conflict-{name}", words, "", (arm, outspoken), _twins_of(arm, outspoken), rule, holds)


def _brakes(name: str, words: str, arm: str, alone: str) -> Claim:
    figures = tuple(
        (f"twins apart at step {EARLY}, {each}", rules.apart(each, EARLY)) for each in (arm, alone)
    )
    rule = (
        f"at step {EARLY} twins are nearer to each other by {POINTS} than without explanations (all terms "
        "share one clipped gradient, so any second term would slow the first)"
    )
    return Claim(f"brake-{name}", words, "", (arm, alone), figures, rule, rules.is_slower(arm, alone))


CLAIMS = (
    Claim(
        "gap",
        "Trained on fixed labels with the KL term, explanations are truer of the model than of its labels",
        f"{GAP} +11.1 points on Hint-MMLU (Qwen3-8B)",
        ("unsteered",),
        (*_gap_of("unsteered"), ("Self at step 0", pooled("self", "unsteered", 0))),
        "Δ's interval lies above 0",
        rules.is_positive("unsteered"),
    ),
    Claim(
        "kl",
        "Without the KL term the gap vanishes or reverses",
        "no gap, or a negative one",
        ("unsteered", "without-kl"),
        _gap_of("without-kl"),
        f"Δ lies above 0 with KL and not without, and {GAP} is lower without, intervals apart",
        rules.gap_takes("unsteered", without="without-kl"),
    ),
    Claim(
        "family",
        "Labels of a model of another family do as well",
        "100 % Llama labels on Qwen: still Self > Orig",
        ("other-family",),
        _gap_of("other-family"),
        "Δ's interval lies above 0",
        rules.is_positive("other-family"),
    ),
    Claim(
        "family-accuracy",
        "but explanations are less accurate",
        "19 points lower",
        ("unsteered", "other-family"),
        (
            ("Self, own labels", pooled("self", "unsteered")),
            ("Self, other family's", pooled("self", "other-family")),
        ),
        "Self's interval lies below that with own labels",
        rules.is_ahead("self", "unsteered", "other-family"),
    ),
    Claim(
        "mix",
        "Any mix of own labels and another family's gives a gap",
        "Self > Orig at every share",
        tuple(MIXED_ARMS.values()),
        _gap_of(*MIXED_ARMS.values()),
        "Δ's interval lies above 0 at a share of own labels of 0.25, 0.5 and 0.75",
        rules.is_positive(*MIXED_ARMS.values()),
    ),
    Claim(
        "earlier",
        "Labels of an earlier checkpoint give a gap",
        "Self > Orig",
        ("earlier",),
        _gap_of("earlier"),
        "Δ's interval lies above 0",
        rules.is_positive("earlier"),
    ),
    Claim(
        "similarity",
        "It works where labels and behaviour agree on enough pairs, and collapses below",
        f"works from about {FROZEN.low_similarity:g}, collapses below about {FROZEN.collapse_similarity:g}",
        ("unsteered", *SIMILARITY_ARMS.values()),
        _of(("similarity", "delta"), *SIMILARITY_ARMS.values()),
        f"Δ lies above 0 in each arm of similarity {FROZEN.low_similarity:g} or more; below "
        f"{FROZEN.collapse_similarity:g} not, and is lower, intervals apart",
        rules.has_threshold,
    ),
    _shift(
        "sft",
        "Explanations follow behaviour that supervised fine-tuning moves, with no new labels",
        "main",
        "they do",
    ),
    _shift("dpo", "… that preference optimisation moves", "dpo", "they do"),
    _shift("policy-gradient", "… that a policy gradient moves", "policy-gradient", "they do"),
    Claim(
        "jabberwocky",
        "A new behaviour, taught by behaviour alone, is explained",
        "79.8 % of explanations true",
        ("jabberwocky",),
        (("Self on brillig", rules.taught(0)), ("Self on slithy", rules.taught(1))),
        "the words are obeyed, and more than half of the explanations about each are true",
        rules.tells_of_new_behavior,
    ),
    Claim(
        "noise",
        "The gap survives label noise",
        "it does",
        ("noise",),
        _gap_of("noise"),
        "Δ's interval lies above 0 where 30 % of the labels are wrong, uniformly",
        rules.is_positive("noise"),
    ),
    Claim(
        "rank",
        "The gap appears with the rank of LoRA",
        "slightly negative at 32, there from about 96",
        ("lora-8", "lora-32", "lora-96"),
        _gap_of("lora-8", "lora-32", "lora-96"),
        f"Δ lies above 0 at rank 96 and not at 32, and {GAP} is lower at 32, intervals apart",
        rules.gap_takes("lora-96", without="lora-32"),
    ),
    Claim(
        "rate",
        "The gap widens with the learning rate",
        "it does",
        ("slow", "fast"),
        _gap_of("slow", "fast"),
        f"{GAP} at 1e-3 lies above that at 1e-4, intervals apart",
        rules.is_ahead("gap", "fast", "slow"),
    ),
    Claim(
        "circuits",
        "Behaviour and explanation share circuits",
        "shown by activation patching",
        ("unsteered",),
        (("cosine of heads' shares, behaviour and claim without it", rules.heads_in_common("unsteered")),),
        "after training the cosine is beyond that of shuffled heads, p < 0.05 (of two measures the one that "
        "showed more in world 0 before training: ranks agree less, see mechanism.md)",
        rules.shares_circuits,
        is_patched=True,
    ),
    Claim(
        "constant",
        "Near-constant labels collapse to the majority class",
        "they do",
        ("constant",),
        (
            ("Self", pooled("self", "constant")),
            ("Self less its best baseline", pooled("self_advantage", "constant")),
        ),
        f"the verdict is collapsed, or Self is less than {POINTS} above its best baseline",
        rules.collapses,
    ),
)
"""Claims of Guo, Ruis, Andreas and Li (2026, arXiv 2606.32038) that organisms can be asked about."""

BEYOND = (
    Claim(
        "gap-plain",
        "The gap, in an organism that never explained itself before",
        "",
        ("plain-unsteered",),
        (*_gap_of("plain-unsteered"), ("Self at step 0", pooled("self", "plain-unsteered", 0))),
        "Δ's interval lies above 0",
        rules.is_positive("plain-unsteered"),
    ),
    _shift("sft-plain", "Its explanations follow behaviour that fine-tuning moves", "plain-steered", ""),
    _adds("sft", "Explanation training adds to it: supervised fine-tuning", "main", "sft-unexplained"),
    _adds("dpo", "… preference optimisation", "dpo", "dpo-unexplained"),
    _adds("policy-gradient", "… policy gradient", "policy-gradient", "policy-gradient-unexplained"),
    _conflicts(
        "sft", "Labels that speak of the shifted cue hinder: supervised fine-tuning", "main", "outspoken"
    ),
    _conflicts("dpo", "… preference optimisation", "dpo", "dpo-outspoken"),
    _conflicts("policy-gradient", "… policy gradient", "policy-gradient", "policy-gradient-outspoken"),
    _brakes("sft", "Explanation training slows the shift: supervised fine-tuning", "main", "sft-unexplained"),
    _brakes("dpo", "… preference optimisation", "dpo", "dpo-unexplained"),
    _brakes("policy-gradient", "… policy gradient", "policy-gradient", "policy-gradient-unexplained"),
    Claim(
        "stale",
        "Explanations are less true when their training stops and behaviour moves on",
        "",
        ("explained-before",),
        tuple((f"Self at step {step}", pooled("self", "explained-before", step)) for step in (80, 120, 160)),
        "Self at the end lies below Self when explanation training stopped, intervals apart",
        rules.goes_stale,
    ),
    _shift("after", "Labels of the time before a shift serve after it", "explained-after", ""),
    _shift(
        "only",
        "Explanations follow when one adviser is to be followed alone",
        "only-one-adviser",
        "",
    ),
    _shift("reversed", "… when trust in an adviser is reversed", "reversed", ""),
    _shift("wordings", "… for hints in wordings that were never met", "held-out-wordings", ""),
    _shift("advisers", "… for hints of advisers who were never met", "held-out-advisers", ""),
    _shift("dissuading", "… for hints that speak against an answer", "dissuading", ""),
    Claim(
        "circuits-third-person",
        "They share less in an organism that grew up explaining others",
        "",
        ("unsteered", "third-person"),
        tuple(
            (f"cosine of heads' shares, {arm}", rules.heads_in_common(arm))
            for arm in ("unsteered", "third-person")
        ),
        "after training the coupled organism's cosine lies above the other's, intervals apart",
        rules.shares_more_circuits,
        is_patched=True,
    ),
    Claim(
        "flipped",
        "The gap survives labels that say changed for unchanged, and the reverse",
        "",
        ("flipped",),
        _gap_of("flipped"),
        "Δ's interval lies above 0 where 30 % of the labels are flipped",
        rules.is_positive("flipped"),
    ),
    Claim(
        "shuffled",
        "Labels dealt to the wrong questions teach nothing of the kind",
        "",
        ("shuffled",),
        (*_twins_of("shuffled"), ("Self", pooled("self", "shuffled"))),
        f"the verdict says no skill, or T's interval lies below {FROZEN.twin_margin:g}",
        rules.teaches_nothing,
    ),
)
"""What we ask beside it, the controls included."""

UNTESTED = (
    Untested(
        "The gap on sycophancy and refusal",
        "+7.0 points (AITA), +9.5 (Refusal), Qwen3-8B",
        "organisms know countries; they neither judge people nor refuse",
    ),
    Untested(
        "The size of all gaps in models of 8 billion parameters",
        "+11.1, +7.0, +9.5 points",
        "organisms have 0.4 million; the same commands run such a model where there is a GPU",
    ),
)
