"""Building a version as a job. `tribank build` runs in its own process, so that scoring goes on.

With TRIBANK_BUILD_ON=nodes that process runs on a node of the cluster.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, closing
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from models.readers import ReadLimits
from models.readers.product_folder import open_product_folder
from models.readers.product_places import NotAProductFolder
from service.commands import CommandFailed, Commands
from service.exit_status import EXIT_FULL, EXIT_REFUSED
from service.jobs.archive import FILE, ArchiveLimits, PartsArchive
from service.jobs.old_versions import OldVersions
from service.jobs.task import Task
from service.records.audit import Change
from service.records.changes import Changes
from service.refusals import Refusal
from service.settings import Settings
from service.threads import on_disk
from service.watch.metrics import Metrics

PARTS = "parts"
"""The folder of good parts in a job's input folder, for parts that came with the request."""
_PLACE = ".parts-"  # in the folder of the banks, beside the products
_REFUSED = "build_refused"
_MOST_CHARACTERS = 4000  # of what the command said, for the log
_MEMBERS = frozenset({"stages", "stage", "version"})  # each line of the command has one of these members
_SETTINGS: Mapping[str, str] = {"scale": "scale", "no_return": "preparation.no_return"}
"""Fields of the profile that a request may change, by their name in the request."""


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
        commands: Commands,
        archive: ArchiveLimits,
        limits: ReadLimits,
        changes: Changes,
        old_versions: OldVersions,
        metrics: Metrics,
        logger: FilteringBoundLogger,
    ) -> None:
        self._settings = settings
        self._commands = commands
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
        last: dict[str, Any] = {}
        async with self._place(task) as place:
            parts, left_out = await on_disk(lambda: self._parts(task, place))
            memory_bytes = await self._memory_bytes(task, place, parts)
            lines = self._run(task, self._command(task, parts), (place, parts), memory_bytes)
            async with aclosing(lines):
                async for line in lines:
                    message = _message(line)
                    if message is None:
                        continue
                    last = message
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

    @asynccontextmanager
    async def _place(self, task: Task) -> AsyncIterator[Path]:
        """A folder that the build sees, for parts that came with the request."""
        if not self._commands.elsewhere:
            yield task.folder
            return
        # All nodes of a cluster see the banks. Whoever sees this folder sees the same banks, too.
        place = self._settings.banks.absolute() / f"{_PLACE}{task.job.id}"

        def make() -> None:
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)

        await on_disk(make)
        try:
            yield place
        finally:
            await on_disk(lambda: shutil.rmtree(place, ignore_errors=True))

    def _parts(self, task: Task, place: Path) -> tuple[Path, Sequence[str]]:
        """The folder of good parts, and one sentence for each kind of file that no part uses.

        place: where parts go that came in a zip.
        """
        folder = task.job.request.get("folder")
        if folder is not None and self._settings.parts_dir is not None:
            found = self._settings.parts_dir.absolute() / folder
            try:
                return found, open_product_folder(found).skipped
            except NotAProductFolder:  # the build says so
                return found, ()
        inside, file = place / PARTS, task.folder / FILE
        if not file.exists():
            if place != task.folder:
                shutil.copytree(task.folder / PARTS, inside)
            return inside, ()
        with closing(PartsArchive(file, self._archive)) as archive:
            product = archive.extract(
                inside, self._limits, lambda done, total: task.progress("unpacking", done, total)
            )
            return product, archive.left_out

    async def _memory_bytes(self, task: Task, place: Path, parts: Path) -> int:
        """The most memory of the build, as `tribank plan` says; 0 where nobody needs to know it."""
        if not self._commands.elsewhere:
            return 0
        task.progress("planning", 0, 1)
        request, words = task.job.request, ["plan", "--json", *self._options(task)]
        if "extend" in request:
            version = await on_disk(lambda: self._store.path(task.job.product, request["extend"]))
            words += ["--extend", str(version.absolute())]
        lines = self._run(task, [*words, "--", str(parts)], (place, parts))
        try:
            async with aclosing(lines):
                said = b"".join([line async for line in lines])
        except Refusal as refusal:
            if refusal.code == _REFUSED:  # the build says why
                return 0
            raise
        return json.loads(said[said.index(b"{\n") :])["build_peak_bytes"]

    def _options(self, task: Task) -> list[str]:
        """The options that the commands build and plan have in common."""
        request, settings = task.job.request, self._settings
        options = {
            "--profile": request.get("profile"),
            "--xyz-unit": request.get("xyz_unit"),
            "--device": settings.build_device,
            "--weights-dir": settings.weights.absolute(),
        }
        given = [
            text for option, value in options.items() if value is not None for text in (option, str(value))
        ]
        for name, setting in _SETTINGS.items():
            given += ["--set", f"{setting}={request[name]}"] if name in request else []
        return given

    def _command(self, task: Task, parts: Path) -> list[str]:
        request, banks = task.job.request, self._settings.banks.absolute()
        words = ["build", "--json", "--no-activate", "--banks", str(banks), *self._options(task)]
        for name in ("extend", "seed"):
            words += [f"--{name}", str(request[name])] if name in request else []
        return [*words, "--", task.job.product, str(parts)]

    async def _run(
        self, task: Task, words: Sequence[str], folders: Sequence[Path], memory_bytes: int = 0
    ) -> AsyncGenerator[bytes]:
        """The lines of a command, until the command ends. Closing the generator ends the command.

        Raises Refusal, JobStopped.
        """
        lines = self._commands.lines(
            words,
            check=task.check,
            waits=lambda: task.progress("waiting for a node", 0, 1),
            memory_bytes=memory_bytes,
            folders=folders,
        )
        try:
            async with aclosing(lines):
                async for line in lines:
                    yield line
        except CommandFailed as failed:
            raise self._reason(task, failed) from None

    def _reason(self, task: Task, failed: CommandFailed) -> Exception:
        """Why a build failed."""
        if failed.status == EXIT_FULL:
            detail = "The disk of the bank directory is full. No version was built. Free space and retry."
            return Refusal(507, "disk_full", detail)
        if failed.status != EXIT_REFUSED or not failed.said:
            self._logger.error(
                "build_failed", job=task.job.id, code=failed.status, said=failed.said[-_MOST_CHARACTERS:]
            )
            return RuntimeError(f"the build ended with code {failed.status}")
        return Refusal(422, _REFUSED, failed.said.splitlines()[-1].removeprefix("tribank: "))


def _message(line: bytes) -> dict[str, Any] | None:
    """The command's message in a line, even if a library printed text before the message.

    Returns None for a line without a message: libraries print lines too.
    """
    try:
        message = json.loads(line[max(0, line.find(b'{"')) :])
    except ValueError:
        return None
    return message if isinstance(message, dict) and not _MEMBERS.isdisjoint(message) else None
