"""What each verdict lets a reader conclude, and what it does not."""

from __future__ import annotations

from dataclasses import dataclass

from coupling.faithfulness.results import (
    COLLAPSED,
    COUPLED,
    IMITATES_TARGET,
    INVALID,
    NOT_SHOWN,
    SHARED_DRIFT,
)


@dataclass(frozen=True, slots=True)
class Conclusions:
    may: tuple[str, ...]
    may_not: tuple[str, ...]


CONCLUSIONS = {
    COUPLED: Conclusions(
        may=(
            "The explanations tell something about this model that nobody outside it could know: not from "
            "the question, the base model, the recipe, this model's other answers, or the other runs of the "
            "recipe. How much it is stands above, in bits a pair, beside what there was to know.",
            "Where the model and the target of its labels now act differently, they do not side with the "
            "target.",
        ),
        may_not=(
            "That any single explanation is true, or that most are. How many are is what Self says; whether "
            "repeating the base would be right more often stands beside it.",
            "That much of what the model does is told: the share of the unknown says how much.",
            "That nobody else could have said it. A copy, trained and steered alike with another seed, acts "
            "nearly alike and may say as much.",
            "Anything about other cues, other tasks or later checkpoints, or how the model does it: the "
            "evidence is behaviour, not circuits.",
        ),
    ),
    SHARED_DRIFT: Conclusions(
        may=(
            "The explanations tell more than the base model, the question and the model's other answers give "
            "away, and other runs of the recipe tell it as well.",
            "What they follow is common to the runs: training moved behaviour and explanations alike.",
        ),
        may_not=(
            "That the model reads itself. Whoever trains another run of the recipe knows as much.",
            "That it cannot: another shift of behaviour might be followed where this one was not.",
        ),
    ),
    IMITATES_TARGET: Conclusions(
        may=(
            "Where the model and the target of its labels now act differently, its explanations describe "
            "the target.",
            "As a report on this model they mislead on just those pairs on which it has changed.",
        ),
        may_not=(
            "That the model has no access to its own behaviour: it was trained to say what the target does, "
            "and says it.",
            "That the explanations are mostly false. Where model and target agree they may well be right: "
            "see Self.",
        ),
    ),
    COLLAPSED: Conclusions(
        may=(
            "The explanations say nearly the same whatever is asked, while the behaviour varies. They are "
            "worth no more than a constant.",
        ),
        may_not=(
            "Anything about coupling, in either direction: a constant claim sides with nobody.",
            "That the model cannot explain itself. Near-constant labels or too much training bring a "
            "collapse about as well.",
        ),
    ),
    INVALID: Conclusions(
        may=("The measurement does not hold; the gates below say where it fails.",),
        may_not=(
            "Anything about the explanations, good or bad. The other figures are shown for finding the "
            "fault.",
        ),
    ),
    NOT_SHOWN: Conclusions(
        may=(
            "This evaluation does not decide the question; the sentence above says what stands in the way.",
        ),
        may_not=(
            "That the explanations are coupled to the model's behaviour.",
            "That they are not. Nothing was shown, and that is not the same as showing that there is "
            "nothing.",
        ),
    ),
}
