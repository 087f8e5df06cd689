"""How organisms are raised: recipes over worlds and training."""

from coupling.raising.chained import raise_chained
from coupling.raising.organism import Raised, raise_organism
from coupling.raising.recipe import RECIPES, Pretraining, Recipe, SelfExplanation

__all__ = [
    "RECIPES",
    "Pretraining",
    "Raised",
    "Recipe",
    "SelfExplanation",
    "raise_chained",
    "raise_organism",
]
