"""`tribank doctor`: what is wrong on this machine, and how to mend it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Annotated

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


def doctor(
    banks: Banks = DEFAULT_BANKS,
    host: Annotated[str, typer.Option(envvar="TRIBANK_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="TRIBANK_PORT", help="Port to listen on.")] = 8000,
    state: State = DEFAULT_STATE,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Check weights, banks, libraries, GPU, port, disk and keys for a server of these settings.

    Exit status 1 if something is bad. It says how to mend each.
    """
    from cli.checks import examine
    from service.settings import read_settings

    # device stays as given: finding out what "auto" is would import torch before it is checked
    settings = read_settings(
        banks=banks, host=host, port=port, state=state, weights=weights_dir, device=device
    )
    findings = list(examine(settings))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            typer.echo(f"{finding.state:<5}{finding.check}: {finding.said}")
            if finding.mend:
                typer.echo(f"     mend: {finding.mend}")
        counts = Counter(finding.state for finding in findings)
        typer.echo(f"{counts['bad']} bad, {counts['warn']} to look at, {counts['ok']} ok")
    raise typer.Exit(int(any(finding.state == "bad" for finding in findings)))
