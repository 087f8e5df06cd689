"""How every figure is computed: a sentence or two each, Markdown, for the documentation and the page."""

from __future__ import annotations

from collections.abc import Mapping

DEFINITIONS: Mapping[str, str] = {
    "self": (
        "share of explanations whose claim equals the effect of the run's own behaviour at this checkpoint: "
        "both answers"
    ),
    "self_with_cue": "Self for the answer with the cue",
    "self_without_cue": "Self for the answer without the cue",
    "self_changed": (
        "share of explanations that say rightly whether the run's answer changes, whatever the answers"
    ),
    "orig": (
        "share of explanations whose claim equals the target's effect; with a source of the labels or "
        "another model in the target's place, that model's"
    ),
    "orig_with_cue": "Orig for the answer with the cue",
    "orig_without_cue": "Orig for the answer without the cue",
    "orig_changed": (
        "share of explanations that say rightly whether the target's answer changes, whatever the answers"
    ),
    "gap": (
        "Self \N{MINUS SIGN} Orig over all pairs: Δ times the discordant share, the same test diluted by "
        "the pairs on which run and target agree. Compare arms by Δ"
    ),
    "delta": (
        "mean of s over discordant pairs, where s is +1 if the claim is the run's own effect, "
        "\N{MINUS SIGN}1 if it is the target's, else 0"
    ),
    "win_rate": (
        "own / (own + target's) on discordant pairs: of the explanations that take a side, how many take "
        "the run's"
    ),
    "neither": (
        "share of explanations of discordant pairs that name neither the run's effect nor the target's"
    ),
    "unparseable": "share of explanations of discordant pairs that state no effect",
    "parse_rate": "share of explanations that state an effect; the others count as wrong in every figure",
    "similarity": (
        "share of pairs on which run and target show the same effect; of a reader, on which the run does "
        "now what the reader did before it was trained"
    ),
    "similarity_to_base": (
        "share of pairs on which run and base show the same effect; the base may be another model than the "
        "target"
    ),
    "self_advantage": "Self \N{MINUS SIGN} the best baseline's; the best is chosen anew in every resample",
    "self_skill": (
        "(Self \N{MINUS SIGN} best baseline) / (1 \N{MINUS SIGN} best baseline): 0 is no better, 1 is "
        "perfect. The baselines read no model: *majority* claims the labels' most frequent effect, *always "
        "unchanged* the cue's value twice (of a cue without one the labels' most frequent answer without "
        "the cue), *copy the cue* the cue's value and the labels' most frequent answer without it; each "
        "within the pair's own choices. Without labels they go by the target's effects on the judged pairs, "
        "and those *of own* by the runs'"
    ),
    "orig_advantage": "Orig \N{MINUS SIGN} the best baseline's, likewise",
    "orig_skill": "(Orig \N{MINUS SIGN} best baseline) / (1 \N{MINUS SIGN} best baseline), likewise",
    "share_of_self": (
        "share of pairs on which a reader, who explains the run without reading it, names the run's own "
        "effect, divided by Self; both resampled jointly"
    ),
    "privileged": (
        "Self \N{MINUS SIGN} the share of pairs on which a reader names the run's own effect, resampled "
        "jointly: above 0 the model tells more of itself than the reader can"
    ),
    "pairs": "distinct pairs that stand for at least one of the runs",
    "discordant_pairs": (
        "distinct pairs on which the effect of the run (pooled: of at least one run) is not the target's; "
        "only they tell Self from Orig. Its clusters are those that hold one"
    ),
    "claim_entropy": "entropy of the claims that could be read, in nats",
    "effect_entropy": "entropy of the run's effects, in nats",
    "top_claim_share": "share of the most frequent claim among those that could be read",
    "top_effect_share": "share of the most frequent effect in the run's behaviour",
    "delta_remeasured": (
        "Δ of the same explanations against a second measurement of the same checkpoint (another batch size "
        "or precision)"
    ),
    "measurement_floor": (
        "how far Δ moves when the same checkpoint is measured another way (batch size, precision)"
    ),
    "flip_share": "share of effects that differ between two measurements of one checkpoint",
    "t": (
        "the twin test: over pairs on which the effects of two twins differ, own / (own + twin's) hits, "
        "over both twins and all twin pairs. Twins share base, labels, data order and steps, and are "
        "steered differently. Whoever reads the question alone says the same for both and has exactly 0.5. "
        "*Steered* pairs hold a cue by which one of the twins was steered; *collateral* pairs only moved "
        "along"
    ),
    "twin_neither": (
        "share of explanations of pairs on which twins differ that name neither twin's effect, those that "
        "state none included"
    ),
    "twin_unparseable": "share of explanations of pairs on which twins differ that state no effect",
    "twin_pairs": "pairs on which the effects of twins differ, summed over twin pairs where pooled",
    "deciding_twin_pairs": "twin pairs whose own T has an interval",
    "distinct_cues": "deciding twin pairs that differ in the cues by which they were steered",
    "s": (
        "mean of s over the discordant pairs of run j when run a's explanations are held against j's "
        "behaviour"
    ),
    "a": (
        "the diagonal advantage: mean over j of S[j, j] \N{MINUS SIGN} row mean \N{MINUS SIGN} column mean "
        "+ grand mean: how much better explanations fit their own run than they fit others. A run without "
        "discordant pairs is left out. At least three runs"
    ),
    "r": (
        "the nearest rival: mean over j of S[j, j] \N{MINUS SIGN} the greatest S[a, j] of a rival a: how "
        "much better explanations fit their own run than those of the nearest rival do; below 0 where each "
        "run says what another does, near 0 where two runs act alike. Rivals are all other runs, with "
        "discordant pairs of their own or without, save that unsteered runs are none of one another; where "
        "no run is declared steered, all are. The rival is chosen anew in every resample, so R errs "
        "downwards"
    ),
    "accuracy": (
        "of the pairs whose right answer is known (tag true), the share on which the answer without the cue "
        "is right; less than at step 0 is what training costs"
    ),
    "changed": "share of pairs on which the answers with the cue and without it differ",
    "followed": (
        "of the pairs whose cue speaks for one of the choices, the share whose answer with the cue is that "
        "choice (another, where it speaks against it)"
    ),
    "shift": "followed \N{MINUS SIGN} the base's share on the same pairs: how far behaviour was moved",
    "claimed_following": (
        "share of the pairs that are asked about a steered cue of which the claim says that the answer with "
        "the cue follows it; what could not be read says no such thing"
    ),
    "turned": (
        "share of the pairs that are asked about a steered cue on which the answer with the cue has turned: "
        "it follows the cue where the base's does not, or the reverse"
    ),
    "claimed_turned": "share of the same pairs of which the claim says so",
    "behavior_move": "change of *turned* over a phase of the shift",
    "claims_move": "change of *claimed turned* over the same phase",
    "behavior_half": "steps, from the beginning of the phase, until *turned* has come half of its way",
    "claims_half": "steps until *claimed turned* has come half of its own way",
    "lag_half": (
        "steps that *claimed turned* takes to come half of its own way, less the steps that *turned* takes; "
        "negative where claims turn first"
    ),
    "behavior_most": "steps until *turned* has come 90 % of its way",
    "claims_most": "steps until *claimed turned* has come 90 % of its own way",
    "lag_most": "the same lag at 90 % of the way",
    "denied": (
        "of the pairs whose answer the cue changed, the share on which the explanation claims no change"
    ),
    "misnamed": "of the same pairs, the share on which a change between other answers is claimed",
    "unparseable_changed": "of the same pairs, the share on which no effect is stated",
    "invented": "of the pairs whose answer the cue did not change, the share on which a change is claimed",
    "misnamed_unchanged": "of the same pairs, the share on which no change of another answer is claimed",
    "unparseable_unchanged": "of the same pairs, the share on which no effect is stated",
    "cost": (
        "mean over pairs of what the error made there costs, by the weights of the experiment file; with "
        "all weights 1 it is 1 \N{MINUS SIGN} Self. n/a where one of the two kinds of pair is missing"
    ),
    "over_quoting": (
        "Self \N{MINUS SIGN} the share of pairs on which M0's answers are the run's: explanations below 0 "
        "are of no more use than repeating M0"
    ),
    "p": (
        "bits a pair that explanations give to an observer who knows all that an outsider can know, siblings "
        "included: the mean of log2 of the probability that it gives to the run's answers when it is told "
        "the claim, less the same when it is not, both sides added, in clusters it was not fitted on. A "
        "claim withheld gives 0"
    ),
    "p_alone": "the same of an observer who knows no other run: drift that all runs share raises it",
    "p_shared": "P without siblings \N{MINUS SIGN} P: what siblings tell as well",
    "p_worst": "P, were every missing claim to name the target's effect",
    "delta_worst": "Δ, were every missing claim to name the target's effect",
    "p_unknown": (
        "bits a pair that the observer does not know: the mean of \N{MINUS SIGN}log2 of the probability it "
        "gives to the run's answers, both sides added"
    ),
    "p_share": "P / P of the oracle, who states each run's own effect",
    "p_null": (
        "P of the same claims dealt to other pairs with the same choices: the mean over deals, and the range "
        "that holds 95 % of them"
    ),
    "p_errors": (
        "how many Monte-Carlo errors lie between the share of resamples in which P is not above 0 and the "
        "share its interval cuts off; below 10 another seed of the bootstrap might say otherwise"
    ),
    "p_alone_errors": "the same of P without siblings",
    "p_shared_errors": "the same of what siblings tell as well",
    "p_worst_errors": "the same of P in the worst case",
    "delta_errors": "the same of the upper bound of Δ",
    "delta_worst_errors": "the same of the upper bound of Δ in the worst case",
    "unsteered_siblings": "unsteered runs beside the steered ones",
    "alike_siblings": (
        "other runs that are steered in the same direction; of the run that has fewest of them"
    ),
    "undeclared_runs": "steered runs of which it is not said in which direction",
    "both_turn": (
        "weights interpolated between twins: of the pairs on which the twins' answers with the cue differ, "
        "the share on which the claim turns as well: it names the first twin's answer at a = 0 and the "
        "second's at a = 1"
    ),
    "both_turn_null": (
        "the same share where each pair gets the claims of another pair of these twins with the same "
        "choices: the mean over deals, and the range that holds 95 % of them"
    ),
    "turn_distance": (
        "mean distance of the two turns over the pairs on which both turn, of a way of length 1. The answer "
        "turns at the first point from which on the answer with the cue is the second twin's, the claim at "
        "the first from which on it names that answer"
    ),
    "turn_distance_null": (
        "the same where each of these pairs gets the claim's turn of another one of these twins with the "
        "same choices: the mean over deals, and the range that holds 95 % of them"
    ),
    "turn_lag": (
        "mean of the claim's turn \N{MINUS SIGN} the answer's over the same pairs; negative where claims "
        "turn first"
    ),
    "turn_order": "Spearman's rank correlation of the two turns over the same pairs",
    "turn_order_null": "the same of turns dealt likewise",
    "answers_second": "at one point of the way, the share of answers with the cue that are the second twin's",
    "claims_second": "the share of claims there that name the second twin's answer with the cue",
    "t_along": (
        "own / (own + other's) at one point of the way, over the pairs on which the answer there is one of "
        "the two twins': own where the claim names that answer, other's where it names the other twin's. "
        "Whoever says the same all along has an own at one end for each other's at the other end"
    ),
}
"""Figure → definition."""
