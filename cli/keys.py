"""`tribank keys`: add, list and revoke API keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from banks.versions.store import PRODUCT_NAME
from cli.change_record import record
from cli.options import State, check_folder, is_typed
from recipes.places import DEFAULT_STATE
from service.http.keys import Keys
from service.http.roles import Role

app = typer.Typer(no_args_is_help=True, help="Add, list and revoke API keys of the server.")

_ROLES = (
    "read: look, also for Prometheus. score: also score parts. label: also judge parts. manage: everything."
)
Name = Annotated[str, typer.Argument(help="Name of the key's user. The log shows the name.")]


@app.command()
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help=_ROLES)] = "score",
    rate: Annotated[
        float | None,
        typer.Option(help="Largest number of parts or batches per second; more get 429. [default: no limit]"),
    ] = None,
    product: Annotated[
        list[str] | None,
        typer.Option(help="The only product of the key. Repeat the option for more. [default: all products]"),
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(min=0.0, max=36_500.0, help="Days until the key expires. [default: it never expires]"),
    ] = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Create a key and print it. The key cannot be shown again."""
    for one in product or ():
        if not PRODUCT_NAME.match(one):
            raise typer.BadParameter(f"'{one}' is no product name.", param_hint="--product")
    expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    typer.echo(Keys(state).add(name, role, rate, products=product or None, expires=expires))
    after = {"role": role, "products": product or "all", "expires": None if expires is None else str(expires)}
    record(state, "add_key", subject=name, after=after)
    typer.echo(f"The key is valid for servers with the state folder {state.absolute()} (--state).", err=True)


@app.command("list")
def list_keys(context: typer.Context, state: State = DEFAULT_STATE) -> None:
    """List the keys by name. The keys themselves cannot be shown."""
    if is_typed(context, "state"):  # else a server may make the folder later
        check_folder(state, "--state")
    table = Table("name", "role", "products", "per second", "created", "expires")
    for key in Keys(state).all():
        table.add_row(
            key.name,
            key.role,
            ", ".join(key.products) if key.products else "all",
            f"{key.rate:g}" if key.rate else "any",
            f"{key.created:%Y-%m-%d %H:%M}",
            f"{key.expires:%Y-%m-%d %H:%M}{' (expired)' if key.is_expired() else ''}"
            if key.expires
            else "never",
        )
    Console().print(table)


@app.command()
def revoke(name: Name, state: State = DEFAULT_STATE) -> None:
    """Revoke a key. A running server refuses the key from the next request on."""
    check_folder(state, "--state")
    Keys(state).revoke(name)
    record(state, "revoke_key", subject=name)
