"""A command on a node of a cluster: what an actor of Ray does there.

Each actor is a process of its own: this module imports nothing that takes time.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import aclosing, suppress
from pathlib import Path

from service.commands import CommandFailed, LocalCommands


class Runner:
    """One command, on a node."""

    def __init__(self, words: Sequence[str], threads: int) -> None:
        """Create a runner that runs nothing yet."""
        os.environ["OMP_NUM_THREADS"] = str(threads)
        self._words = words
        self._lines: list[bytes] = []
        self._news = asyncio.Event()
        self._pump: asyncio.Task[tuple[int, str]] | None = None

    async def begin(self, folders: Sequence[str]) -> tuple[str, list[str]]:
        """Start the command, unless this node lacks one of the folders.

        Returns the node's name, and the folders that it lacks.
        """
        missing = [folder for folder in folders if not Path(folder).is_dir()]
        if not missing:
            self._pump = asyncio.create_task(self._run())
        return socket.gethostname(), missing

    async def more(self, within_s: float) -> tuple[list[bytes], tuple[int, str] | None]:
        """Wait for lines, at most this long. Returns them; and, once the command has ended, its exit status
        and what it wrote to its stream of errors."""
        assert self._pump is not None
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), within_s)
        self._news.clear()
        lines, self._lines = self._lines, []
        return lines, self._pump.result() if self._pump.done() else None

    async def end(self) -> None:
        """End the command, by force after seconds."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait({self._pump})

    async def _run(self) -> tuple[int, str]:
        try:
            async with aclosing(LocalCommands().lines(self._words)) as lines:
                async for line in lines:
                    self._lines.append(line)
                    self._news.set()
            return 0, ""
        except CommandFailed as failed:
            return failed.status, failed.said
        finally:
            asyncio.get_running_loop().call_soon(self._news.set)  # once this task counts as done
