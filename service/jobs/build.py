"""Building a version as a job. `tribank build` runs in its own process, so that scoring goes on."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, closing, suppress
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from models.readers import ReadLimits
from models.readers.product_folder import open_product_folder
from models.readers.product_places import NotAProductFolder
from service.exit_status import EXIT_FULL
from service.jobs.archive import FILE, ArchiveLimits, PartsArchive
from service.jobs.old_versions import OldVersions
from service.jobs.task import Task
from service.records.audit import Change
from service.records.changes import Changes
from service.refusals import Refusal
from service.settings import Settings
from service.threads import on_disk
from service.watch.metrics import Metrics

TRIBANK: tuple[str, ...] = (sys.executable, "-m", "tribank")
"""The program of which a build is a process."""
PARTS = "parts"
"""The folder of good parts in a job's input folder, for parts that came with the request."""
_NICENESS = 10  # niceness: scoring has priority
_OOM_SCORE = "1000"  # where memory runs out, the kernel ends the build and not the server
_POLL_S = 0.25
_TERMINATE_S = 5.0
_MEMBERS = frozenset({"stages", "stage", "version"})  # each line of the command has one of these members
_SETTINGS: Mapping[str, str] = {"scale": "scale", "no_return": "preparation.no_return"}
"""Fields of the profile that a request may change, by their name in the request."""
_EXIT_REFUSED = 2  # the command's exit code for an error that a person has to correct


class BuildJob:
    """A build of one version. The build does not activate the version.

    The job's request has these members, each optional:

    profile, seed, scale, no_return, xyz_unit: options of a new version.
    extend: the version to extend, in place of these options.
    folder: a folder below the parts directory, for parts that do not come with the request.
    """

    name = "build"

    def __init__(
        self,
        settings: Settings,
        archive: ArchiveLimits,
        limits: ReadLimits,
        changes: Changes,
        old_versions: OldVersions,
        metrics: Metrics,
        logger: FilteringBoundLogger,
    ) -> None:
        self._settings = settings
        self._store = BankStore(settings.banks)
        self._archive = archive
        self._limits = limits
        self._changes = changes
        self._old_versions = old_versions
        self._metrics = metrics
        self._logger = logger

    async def run(self, task: Task) -> Mapping[str, Any]:
        """Build a version. Returns facts of the version. Raises Refusal, JobStopped."""
        banks = self._settings.banks
        if banks.exists() and not os.access(banks, os.W_OK):
            detail = (
                "The server cannot write to the bank directory. Correct the permissions of the directory."
            )
            raise Refusal(503, "banks_not_writable", detail)
        parts, left_out = await on_disk(lambda: self._parts(task))
        last: dict[str, Any] = {}
        async with aclosing(self._lines(task, self._command(task, parts))) as lines:
            async for last in lines:
                if "stages" in last:
                    task.stages = last["stages"]
                if "stage" in last:
                    task.progress(last["stage"], last["done"], last["total"])
        version = last["version"]
        manifest = await on_disk(lambda: Manifest.read(self._store.path(task.job.product, version)))
        result = {
            "version": version,
            "training_parts": len(manifest.training_parts),
            "held_out_parts": manifest.calibration.count,
            "skipped_parts": manifest.skipped_parts,
            "left_out": left_out,
            "parts_without_plane": list(manifest.without_plane),
            "remarks": list(manifest.remarks),
            "threshold": manifest.calibration.threshold,
            "statement": manifest.calibration.statement,
            "peak_memory_bytes": last.get("peak_memory_bytes"),
        }
        parts_by_use = {
            "training": len(manifest.training_parts),
            "held_out": manifest.calibration.count,
            "skipped": len(manifest.skipped_parts),
        }
        self._metrics.built(parts_by_use, result["peak_memory_bytes"])
        facts = {name: result[name] for name in ("training_parts", "held_out_parts", "threshold")}
        await self._changes.record(
            Change(
                action="built",
                who=f"key {task.job.owner}" if task.job.owner else "a build without a key",
                product=task.job.product,
                bank_version=version,
                subject=task.job.id,
                after=facts,
            )
        )
        await self._old_versions.delete(task.job.product)
        return result

    def _parts(self, task: Task) -> tuple[Path, Sequence[str]]:
        """The folder of good parts, and one sentence for each kind of file that no part uses.

        Parts that came in a zip are extracted first.
        """
        folder = task.job.request.get("folder")
        if folder is not None and self._settings.parts_dir is not None:
            place = self._settings.parts_dir / folder
            try:
                return place, open_product_folder(place).skipped
            except NotAProductFolder:  # the build says so
                return place, ()
        inside, file = task.folder / PARTS, task.folder / FILE
        if not file.exists():
            return inside, ()
        with closing(PartsArchive(file, self._archive)) as archive:
            product = archive.extract(
                inside, self._limits, lambda done, total: task.progress("unpacking", done, total)
            )
            return product, archive.left_out

    def _command(self, task: Task, parts: Path) -> list[str]:
        request, settings = task.job.request, self._settings
        options = {
            "--extend": request.get("extend"),
            "--profile": request.get("profile"),
            "--seed": request.get("seed"),
            "--xyz-unit": request.get("xyz_unit"),
            "--banks": settings.banks,
            "--device": settings.build_device,
            "--weights-dir": settings.weights,
        }
        given = [
            text for option, value in options.items() if value is not None for text in (option, str(value))
        ]
        for name, setting in _SETTINGS.items():
            given += ["--set", f"{setting}={request[name]}"] if name in request else []
        program = [*TRIBANK, "build", "--json", "--no-activate", *given]
        return [*program, "--", task.job.product, str(parts)]

    async def _lines(self, task: Task, command: list[str]) -> AsyncGenerator[dict[str, Any]]:
        """The messages of the command, until the command ends. Closing the generator ends the process.

        Raises Refusal, JobStopped.
        """
        error_output = task.folder / "stderr.txt"
        with error_output.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=errors
            )
        try:
            step_back(process)
            assert process.stdout is not None
            while True:
                try:
                    line = await asyncio.wait_for(process.stdout.readline(), _POLL_S)
                except TimeoutError:
                    task.check()
                    continue
                except ValueError:  # an endless line, which the command does not write
                    continue
                if not line:
                    break
                message = _message(line)
                if message is not None:
                    yield message
            code = await process.wait()
        finally:
            await terminate(process)
        if code == EXIT_FULL:
            detail = "The disk of the bank directory is full. No version was built. Free space and retry."
            raise Refusal(507, "disk_full", detail)
        if code:
            text = error_output.read_text("utf-8", "replace").strip()
            if code != _EXIT_REFUSED or not text:
                self._logger.error("build_failed", job=task.job.id, code=code, said=text[-4000:])
                raise RuntimeError(f"the build ended with code {code}")
            raise Refusal(422, "build_refused", text.splitlines()[-1].removeprefix("tribank: "))


def _message(line: bytes) -> dict[str, Any] | None:
    """The command's message in a line, even if a library printed text before the message.

    Returns None for a line without a message: libraries print lines too.
    """
    try:
        message = json.loads(line[max(0, line.find(b'{"')) :])
    except ValueError:
        return None
    return message if isinstance(message, dict) and not _MEMBERS.isdisjoint(message) else None


def step_back(process: asyncio.subprocess.Process) -> None:
    """Give scoring priority over a process, in processor time and in memory."""
    with suppress(ProcessLookupError, PermissionError):
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
    with suppress(OSError):
        Path(f"/proc/{process.pid}/oom_score_adj").write_text(_OOM_SCORE)


async def terminate(process: asyncio.subprocess.Process) -> None:
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
