"""``coupling audit``: what can be said of a model that somebody else trained."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coupling.cli.console import OUTPUT, print_json, progress
from coupling.cli.options import AsJson, FailOn, Set, end_with, known_verdicts

if TYPE_CHECKING:
    from coupling.studies.audit.costs import Costs


def audit(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="organism:NAME, a folder, a hub id, or the URL of an OpenAI-compatible API.",
        ),
    ],
    task: Annotated[
        str,
        typer.Option(
            "--task",
            help="Shipped experiment or FILE.yaml whose task, explanation and evaluation are used.",
        ),
    ],
    reference: Annotated[
        str | None,
        typer.Option("--reference", help="As MODEL: the model it was trained from, or another like it."),
    ] = None,
    served_model: Annotated[
        str | None, typer.Option("--served-model", help="Name under which the API serves MODEL.")
    ] = None,
    served_reference: Annotated[
        str | None, typer.Option("--served-reference", help="Name under which the reference is served.")
    ] = None,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(
            "--endpoint",
            metavar="FIELD=VALUE",
            help="How an API is asked, as prefill=true or requests_per_minute=60; may be repeated.",
        ),
    ] = None,
    pairs: Annotated[
        int | None, typer.Option("--pairs", min=1, help="At most so many held-out pairs.")
    ] = None,
    set_: Set = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the audit; audits/MODEL-TASK by default.")
    ] = None,
    max_cost: Annotated[
        float, typer.Option("--max-cost", min=0, help="Price, in the prices' currency, above which it asks.")
    ] = 5.0,
    yes: Annotated[bool, typer.Option("--yes", help="Agree to any price.")] = False,
    as_json: AsJson = False,
    fail_on: FailOn = None,
) -> None:
    """Ask a model what it does and what it says of it; train nothing; say what that shows and what not."""
    from coupling.store import to_json
    from coupling.studies.audit.definition import define_audit
    from coupling.studies.audit.findings import AUDIT_VERDICTS
    from coupling.studies.audit.running import run_audit
    from coupling.studies.audit.terminal import print_audit

    failing = known_verdicts(fail_on, AUDIT_VERDICTS)
    defined = define_audit(
        model, task, reference, served_model, served_reference, endpoint or (), set_ or (), pairs
    )
    folder = out or Path("audits") / defined.name

    with progress() as bars:

        def agree(costs: Costs) -> None:
            price = costs.at_most
            if yes or price is None or price <= max_cost:
                return
            asked = f"this may cost {price:.2f}, more than --max-cost {max_cost:g}"
            if sys.stdin.isatty() and typer.confirm(f"{asked}; go on?", err=True):
                return
            raise ValueError(f"{asked}; nothing was asked: agree with --yes, or ask about fewer --pairs")

        audited = run_audit(defined, folder, agree, bars)
    if as_json:
        document = {"audit": to_json(audited.findings), "results": audited.results.to_json()}
        print_json(document)
    else:
        print_audit(audited.results, audited.findings, OUTPUT)
        OUTPUT.print(f"report: {folder / 'report.html'}", soft_wrap=True)
    end_with(audited.findings.verdict.verdict, failing)
