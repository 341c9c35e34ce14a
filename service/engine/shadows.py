"""Parts that a second version scores too, once the scoring thread has nothing else to do."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from banks.detector import PartResult
from models.sample import Sample
from service.engine.detectors import PartDetector
from service.engine.futures import settle


@dataclass(frozen=True, slots=True)
class Shadowed:
    """A part that the shadow version scores as well.

    detector: the shadow version's detector.
    decided: the active version's decision for the part.
    result: the shadow version's result; cancelled if the part is dropped.
    """

    detector: PartDetector
    decided: str
    result: Future[PartResult] = field(default_factory=Future)


class Shadows:
    """The queue of shadowed parts. The engine's lock guards every method except `score`."""

    def __init__(self, queue_size: int, logger: FilteringBoundLogger) -> None:
        """queue_size: the most parts that wait; above it the oldest part is dropped."""
        self._queue_size = queue_size
        self._logger = logger
        self._queue: deque[tuple[Sample, Shadowed]] = deque()

    def __bool__(self) -> bool:
        return bool(self._queue)

    def add(self, sample: Sample, shadowed: Shadowed) -> None:
        """Put a part at the end of the queue. The oldest parts are dropped where the queue is full."""
        while len(self._queue) >= self._queue_size:
            self._queue.popleft()[1].result.cancel()
        self._queue.append((sample, shadowed))

    def take(self) -> tuple[Sample, Shadowed]:
        """The oldest part. Raises IndexError where no part waits."""
        return self._queue.popleft()

    def clear(self) -> list[Shadowed]:
        """Empty the queue; returns what waited in the queue."""
        waiting = [shadowed for _, shadowed in self._queue]
        self._queue.clear()
        return waiting

    def score(self, sample: Sample, shadowed: Shadowed) -> None:
        """Score a part with the shadow version and log both decisions. For the scoring thread only."""
        if not shadowed.result.set_running_or_notify_cancel():
            return
        try:
            (result,) = shadowed.detector.score([sample])
        except Exception as error:
            # A failure of the shadow version must not end the scoring of the active version.
            self._logger.exception("shadow_failed", bank_version=shadowed.detector.version)
            result = error
        if isinstance(result, Exception):
            settle(shadowed.result, result)
            return
        self._logger.info(
            "part_shadowed",
            product=shadowed.detector.product,
            bank_version=shadowed.detector.version,
            score=round(result.score, 6),
            decision=result.decision,
            agrees=result.decision == shadowed.decided,
            is_simulated=True,
        )
        settle(shadowed.result, result)
