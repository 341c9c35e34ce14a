"""A part as one picture of several channels, for networks that see pixels and not patches of other networks.

A patch is a pixel. Channels: the image, and after it what the profile wants of the cloud.

    rgb      red, green, blue
    rgbd     and depth between the part's nearest and farthest point
    rgbcdn   and depth within a range around the part's middle, and the surface normals as a colour

All are in 0..1. Where the part is not, the image is black, the depth that of the farthest point (1), and the
normal looks at the camera: no edge is steeper than it has to be. In holes of the cloud that are a few pixels
wide, which every sensor leaves, all channels take the values of the nearest point. Larger holes stay as they
are: a surface that is not there is a defect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, distance_transform_edt

from models.features import Patches
from models.layout import GridLayout
from models.normals.picture import picture as normals_picture
from models.preparation.prepare import PreparedPart
from recipes.picture import PictureChoice

BACKGROUND = (0.0, 0.0, 0.0, 1.0, 0.5, 0.5, 1.0)
"""The channels where the part is not."""
_HOLE = 2
"""Times that valid pixels grow by one to close a hole."""


class PictureExtractor:
    """Pictures of parts. The picture of a part depends on that part alone."""

    def __init__(self, choice: PictureChoice, device: str | torch.device = "cpu") -> None:
        """choice: resolved: its depth range is a number. device: where the rows go.

        Raises ValueError for a range that still follows the product.
        """
        if choice.channels == "rgbcdn" and choice.depth_range is None:
            raise ValueError("the range of depth follows the product: resolve the profile first")
        self.choice = choice
        self._device = torch.device(device)

    def __call__(self, parts: Sequence[PreparedPart]) -> list[Patches]:
        """One grid per part: rows (side * side, C) float32, row-major; side is that of the prepared image."""
        return [self._patches(part) for part in parts]

    def _patches(self, part: PreparedPart) -> Patches:
        pixels = self._pixels(part)
        rows = torch.from_numpy(pixels.reshape(-1, pixels.shape[2])).to(self._device)
        return Patches(rows, GridLayout(len(pixels)))

    def _pixels(self, part: PreparedPart) -> NDArray[np.float32]:
        """(side, side, C) float32."""
        side = len(part.rgb)
        planes: list[NDArray[np.float32]] = [part.rgb.astype(np.float32) / np.float32(255)]
        valid = _resized(part.valid, side)
        if self.choice.channels == "rgbd":
            planes.append(_resized(_whole_range(part), side)[..., None])
        if self.choice.channels == "rgbcdn":
            planes.append(_resized(_clipped(part, self.choice.depth_range or 0.0), side)[..., None])
            choice = self.choice
            colours = normals_picture(part.xyz, part.valid, smoothing=choice.smoothing, gain=choice.gain)
            flat = np.array(BACKGROUND[4:], np.float32)
            planes.append(_resized(np.where(colours.any(axis=2, keepdims=True), colours, flat), side))
        return _without_holes(np.concatenate(planes, axis=2, dtype=np.float32), valid)


def pixels_of(patches: Patches) -> torch.Tensor:
    """The picture (C, side, side) float32 whose rows are these patches. Raises ValueError without a grid."""
    side = patches.layout.side
    if side is None:
        raise ValueError("point groups make no picture")
    return patches.rows.T.reshape(-1, side, side)


def _whole_range(part: PreparedPart) -> NDArray[np.float32]:
    """(H, W) depth: 0 at the nearest point, 1 at the farthest, as in the files of Eyecandies."""
    depth = part.xyz[..., 2]
    found = depth[part.valid]
    if not len(found):
        return np.ones_like(depth)
    near, far = float(found.min()), float(found.max())
    return np.where(part.valid, (depth - near) / max(far - near, 1e-9), 1).astype(np.float32)


def _clipped(part: PreparedPart, span: float) -> NDArray[np.float32]:
    """(H, W) depth: 0.5 at the part's median, 0 and 1 at `span` / 2 metres from it and beyond."""
    depth = part.xyz[..., 2]
    if not part.valid.any():
        return np.ones_like(depth)
    middle = float(np.median(depth[part.valid]))
    return np.where(part.valid, np.clip((depth - middle) / span + 0.5, 0, 1), 1).astype(np.float32)


def _resized(plane: NDArray[Any], side: int) -> NDArray[np.float32]:
    """(side, side, ...) float32 by nearest pixel: a mean would mix part and background."""
    size = len(plane)
    if size != side:
        index = (np.arange(side) + 0.5) * size / side
        plane = plane[np.ix_(index.astype(np.intp), index.astype(np.intp))]
    return plane.astype(np.float32)


def _without_holes(picture: NDArray[np.float32], valid: NDArray[np.float32]) -> NDArray[np.float32]:
    known = valid > 0
    closed = np.asarray(binary_closing(known, np.ones((3, 3), np.bool_), iterations=_HOLE), np.bool_)
    holes = closed & ~known
    if not holes.any():
        return picture
    nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
    rows, columns = np.asarray(nearest)[:, holes]
    filled = picture.copy()
    filled[holes] = picture[rows, columns]
    return filled
