"""Background removal, square padding and the 224 x 224 grid (paper sec. 4.1; BTF preprocessing script)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.preparation.background import largest_piece, off_plane, spans_a_surface, support_plane
from models.sample import BadSample, Sample, check_range, without_returns
from recipes.preparation import Preparation


@dataclass(frozen=True, slots=True)
class Frame:
    """How the square grid lies over the source image: the source was padded by `top` and `left`
    pixels to a square of `side` pixels, then resized to `size` pixels.

    height, width: the source's size in pixels.
    """

    height: int
    width: int
    top: int
    left: int
    side: int
    size: int = 224

    def source_pixel(self, row: int, column: int) -> tuple[int, int]:
        """(row, column) of the source pixel that grid pixel (row, column) was taken from.

        For a grid pixel in the padding, the nearest pixel of the source.
        """
        picked = _picked(self.side, self.size)
        source_row = min(max(int(picked[row]) - self.top, 0), self.height - 1)
        source_column = min(max(int(picked[column]) - self.left, 0), self.width - 1)
        return source_row, source_column

    def to_source(self, grid: NDArray[np.floating]) -> NDArray[np.float32]:
        """A map on the square grid, (n, n) float of any side n, as the source sees it: (height, width)
        float32.

        Bilinear between pixel centres; padding is cut off.
        """
        scale = grid.shape[0] / self.side
        top, left = self.top * scale, self.left * scale
        box = (left, top, left + self.width * scale, top + self.height * scale)
        image = Image.fromarray(np.ascontiguousarray(grid, dtype=np.float32))
        return np.asarray(image.resize((self.width, self.height), Image.Resampling.BILINEAR, box=box))

    def mask_to_grid(self, mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
        """A mask of the source, (height, width) bool, on a square grid (size, size), as the published
        loader does: padded with False, then PIL NEAREST."""
        square = np.zeros((self.side, self.side), dtype=np.uint8)
        square[self.top : self.top + self.height, self.left : self.left + self.width] = mask
        return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.NEAREST)) > 0


@dataclass(frozen=True, slots=True)
class PreparedPart:
    """One part on the square grid.

    rgb: (rgb_size, rgb_size, 3) uint8, background 0. xyz: (size, size, 3) float32 metres, 0 where not
    valid. valid: (size, size) bool. plane_found: whether a support plane was found and removed; None where
    none was looked for.
    """

    rgb: NDArray[np.uint8]
    xyz: NDArray[np.float32]
    valid: NDArray[np.bool_]
    frame: Frame
    plane_found: bool | None


def prepare(sample: Sample, settings: Preparation) -> PreparedPart:
    """Prepare one part. Deterministic; bounded time.

    Raises BadSample: out_of_range; no_cloud (recorded without one, by which background "plane" is found) and,
    when nothing usable is left, no_foreground (the scanner returned no point at all), degenerate_cloud (one
    spot or one line), no_object (nothing but the support plane), too_few_points.
    """
    sample = without_returns(sample, settings.no_return)
    check_range(sample)
    if sample.missing != "xyz":
        _check_surface(sample)
    if settings.background == "none":
        return _prepare_as_is(sample, settings)
    if sample.missing == "xyz":
        raise BadSample(
            "no_cloud",
            "The part has no cloud, by which its background would be removed. Build and score such parts as "
            "they are (--prepared), with a profile of the RGB bank alone.",
        )
    plane = support_plane(sample.xyz, sample.valid)
    mask = sample.valid if plane is None else off_plane(sample.xyz, sample.valid, plane)
    mask = largest_piece(sample.xyz, mask)
    part = _on_grid(sample, mask, settings, background_rgb=False, plane_found=plane is not None)
    if not part.valid.any():
        raise BadSample(
            "no_object",
            "Nothing is left once the support plane is removed. Check that a part lies in the picture and "
            "stands out of the plane by more than 5 mm; for a depth map, that depth_scale is right.",
        )
    _check_points(part, settings)
    return part


def _prepare_as_is(sample: Sample, settings: Preparation) -> PreparedPart:
    """For parts prepared already: only resized. Valid is the published test, all three coordinates not 0:
    the published Eyecandies conversion marks background by x = 0 alone."""
    part = _on_grid(sample, (sample.xyz != 0).all(axis=2), settings, background_rgb=True, plane_found=None)
    if sample.missing != "xyz":
        _check_points(part, settings)
    return part


def _on_grid(
    sample: Sample,
    mask: NDArray[np.bool_],
    settings: Preparation,
    *,
    background_rgb: bool,
    plane_found: bool | None,
) -> PreparedPart:
    """Pad to a square and resize. background_rgb: whether colour outside `mask` is kept."""
    frame = _frame(mask.shape, settings)
    xyz, valid = _cloud_on_grid(sample.xyz, mask, frame)
    square = np.zeros((frame.side, frame.side, 3), dtype=np.uint8)
    inner = square[frame.top : frame.top + frame.height, frame.left : frame.left + frame.width]
    inner[:] = sample.rgb if background_rgb else sample.rgb * mask[..., None]
    size = (settings.rgb_size, settings.rgb_size)
    rgb = np.array(Image.fromarray(square).resize(size, Image.Resampling.BICUBIC))
    return PreparedPart(rgb=rgb, xyz=xyz, valid=valid, frame=frame, plane_found=plane_found)


def _frame(shape: tuple[int, ...], settings: Preparation) -> Frame:
    """The published script pads to the next hundred of the longer side; parts it has already padded stay as
    they are."""
    height, width = shape
    side = max(height, width)
    if settings.background == "plane":
        side = -(-side // 100) * 100
    return Frame(
        height=height,
        width=width,
        top=(side - height) // 2,
        left=(side - width) // 2,
        side=side,
        size=settings.size,
    )


def _cloud_on_grid(
    xyz: NDArray[np.float32], mask: NDArray[np.bool_], frame: Frame
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """xyz (size, size, 3) and valid (size, size) by nearest pixel, never averaging points across an edge."""
    picked = _picked(frame.side, frame.size)
    rows, columns = picked - frame.top, picked - frame.left
    inside = ((rows >= 0) & (rows < frame.height))[:, None] & ((columns >= 0) & (columns < frame.width))
    at = np.ix_(rows.clip(0, frame.height - 1), columns.clip(0, frame.width - 1))
    valid = mask[at] & inside
    return np.where(valid[..., None], xyz[at], np.float32(0)), valid


def _picked(side: int, size: int) -> NDArray[np.intp]:
    """(size,) source index of each grid index: floor(i * side / size) in float32, as torch's mode
    "nearest"."""
    scale = np.float32(side) / np.float32(size)
    index = np.floor(np.arange(size, dtype=np.float32) * scale).astype(np.intp)
    return np.minimum(index, side - 1)


def _check_surface(sample: Sample) -> None:
    if not sample.valid.any():
        raise BadSample(
            "no_foreground", "The cloud has no point at all. Check that the scanner saw the part."
        )
    if not spans_a_surface(sample.xyz, sample.valid):
        raise BadSample(
            "degenerate_cloud",
            "All points lie in one spot or on one line. Check the scanner and the conversion to x, y, z; for "
            "a depth map, depth_scale (metres a unit of depth) and fx, fy.",
        )


def _check_points(part: PreparedPart, settings: Preparation) -> None:
    count = int(part.valid.sum())
    if count < settings.min_points:
        raise BadSample(
            "too_few_points",
            f"Only {count} points are left of the part; at least {settings.min_points} are needed. Check "
            "that the part fills enough of the picture and that the scanner sees its surface.",
        )
