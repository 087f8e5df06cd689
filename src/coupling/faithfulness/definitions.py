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
}
"""Figure → definition."""
