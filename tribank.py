"""The `tribank` command: readies the process, then joins the commands of the rooms.

What must be decided before a library loads (the BLAS kernel that FAISS uses) is decided here, and an error
that a person can mend is told in a sentence instead of a traceback.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

_ROOMS = ("recipes", "models", "banks", "service", "evaluation", "cli")


_NO_SEARCH = frozenset({"banks", "data", "keys", "metrics", "openapi", "profiles", "reference", "weights"})
"""Commands that search no bank: they start without a look at the BLAS kernels."""
_STOPPED = 130


def main() -> None:
    """Entry point of the `tribank` command. Exit code 2 where the person has to mend something, 4 where that
    is a full disk, 130 after Ctrl-C."""
    # The workers of OpenMP sleep at their barriers instead of spinning: beside any other busy process a part
    # then takes a third of the time, on quiet cores the same.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # A path may hold bytes that are no UTF-8: it is printed with them written out, as standard error does.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        if _searches(sys.argv[1:]):
            from models.numerics.blas import ensure_kernel

            ensure_kernel()
        from cli.evaluation import register
        from cli.main import app

        register(app)
        app()
    except KeyboardInterrupt:
        _end("Stopped by Ctrl-C.", _STOPPED)
    except SystemExit as ended:
        if ended.code == _STOPPED:
            _end("Stopped by Ctrl-C.", _STOPPED)
        raise
    except Exception as error:
        from service.disk_faults import is_full
        from service.exit_status import EXIT_FULL

        if is_full(error):
            _end("The disk is full. Make room, then run this again.", EXIT_FULL)
        if not _is_for_people(error):
            raise
        _end(str(error), 2)


def _searches(arguments: Sequence[str]) -> bool:
    """Whether the command may search a bank, for which FAISS wants the right kernel before it is loaded."""
    return bool(arguments) and arguments[0] not in _NO_SEARCH and "--help" not in arguments


def _end(said: str, code: int) -> NoReturn:
    print("\n".join(f"tribank: {line}" for line in said.splitlines()), file=sys.stderr)
    raise SystemExit(code) from None


def _is_for_people(error: Exception) -> bool:
    """Errors that the rooms declare are sentences that say what to do; so are missing files."""
    declared_here = type(error).__module__.partition(".")[0] in _ROOMS
    return declared_here or isinstance(error, FileNotFoundError | PermissionError)


if __name__ == "__main__":
    main()
