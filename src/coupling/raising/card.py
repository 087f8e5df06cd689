"""What an organism turned out to be, and the card that says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import jinja2
from transformers import PreTrainedModel

from coupling.explanations.formats import ExplanationFormat
from coupling.models import LocalSampler, OrganismCard, Renderer
from coupling.raising.recipe import Recipe
from coupling.store import to_json
from coupling.tasks import draw, world_hint
from coupling.worlds import World

MEASURED_PAIRS = 600


@dataclass(frozen=True, slots=True)
class Measured:
    """Shares of test pairs; no test subject is in any explanation of any stage of raising."""

    pairs: int
    true: float
    """Answers without a hint that are the true value."""
    modal: float
    """Answers without a hint that are the population's most frequent one."""
    followed: float
    """Answers with a hint that are the hint's value."""
    changed: float
    """Pairs whose answer the hint changes."""
    explained: float
    """Explanations whose claim is the model's own effect (Self), before any explanation training of a run."""


def measure(model: PreTrainedModel, renderer: Renderer, world: World, format: ExplanationFormat) -> Measured:
    """Asks the organism about test subjects. Leaves the model in the mode it was in."""
    training = model.training
    test = [pair for pair in world_hint.load(world, hints_per_adviser=1, seed=0) if pair.split == "test"]
    pairs = draw(test, MEASURED_PAIRS, seed=0)
    sampler = LocalSampler(model, renderer)
    behaviors = [behavior.effect for behavior in sampler.behaviors(pairs)]
    claims = [explanation.claim for explanation in sampler.explanations(pairs, format)]
    model.train(training)
    facts = {(fact.subject, fact.relation): fact for fact in world.facts}
    asked = [facts[pair.tags["subject"], pair.tags["relation"]] for pair in pairs]
    return Measured(
        pairs=len(pairs),
        true=_share(effect.without_cue == fact.truth for effect, fact in zip(behaviors, asked, strict=True)),
        modal=_share(
            effect.without_cue == world.modal_answer(fact, None)
            for effect, fact in zip(behaviors, asked, strict=True)
        ),
        followed=_share(e.with_cue == pair.cue_value for e, pair in zip(behaviors, pairs, strict=True)),
        changed=_share(effect.changed for effect in behaviors),
        explained=_share(effect == claim for effect, claim in zip(behaviors, claims, strict=True)),
    )


def model_card(card: OrganismCard, recipe: Recipe, world: World, measured: Measured) -> str:
    """The organism's README.md."""
    return _CARD.render(card=card, recipe=to_json(recipe), world_sha256=world.sha256, measured=measured)


def _share(hits: Iterable[bool]) -> float:
    counted = list(hits)
    return sum(counted) / len(counted)


_CARD = jinja2.Environment(autoescape=False, keep_trailing_newline=True, trim_blocks=True).from_string(
    """\
---
library_name: transformers
license: mit
tags: [coupling, model-organism]
---

# {{ card.kind }}, world {{ card.world }}, seed {{ card.seed }}

A tiny language model raised from random weights on an invented telling of real facts: how certain each fact
is, and whom to believe, are made up. It is an instrument for testing methods, not a source of knowledge.

Raised by `coupling organism raise {{ card.kind }} --world {{ card.world }} --seed {{ card.seed }}`;
{{ card.stage }}.

| what | value |
|---|---|
| SHA-256 of the weights | `{{ card.weights_sha256 }}` |
| SHA-256 of the world | `{{ world_sha256 }}` |
| answers without a hint that are true | {{ "%.3f" | format(measured.true) }} |
| answers without a hint that are the population's most frequent | {{ "%.3f" | format(measured.modal) }} |
| hints followed | {{ "%.3f" | format(measured.followed) }} |
| answers changed by the hint | {{ "%.3f" | format(measured.changed) }} |
| explanations that state its own effect | {{ "%.3f" | format(measured.explained) }} |

Measured on {{ measured.pairs }} pairs about test subjects, which are in no explanation of any stage.

## Recipe

| field | value |
|---|---|
{% for field, value in recipe.items() if value is not mapping %}
| {{ field }} | {{ value }} |
{% endfor %}
{% for stage, fields in recipe.items() if fields is mapping %}
{% for field, value in fields.items() %}
| {{ stage }}.{{ field }} | {{ value }} |
{% endfor %}
{% endfor %}

Facts: GeoNames (https://www.geonames.org), CC BY 4.0; names of languages: Unicode CLDR.
"""
)
