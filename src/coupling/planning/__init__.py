"""What an experiment will take, before anything is loaded: memory, time, and pairs."""

from coupling.planning.plan import Plan, plan_experiment
from coupling.planning.stages import Devices

__all__ = ["Devices", "Plan", "plan_experiment"]
