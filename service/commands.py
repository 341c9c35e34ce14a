"""A command of Tribank as a process of its own, and the lines that it prints."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Protocol

TRIBANK: tuple[str, ...] = (sys.executable, "-m", "tribank")
"""The program whose commands run."""
POLL_S = 0.25
"""Seconds between two looks at whether a command must end."""
_NICENESS = 10  # scoring has priority
_OOM_SCORE = "1000"  # where memory runs out, the kernel ends the command and not what scores
_TERMINATE_S = 5.0


class CommandFailed(Exception):
    """A command ended with another exit status than 0. said: what it wrote to its stream of errors."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"the command ended with status {status}")
        self.status = status
        self.said = said


class Commands(Protocol):
    """Where commands run."""

    @property
    def elsewhere(self) -> bool:
        """Whether they run on other computers: those see shared folders only, and have to be told how much
        memory a command takes."""
        ...

    def lines(
        self,
        words: Sequence[str],
        *,
        check: Callable[[], None],
        waits: Callable[[], None],
        memory_bytes: int = 0,
        folders: Sequence[Path] = (),
    ) -> AsyncGenerator[bytes]:
        """The lines that `tribank WORDS` prints, until it ends. Closing the generator ends the command.

        check: called again and again while the command runs; what it raises ends the command.
        waits: called where the command has to wait for its place.
        memory_bytes: that the command takes; 0 where nobody knows.
        folders: that the command must see.

        Raises CommandFailed, and Refusal where the command cannot run.
        """
        ...


class LocalCommands:
    """Commands on this computer. It has its folders, and whatever memory is free."""

    elsewhere = False

    async def lines(
        self,
        words: Sequence[str],
        *,
        check: Callable[[], None] = lambda: None,
        waits: Callable[[], None] = lambda: None,
        memory_bytes: int = 0,
        folders: Sequence[Path] = (),
    ) -> AsyncGenerator[bytes]:
        """See `Commands.lines`."""
        with TemporaryFile() as errors:
            process = await asyncio.create_subprocess_exec(
                *(*TRIBANK, *words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
            try:
                _step_back(process)
                assert process.stdout is not None
                while True:
                    try:
                        line = await asyncio.wait_for(process.stdout.readline(), POLL_S)
                    except TimeoutError:
                        check()
                        continue
                    except ValueError:  # an endless line, which no command writes
                        continue
                    if not line:
                        break
                    yield line
                status = await process.wait()
            finally:
                await _terminate(process)
            if status:
                errors.seek(0)
                raise CommandFailed(status, errors.read().decode("utf-8", "replace").strip())


def _step_back(process: asyncio.subprocess.Process) -> None:
    """Give scoring priority over a process, in processor time and in memory."""
    with suppress(ProcessLookupError, PermissionError):
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
    with suppress(OSError):
        Path(f"/proc/{process.pid}/oom_score_adj").write_text(_OOM_SCORE)


async def _terminate(process: asyncio.subprocess.Process) -> None:
    """End a process, by force after _TERMINATE_S. The next build removes the files of an unfinished build."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _TERMINATE_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
