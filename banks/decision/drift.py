"""Whether the parts of late still score like the held-out good parts that the threshold rests on."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import kolmogorov

from banks.decision.calibration import Calibration

WINDOW = 200
"""Good parts of late that are compared."""
LEAST = 20
"""Fewer good parts of late say nothing."""


@dataclass(frozen=True, slots=True)
class Drift:
    """distance: Kolmogorov-Smirnov, 0 (same scores) to 1 (no overlap). p_value: how often `parts` good parts
    like the calibration's would be as far away. Neighbouring parts of a line are alike, so it reads too low.
    """

    distance: float
    p_value: float
    parts: int


class RecentScores:
    """The last scores of one bank version, at most `WINDOW`. One thread at a time.

    Only parts at or below the threshold that calibration found are kept, and are compared with the held-out
    parts at or below it: a defective part is no drift, and both sides are cut at the same place.
    """

    def __init__(self, calibration: Calibration) -> None:
        """calibration: as built, not as a person moved it."""
        self._limit = calibration.threshold
        self._held_out = tuple(score for score in calibration.scores if score <= self._limit)
        self._recent: deque[float] = deque(maxlen=WINDOW)

    def add(self, score: float) -> None:
        """One more part."""
        if score <= self._limit:
            self._recent.append(score)

    def drift(self) -> Drift | None:
        """How far they are from the calibration; None while they are fewer than `LEAST`."""
        recent = tuple(self._recent)
        if len(recent) < LEAST or not self._held_out:
            return None
        return compare(recent, self._held_out)


def compare(recent: Sequence[float], held_out: Sequence[float]) -> Drift:
    """Two-sample Kolmogorov-Smirnov with the asymptotic p-value (scipy.special.kolmogorov).

    Neither may be empty. scipy.stats has the same; importing it costs a start of the service a second.
    """
    ours, theirs = np.sort(recent), np.sort(held_out)
    places = np.concatenate([ours, theirs])
    apart = np.searchsorted(ours, places, "right") / len(ours) - np.searchsorted(
        theirs, places, "right"
    ) / len(theirs)
    distance = float(np.abs(apart).max())
    weight = len(ours) * len(theirs) / (len(ours) + len(theirs))
    return Drift(distance, float(kolmogorov(math.sqrt(weight) * distance)), len(ours))
