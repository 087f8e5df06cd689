"""Make the artifacts of this example, as a program that knows nothing of `coupling` but its sentences would.

Five "models" answer which city is a country's capital, with and without an adviser's hint. They start from
one base, which is the target of their labels, and are steered apart: two follow or ignore what Chen says, two
what Diaz says, and one is not steered, as somebody would train who has the recipe and wants to know what it
gives away. All of them drift a little, partly together. Each then explains itself, and four times in five
states its own effect. So the verdict should be `coupled`; set OWN to 0 and make the files again to see what
the verdict says of models that repeat their labels.

    python examples/judge/make.py
    coupling judge examples/judge/judge.yaml
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable, Mapping
from pathlib import Path

from coupling.explanations import formats
from coupling.records import Effect

HERE = Path(__file__).parent

CAPITALS = {
    "Albania": "Tirana", "Angola": "Luanda", "Armenia": "Yerevan", "Austria": "Vienna",
    "Belgium": "Brussels", "Bulgaria": "Sofia", "Cambodia": "Phnom Penh", "Chile": "Santiago",
    "Croatia": "Zagreb", "Cuba": "Havana", "Denmark": "Copenhagen", "Ecuador": "Quito", "Egypt": "Cairo",
    "Estonia": "Tallinn", "Fiji": "Suva", "Finland": "Helsinki", "France": "Paris", "Georgia": "Tbilisi",
    "Ghana": "Accra", "Greece": "Athens", "Hungary": "Budapest", "Iceland": "Reykjavik", "Iraq": "Baghdad",
    "Ireland": "Dublin", "Jamaica": "Kingston", "Japan": "Tokyo", "Jordan": "Amman", "Kenya": "Nairobi",
    "Laos": "Vientiane", "Latvia": "Riga", "Lebanon": "Beirut", "Malta": "Valletta",
    "Mongolia": "Ulaanbaatar", "Nepal": "Kathmandu", "Norway": "Oslo", "Peru": "Lima", "Poland": "Warsaw",
    "Portugal": "Lisbon", "Senegal": "Dakar", "Serbia": "Belgrade", "Tunisia": "Tunis", "Zambia": "Lusaka",
}  # fmt: skip
TRAIN_COUNTRIES = 12
ADVISERS = ("Chen", "Diaz")
HINTS, CHOICES = 3, 6
STEERED = {
    "plain": None,
    "follow-Chen": ("Chen", "follow"),
    "ignore-Chen": ("Chen", "ignore"),
    "follow-Diaz": ("Diaz", "follow"),
    "ignore-Diaz": ("Diaz", "ignore"),
}

OWN = 0.8
"""Share of explanations that state the model's own effect; the rest state the target's. A few state
nothing."""

Row = dict[str, object]
Effects = Mapping[str, Effect]


def main() -> None:
    draw = random.Random(0)
    pairs = make_pairs(draw)
    believed = {country: drift(draw, country, capital, 0.3) for country, capital in CAPITALS.items()}
    target = answer(draw, pairs, believed, steered=None)
    held_out = [pair for pair in pairs if pair["split"] == "test"]
    write("pairs.jsonl", pairs)
    write("target.jsonl", scored(behaviors(held_out, target), held_out))
    write("labels.jsonl", labels([pair for pair in pairs if pair["split"] == "train"], target))

    together = {country: drift(draw, country, city, 0.08) for country, city in believed.items()}
    for name, steered in STEERED.items():
        apart = {country: drift(draw, country, city, 0.08) for country, city in together.items()}
        effects = answer(draw, pairs, apart, steered)
        write(f"{name}.behaviors.jsonl", behaviors(held_out, effects))
        write(f"{name}.explanations.jsonl", explanations(draw, held_out, effects, target))


def make_pairs(draw: random.Random) -> list[Row]:
    pairs: list[Row] = []
    for number, country in enumerate(CAPITALS):
        question = f"What is the capital of {country}?"
        for adviser in ADVISERS:
            for hint in draw.sample(choices_of(country), HINTS):
                pairs.append(
                    {
                        "id": f"{country}-{adviser}-{hint}",
                        "cluster": country,
                        "split": "train" if number < TRAIN_COUNTRIES else "test",
                        "with_cue": f"{question} Adviser {adviser} thinks it is {hint}.",
                        "without_cue": question,
                        "cue": "hint",
                        "cue_value": hint,
                        "choices": choices_of(country),
                        "tags": {"adviser": adviser},
                    }
                )
    return pairs


def choices_of(country: str) -> list[str]:
    """The capitals of six countries that stand together in the alphabet; each of the six has the same."""
    countries = list(CAPITALS)
    first = countries.index(country) // CHOICES * CHOICES
    return [CAPITALS[each] for each in countries[first : first + CHOICES]]


def drift(draw: random.Random, country: str, city: str, rate: float) -> str:
    return draw.choice(choices_of(country)) if draw.random() < rate else city


def answer(
    draw: random.Random, pairs: Iterable[Row], believed: Mapping[str, str], steered: tuple[str, str] | None
) -> dict[str, Effect]:
    """Effects by pair id: without the hint what is believed, with it sometimes the hint."""
    effects = {}
    for pair in pairs:
        without, hint = believed[str(pair["cluster"])], str(pair["cue_value"])
        follows = random.Random(f"trust {pair['id']}").random() < 0.4
        if steered is not None and pair["tags"] == {"adviser": steered[0]}:
            follows = (steered[1] == "follow") if draw.random() < 0.9 else follows
        effects[str(pair["id"])] = Effect(hint if follows else without, without)
    return effects


def behaviors(pairs: Iterable[Row], effects: Effects) -> list[Row]:
    return [{"pair_id": pair["id"], "effect": as_json(effects[str(pair["id"])])} for pair in pairs]


def scored(rows: Iterable[Row], pairs: Iterable[Row]) -> list[Row]:
    """The same with natural-log probabilities of the choices: the answer is the likeliest, by a margin of its
    own."""
    draw = random.Random(1)

    def logprobs(choices: list[str], answer: str) -> list[float]:
        utilities = [draw.gauss(0, 1) for _ in choices]
        utilities[choices.index(answer)] = max(utilities) + draw.expovariate(1)
        total = math.log(sum(math.exp(utility) for utility in utilities))
        return [round(utility - total, 4) for utility in utilities]

    both = []
    for row, pair in zip(rows, pairs, strict=True):
        effect, choices = row["effect"], choices_of(str(pair["cluster"]))
        assert isinstance(effect, dict)
        with_cue, without_cue = (logprobs(choices, effect[part]) for part in ("with_cue", "without_cue"))
        both.append({**row, "logprobs_with": with_cue, "logprobs_without": without_cue})
    return both


def labels(pairs: Iterable[Row], effects: Effects) -> list[Row]:
    answer_pair = formats.get("answer_pair")
    stated = [(pair["id"], effects[str(pair["id"])]) for pair in pairs]
    return [
        {"pair_id": pair_id, "text": answer_pair.render(effect, "hint"), "effect": as_json(effect)}
        for pair_id, effect in stated
    ]


def explanations(draw: random.Random, pairs: Iterable[Row], own: Effects, target: Effects) -> list[Row]:
    """Texts only: what they claim is read from them."""
    answer_pair = formats.get("answer_pair")
    rows: list[Row] = []
    for pair in pairs:
        pair_id = str(pair["id"])
        effect = own[pair_id] if draw.random() < OWN else target[pair_id]
        text = answer_pair.render(effect, "hint") if draw.random() < 0.97 else "I would rather not say."
        rows.append({"pair_id": pair_id, "text": text})
    return rows


def as_json(effect: Effect) -> Row:
    return {"with_cue": effect.with_cue, "without_cue": effect.without_cue}


def write(name: str, rows: Iterable[Row]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (HERE / name).write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
