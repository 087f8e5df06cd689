"""Written answers, read as one of two choices: does an answer refuse or comply? Pure, without torch."""

from coupling.answers.phrases import Evidence
from coupling.answers.refusal import CHOICES, COMPLIANCE, REFUSAL, Reading, read_answer, rules_sha256

__all__ = [
    "CHOICES",
    "COMPLIANCE",
    "REFUSAL",
    "Evidence",
    "Reading",
    "read_answer",
    "rules_sha256",
]
