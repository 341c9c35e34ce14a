"""The fixed colours of score maps: one score has one colour on every part of a bank version."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Perceptually even, dark to light: inferno as a polynomial (Matt Zucker, CC0), one row a power.
_INFERNO = np.array(
    [
        [0.0002189403691192265, 0.001651004631001012, -0.01948089843709184],
        [0.1065134194856116, 0.5639564367884091, 3.932712388889277],
        [11.60249308247187, -3.972853965665698, -15.9423941062914],
        [-41.70399613139459, 17.43639888205313, 44.35414519872813],
        [77.162935699427, -33.40235894210092, -81.80730925738993],
        [-71.31942824499214, 32.62606426397723, 73.20951985803202],
        [25.13112622477341, -12.24266895238567, -23.07032500287172],
    ]
)


@dataclass(frozen=True, slots=True)
class Scale:
    """The fixed colour scale of a bank version, in units of the score map.

    low, high: where the colours begin and end.
    outline: the score from which a pixel belongs to a region.
    """

    low: float
    high: float
    outline: float

    def position(self, scores: NDArray[np.floating]) -> NDArray[np.float32]:
        """Where scores lie on the scale: 0 at `low` and below, 1 at `high` and above."""
        span = max(self.high - self.low, np.finfo(np.float32).tiny)
        return np.clip((scores - self.low) / span, 0.0, 1.0).astype(np.float32)


def color_table() -> NDArray[np.uint8]:
    """(256, 3) uint8: the colours of the scale from its low end to its high end."""
    t = np.linspace(0.0, 1.0, 256)[:, None] ** np.arange(len(_INFERNO))
    return np.clip(np.rint(t @ _INFERNO * 255), 0, 255).astype(np.uint8)
