"""What the paper claims, beside what is asked here and not there, and what organisms cannot say."""

from __future__ import annotations

from dataclasses import dataclass

from coupling.studies.claims import rules
from coupling.studies.claims.arms import SIMILARITY_ARMS
from coupling.studies.claims.rules import Rule


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of the page."""

    name: str
    words: str
    paper: str
    """The paper's figure, or what its words give."""
    arms: tuple[str, ...]
    rule: str
    """When a world and seed bear it out, in words."""
    holds: Rule


@dataclass(frozen=True, slots=True)
class Untested:
    """A claim about what organisms do not have."""

    words: str
    paper: str
    why: str


CLAIMS = (
    Claim(
        "gap",
        "Trained on fixed labels with the KL term, explanations are truer of the model than of its labels",
        "Self \N{MINUS SIGN} Orig +11.1 points on Hint-MMLU (Qwen3-8B)",
        ("main",),
        "Δ's interval lies above 0",
        rules.gap_is_positive("main"),
    ),
    Claim(
        "kl",
        "Without the KL term the gap vanishes or reverses",
        "no gap, or a negative one",
        ("main", "without-kl"),
        "Δ's interval without KL does not lie above 0",
        rules.gap_is_not_positive("without-kl"),
    ),
    Claim(
        "family",
        "Labels of a model of another family do as well",
        "100 % Llama labels on Qwen: still Self > Orig",
        ("main", "other-family"),
        "Δ's interval lies above 0",
        rules.gap_is_positive("other-family"),
    ),
    Claim(
        "family-accuracy",
        "but explanations are less accurate",
        "19 points lower",
        ("main", "other-family"),
        "Self's interval lies below that with own labels",
        rules.labels_of_others_are_worse,
    ),
    Claim(
        "mix",
        "Any mix of own labels and another family's gives a gap",
        "Self > Orig at every share",
        ("mixed-25", "mixed-50", "mixed-75"),
        "Δ's interval lies above 0 at a share of own labels of 0.25, 0.5 and 0.75",
        rules.gap_is_positive("mixed-25", "mixed-50", "mixed-75"),
    ),
    Claim(
        "earlier",
        "Labels of an earlier checkpoint give a gap",
        "Self > Orig",
        ("earlier",),
        "Δ's interval lies above 0",
        rules.gap_is_positive("earlier"),
    ),
    Claim(
        "similarity",
        "It works where labels and behaviour agree on enough pairs, and collapses below",
        "works from about 0.7, collapses below about 0.6",
        ("main", *SIMILARITY_ARMS.values()),
        "Δ's interval lies above 0 in each arm of similarity 0.7 or more, and in none below 0.6",
        rules.threshold,
    ),
    Claim(
        "sft",
        "Explanations follow behaviour that supervised fine-tuning moves, with no new labels",
        "they do",
        ("main",),
        "twins stand 15 points apart or more, Δ lies above 0 and T above 0.57",
        rules.follows("main"),
    ),
    Claim(
        "dpo",
        "… that preference optimisation moves",
        "they do",
        ("dpo",),
        "the same",
        rules.follows("dpo"),
    ),
    Claim(
        "policy-gradient",
        "… that a policy gradient moves",
        "they do",
        ("policy-gradient",),
        "the same",
        rules.follows("policy-gradient"),
    ),
    Claim(
        "jabberwocky",
        "A new behaviour, taught by behaviour alone, is explained",
        "79.8 % of explanations true",
        ("jabberwocky",),
        "of the explanations about the new cue more than half are true, in both runs that were taught it",
        rules.tells_of_new_behavior,
    ),
    Claim(
        "noise",
        "The gap survives label noise",
        "it does",
        ("noise",),
        "Δ's interval lies above 0 where 30 % of the labels are wrong, uniformly",
        rules.gap_is_positive("noise"),
    ),
    Claim(
        "rank",
        "The gap appears with the rank of LoRA",
        "slightly negative at 32, there from about 96",
        ("lora-8", "lora-32", "lora-96", "main"),
        "Δ's interval does not lie above 0 at rank 32, and does at 96",
        rules.rank_matters,
    ),
    Claim(
        "rate",
        "The gap widens with the learning rate",
        "it does",
        ("slow", "main", "fast"),
        "Self \N{MINUS SIGN} Orig at 1e-3 lies above that at 1e-4, intervals apart",
        rules.rate_matters,
    ),
    Claim(
        "circuits",
        "Behaviour and explanation share circuits",
        "shown by activation patching",
        ("main",),
        "cosine of heads' shares, behaviour and claim without the cue, after training: p < 0.05",
        rules.shares_circuits,
    ),
    Claim(
        "constant",
        "Near-constant labels collapse to the majority class",
        "they do",
        ("constant",),
        "Self is not above its best baseline",
        rules.collapses,
    ),
)
"""Claims of Guo, Ruis, Andreas and Li (2026, arXiv 2606.32038) that organisms can be asked about."""

