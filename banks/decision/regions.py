"""Where a part is anomalous: connected regions of its map, in source pixels and in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from banks.decision.verdict import grid_pixel
from models.preparation.prepare import Frame
from models.regions import label_regions

AROUND = 0.7
"""Share of the deciding place's value that ends its region, where the place is below the pixel threshold."""
_OUTERMOST = 0.01


@dataclass(frozen=True, slots=True)
class Region:
    """One connected region of the map.

    box: left, top, right, bottom in source pixels (edges, so right - left is a width).
    centroid: x, y in source pixels.
    area: in source pixels.
    area_m2: of the region's surface, square metres; 0.0 for a region without neighbouring points.
    peak: highest map value.
    peak_pixel: column and row of the peak in the source.
    centroid_m: mean of the region's points: x, y, z in metres, in the camera frame.
    box_m: lowest and highest corner of the box along the camera's axes that holds the points. On each axis
        the outermost hundredth of the points on each side is left out, because a few points may be noise.
    extent_m: size of this box along the three axes.
    The last four are None where the region holds no point.
    """

    box: tuple[float, float, float, float]
    centroid: tuple[float, float]
    area: float
    peak: float
    peak_pixel: tuple[int, int]
    area_m2: float | None
    centroid_m: tuple[float, float, float] | None
    box_m: tuple[tuple[float, float, float], tuple[float, float, float]] | None
    extent_m: tuple[float, float, float] | None


def find_regions(
    score_map: NDArray[np.float32],
    pixel_threshold: float,
    frame: Frame,
    xyz: NDArray[np.float32],
    valid: NDArray[np.bool_],
    *,
    decided: tuple[float, float] | None = None,
    limit: int = 20,
    minimum: int = 9,
) -> list[Region]:
    """Regions (8-connected) strictly above the threshold, the highest peak first, at most `limit`.

    With `decided`, one region contains that place, even where the map is below the threshold there. Such a
    region reaches down to `AROUND` of the map's value at the place.

    score_map: (size, size) float32.
    pixel_threshold: of map values.
    frame: where the source lies in the square. Padding around the source belongs to no region.
    xyz: (size, size, 3) float32, metres.
    valid: (size, size) bool, False where xyz means nothing.
    decided: the place that made the part defective, x and y as shares of the square's side.
    limit: most regions.
    minimum: smallest region in grid pixels. Smaller regions are specks and are dropped.
    Raises ValueError if the shapes differ.
    """
    if xyz.shape != (*score_map.shape, 3) or valid.shape != score_map.shape:
        raise ValueError(f"map {score_map.shape}, xyz {xyz.shape} and valid {valid.shape} do not match")
    inside_x, inside_y = _inside(frame, score_map.shape[0])
    above = (score_map > pixel_threshold) & inside_y[:, None] & inside_x[None, :]
    pixel = None if decided is None else _nearest_inside(decided, inside_x, inside_y)
    if pixel is not None and not above[pixel]:
        above |= _around(score_map, pixel) & inside_y[:, None] & inside_x[None, :]
    labels, count = label_regions(above)
    if not count:
        return []
    index = np.arange(1, count + 1)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    peaks = np.asarray(ndimage.maximum(score_map, labels, index))
    needed = 0 if pixel is None else int(labels[pixel])
    order = [k for k in np.argsort(-peaks, kind="stable") if areas[k] >= minimum or k + 1 == needed]
    kept = [k for place, k in enumerate(order) if place < limit or k + 1 == needed]
    boxes = ndimage.find_objects(labels)
    return [_region(labels, k + 1, boxes[k], score_map, frame, xyz, valid) for k in kept]


def _nearest_inside(
    place: tuple[float, float], inside_x: NDArray[np.bool_], inside_y: NDArray[np.bool_]
) -> tuple[int, int] | None:
    """Row and column of the grid pixel at a place of the square. For a place in the padding, that of the
    nearest pixel of the source; None where the source has no pixel."""
    rows, columns = np.flatnonzero(inside_y), np.flatnonzero(inside_x)
    if not len(rows) or not len(columns):
        return None
    row, column = grid_pixel(place, len(inside_x))
    return min(max(row, int(rows[0])), int(rows[-1])), min(max(column, int(columns[0])), int(columns[-1]))


def _around(score_map: NDArray[np.float32], pixel: tuple[int, int]) -> NDArray[np.bool_]:
    """The connected pixels around `pixel` whose value is at least `AROUND` of the value there."""
    labels, _ = label_regions(score_map >= AROUND * score_map[pixel])
    return labels == labels[pixel]


def _inside(frame: Frame, size: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which grid columns and rows have their centre inside the source image."""
    centre = (np.arange(size) + 0.5) * frame.side / size
    x, y = centre - frame.left, centre - frame.top
    return (x > 0) & (x < frame.width), (y > 0) & (y < frame.height)


def _region(
    labels: NDArray[np.int32],
    label: int,
    box: tuple[slice, slice],
    score_map: NDArray[np.float32],
    frame: Frame,
    xyz: NDArray[np.float32],
    valid: NDArray[np.bool_],
) -> Region:
    mask = labels[box] == label
    rows, columns = np.nonzero(mask)
    rows, columns = rows + box[0].start, columns + box[1].start
    scale = frame.side / len(score_map)
    values = score_map[rows, columns]
    at = int(values.argmax())
    points = xyz[rows, columns][valid[rows, columns]].astype(np.float64)
    box_m = _box_m(points) if len(points) else None
    return Region(
        box=(
            max(float(columns.min() * scale - frame.left), 0.0),
            max(float(rows.min() * scale - frame.top), 0.0),
            min(float((columns.max() + 1) * scale - frame.left), float(frame.width)),
            min(float((rows.max() + 1) * scale - frame.top), float(frame.height)),
        ),
        centroid=(
            float((columns.mean() + 0.5) * scale - frame.left),
            float((rows.mean() + 0.5) * scale - frame.top),
        ),
        area=float(len(rows) * scale * scale),
        peak=float(values[at]),
        peak_pixel=(
            int((columns[at] + 0.5) * scale - frame.left),
            int((rows[at] + 0.5) * scale - frame.top),
        ),
        area_m2=_surface(mask, xyz[box], valid[box]) if len(points) else None,
        centroid_m=_triple(points.mean(axis=0)) if len(points) else None,
        box_m=box_m and (_triple(box_m[0]), _triple(box_m[1])),
        extent_m=box_m and _triple(box_m[1] - box_m[0]),
    )


def _box_m(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest corner around points (N, 3) without the outermost hundredth on each side."""
    lowest, highest = np.quantile(points, (_OUTERMOST, 1 - _OUTERMOST), axis=0, method="inverted_cdf")
    return lowest, highest


def _surface(mask: NDArray[np.bool_], xyz: NDArray[np.float32], valid: NDArray[np.bool_]) -> float:
    """Square metres of the surface under the pixels of `mask`.

    Each pixel counts as much as the median square between neighbouring points of the region. So holes and
    depth steps do not change the area.
    """
    inside = mask & valid
    points = xyz.astype(np.float64)
    right, down = points[:-1, 1:] - points[:-1, :-1], points[1:, :-1] - points[:-1, :-1]
    whole = inside[:-1, :-1] & inside[:-1, 1:] & inside[1:, :-1]
    squares = np.linalg.norm(np.cross(right[whole], down[whole]), axis=1)
    return float(np.median(squares) * mask.sum()) if len(squares) else 0.0


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
