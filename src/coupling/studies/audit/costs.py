"""What asking endpoints takes, told before anything is asked, and agreed to where it is much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coupling.config import EndpointConfig
from coupling.models.endpoint import CHARACTERS_A_TOKEN, TOKENS_A_MESSAGE, Load, Plan


@dataclass(frozen=True, slots=True)
class Costs:
    """What is still to be asked of each endpoint: model, reference or both."""

    plans: Mapping[str, tuple[EndpointConfig, Plan]]

    @property
    def requests(self) -> int:
        return sum(plan.expected.requests for _, plan in self.plans.values())

    @property
    def at_most(self) -> float | None:
        """Price of all that may be asked; None where one of the prices is not known."""
        prices = [plan.at_most.price(config) for config, plan in self.plans.values() if plan.at_most.requests]
        return None if None in prices else sum(price for price in prices if price is not None)

    def lines(self) -> list[str]:
        """A line an endpoint, where old answers are kept, and how the figures were come by."""
        told = []
        for who, (config, plan) in self.plans.items():
            told.append(_line(who, config, plan))
            if plan.answered:
                told.append(_kept(plan))
        if self.requests:
            told.append(
                f"tokens are estimated: {CHARACTERS_A_TOKEN} characters each, {TOKENS_A_MESSAGE} a message, "
                "answers as long as they may be"
            )
        return told


def _line(who: str, config: EndpointConfig, plan: Plan) -> str:
    if not plan.expected.requests:
        return f"the {who}, {config.model} at {config.url}: nothing left to ask"
    line = f"the {who}, {config.model} at {config.url}: {_load(plan.expected, config)}"
    if plan.at_most.requests > plan.expected.requests:
        line += f"; if it gives no log-probabilities at most {_load(plan.at_most, config)}"
    if plan.expected.price(config) is None:
        line += "; the price is not known (price_per_million_input, price_per_million_output)"
    return line


def _kept(plan: Plan) -> str:
    return (
        f"answered before, and kept in {plan.journal}: {plan.answered} requests; has another model been "
        "loaded under that name since, delete that file and start again with another --out"
    )


def _load(load: Load, config: EndpointConfig) -> str:
    price = load.price(config)
    words = f"{load.requests} requests, about {load.input_tokens} tokens in and {load.output_tokens} out"
    return words if price is None else f"{words}, {price:.2f} to pay"
