"""Building a version as a job: `tribank build` in a process of its own, so that scoring goes on beside it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, closing, suppress
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from models.readers import ReadLimits
from service.exit_status import EXIT_FULL
from service.jobs.archive import FILE, ArchiveLimits, PartsArchive
from service.jobs.queue import Task
from service.refusals import Refusal
from service.settings import Settings
from service.threads import on_disk

PARTS = "parts"
"""Where the good parts lie in a job's folder of input, if they do not lie elsewhere."""
_POLITE = 10  # niceness: scoring goes before
_FIRST_TO_GO = "1000"  # what the kernel ends where memory runs out: the build, not the server beside it
_POLL_S = 0.25
_LAST_WORDS_S = 5.0
_OWN = frozenset({"stages", "stage", "version"})  # what a line of the command's tells, one of these each
_REFUSED = 2  # the command's exit code where a person has to mend something


class BuildJob:
    """A build of one version, which does not become active by itself.

    request: `profile`, `seed` and `no_return`, or `extend` (a version); `folder`, below the one that is meant
    for parts, where they do not come with the request.
    """

    name = "build"

    def __init__(
        self, settings: Settings, archive: ArchiveLimits, limits: ReadLimits, logger: FilteringBoundLogger
    ) -> None:
        self._settings = settings
        self._store = BankStore(settings.banks)
        self._archive = archive
        self._limits = limits
        self._logger = logger

    async def run(self, task: Task) -> Mapping[str, Any]:
        """Build; the result says what the version is made of. Raises Refusal, JobStopped."""
        banks = self._settings.banks
        if banks.exists() and not os.access(banks, os.W_OK):
            detail = "The bank directory cannot be written, so no version can be made. See its permissions."
            raise Refusal(503, "banks_not_writable", detail)
        parts = await on_disk(lambda: self._parts(task))
        last: dict[str, Any] = {}
        async with aclosing(self._lines(task, self._command(task, parts))) as lines:
            async for last in lines:
                if "stages" in last:
                    task.stages = last["stages"]
                if "stage" in last:
                    task.progress(last["stage"], last["done"], last["total"])
        version = last["version"]
        manifest = await on_disk(lambda: Manifest.read(self._store.path(task.job.product, version)))
        return {
            "version": version,
            "training_parts": len(manifest.training_parts),
            "held_out_parts": manifest.calibration.count,
            "skipped_parts": manifest.skipped_parts,
            "parts_without_plane": list(manifest.without_plane),
            "threshold": manifest.calibration.threshold,
            "statement": manifest.calibration.statement,
        }

    def _parts(self, task: Task) -> Path:
        """The folder of good parts, extracted if need be."""
        folder = task.job.request.get("folder")
        if folder is not None and self._settings.parts_dir is not None:
            return self._settings.parts_dir / folder
        inside, file = task.folder / PARTS, task.folder / FILE
        if not file.exists():
            return inside
        with closing(PartsArchive(file, self._archive)) as archive:
            return archive.extract(
                inside, self._limits, lambda done, total: task.progress("unpacking", done, total)
            )

    def _command(self, task: Task, parts: Path) -> list[str]:
        asked, settings = task.job.request, self._settings
        options = {
            "--extend": asked.get("extend"),
            "--profile": asked.get("profile"),
            "--seed": asked.get("seed"),
            "--set": f"preparation.no_return={asked['no_return']}" if "no_return" in asked else None,
            "--banks": settings.banks,
            "--device": settings.build_device,
            "--weights-dir": settings.weights,
        }
        given = [
            text for option, value in options.items() if value is not None for text in (option, str(value))
        ]
        program = [sys.executable, "-m", "tribank", "build", "--json", "--no-activate", *given]
        return [*program, "--", task.job.product, str(parts)]

    async def _lines(self, task: Task, command: list[str]) -> AsyncGenerator[dict[str, Any]]:
        """What the command tells, line by line, until it is done. Its process has ended when this is closed.
        Raises Refusal, JobStopped."""
        said = task.folder / "stderr.txt"
        with said.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=errors
            )
        try:
            with suppress(ProcessLookupError, PermissionError):
                os.setpriority(os.PRIO_PROCESS, process.pid, _POLITE)
            with suppress(OSError):
                Path(f"/proc/{process.pid}/oom_score_adj").write_text(_FIRST_TO_GO)
            assert process.stdout is not None
            while True:
                try:
                    line = await asyncio.wait_for(process.stdout.readline(), _POLL_S)
                except TimeoutError:
                    task.check()
                    continue
                except ValueError:  # a line without end; no line of the command's
                    continue
                if not line:
                    break
                told = _told(line)
                if told is not None:
                    yield told
            code = await process.wait()
        finally:
            await _ended(process)
        if code == EXIT_FULL:
            detail = "The disk of the banks was full; no version was made. Make room, then build again."
            raise Refusal(507, "disk_full", detail)
        if code:
            text = said.read_text("utf-8", "replace").strip()
            if code != _REFUSED or not text:
                self._logger.error("build_failed", job=task.job.id, code=code, said=text[-4000:])
                raise RuntimeError(f"the build ended with code {code}")
            raise Refusal(422, "build_refused", text.splitlines()[-1].removeprefix("tribank: "))


def _told(line: bytes) -> dict[str, Any] | None:
    """What a line tells, also where a library printed before it. None for a line that is not the command's:
    libraries print there too."""
    try:
        told = json.loads(line[max(0, line.find(b'{"')) :])
    except ValueError:
        return None
    return told if isinstance(told, dict) and not _OWN.isdisjoint(told) else None


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait for a process that is to end; at last by force. What it wrote is removed by the next build."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _LAST_WORDS_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
