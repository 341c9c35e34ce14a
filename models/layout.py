"""Where the patches of one part lie on the image plane: the cells of a grid, or point groups where they are.

A layout says how many rows a part has, at which pixel each row lies, and how one number a row becomes an
image.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from scipy.spatial import KDTree

NEIGHBOURS = 3
"""Group centres that share one pixel."""
_CLOSEST = 1e-8  # pixels; a centre's own pixel divides by this


class Layout(Protocol):
    """The places of a part's rows. values: (n,) float32, one for each row."""

    @property
    def side(self) -> int | None:
        """Patches along an edge of the image plane; None where the patches make no grid."""
        ...

    def __len__(self) -> int:
        """Rows of the part, n."""
        ...

    def pixels(self, size: int) -> NDArray[np.int64]:
        """(n,) int64: row-major pixel of a (size, size) image that contains each row's centre."""
        ...

    def touches(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(n,) bool: rows whose pixels include a True pixel of a (size, size) mask."""
        ...

    def image(self, values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
        """(size, size) float32: the values spread over the image."""
        ...

    def smooth_image(self, values: NDArray[np.float32], size: int, sigma: float) -> NDArray[np.float32]:
        """`image` after a true Gaussian of `sigma` pixels, mirrored at the image's border."""
        ...


@dataclass(frozen=True, slots=True)
class GridLayout:
    """side x side patches that tile the square image, row-major."""

    side: int

    def __len__(self) -> int:
        return self.side * self.side

    def __str__(self) -> str:
        return f"{self.side} x {self.side} patches"

    def pixels(self, size: int) -> NDArray[np.int64]:
        """See `Layout`. Of the four pixels around a centre the lower right is taken."""
        along = ((np.arange(self.side) + 0.5) * size / self.side).astype(np.int64)
        return (along[:, None] * size + along).ravel()

    def touches(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """See `Layout`. A patch that only partly covers a pixel covers the pixel."""
        found = torch.nn.functional.adaptive_max_pool2d(
            torch.tensor(mask[None], dtype=torch.float32), self.side
        )
        return found.numpy().ravel() > 0

    def image(self, values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
        """Bilinear (align_corners=False), as published."""
        grid = torch.tensor(values.reshape(1, 1, self.side, self.side))
        resized = torch.nn.functional.interpolate(
            grid, size=(size, size), mode="bilinear", align_corners=False
        )
        return resized[0, 0].numpy()

    def smooth_image(self, values: NDArray[np.float32], size: int, sigma: float) -> NDArray[np.float32]:
        """See `Layout`. Resizing and the Gaussian are linear and separable: both are one matrix for each
        axis."""
        rows = _resize_and_blur(self.side, size, sigma)
        return (rows @ values.reshape(self.side, self.side) @ rows.T).astype(np.float32)


@lru_cache(maxsize=8)
def _resize_and_blur(side: int, size: int, sigma: float) -> NDArray[np.float64]:
    """(size, side) float64: bilinear resizing along one axis, then the Gaussian."""
    position = np.clip((np.arange(size) + 0.5) * side / size - 0.5, 0, None)
    lower = np.minimum(position.astype(np.int64), side - 1)
    upper = np.minimum(lower + 1, side - 1)
    weights = np.zeros((size, side))
    np.add.at(weights, (np.arange(size), lower), 1 - (position - lower))
    np.add.at(weights, (np.arange(size), upper), position - lower)
    return gaussian_filter1d(weights, sigma, axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class GroupLayout:
    """Point groups, each at the pixel of its centre (supplement sec. D, "point groups").

    pixel: (n,) int64, n > 0, row-major in a (source, source) image; groups may share a pixel.
    source: side of that image.
    """

    pixel: NDArray[np.int64]
    source: int

    @property
    def side(self) -> None:
        """Groups make no grid."""

    def __len__(self) -> int:
        return len(self.pixel)

    def __str__(self) -> str:
        return f"{len(self)} point groups"

    def pixels(self, size: int) -> NDArray[np.int64]:
        """See `Layout`."""
        row, column = (self._centres(size) + 0.5).astype(np.int64).T
        return row * size + column

    def touches(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """See `Layout`. A group lies at the pixel of its centre."""
        return mask.ravel()[self.pixels(len(mask))]

    def image(self, values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
        """Every pixel by inverse distance from the three nearest centres.

        The paper says "project point group feature to a 2D plane and use an inverse distance interpolation to
        get every pixel value"; its code is not published. Our distances are in pixels, there are three
        centres as for features, and the weights are 1 / distance. A centre's own pixel keeps its value.
        Pixels without a point get a value, too.
        """
        count = min(NEIGHBOURS, len(self))
        plane = np.indices((size, size)).reshape(2, -1).T
        distance, nearest = KDTree(self._centres(size)).query(plane, k=count)
        weight = 1 / np.maximum(np.asarray(distance).reshape(-1, count), _CLOSEST)
        near = values.astype(np.float64)[np.asarray(nearest).reshape(-1, count)]
        spread = (near * weight).sum(axis=1) / weight.sum(axis=1)
        return spread.reshape(size, size).astype(np.float32)

    def smooth_image(self, values: NDArray[np.float32], size: int, sigma: float) -> NDArray[np.float32]:
        """See `Layout`."""
        return np.asarray(gaussian_filter(self.image(values, size), sigma), np.float32)

    def _centres(self, size: int) -> NDArray[np.float64]:
        """(n, 2) row and column in pixels of a (size, size) image."""
        row_column = np.stack(np.divmod(self.pixel, self.source), axis=1)
        return (row_column + 0.5) * size / self.source - 0.5
