"""Putting what a command changed on the server's record of changes."""

from __future__ import annotations

import os
from getpass import getuser
from pathlib import Path
from typing import Any

import typer

from service.disk_faults import RecordsError


def _user() -> str:
    """The name of the user, or the number where the system has no name for it, as in some containers."""
    try:
        return getuser()
    except (KeyError, OSError):  # Python 3.13 raises the latter
        return str(os.getuid())


def record(state: Path, action: str, **facts: Any) -> None:
    """Put a change by the user of the operating system on record. facts: the other members of `Change`.

    A record that cannot be written does not stop the command: the command says so.
    """
    from service.records.audit import Audit, Change  # loads SQLAlchemy
    from service.settings import PREFIX

    database = os.environ.get(f"{PREFIX}DATABASE")
    place = "the database" if database else str(state)
    try:
        if not database and not state.is_dir():
            raise FileNotFoundError("there is no such folder (--state)")
        audit = Audit(state, database)
        audit.open()
        audit.add(Change(action=action, who=f"user {_user()}", **facts))
        audit.close()
    except (OSError, RecordsError) as error:
        typer.echo(f"The change is not on the record of changes in {place}: {error}.", err=True)
