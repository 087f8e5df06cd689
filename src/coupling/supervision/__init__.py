"""The fixed dataset of explanations that a model is trained on.

- ``labels``    which pairs may be labelled; effects put into words
- ``mixture``   whose effects are stated of which question, where two models are mixed
- ``noise``     labels made wrong on purpose
- ``given``     labels and behaviours that were made elsewhere
"""

from coupling.supervision.given import read_behaviors, read_given_labels
from coupling.supervision.labels import build_labels, candidate_pairs, check_tags, disturb_labels
from coupling.supervision.mixture import states_own

__all__ = [
    "build_labels",
    "candidate_pairs",
    "check_tags",
    "disturb_labels",
    "read_behaviors",
    "read_given_labels",
    "states_own",
]
