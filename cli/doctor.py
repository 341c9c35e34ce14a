"""`tribank doctor`: find out what is wrong on this machine, and how to fix it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import (
    Banks,
    Device,
    Json,
    State,
    Weights,
)
from models.weights.folder import DEFAULT_WEIGHTS
from recipes.places import DEFAULT_BANKS, DEFAULT_STATE

if TYPE_CHECKING:
    from cli.checks import Finding


def doctor(
    banks: Banks = DEFAULT_BANKS,
    host: Annotated[str, typer.Option(envvar="TRIBANK_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="TRIBANK_PORT", help="Port to listen on.")] = 8000,
    state: State = DEFAULT_STATE,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Check weights, banks, libraries, GPU, port, disk and keys for a server with these settings.

    Prints a fix for each problem. Exits with 1 if something is bad.
    """
    from cli.checks import examine
    from service.settings import read_settings

    # "auto" stays "auto": resolving it would import torch before torch is checked.
    settings = read_settings(
        banks=banks, host=host, port=port, state=state, weights=weights_dir, device=device
    )
    findings = list(examine(settings))
    if as_json:
        typer.echo(json.dumps([_as_json(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            typer.echo(f"{finding.state:<5}{finding.check}: {finding.message}")
            if finding.fix:
                typer.echo(f"     fix: {finding.fix}")
        counts = Counter(finding.state for finding in findings)
        typer.echo(f"{counts['bad']} bad, {counts['warn']} warnings, {counts['ok']} ok")
    raise typer.Exit(int(any(finding.state == "bad" for finding in findings)))


def _as_json(finding: Finding) -> dict[str, str]:
    """The finding with the field names of the JSON output, which stay stable."""
    return {
        "check": finding.check,
        "state": finding.state,
        "said": finding.message,
        "mend": finding.fix,
    }
