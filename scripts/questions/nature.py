"""Chemical elements, and the constellations of bright stars."""

from __future__ import annotations

from collections.abc import Iterator

import ephem
import ephem.stars
from mendeleev import get_all_elements

from questions.facts import Fact

FAMILIES = {
    "Alkali metals",
    "Alkaline earth metals",
    "Transition metals",
    "Halogens",
    "Noble gases",
    "Lanthanides",
    "Actinides",
}
CLEAR_FAMILIES_UP_TO = 103
SEVERAL_FAMILIES = {
    "Hydrogen",
    "Zinc",
    "Cadmium",
    "Mercury",
    "Lutetium",
    "Lawrencium",
    "Lanthanum",
    "Actinium",
}
NEAR_NUMBERS = 8
NEAR_CONSTELLATIONS = 8
OTHER_SPELLINGS = {"Adara", "Agena", "Albereo", "Alcaid", "Etamin", "Formalhaut", "Gienah Corvi", "Sirrah"}
"""Of stars that the catalogue names twice."""


def element_facts() -> Iterator[Fact]:
    elements = get_all_elements()
    for element in elements:
        name = element.name.lower()

        def fact(kind: str, answer: str, *near: tuple[str, ...], name: str = name) -> Fact:
            return Fact(kind, f"the element {name}", name, answer, near)

        letters = {element.name[0], element.symbol[0]}
        alike = tuple(other.symbol for other in elements if other.symbol[0] in letters)
        beside = [
            other
            for other in elements
            if 0 < abs(other.atomic_number - element.atomic_number) <= NEAR_NUMBERS
        ]
        yield fact("symbol", element.symbol, alike, tuple(other.symbol for other in beside))
        number = str(element.atomic_number)
        numbers = tuple(str(other.atomic_number) for other in beside)
        yield fact("atomic number", number, tuple(text for text in numbers if len(text) == len(number)))
        is_clear = element.atomic_number <= CLEAR_FAMILIES_UP_TO and element.name not in SEVERAL_FAMILIES
        if element.series in FAMILIES and is_clear:
            families = tuple(f"the {family.lower()}" for family in sorted(FAMILIES))
            yield fact("family", f"the {element.series.lower()}", families)


def star_facts() -> Iterator[Fact]:
    stars = {}
    for name in ephem.stars.stars:
        if name not in OTHER_SPELLINGS:
            star = ephem.star(name)
            star.compute("2000/1/1")
            stars[name] = (star, ephem.constellation(star)[1].split(" Caput")[0])
    for name, (star, constellation) in stars.items():
        distances = sorted((ephem.separation(star, other), where) for other, where in stars.values())
        near = dict.fromkeys(where for _, where in distances if where != constellation)
        nearest = tuple(near)[:NEAR_CONSTELLATIONS]
        yield Fact("constellation", f"the star {name}", name, constellation, (nearest,))
