"""How a part looks to people: its image, or its depth where it has no colour."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Seen(Protocol):
    """A `Sample` or a `PreparedPart`."""

    @property
    def rgb(self) -> NDArray[np.uint8]: ...
    @property
    def xyz(self) -> NDArray[np.float32]: ...
    @property
    def valid(self) -> NDArray[np.bool_]: ...


def appearance(part: Seen) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: the image, or the depth in grey where the part has no colour."""
    if part.rgb.any() or not part.valid.any():
        return part.rgb
    depth = part.xyz[..., 2]
    near, far = np.percentile(depth[part.valid], (1, 99))
    grey = 230 - 200 * np.clip((depth - near) / max(far - near, 1e-9), 0.0, 1.0)
    return np.repeat(np.where(part.valid, grey, 0).astype(np.uint8)[..., None], 3, axis=2)
