"""What a simulation found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds: the mean of many durations, what half, 90 % and 99 % of them do not exceed, the longest."""

    mean: float
    p50: float
    p90: float
    p99: float
    longest: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Durations:
        """seconds: in any order; without any, all numbers are 0."""
        ordered = sorted(seconds) or [0.0]
        return cls(
            fmean(ordered), *(ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.9, 0.99, 1))
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the parts of a simulation, and what it took.

    Attributes:
        seconds: simulated.
        arrived, answered, refused, in_work: parts; those in work at the end are neither answered nor refused.
        moved: parts that went to another device because theirs died.
        late: parts later than the takt: answered too late, or still in work and too old.
        utilisation: share of the devices' time in which they scored.
        waiting_s: from arrival to scoring. A part that waits at the end counts with what it waited so far.
        answer_s: from arrival to answer, likewise.
        loads: products that were loaded after the start.
        most_mb: most memory that banks took on a device, MB.
        all_mb: the same of all devices together.
        parts_mb: most memory that parts in work took together, MB.
    """

    seconds: float
    arrived: int
    answered: int
    refused: int
    in_work: int
    moved: int
    late: int
    utilisation: float
    waiting_s: Durations
    answer_s: Durations
    loads: int
    most_mb: float
    all_mb: float
    parts_mb: float

    @property
    def answered_per_s(self) -> float:
        """Parts a second."""
        return self.answered / self.seconds

    @property
    def refused_share(self) -> float:
        """Of the parts that arrived; 0 where none arrived."""
        return self.refused / max(1, self.arrived)

    @property
    def late_share(self) -> float:
        """Of the parts that were taken; 0 where none was."""
        return self.late / max(1, self.arrived - self.refused)

    @property
    def missed_share(self) -> float:
        """Parts that got no answer within the takt, refused or late, of those that arrived."""
        return (self.refused + self.late) / max(1, self.arrived)

    @property
    def loads_per_minute(self) -> float:
        """Products loaded a minute."""
        return 60 * self.loads / self.seconds
