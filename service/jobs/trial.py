"""A version that arrived is loaded, and its probe part scored, by a process of its own.

A crafted file may end that process, or take all the memory that the process gets. The server goes on scoring.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from service.jobs import build
from service.refusals import Refusal
from service.settings import Settings

_EXIT_REFUSED = 2  # the command's exit code for an error that a person has to correct
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
            process = await asyncio.create_subprocess_exec(
                *(*build.TRIBANK, "banks", "probe", *self._options, "--", str(folder)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                build.step_back(process)
                said = (await process.communicate())[1].decode("utf-8", "replace").strip()
            finally:
                await build.terminate(process)
        code = process.returncode
        if code == 0:
            return
        if code == _EXIT_REFUSED and said:
            reason = said.splitlines()[-1].removeprefix("tribank: ")
            shown = reason.replace(f"{folder.parent.name}/{folder.name}", "in the archive")
            raise Refusal(422, "version_refused", shown)
        self._logger.error("version_not_tried", code=code, said=said[-_MOST_BYTES:])
        detail = f"The version cannot be loaded here: the process that loaded it ended with status {code}."
        raise Refusal(422, "version_refused", f"{detail} The server's log says more.")
