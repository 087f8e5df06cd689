"""The facts, advisers and sentences that an organism grows up in."""

from coupling.worlds.asking import Asked, draw_asked
from coupling.worlds.chains import CHAIN_WORDS, Chain, Conclusion, chains_of
from coupling.worlds.sentences import ADVICE, ANSWER_PREFIX, CUE, advice, question, vocabulary
from coupling.worlds.world import ADVISERS, RELATIONS, Fact, World

__all__ = [
    "ADVICE",
    "ADVISERS",
    "ANSWER_PREFIX",
    "CHAIN_WORDS",
    "CUE",
    "RELATIONS",
    "Asked",
    "Chain",
    "Conclusion",
    "Fact",
    "World",
    "advice",
    "chains_of",
    "draw_asked",
    "question",
    "vocabulary",
]
