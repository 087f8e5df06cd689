"""Matplotlib figures as inline SVG that follows the page's colours, light or dark.

Figures are drawn in the light palette. Each of its colours is then replaced by a CSS variable with the
colour as fallback, text stays text in the page's own typeface, and identifiers get the figure's name as a
prefix, because several figures share one page. Equal figures give equal bytes: the hash salt is fixed and
no metadata is written.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coupling.shown import one_line

PALETTE = {
    "ink": "#1c1e21",
    "muted": "#5b6068",
    "line": "#d3d2cc",
    "own": "#0b5fa5",
    "target": "#b04a00",
    "own-tint": "#dce9f5",
    "target-tint": "#f9e4d4",
    "paper": "#fdfcf9",
}
"""Name → colour of the light palette; the style sheet gives the same names their dark values."""

INK, MUTED, LINE = PALETTE["ink"], PALETTE["muted"], PALETTE["line"]
OWN, TARGET = PALETTE["own"], PALETTE["target"]
OWN_TINT, TARGET_TINT, PAPER = PALETTE["own-tint"], PALETTE["target-tint"], PALETTE["paper"]

_POINTS_PER_INCH = 72
_NAMELESS = {"Date": None, "Creator": None, "Format": None, "Type": None}
_NAMESPACE = re.compile(r"^\{[^}]*\}")
_DECIMALS = re.compile(r"-?\d+\.\d{3,}")


@contextmanager
def drawing() -> Iterator[None]:
    """The settings all figures are drawn under; text objects read theirs when they are made."""
    with matplotlib.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "coupling",
            "text.parse_math": False,  # a run may be called "$x$"
            "path.simplify": False,
            "font.size": 11,
            "text.color": INK,
        }
    ):
        yield


def canvas(width: float, height: float) -> Figure:
    """An empty figure of ``width`` by ``height`` CSS pixels."""
    return Figure(figsize=(width / _POINTS_PER_INCH, height / _POINTS_PER_INCH))


def axes_at(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    """Axes that leave ``left``, ``bottom``, ``right`` and ``top`` CSS pixels free."""
    width, height = figure.get_size_inches() * _POINTS_PER_INCH
    return figure.add_axes(
        (left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height)
    )


def inline(figure: Figure, name: str, title: str, description: str) -> Markup:
    """``figure`` as an ``<svg>`` element with a title and a description for readers who do not see it.

    ``name`` must be unique on the page. Call it within `drawing`.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata=_NAMELESS)
    root = ElementTree.fromstring(buffer.getvalue())
    _strip_namespaces(root)
    _remove_invisible(root)
    _prefix_identifiers(root, name)
    for element in root.iter():
        _tidy(element)
    for tag, content in (("desc", description), ("title", title)):
        child = ElementTree.Element(tag, {"id": f"{name}-{tag}"})
        child.text = one_line(content)
        root.insert(0, child)
    _, _, width, height = root.attrib["viewBox"].split()
    root.attrib = {
        "viewBox": f"0 0 {width} {height}",
        "width": width,
        "height": height,
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
    }
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _strip_namespaces(root: ElementTree.Element) -> None:
    for element in root.iter():
        element.tag = _NAMESPACE.sub("", element.tag)
        element.attrib = {_NAMESPACE.sub("", key): value for key, value in element.attrib.items()}


def _remove_invisible(root: ElementTree.Element) -> None:
    """Metadata, style sheets (they would reach the whole page) and the unpainted backgrounds."""
    for parent in list(root.iter()):
        for child in list(parent):
            unpainted = child.tag == "path" and child.get("style") == "fill: none"
            if child.tag in ("metadata", "style") or unpainted:
                parent.remove(child)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("g", "defs") and len(child) == 0:
                parent.remove(child)


def _prefix_identifiers(root: ElementTree.Element, name: str) -> None:
    document = ElementTree.tostring(root, encoding="unicode")
    referenced = set(re.findall(r'(?:href="#|url\(#)([^")]+)', document))
    for element in root.iter():
        identifier = element.attrib.pop("id", None)
        if identifier in referenced:
            element.set("id", f"{name}-{identifier}")
        for key in ("href", "clip-path"):
            if key in element.attrib:
                element.set(key, element.attrib[key].replace("#", f"#{name}-", 1))


def _tidy(element: ElementTree.Element) -> None:
    """Colours by variable, two decimals, no white space between elements, the page's typeface."""
    if element.tag != "text":
        element.text = None
    element.tail = None
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    for key in ("d", "x", "y", "transform", "width", "height"):
        if key in element.attrib:
            rounded = _DECIMALS.sub(lambda found: f"{float(found[0]):.2f}", element.attrib[key])
            element.set(key, " ".join(rounded.split()))
    style = element.get("style")
    if style is not None:
        declarations = [part.strip() for part in style.split(";")]
        kept = [part for part in declarations if part and not part.startswith("font-family")]
        element.set("style", _by_variable("; ".join(kept)))


def _by_variable(style: str) -> str:
    for name, colour in PALETTE.items():
        style = style.replace(colour, f"var(--{name}, {colour})")
    return style
