"""What a method says of one part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.layout import Layout


@dataclass(frozen=True, slots=True)
class Finding:
    """What one bank says of one part.

    values: (n,) float32, finite and not negative, how far each patch of the part is from good ones.
    layout: where the n patches lie.
    image_score: one number for the whole part, not negative.
    nearest: (n,) int64, the bank row that is nearest to each patch; None for a method without rows.
    """

    values: NDArray[np.float32]
    layout: Layout
    image_score: float
    nearest: NDArray[np.int64] | None = None
