"""The fixed dataset of explanations that a model is trained on."""

from coupling.supervision.labels import build_labels, candidate_pairs, check_tags

__all__ = ["build_labels", "candidate_pairs", "check_tags"]
