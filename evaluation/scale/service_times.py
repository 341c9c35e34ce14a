"""How long a device scores one part: seconds that were measured, or a mean and a spread."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from evaluation.scale.draws import gamma

KEY = "each_total_ms"
"""Where `tribank bench --json` writes the milliseconds of each part."""


class BadTimes(ValueError):
    """The times of parts cannot be used. The message says why."""


def _each_ms(path: Path) -> list[float]:
    try:
        return [float(milliseconds) for milliseconds in json.loads(path.read_bytes())[KEY]]
    except (ValueError, TypeError, KeyError) as error:
        raise BadTimes(
            f"{path} has no times of parts. Make the file by 'tribank bench ... --json'."
        ) from error


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of parts that were measured. Each part of a simulation takes one of them, drawn at random."""

    seconds: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raises BadTimes."""
        if not self.seconds or not all(0 < second < float("inf") for second in self.seconds):
            raise BadTimes("Measured times must be numbers above 0, and at least one.")

    @classmethod
    def read(cls, *paths: Path) -> Measured:
        """The times of all these files of `tribank bench --json`. Raises BadTimes, OSError."""
        return cls(tuple(milliseconds / 1000 for path in paths for milliseconds in _each_ms(path)))

    @property
    def mean_s(self) -> float:
        """Their mean, seconds."""
        return fmean(self.seconds)

    def draw(self, draw: random.Random) -> float:
        """The seconds of one part."""
        return self.seconds[int(draw.random() * len(self.seconds))]


@dataclass(frozen=True, slots=True)
class Spread:
    """A gamma distribution. mean_s: seconds. spread_s: standard deviation; 0 makes all parts alike."""

    mean_s: float
    spread_s: float = 0.0

    def __post_init__(self) -> None:
        """Raises BadTimes."""
        if not self.mean_s > 0 or not self.spread_s >= 0:
            raise BadTimes("The mean time of a part must be more than 0, and the spread not less than 0.")

    def draw(self, draw: random.Random) -> float:
        """The seconds of one part."""
        return gamma(draw, self.mean_s, self.spread_s)


ServiceTimes = Measured | Spread
"""Seconds that a device scores one part."""
