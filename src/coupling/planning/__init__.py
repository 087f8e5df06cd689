"""What an experiment will take, before anything is loaded: memory, time, and pairs."""

from coupling.planning.plan import Plan, plan_experiment

__all__ = ["Plan", "plan_experiment"]
