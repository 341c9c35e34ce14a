"""Whether recent parts still score like the held-out good parts that the threshold rests on."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import kolmogorov

from banks.decision.calibration import Calibration

WINDOW = 200
"""Recent good parts that are compared."""
LEAST = 20
"""With fewer recent good parts there is no drift to tell."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How far recent scores are from the held-out scores.

    distance: of Kolmogorov and Smirnov, 0 (same scores) to 1 (no overlap).
    p_value: how often as many good parts like the calibration's would be as far away. The p-value is too low
        where neighbouring parts of a line are alike.
    parts: recent parts that were compared.
    """

    distance: float
    p_value: float
    parts: int


class RecentScores:
    """The last scores of one bank version, at most `WINDOW`. One thread at a time.

    Only scores at or below the calibrated threshold are kept, because a defective part is no drift. They are
    compared with the held-out scores at or below the same threshold.
    """

    def __init__(self, calibration: Calibration) -> None:
        """calibration: of the build, without the threshold that a person may have moved."""
        self._limit = calibration.threshold
        self._held_out = tuple(score for score in calibration.scores if score <= self._limit)
        self._recent: deque[float] = deque(maxlen=WINDOW)

    def add(self, score: float) -> None:
        """Add the score of one part."""
        if score <= self._limit:
            self._recent.append(score)

    def drift(self) -> Drift | None:
        """How far recent scores are from the held-out scores; None with fewer than `LEAST` of them."""
        recent = tuple(self._recent)
        if len(recent) < LEAST or not self._held_out:
            return None
        return compare(recent, self._held_out)


def compare(recent: Sequence[float], held_out: Sequence[float]) -> Drift:
    """Two-sample Kolmogorov-Smirnov with the asymptotic p-value (scipy.special.kolmogorov).

    Neither sequence may be empty. scipy.stats has the same test, but importing scipy.stats costs the service
    a second at its start.
    """
    ours, theirs = np.sort(recent), np.sort(held_out)
    places = np.concatenate([ours, theirs])
    apart = np.searchsorted(ours, places, "right") / len(ours) - np.searchsorted(
        theirs, places, "right"
    ) / len(theirs)
    distance = float(np.abs(apart).max())
    weight = len(ours) * len(theirs) / (len(ours) + len(theirs))
    return Drift(distance, float(kolmogorov(math.sqrt(weight) * distance)), len(ours))
