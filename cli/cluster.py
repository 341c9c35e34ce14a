"""`tribank cluster`: the scorers of a Ray cluster. Fronts are servers with TRIBANK_CLUSTER."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.options import Banks, Device, Json, Weights, chosen_device
from cli.progress import console
from models.weights.folder import DEFAULT_WEIGHTS
from recipes.places import DEFAULT_BANKS

app = typer.Typer(no_args_is_help=True, help="Start, show and stop the scorers of a Ray cluster.")

Address = Annotated[
    str,
    typer.Option(
        envvar="TRIBANK_CLUSTER",
        help="Address of the Ray cluster, HOST:6379. auto: the cluster that this computer belongs to.",
    ),
]


@app.command()
def start(
    scorers: Annotated[int, typer.Option(min=1, help="Number of scorers: one process each, one a device.")],
    banks: Banks = DEFAULT_BANKS,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
    cpus: Annotated[int, typer.Option(min=1, help="Cores of a node, and threads, for each scorer.")] = 1,
    memory_mb: Annotated[
        int | None, typer.Option(min=1, help="Most host memory of a scorer's banks and networks.")
    ] = None,
    device_mb: Annotated[
        int | None, typer.Option(min=1, help="Most GPU memory of a scorer's banks and networks.")
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(envvar="TRIBANK_CACHE", help="Folder of each node for copies of versions."),
    ] = None,
    cache_mb: Annotated[
        int, typer.Option(envvar="TRIBANK_CACHE_MB", min=1, help="Most disk space of the copies.")
    ] = 16384,
    address: Address = "auto",
) -> None:
    """Start the scorers, or bring their number and settings to these. Waits until they run.

    Every node must see the folders --banks and --weights-dir under the same paths.
    """
    from service.cluster.deployment import Plan, join, leave, room_for, start_scorers
    from service.cluster.scorer import ScorerSettings

    chosen = chosen_device(device)
    given = ScorerSettings(
        banks.absolute(),
        weights_dir.absolute(),
        chosen,
        memory_mb=memory_mb,
        device_mb=device_mb,
        cache=None if cache is None else cache.absolute(),
        cache_mb=cache_mb,
    )
    plan = Plan(scorers, cpus, 0.0 if chosen == "cpu" else 1.0, given.plain())
    join(address)
    try:
        if (room := room_for(plan)) < scorers:
            each = f"--cpus {cpus}" if chosen == "cpu" else f"--cpus {cpus}, and a GPU each"
            typer.echo(
                f"The nodes of the cluster have room for {room} of {scorers} scorers ({each}). This waits "
                "for further nodes ('ray start'). Ctrl-C ends it; then ask for fewer scorers or cores.",
                err=True,
            )
        with console.status(f"Starting {scorers} scorers"):
            start_scorers(plan)
    finally:
        leave()
    typer.echo(f"{scorers} scorers run. Serve with TRIBANK_CLUSTER={address} tribank serve.")


@app.command()
def status(address: Address = "auto", as_json: Json = False) -> None:
    """Show the scorers. Exits with 1 if one of them does not answer."""
    from service.cluster.calls import ScorerGone
    from service.cluster.deployment import RayCalls, scorer_states

    calls = RayCalls(address)
    facts = {}
    try:
        states = scorer_states()
        for name in states:
            try:
                facts[name] = calls.facts(name, within_s=5)
            except ScorerGone:
                facts[name] = None
    finally:
        calls.close()
    if as_json:
        rows = {name: {"state": states[name], "facts": facts[name]} for name in states}
        typer.echo(json.dumps(rows))
    else:
        table = Table("scorer", "state", "where", "device", "versions", "waiting", "memory")
        for name, state in states.items():
            table.add_row(name, state, *_columns(facts[name]))
        Console().print(table)
    raise typer.Exit(0 if states and all(facts.values()) else 1)


def _columns(facts: Mapping[str, Any] | None) -> Sequence[str]:
    """What a scorer said of itself; dashes for one that does not answer."""
    if facts is None:
        return ["-"] * 5
    return [
        f"{facts['host']}:{facts['pid']}",
        facts["device"],
        str(len(facts["versions"])),
        str(facts["waiting"]),
        f"{facts['memory_bytes'] / 2**20:.0f} MB",
    ]


@app.command()
def stop(address: Address = "auto") -> None:
    """Stop all scorers. Ray itself goes on: 'ray stop' ends it."""
    from service.cluster.deployment import join, leave, stop_scorers

    join(address)
    try:
        stop_scorers()
    finally:
        leave()
    typer.echo("The scorers are stopped.")
