"""Many parts in one request: one line for each part, in order. A bad part does not affect other parts."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from structlog.typing import FilteringBoundLogger

from models.readers import ReadLimits
from models.readers.product_folder import PartFile
from models.sample import Sample
from recipes.sensor import Sensor
from service.answers.renderers import render_json
from service.answers.scan import Once
from service.engine.decoding import checked_part_id, decode
from service.engine.labels import labels_of
from service.http.deadline import Clock
from service.http.problems import body_of
from service.inspection import Ask, Inspection
from service.jobs.archive import FILE, ArchiveLimits, PartsArchive
from service.jobs.task import Task
from service.records.repeats import Answered
from service.refusals import INTERNAL, NotReady, Refusal
from service.threads import on_disk

WINDOW = 2
"""Parts of one batch that are processed at once: one part is decoded while another part is scored."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A request to score an archive's parts.

    threshold: the request's own threshold.
    origin: the id of the request or the job, for log lines and problems.
    resumes: whether the batch is interrupted and continued later where the service is not ready for a part.
        Otherwise such a part gets a problem line.
    labels: of every part.
    """

    product: str
    archive: PartsArchive
    threshold: float | None
    origin: str
    resumes: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of lines."""
        return len(self.archive.parts) + len(self.archive.left_out)

    async def lines(
        self, inspection: Inspection, logger: FilteringBoundLogger, first: int = 0
    ) -> AsyncGenerator[str]:
        """The lines as JSON texts, in order: a result or a problem for each part, then the files left out.

        inspection: scores the parts.
        first: the number of lines to skip; an earlier run wrote these lines.

        Raises NotReady if the batch resumes.
        """
        waiting: deque[asyncio.Task[str]] = deque()
        try:
            for number, part in enumerate(self.archive.parts[first:], first):
                waiting.append(asyncio.create_task(self._line(number, part, inspection, logger)))
                if len(waiting) == WINDOW:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        for sentence in self.archive.left_out[max(0, first - len(self.archive.parts)) :]:
            name, _, reason = sentence.partition(": ")
            yield self._problem(name, Refusal(422, "part_left_out", reason))

    async def _line(
        self, number: int, part: PartFile, inspection: Inspection, logger: FilteringBoundLogger
    ) -> str:
        # A job that is interrupted scores parts again whose results are on record, but whose lines are not.
        once = Once(f"job/{self.origin}/{number}", self.origin) if self.resumes else None
        try:
            part_id = checked_part_id(part.name)
            inspection.check(self.product)  # no further part during a shutdown
            async with inspection.turn(self.product):
                clock = Clock()
                if not self.resumes:  # the parts of a job have no deadline
                    clock.shorten(inspection.deadline_s)
                async with clock.running():
                    ask = Ask(
                        self.product,
                        part_id,
                        self.threshold,
                        clock,
                        once,
                        labels=self.labels,
                        job=self.origin if self.resumes else None,
                    )
                    scan = await inspection.scan(ask, partial(self._sample, part, inspection.read_limits))
                    text = (await inspection.record(scan, render_json)).decode()
        except Answered as answered:
            return answered.result.answer
        except Refusal as refusal:
            if self.resumes and isinstance(refusal, NotReady):
                raise
            logger.info(
                "batch_part",
                origin=self.origin,
                product=self.product,
                part_id=part.name,
                code=refusal.code,
            )
            return self._problem(part.name, refusal)
        except Exception:
            logger.exception("batch_part_failed", origin=self.origin, product=self.product, part_id=part.name)
            return self._problem(part.name, INTERNAL)
        logger.info("batch_part", origin=self.origin, product=self.product, **scan.log_fields())
        return text

    def _sample(self, part: PartFile, limits: ReadLimits, sensor: Sensor) -> Sample:
        """Read and decode one part. Raises Refusal."""
        return decode(self.archive.read(part, limits), limits, sensor)

    def _problem(self, name: str, refusal: Refusal) -> str:
        return json.dumps(body_of(refusal, self.origin, name))


class BatchJob:
    """A batch as a job. The batch's lines are the job's results."""

    name = "batch"

    def __init__(self, inspection: Inspection, limits: ArchiveLimits, logger: FilteringBoundLogger) -> None:
        self._inspection = inspection
        self._limits = limits
        self._logger = logger

    async def run(self, task: Task) -> Mapping[str, Any]:
        """Score the parts that have no line yet. Raises Refusal, JobStopped."""
        self._inspection.check(task.job.product)
        archive = await on_disk(lambda: PartsArchive(task.folder / FILE, self._limits))
        try:
            asked = task.job.request
            labels = labels_of(asked.get("labels"))
            threshold = asked.get("threshold")
            batch = Batch(task.job.product, archive, threshold, task.job.id, resumes=True, labels=labels)
            done = await on_disk(task.count_lines)
            async with aclosing(batch.lines(self._inspection, self._logger, done)) as lines:
                async for line in lines:
                    task.check()
                    await on_disk(partial(task.add_line, line))
                    done += 1
                    task.progress("scoring", done, batch.count)
            return {"lines": batch.count}
        finally:
            archive.close()
