"""`tribank keys`: who may use the service."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.options import State
from recipes.places import DEFAULT_STATE
from service.http.keys import Keys, Role

app = typer.Typer(no_args_is_help=True, help="Add, list and revoke the keys of the service.")

Name = Annotated[str, typer.Argument(help="Who or what uses the key; it stands in the log.")]


@app.command()
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="score: read and score. manage: everything.")] = "score",
    rate: Annotated[
        float | None,
        typer.Option(help="Most parts or batches a second; more are refused with 429. [default: any]"),
    ] = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Make a key and print it, this once."""
    typer.echo(Keys(state).add(name, role, rate))
    typer.echo(f"It opens the servers whose state folder (--state) is {state.absolute()}.", err=True)


@app.command("list")
def list_keys(state: State = DEFAULT_STATE) -> None:
    """List the keys by name; what they are cannot be shown again."""
    table = Table("name", "role", "a second", "created")
    for key in Keys(state).all():
        table.add_row(
            key.name, key.role, f"{key.rate:g}" if key.rate else "any", f"{key.created:%Y-%m-%d %H:%M}"
        )
    Console().print(table)


@app.command()
def revoke(name: Name, state: State = DEFAULT_STATE) -> None:
    """Take a key back. A server that runs refuses it from its next request."""
    Keys(state).revoke(name)
