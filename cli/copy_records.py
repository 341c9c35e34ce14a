"""`tribank copy-records`: from the files of a state folder into a database of PostgreSQL."""

from __future__ import annotations

import sys

import typer

from cli.options import State, check_folder
from recipes.places import DEFAULT_STATE


def copy_records(state: State = DEFAULT_STATE) -> None:
    """Copy results, jobs and changes from the state folder into the empty database of TRIBANK_DATABASE.

    Stop the server first. The files stay as they are.
    """
    from service.records.copying import copy_records as copy
    from service.records.state_folder import StateFolder
    from service.settings import BadSetting, database_uri, read_settings
    from service.watch.logs import make_logger

    uri = database_uri(read_settings())
    if uri is None:
        raise BadSetting("Set TRIBANK_DATABASE to postgresql://user:password@host/database.")
    check_folder(state, "--state")
    folder = StateFolder(state, {}, make_logger(sys.stderr))
    folder.claim()
    try:
        counts = copy(state, uri)
    finally:
        folder.close()
    rows = ", ".join(f"{count} {table}" for table, count in counts.items() if table != "running")
    typer.echo(f"Copied from {state} into the database: {rows or 'nothing'}.")
