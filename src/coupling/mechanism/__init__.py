"""Do behaviour and explanation use the same circuits? Activation patching.

A model is run on ``x``, with one component's activation replaced by the one it has on ``x\\C``; how far an
answer then moves towards the one without the cue is how much of the cue's influence passes through that
component. It is asked three times: of the answer itself, and of the two answers that an explanation names,
with the cue and without it. If they come from the same circuit, the components that carry the cue's influence
are the same. The claimed answer *with* the cue is the nearer to behaviour: a model that merely answers again
gets it right. The claimed answer *without* it is where a model that explains itself must undo, in view of the
cue, what the cue does to it.

The method is that of Vig et al. (2020, arXiv 2004.12265), there called indirect effect, and of Meng et al.
(2022, arXiv 2202.05262). As Zhang & Nanda (2023, arXiv 2309.16042) advise, activations are taken from another
prompt, not from noise; what is measured is a difference of logits; and it is divided by what the whole cue
does:

    m      = logit(answer with the cue) - logit(answer without it), where an answer comes next
    share of a component = Σ (m(x) - m(x, component from x\\C)) / Σ (m(x) - m(x\\C)), sums over pairs

on pairs whose effect is changed; on others nothing can move. A share is 1 when all of the influence passes
through the component, 0 when none does, and negative when the component works against it. Shares need not add
up to 1: components feed one another.

- ``anatomy``    blocks, attention heads and MLPs of a decoder, found by their structure
- ``contrasts``  prompts with the cue and without it, side by side, as tokens
- ``patching``   what patching each component does to ``m``
- ``circuits``   the three read-outs of one model, and how far they agree
"""
