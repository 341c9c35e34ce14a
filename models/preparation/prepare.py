"""Background removal, square padding and the 224 x 224 grid (paper sec. 4.1; BTF preprocessing script)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.preparation.background import Pieces, find_pieces, off_plane, spans_a_surface, support_plane
from models.preparation.pitch import check_pitch
from models.preparation.roi import COLOUR, SHAPE, Roi
from models.preparation.surface import surface_area
from models.preparation.white_balance import balanced
from models.sample import BadSample, Sample, check_range, without_returns
from recipes.preparation import Preparation

Kind = TypeVar("Kind", bound=np.generic)
_BAND = 1 << 24
"""Bytes of an image that are resized at a time."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The geometry of the square grid over the source image.

    The first pixel of the source (`height` x `width` pixels) lies in row `top` and column `left` of a square
    of `side` pixels, which was resized to `size` x `size` pixels. A square that is larger than the source is
    padded. In a square that is smaller, `top` or `left` may be negative.
    """

    height: int
    width: int
    top: int
    left: int
    side: int
    size: int = 224

    def source_pixel(self, row: int, column: int) -> tuple[int, int]:
        """(row, column) of the source pixel of a grid pixel.

        For a grid pixel in the padding, the nearest source pixel is returned.
        """
        index = _source_index(self.side, self.size)
        source_row = min(max(int(index[row]) - self.top, 0), self.height - 1)
        source_column = min(max(int(index[column]) - self.left, 0), self.width - 1)
        return source_row, source_column

    def source_point(self, place: tuple[float, float]) -> tuple[float, float]:
        """x, y in source pixels of a place of the square, given as shares of the square's side.

        For a place in the padding, the nearest point of the source is returned.
        """
        x, y = place[0] * self.side - self.left, place[1] * self.side - self.top
        return min(max(x, 0.0), float(self.width)), min(max(y, 0.0), float(self.height))

    def to_source(self, grid: NDArray[np.floating]) -> NDArray[np.float32]:
        """Resample a map on the square grid, (n, n) float of any side n, to the source: (height, width)
        float32.

        Bilinear between pixel centres. Padding is cut off. Source pixels outside the square are 0.
        """
        scale = grid.shape[0] / self.side
        (rows, columns), (top, left) = self._shared()
        height, width = rows.stop - rows.start, columns.stop - columns.start
        box = (left * scale, top * scale, left * scale + width * scale, top * scale + height * scale)
        image = Image.fromarray(np.ascontiguousarray(grid, dtype=np.float32))
        inner = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box=box))
        if inner.shape == (self.height, self.width):
            return inner
        source = np.zeros((self.height, self.width), np.float32)
        source[rows, columns] = inner
        return source

    def mask_to_grid(self, mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
        """Resample a mask of the source, (height, width) bool, to a square grid (size, size).

        As in the published loader, the mask is padded with False and resized by PIL NEAREST.
        """
        square = self.square(mask.astype(np.uint8))
        return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.NEAREST)) > 0

    def square(self, source: NDArray[Kind]) -> NDArray[Kind]:
        """The square of a source image (height, width, ...): (side, side, ...), 0 where the source is not."""
        square = np.zeros((self.side, self.side, *source.shape[2:]), source.dtype)
        (rows, columns), (top, left) = self._shared()
        shared = source[rows, columns]
        square[top : top + shared.shape[0], left : left + shared.shape[1]] = shared
        return square

    def resized(self, source: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """The square of a colour image (height, width, 3) at another size: (size, size, 3), by PIL BICUBIC.

        PIL resizes along the rows first. So does this, some rows at a time: the square of a long and narrow
        source would not fit into memory.
        """
        (rows, columns), (top, left) = self._shared()
        shared = source[rows, columns]
        narrow = np.zeros((self.side, size, 3), np.uint8)
        step = max(1, _BAND // (3 * self.side))
        for start in range(0, len(shared), step):
            piece = shared[start : start + step]
            band = np.zeros((len(piece), self.side, 3), np.uint8)
            band[:, left : left + piece.shape[1]] = piece
            narrow[top + start : top + start + len(piece)] = _bicubic(band, size, len(piece))
        return _bicubic(narrow, size, size)

    def _shared(self) -> tuple[tuple[slice, slice], tuple[int, int]]:
        """The source's rows and columns inside the square, and the square's row and column of the first."""
        rows = slice(max(0, -self.top), min(self.height, self.side - self.top))
        columns = slice(max(0, -self.left), min(self.width, self.side - self.left))
        return (rows, columns), (max(0, self.top), max(0, self.left))


@dataclass(frozen=True)
class PreparedPart:
    """One part on the square grid.

    Attributes:
        image: the array `rgb`, or what makes it: what needs points alone does not wait for it.
        xyz: (size, size, 3) float32 metres, 0 where not valid.
        valid: (size, size) bool.
        frame: geometry of the grid.
        plane_found: whether a support plane was found and removed; None if no plane was searched.
        look: (size, size) uint8, `Roi.bits` on the grid; None for a product without a region of interest.
        pieces: number of separate pieces that were kept; None if no pieces were searched.
    """

    image: NDArray[np.uint8] | Callable[[], NDArray[np.uint8]]
    xyz: NDArray[np.float32]
    valid: NDArray[np.bool_]
    frame: Frame
    plane_found: bool | None
    look: NDArray[np.uint8] | None = None
    pieces: int | None = None

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """(rgb_size, rgb_size, 3) uint8, background 0. Made when it is first asked for; two threads that ask
        at once may both make it."""
        image = self.image
        if not isinstance(image, np.ndarray):
            image = image()
            object.__setattr__(self, "image", image)
        return image

    @cached_property
    def area(self) -> float:
        """Surface of the part, square metres: of all triangles of neighbouring valid points."""
        return surface_area(self.xyz, self.valid)


def prepare(
    sample: Sample, settings: Preparation, roi: Roi | None = None, *, pitch: float | None = None
) -> PreparedPart:
    """Prepare one part. Deterministic; the time is bounded.

    roi: the product's region of interest. The support plane is looked for in the whole cloud.
    pitch: of the product's good parts, metres; None accepts every pitch.

    Raises BadSample:
        roi_size: the part and the region of interest have different sizes.
        out_of_range: a coordinate is beyond MAX_RANGE.
        other_scale: the points are much further apart than those of the good parts, or closer together.
        no_cloud: background "plane" needs a cloud, and the part has none.
        no_foreground: the scanner returned no point.
        degenerate_cloud: all points lie in one spot or on one line.
        no_object: only the support plane is left.
        too_few_points: fewer than `settings.min_points` points are left.
    """
    if roi is not None:
        roi.check(sample)
    sample = without_returns(sample, settings.no_return)
    check_range(sample)
    if sample.missing != "xyz":
        if pitch is not None:
            check_pitch(sample, pitch)
        _check_surface(sample)
    if settings.background == "none":
        return _prepare_as_is(sample, settings, roi)
    if sample.missing == "xyz":
        raise BadSample(
            "no_cloud",
            "The part has no cloud, but this profile needs the cloud to remove the background. For parts "
            "without a cloud, use a profile with the RGB bank alone, and build and score with --prepared.",
        )
    clearance = settings.length("clearance")
    pieces, plane_found = foreground(sample, settings, roi)
    share = settings.length("piece_share")
    mask = np.zeros_like(sample.valid)
    if pieces is not None:
        mask = pieces.mask(share, surrounded=settings.surrounded)
    count = 0 if pieces is None else pieces.count(share)
    part = _on_grid(sample, mask, settings, roi, background_rgb=False, plane_found=plane_found, pieces=count)
    if not mask.any():
        raise BadSample(
            "no_object",
            "Only the support plane was found. Check that a part lies in the image and stands more than "
            f"{1000 * clearance:.3g} mm above the plane. For a depth map, check depth_scale. For a flatter "
            "part, build with --set preparation.clearance=METRES, or with null for a clearance that follows "
            "the product. For a flat part that fills the picture, build with --prepared.",
        )
    _check_points(part, settings)
    return part


def in_balance(part: PreparedPart, settings: Preparation) -> PreparedPart:
    """A part that was prepared without a balance, as `prepare` makes it with these settings."""
    return replace(part, image=lambda: _in_balance(part.rgb, settings))


def foreground(sample: Sample, settings: Preparation, roi: Roi | None) -> tuple[Pieces | None, bool]:
    """The pieces above the support plane, None without any, and whether a support plane was found."""
    plane = support_plane(sample.xyz, sample.valid, settings.length("plane_inlier"))
    mask = sample.valid
    if plane is not None:
        mask = off_plane(sample.xyz, sample.valid, plane, settings.length("clearance"))
    if roi is not None:
        mask = mask & roi.seen
    return find_pieces(sample.xyz, mask, settings.length("piece_distance")), plane is not None


def _prepare_as_is(sample: Sample, settings: Preparation, roi: Roi | None) -> PreparedPart:
    """Only resize a part that was prepared before.

    As published, a pixel is valid if all three coordinates are not 0: the published Eyecandies conversion
    marks background by x = 0 alone.
    """
    mask = (sample.xyz != 0).all(axis=2)
    part = _on_grid(sample, mask, settings, roi, background_rgb=True, plane_found=None, pieces=None)
    if sample.missing != "xyz":
        _check_points(part, settings)
    return part


def _on_grid(
    sample: Sample,
    mask: NDArray[np.bool_],
    settings: Preparation,
    roi: Roi | None,
    *,
    background_rgb: bool,
    plane_found: bool | None,
    pieces: int | None,
) -> PreparedPart:
    """Cut or pad to a square, and resize. background_rgb: whether colour outside `mask` is kept."""
    coloured = None if background_rgb else mask
    look = None
    if roi is not None:
        mask = mask & roi.seen
    frame = _frame(mask, settings)
    if roi is not None:
        look = _at_grid(roi.bits, frame)
        coloured = (roi.bits & COLOUR > 0) & (True if coloured is None else coloured)
        mask = mask & (roi.bits & SHAPE > 0)
    valid = _at_grid(mask, frame)
    xyz = np.where(valid[..., None], _at_grid(sample.xyz, frame), np.float32(0))
    source = sample.rgb
    return PreparedPart(
        image=lambda: _colours_on_grid(source, coloured, frame, settings),
        xyz=xyz,
        valid=valid,
        frame=frame,
        plane_found=plane_found,
        look=look,
        pieces=pieces,
    )


def _colours_on_grid(
    source: NDArray[np.uint8], coloured: NDArray[np.bool_] | None, frame: Frame, settings: Preparation
) -> NDArray[np.uint8]:
    """(rgb_size, rgb_size, 3) of an image (height, width, 3), black outside `coloured`."""
    shown = source if coloured is None else source * coloured[..., None]
    return _in_balance(frame.resized(shown, settings.rgb_size), settings)


def _in_balance(rgb: NDArray[np.uint8], settings: Preparation) -> NDArray[np.uint8]:
    if settings.balance_drift and settings.balance is not None:
        return balanced(rgb, settings.balance, settings.balance_drift)
    return rgb


def _frame(mask: NDArray[np.bool_], settings: Preparation) -> Frame:
    """Geometry of the square grid over a part at the pixels `mask`.

    With a window, the square is centred on the part's box. A part without any pixel has its source's square.
    """
    height, width = mask.shape
    box = part_box(mask)
    if not isinstance(settings.window, int) or box is None:
        side, (top, bottom, left, right) = padded_side(mask.shape, settings), (0, height, 0, width)
    else:
        top, bottom, left, right = box
        side = max(settings.window, bottom - top, right - left)
    return Frame(
        height=height,
        width=width,
        top=(side - (top + bottom)) // 2,
        left=(side - (left + right)) // 2,
        side=side,
        size=settings.size,
    )


def part_box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """First and last row and column of a part's pixels, the last ones exclusive; None without a pixel."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def padded_side(shape: tuple[int, ...], settings: Preparation) -> int:
    """Side of the square that holds a whole source of (height, width) pixels.

    The published script pads to the next hundred of the longer side. Parts that the script has prepared are
    padded already, so they keep their size.
    """
    side = max(shape)
    return -(-side // 100) * 100 if settings.background == "plane" else side


def _at_grid(source: NDArray[Kind], frame: Frame) -> NDArray[Kind]:
    """(size, size, ...) of a source (height, width, ...) by nearest pixel, 0 where the source is not. An
    average would mix points across an edge."""
    index = _source_index(frame.side, frame.size)
    rows, columns = index - frame.top, index - frame.left
    found = source[np.ix_(rows.clip(0, frame.height - 1), columns.clip(0, frame.width - 1))]
    found[(rows < 0) | (rows >= frame.height)] = 0
    found[:, (columns < 0) | (columns >= frame.width)] = 0
    return found


def _bicubic(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def _source_index(side: int, size: int) -> NDArray[np.intp]:
    """(size,) source index of each grid index: floor(i * side / size) in float32, as torch's mode
    "nearest"."""
    scale = np.float32(side) / np.float32(size)
    index = np.floor(np.arange(size, dtype=np.float32) * scale).astype(np.intp)
    return np.minimum(index, side - 1)


def _check_surface(sample: Sample) -> None:
    if not sample.valid.any():
        raise BadSample(
            "no_foreground",
            "The cloud has no valid point. Check that the scanner sees the part.",
        )
    if not spans_a_surface(sample.xyz, sample.valid):
        raise BadSample(
            "degenerate_cloud",
            "All points lie in one spot or on one line. Check the scanner and the conversion to x, y, z. For "
            "a depth map, check depth_scale (metres per unit of depth), fx and fy.",
        )


def _check_points(part: PreparedPart, settings: Preparation) -> None:
    count = int(part.valid.sum())
    if count < settings.min_points:
        raise BadSample(
            "too_few_points",
            f"The part has only {count} points without its background; at least {settings.min_points} are "
            "needed. Check that the part fills enough of the image and that the scanner sees its surface.",
        )
