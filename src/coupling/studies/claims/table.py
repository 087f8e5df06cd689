"""What the paper claims, beside what is asked here and not there, and what organisms cannot say."""

from __future__ import annotations

from coupling.faithfulness import FROZEN
from coupling.studies.claims import reads
from coupling.studies.claims.arms import EARLY, MIXED_ARMS, SIMILARITY_ARMS
from coupling.studies.claims.asking import (
    CLOSE,
    GAP,
    PAPER_GAPS,
    POINTS,
    Claim,
    P,
    Untested,
    ahead,
    constant_claim,
    family_accuracy_claim,
    gap_claim,
    kl_claim,
    of_arms,
    shift_claim,
    sides_with_itself,
    similarity_claim,
)
from coupling.studies.claims.reads import figure, less, private
from coupling.studies.claims.standing import BELOW, Question

LIKENESS = ("unsteered", *SIMILARITY_ARMS.values())
"""Arms by how alike labels and behaviour are."""


def _adds(name: str, words: str, arm: str, alone: str) -> Claim:
    beside = (*of_arms(("t",), arm, alone), (f"{P}, {arm}", private(arm)), (f"{P}, {alone}", private(alone)))
    return Claim(f"adds-{name}", words, "", (arm, alone), (ahead("t", arm, alone),), beside)


def _conflicts(name: str, words: str, arm: str, outspoken: str) -> Claim:
    beside = (
        *of_arms(("t",), arm, outspoken),
        (f"{P}, {arm}", private(arm)),
        (f"{P}, {outspoken}", private(outspoken)),
    )
    return Claim(f"conflict-{name}", words, "", (arm, outspoken), (ahead("t", arm, outspoken),), beside)


def _brakes(name: str, words: str, arm: str, alone: str) -> Claim:
    explained, silent = reads.apart(arm, EARLY), reads.apart(alone, EARLY)
    question = Question(
        f"twins apart at step {EARLY}, {alone} less {arm}", less(silent, explained), bound=CLOSE
    )
    beside = ((f"twins apart, {arm}", explained), (f"twins apart, {alone}", silent))
    note = "all terms share one clipped gradient, so any second term would slow the first"
    return Claim(f"brake-{name}", words, "", (arm, alone), (question,), beside, note)


CLAIMS = (
    Claim(
        "gap",
        "Trained on fixed labels with the KL term, explanations are truer of the model than of its labels",
        "+7.0 to +11.1 points (Qwen3-8B)",
        ("unsteered",),
        (Question(f"{GAP}, unsteered", figure("gap", "unsteered"), paper=PAPER_GAPS),),
        (*of_arms(("delta",), "unsteered"), ("Self at step 0", figure("self", "unsteered", 0))),
    ),
    kl_claim("delta", "unsteered"),
    gap_claim(
        "family",
        "Labels of a model of another family do as well",
        "100 % Llama labels on Qwen: still Self > Orig",
        "other-family",
    ),
    family_accuracy_claim("unsteered", "other-family"),
    gap_claim(
        "mix",
        "Any mix of own labels and another family's gives a gap",
        "Self > Orig at every share",
        *MIXED_ARMS.values(),
        note="shares of own labels of 0.25, 0.5 and 0.75",
    ),
    gap_claim("earlier", "Labels of an earlier checkpoint give a gap", "Self > Orig", "earlier"),
    similarity_claim(LIKENESS, tuple(SIMILARITY_ARMS.values())),
    shift_claim(
        "sft",
        "Explanations follow behaviour that supervised fine-tuning moves, with no new labels",
        "main",
        "they do",
    ),
    shift_claim("dpo", "… that preference optimisation moves", "dpo", "they do"),
    shift_claim("policy-gradient", "… that a policy gradient moves", "policy-gradient", "they do"),
    Claim(
        "jabberwocky",
        "A new behaviour, taught by behaviour alone, is explained",
        "79.8 % of explanations true",
        ("jabberwocky",),
        tuple(
            Question(f"Self on {word}", reads.taught(number), bound=0.5, paper=(0.798, 0.798))
            for number, word in enumerate(("brillig", "slithy"))
        ),
        note="read where the word is obeyed, and more than half of the explanations are to be true",
    ),
    gap_claim(
        "noise", "The gap survives label noise", "it does", "noise", note="30 % of labels wrong, uniformly"
    ),
    Claim(
        "rank",
        "The gap appears with the rank of LoRA",
        "slightly negative at 32, there from about 96",
        ("lora-8", "lora-32", "lora-96"),
        (Question(f"{GAP}, lora-96", figure("gap", "lora-96")), ahead("gap", "lora-96", "lora-32")),
        of_arms(("delta", "gap"), "lora-8", "lora-32", "lora-96"),
    ),
    Claim(
        "rate",
        "The gap widens with the learning rate",
        "it does",
        ("slow", "fast"),
        (ahead("gap", "fast", "slow"),),
        of_arms(("delta", "gap"), "slow", "fast"),
        "1e-3 against 1e-4",
    ),
    Claim(
        "circuits",
        "Behaviour and explanation share circuits",
        "shown by activation patching",
        ("unsteered",),
        (Question("cosine of heads' shares beyond chance", reads.heads_beyond_chance("unsteered")),),
        (("cosine of heads' shares", reads.heads_in_common("unsteered")),),
        "after training, of behaviour and the claim without the cue, less the middle of what shuffled heads "
        "give; of two measures the one that showed more in world 0 before training (ranks agree less, see "
        "mechanism.md)",
        is_patched=True,
    ),
    constant_claim("constant"),
)
"""Claims of Guo, Ruis, Andreas and Li (2026, arXiv 2606.32038) that organisms can be asked about."""

