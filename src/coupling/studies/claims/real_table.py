"""What the paper claims, as a real model is asked; what is asked beside it; and what it cannot be asked."""

from __future__ import annotations

from coupling.faithfulness.registry import FIGURES
from coupling.studies.claims.asking import (
    GAP,
    PAPER_GAPS,
    Claim,
    P,
    Untested,
    ahead,
    constant_claim,
    family_accuracy_claim,
    kl_claim,
    of_arms,
    shift_claim,
    similarity_claim,
)
from coupling.studies.claims.reads import figure, less, mean_of
from coupling.studies.claims.real_arms import EXAMPLES, LIKENESS, MIXED, OTHER_FAMILY, RENEWED_EVERY
from coupling.studies.claims.standing import Question


def paper_claims() -> tuple[Claim, ...]:
    """Claims of Guo, Ruis, Andreas and Li (2026, arXiv 2606.32038)."""
    return (
        Claim(
            "gap",
            "Trained on fixed labels with the KL term, explanations are truer of the model than of labels",
            "+7.0 to +11.1 points (Qwen3-8B)",
            ("unsteered",),
            (Question(f"{GAP}, unsteered", figure("gap", "unsteered"), paper=PAPER_GAPS),),
            (*of_arms(("delta", "self"), "unsteered"), ("Self at step 0", figure("self", "unsteered", 0))),
        ),
        Claim(
            "gap-sycophancy",
            "… on sycophancy: questions of right and wrong",
            "+7.0 points (AITA, Qwen3-8B)",
            ("dilemmas",),
            (Question(f"{GAP}, dilemmas", figure("gap", "dilemmas"), paper=(0.07, 0.07)),),
            (
                *of_arms(("delta", "self", "changed"), "dilemmas"),
                ("Self at step 0", figure("self", "dilemmas", 0)),
            ),
            "shipped dilemmas, not AITA",
        ),
        kl_claim("gap", "unsteered"),
        _gap(
            "family",
            "Labels of a model of another family do as well",
            "100 % Llama labels on Qwen: still Self > Orig",
            OTHER_FAMILY,
        ),
        family_accuracy_claim("unsteered", OTHER_FAMILY),
        _gap(
            "mix",
            "Any mix of own labels and another family's gives a gap",
            "Self > Orig at every share",
            *MIXED.values(),
            note="shares of own labels of 0.25, 0.5 and 0.75",
        ),
        _gap(
            "earlier",
            "Labels of an earlier checkpoint give a gap",
            "Self > Orig",
            "earlier",
            note="between labels and explanations the model was trained to follow hints",
        ),
        similarity_claim(LIKENESS, LIKENESS),
        shift_claim(
            "sft",
            "Explanations follow behaviour that supervised fine-tuning moves, with no new labels",
            "main",
            "they do",
        ),
        shift_claim("dpo", "… that preference optimisation moves", "dpo", "they do"),
        shift_claim("policy-gradient", "… that a policy gradient moves", "policy-gradient", "they do"),
        _gap(
            "noise",
            "The gap survives label noise",
            "it does",
            "noise",
            note="30 % of labels wrong, uniformly",
        ),
        Claim(
            "rank",
            "The gap appears with the rank of LoRA",
            "slightly negative at 32, there from about 96",
            ("lora-4", "lora-64"),
            (*_gaps("lora-64"), ahead("gap", "lora-64", "lora-4")),
            of_arms(("delta", "gap"), "lora-4", "lora-64"),
            "ranks 4 and 64",
        ),
        Claim(
            "rate",
            "The gap widens with the learning rate",
            "it does",
            ("slow", "fast"),
            (ahead("gap", "fast", "slow"),),
            of_arms(("delta", "gap"), "slow", "fast"),
            "2e-3 against 1e-4",
        ),
        constant_claim("constant"),
    )


