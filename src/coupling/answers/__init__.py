"""Written answers, read as one of two choices: does an answer refuse or comply? Pure, without torch."""

from coupling.answers.language import is_english
from coupling.answers.phrases import Evidence
from coupling.answers.refusal import CHOICES, COMPLIANCE, REFUSAL, Reading, Written, read_answer, rules_sha256

__all__ = [
    "CHOICES",
    "COMPLIANCE",
    "REFUSAL",
    "Evidence",
    "Reading",
    "Written",
    "is_english",
    "read_answer",
    "rules_sha256",
]
