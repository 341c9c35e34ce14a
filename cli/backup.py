"""`tribank backup` and `tribank restore`: banks, keys, results and changes in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Banks, State, check_folder, is_given
from recipes.places import DEFAULT_BANKS, DEFAULT_STATE

File = Annotated[Path, typer.Argument(help="The backup: one tar file.", dir_okay=False)]


def backup(
    context: typer.Context, file: File, banks: Banks = DEFAULT_BANKS, state: State = DEFAULT_STATE
) -> None:
    """Copy all banks, keys, results, jobs, changes and rejected parts to one file.

    The server may run meanwhile. Weights and settings are not in the file.
    """
    from banks.versions.store import BankStore
    from cli.progress import stage_bars
    from service.records.backup import write_backup

    if is_given(context, "state"):  # without a server there is no state folder
        check_folder(state, "--state")
    check_folder(banks, "--banks")
    with stage_bars() as progress:
        contents = write_backup(file, BankStore(banks), state, progress)
    versions = sum(map(len, contents.versions.values()))
    typer.echo(
        f"{file}: {versions} versions of {len(contents.versions)} products and "
        f"{', '.join(contents.state) or 'no records'}; {file.stat().st_size / 1e6:.1f} MB."
    )


def restore(file: File, banks: Banks = DEFAULT_BANKS, state: State = DEFAULT_STATE) -> None:
    """Put a backup into folders that are empty or do not exist. Every file is checked first."""
    from cli.progress import stage_bars
    from service.records.backup import restore_backup

    with stage_bars() as progress:
        contents = restore_backup(file, banks, state, progress)
    versions = sum(map(len, contents.versions.values()))
    typer.echo(
        f"Restored {versions} versions of {len(contents.versions)} products to {banks}, records to {state}."
    )
