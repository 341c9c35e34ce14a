"""A version that arrived is loaded, and its probe part scored, by a process of its own.

A crafted file may end that process, or take all the memory that the process gets. The server goes on scoring.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from service.commands import CommandFailed, LocalCommands
from service.exit_status import EXIT_REFUSED
from service.refusals import Refusal
from service.settings import Settings

_MOST_BYTES = 4000  # of what the command said, for the log


class Trial:
    """Tries versions, one at a time. For the event loop only."""

    def __init__(self, settings: Settings, logger: FilteringBoundLogger) -> None:
        self._options = ("--device", settings.build_device, "--weights-dir", str(settings.weights))
        self._logger = logger
        self._one = asyncio.Lock()

    async def run(self, folder: Path) -> None:
        """Load the version in a folder and score its probe. Raises Refusal where this fails."""
        async with self._one:
            words = ("banks", "probe", *self._options, "--", str(folder))
            try:
                async with aclosing(LocalCommands().lines(words)) as lines:
                    async for _ in lines:
                        pass
                return
            except CommandFailed as failed:
                status, said = failed.status, failed.said
        if status == EXIT_REFUSED and said:
            reason = said.splitlines()[-1].removeprefix("tribank: ")
            shown = reason.replace(f"{folder.parent.name}/{folder.name}", "in the archive")
            raise Refusal(422, "version_refused", shown)
        self._logger.error("version_not_tried", code=status, said=said[-_MOST_BYTES:])
        detail = f"The version cannot be loaded here: the process that loaded it ended with status {status}."
        raise Refusal(422, "version_refused", f"{detail} The server's log says more.")