BEYOND = (
    Claim(
        "conflict-sft",
        "Labels that speak of the shifted cue hinder: supervised fine-tuning",
        "not asked",
        ("main", "outspoken"),
        "T's interval lies below that with silent labels",
        rules.silence_matters("main", "outspoken"),
    ),
    Claim(
        "conflict-dpo",
        "… preference optimisation",
        "not asked",
        ("dpo", "dpo-outspoken"),
        "the same",
        rules.silence_matters("dpo", "dpo-outspoken"),
    ),
    Claim(
        "conflict-policy-gradient",
        "… policy gradient",
        "not asked",
        ("policy-gradient", "policy-gradient-outspoken"),
        "the same",
        rules.silence_matters("policy-gradient", "policy-gradient-outspoken"),
    ),
    Claim(
        "brake-sft",
        "Explanation training slows the shift: supervised fine-tuning",
        "not asked",
        ("main", "sft-unexplained"),
        "at step 20 twins are nearer to each other by 5 points or more than without explanations",
        rules.slows_the_shift("main", "sft-unexplained"),
    ),
    Claim(
        "brake-dpo",
        "… preference optimisation",
        "not asked",
        ("dpo", "dpo-unexplained"),
        "the same",
        rules.slows_the_shift("dpo", "dpo-unexplained"),
    ),
    Claim(
        "brake-policy-gradient",
        "… policy gradient",
        "not asked",
        ("policy-gradient", "policy-gradient-unexplained"),
        "the same",
        rules.slows_the_shift("policy-gradient", "policy-gradient-unexplained"),
    ),
    Claim(
        "stale",
        "Explanations go stale when their training stops and behaviour moves on",
        "not asked",
        ("explained-before",),
        "Self at the end lies below Self when explanation training stopped",
        rules.goes_stale,
    ),
    Claim(
        "after",
        "Labels of the time before a shift serve after it",
        "not asked",
        ("explained-after",),
        "as for sft",
        rules.follows("explained-after"),
    ),
    Claim(
        "only",
        "Explanations follow when one adviser is to be followed and another ignored",
        "not asked",
        ("only-one-adviser",),
        "as for sft",
        rules.follows("only-one-adviser"),
    ),
    Claim(
        "reversed",
        "… when trust in an adviser is reversed",
        "not asked",
        ("reversed",),
        "as for sft",
        rules.follows("reversed"),
    ),
    Claim(
        "wordings",
        "… for hints in wordings that were never met",
        "not asked",
        ("held-out-wordings",),
        "as for sft",
        rules.follows("held-out-wordings"),
    ),
    Claim(
        "advisers",
        "… for hints of advisers who were never met",
        "not asked",
        ("held-out-advisers",),
        "as for sft",
        rules.follows("held-out-advisers"),
    ),
    Claim(
        "dissuading",
        "… for hints that speak against an answer",
        "not asked",
        ("dissuading",),
        "as for sft",
        rules.follows("dissuading"),
    ),
    Claim(
        "flipped",
        "The gap survives labels that say changed for unchanged, and the reverse",
        "not asked",
        ("flipped",),
        "Δ's interval lies above 0 where 30 % of the labels are flipped",
        rules.gap_is_positive("flipped"),
    ),
    Claim(
        "shuffled",
        "Labels dealt to the wrong questions teach nothing of the kind",
        "not asked",
        ("shuffled",),
        "the verdict is not coupled",
        rules.is_not_coupled("shuffled"),
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
