"""The `tribank` command: prepares the process, then runs a command.

Environment variables that libraries read when they load are set here first. Errors that a person can fix are
printed as a sentence instead of a traceback.
"""

from __future__ import annotations

import gc
import io
import sys
from collections.abc import Sequence
from typing import NoReturn

from models.numerics.process import prepare_process

_ROOMS = ("recipes", "models", "banks", "service", "evaluation", "cli")
_NO_SEARCH = frozenset(
    {
        *("backup", "banks", "copy-records", "data", "keys", "metrics"),
        *("openapi", "profiles", "reference", "restore", "simulate", "weights"),
    }
)
"""Commands that search no bank. They start without a check of the BLAS kernels."""
_STOPPED = 130


def main() -> None:
    """Entry point of the `tribank` command.

    Exit codes: 2 for an error that the user must fix, 4 for a full disk, 130 after Ctrl-C.
    """
    # A path may hold bytes that are not UTF-8. They are printed escaped, as on standard error.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        prepare_process(searches=_searches(sys.argv[1:]))
        from cli.main import app

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
            _end("The disk is full. Free some space, then run the command again.", EXIT_FULL)
        if not _is_for_people(error):
            raise
        _end(str(error), 2)
    finally:
        # The interpreter's end then searches nothing for cycles: with torch loaded, that takes a second.
        gc.freeze()


def _searches(arguments: Sequence[str]) -> bool:
    """Whether the command may search a bank. Then the BLAS kernel must be chosen before FAISS loads."""
    return bool(arguments) and arguments[0] not in _NO_SEARCH and "--help" not in arguments


def _end(message: str, code: int) -> NoReturn:
    """Print the message on standard error and exit with the code."""
    print("\n".join(f"tribank: {line}" for line in message.splitlines()), file=sys.stderr)
    raise SystemExit(code) from None


def _is_for_people(error: Exception) -> bool:
    """Whether the error's message says what to do. So do errors of our packages and errors about files."""
    is_ours = type(error).__module__.partition(".")[0] in _ROOMS
    return is_ours or isinstance(error, FileNotFoundError | PermissionError) or _names_a_file(error)


def _names_a_file(error: Exception) -> bool:
    """Whether the operating system refused a file by its name: a folder in its place, a read-only disk."""
    return isinstance(error, OSError) and error.filename is not None


if __name__ == "__main__":
    main()
