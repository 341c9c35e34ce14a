"""`tribank keys`: add, list and revoke API keys."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.options import State
from recipes.places import DEFAULT_STATE
from service.http.keys import Keys, Role

app = typer.Typer(no_args_is_help=True, help="Add, list and revoke API keys of the server.")

Name = Annotated[str, typer.Argument(help="Name of the key's user. The log shows the name.")]


@app.command()
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="score may read and score; manage may do everything.")] = "score",
    rate: Annotated[
        float | None,
        typer.Option(help="Largest number of parts or batches per second; more get 429. [default: no limit]"),
    ] = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Create a key and print it. The key cannot be shown again."""
    typer.echo(Keys(state).add(name, role, rate))
    typer.echo(f"The key is valid for servers with the state folder {state.absolute()} (--state).", err=True)


@app.command("list")
def list_keys(state: State = DEFAULT_STATE) -> None:
    """List the keys by name. The keys themselves cannot be shown."""
    table = Table("name", "role", "per second", "created")
    for key in Keys(state).all():
        table.add_row(
            key.name, key.role, f"{key.rate:g}" if key.rate else "any", f"{key.created:%Y-%m-%d %H:%M}"
        )
    Console().print(table)


@app.command()
def revoke(name: Name, state: State = DEFAULT_STATE) -> None:
    """Revoke a key. A running server refuses the key from the next request on."""
    Keys(state).revoke(name)
