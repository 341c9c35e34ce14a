"""The `tribank` command: readies the process, then joins the commands of the rooms.

What must be decided before a library loads (the BLAS kernel that FAISS uses) is decided here, and an error
that a person can mend is told in a sentence instead of a traceback.
"""

from __future__ import annotations

import os
import sys

_ROOMS = ("recipes", "models", "banks", "service", "evaluation")


def main() -> None:
    """Entry point of the `tribank` command. Exit code 2 where the person has to mend something, 4 where that
    is a full disk."""
    # The workers of OpenMP sleep at their barriers instead of spinning: beside any other busy process a part
    # then takes a third of the time, on quiet cores the same.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from banks.blas import ensure_kernel

    ensure_kernel()
    from evaluation.commands import register
    from service.commands import app

    register(app)
    try:
        app()
    except Exception as error:
        from service.problems import EXIT_FULL, is_full

        if is_full(error):
            print("tribank: The disk is full. Make room, then run this again.", file=sys.stderr)
            raise SystemExit(EXIT_FULL) from None
        if not _is_for_people(error):
            raise
        print(f"tribank: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def _is_for_people(error: Exception) -> bool:
    """Errors that the rooms declare are sentences that say what to do; so are missing files."""
    declared_here = type(error).__module__.partition(".")[0] in _ROOMS
    return declared_here or isinstance(error, FileNotFoundError | PermissionError)


if __name__ == "__main__":
    main()