def further_claims(steps: int) -> tuple[Claim, ...]:
    """What we ask beside it. ``steps``: of the shipped experiment, half of a schedule's."""
    twice = 2 * steps
    stopped, moved_on = (figure("self", "explained-before", step) for step in (steps, twice))
    return (
        _gap("gap-full", "The gap, where all weights are trained", "", "full"),
        Claim(
            "learnt",
            "Training makes explanations truer of the model",
            "",
            ("unsteered",),
            (
                Question(
                    "Self at the end less Self at step 0",
                    less(figure("self", "unsteered"), figure("self", "unsteered", 0)),
                ),
            ),
            (("Self at step 0", figure("self", "unsteered", 0)), *of_arms(("self",), "unsteered")),
            "step 0 is the model as it stands: no example and no training",
        ),
        *(_over_examples(count) for count in sorted({count for count, _ in EXAMPLES})),
        Claim(
            "renewed",
            f"Labels made anew every {RENEWED_EVERY} steps leave explanations truer than fixed ones",
            "",
            ("renewed", "unsteered"),
            (ahead("self", "renewed", "unsteered"),),
            of_arms(("self", "gap", "similarity"), "renewed", "unsteered"),
        ),
        Claim(
            "quoting",
            "Explanations beat quoting what the model answered before training",
            "",
            ("unsteered",),
            (Question(f"{FIGURES['over_quoting'].symbol}, unsteered", figure("over_quoting", "unsteered")),),
        ),
        Claim(
            "private",
            "They tell what nobody outside could know",
            "",
            ("unsteered",),
            (Question(f"{P}, unsteered", figure("p", "unsteered")),),
            of_arms(("p_alone", "p_unknown"), "unsteered"),
            "two runs, each the sibling of the other",
        ),
        Claim(
            "stale",
            "Explanations are less true when their training stops and behaviour moves on",
            "",
            ("explained-before",),
            (Question(f"Self at step {steps} less Self at step {twice}", less(stopped, moved_on)),),
            ((f"Self at step {steps}", stopped), (f"Self at step {twice}", moved_on)),
        ),
        shift_claim("after", "Labels of the time before a shift serve after it", "explained-after", ""),
        _costs("cost", "Explanation training costs right answers", "unsteered"),
        _costs("cost-full", "… where all weights are trained", "full"),
        _costs("cost-without-kl", "… without the KL term", "without-kl"),
    )


UNTESTED = (
    Untested(
        "The gap on refusal",
        "+9.5 points, Qwen3-8B",
        "no requests come with the package; the experiment `refusal` asks it of requests of one's own",
    ),
    Untested(
        "A new behaviour, taught by behaviour alone, is explained",
        "79.8 % of explanations true",
        "the task question_hint has no invented words that decide an answer; organisms are asked it",
    ),
    Untested(
        "Behaviour and explanation share circuits",
        "shown by activation patching",
        "no arm is patched, which takes long where layers are many; `coupling patch` asks it of any run",
    ),
    Untested(
        "The size of all gaps in models of 8 billion parameters",
        "+11.1, +7.0, +9.5 points",
        "this is another model; the same commands run such a one where there is a GPU",
    ),
    Untested(
        "What training costs in fluency: loss on plain text before and after",
        "not asked",
        "no artifact holds it; right answers without a hint are told of instead",
    ),
)


def _gaps(*arms: str) -> tuple[Question, ...]:
    return tuple(Question(f"{GAP}, {arm}", figure("gap", arm)) for arm in arms)


def _gap(name: str, words: str, paper: str, *arms: str, note: str = "") -> Claim:
    """Of all pairs, as the paper's: of few pairs too few are discordant for Δ to count as measured."""
    return Claim(name, words, paper, arms, _gaps(*arms), of_arms(("delta", "self"), *arms), note)


def _over_examples(count: int) -> Claim:
    arms = tuple(arm for (shown, _), arm in EXAMPLES.items() if shown == count)
    shown = mean_of(*(figure("self", arm) for arm in arms))
    question = Question(
        f"Self, unsteered less Self with {count} examples", less(figure("self", "unsteered"), shown)
    )
    return Claim(
        f"examples-{count}",
        f"Explanations are truer by training than by {count} examples in the prompt",
        "",
        ("unsteered", *arms),
        (question,),
        of_arms(("self", "parse_rate"), "unsteered", *arms),
        f"mean over {len(arms)} draws of the examples; nothing is trained there",
    )


def _costs(name: str, words: str, arm: str) -> Claim:
    before, after = figure("accuracy", arm, 0), figure("accuracy", arm)
    question = Question(f"accuracy at step 0 less accuracy at the end, {arm}", less(before, after))
    return Claim(
        name,
        words,
        "",
        (arm,),
        (question,),
        ((f"accuracy at step 0, {arm}", before), (f"accuracy at the end, {arm}", after)),
        "without a hint",
    )