BEYOND = (
    Claim(
        "gap-plain",
        "The gap, in an organism that never explained itself before",
        "",
        ("plain-unsteered",),
        sides_with_itself("plain-unsteered"),
        (*of_arms(("gap",), "plain-unsteered"), ("Self at step 0", figure("self", "plain-unsteered", 0))),
    ),
    shift_claim("sft-plain", "Its explanations follow behaviour that fine-tuning moves", "plain-steered", ""),
    _adds("sft", "Explanation training adds to it: supervised fine-tuning", "main", "sft-unexplained"),
    _adds("dpo", "… preference optimisation", "dpo", "dpo-unexplained"),
    _adds("policy-gradient", "… policy gradient", "policy-gradient", "policy-gradient-unexplained"),
    _conflicts(
        "sft", "Labels that speak of the shifted cue hinder: supervised fine-tuning", "main", "outspoken"
    ),
    _conflicts("dpo", "… preference optimisation", "dpo", "dpo-outspoken"),
    _conflicts("policy-gradient", "… policy gradient", "policy-gradient", "policy-gradient-outspoken"),
    _brakes(
        "sft",
        f"Explanation training slows the shift by {POINTS} or more: supervised fine-tuning",
        "main",
        "sft-unexplained",
    ),
    _brakes("dpo", "… preference optimisation", "dpo", "dpo-unexplained"),
    _brakes("policy-gradient", "… policy gradient", "policy-gradient", "policy-gradient-unexplained"),
    Claim(
        "stale",
        "Explanations are less true when their training stops and behaviour moves on",
        "",
        ("explained-before",),
        (
            Question(
                "Self at step 80 less Self at step 160",
                less(figure("self", "explained-before", 80), figure("self", "explained-before", 160)),
            ),
        ),
        tuple((f"Self at step {step}", figure("self", "explained-before", step)) for step in (80, 120, 160)),
    ),
    shift_claim("after", "Labels of the time before a shift serve after it", "explained-after", ""),
    shift_claim(
        "only",
        "Explanations follow when one adviser is to be followed alone",
        "only-one-adviser",
        "",
    ),
    shift_claim("reversed", "… when trust in an adviser is reversed", "reversed", ""),
    shift_claim("wordings", "… for hints in wordings that were never met", "held-out-wordings", ""),
    shift_claim("advisers", "… for hints of advisers who were never met", "held-out-advisers", ""),
    shift_claim("dissuading", "… for hints that speak against an answer", "dissuading", ""),
    Claim(
        "circuits-third-person",
        "They share less in an organism that grew up explaining others",
        "",
        ("unsteered", "third-person"),
        (
            Question(
                "cosine of heads' shares, unsteered less third-person",
                less(reads.heads_in_common("unsteered"), reads.heads_in_common("third-person")),
            ),
        ),
        tuple(
            (f"cosine of heads' shares, {arm}", reads.heads_in_common(arm))
            for arm in ("unsteered", "third-person")
        ),
        "after training; unsteered is the coupled organism",
        is_patched=True,
    ),
    gap_claim(
        "flipped",
        "The gap survives labels that say changed for unchanged, and the reverse",
        "",
        "flipped",
        note="30 % of labels flipped",
    ),
    Claim(
        "shuffled",
        "Labels dealt to the wrong questions teach nothing of the kind",
        "",
        ("shuffled",),
        (Question(f"{P} of steered runs, shuffled", private("shuffled"), BELOW, FROZEN.least_bits, 0.0),),
        of_arms(("t", "self"), "shuffled"),
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
