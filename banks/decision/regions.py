"""Where a part is anomalous: connected regions of its map, in source pixels and in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from models.preparation.prepare import Frame
from models.regions import label_regions


@dataclass(frozen=True, slots=True)
class Region:
    """One connected region above the pixel threshold.

    box: left, top, right, bottom in source pixels (edges, so right - left is a width).
    centroid: x, y in source pixels.
    area: in source pixels.
    peak: highest map value.
    peak_pixel: column and row of the peak in the source.
    centroid_m: mean of the region's points: x, y, z in metres, in the camera frame.
    box_m: lowest and highest corner of the box along the camera's axes that holds the points.
    extent_m: size of this box along the three axes.
    The last three are None where the region holds no point.
    """

    box: tuple[float, float, float, float]
    centroid: tuple[float, float]
    area: float
    peak: float
    peak_pixel: tuple[int, int]
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
    limit: int = 20,
    minimum: int = 9,
) -> list[Region]:
    """Regions (8-connected) strictly above the threshold, the highest peak first, at most `limit`.

    score_map: (size, size) float32.
    pixel_threshold: of map values.
    frame: where the source lies in the square. Padding around the source belongs to no region.
    xyz: (size, size, 3) float32, metres.
    valid: (size, size) bool, False where xyz means nothing.
    limit: most regions.
    minimum: smallest region in grid pixels. Smaller regions are specks and are dropped.
    Raises ValueError if the shapes differ.
    """
    if xyz.shape != (*score_map.shape, 3) or valid.shape != score_map.shape:
        raise ValueError(f"map {score_map.shape}, xyz {xyz.shape} and valid {valid.shape} do not match")
    inside_x, inside_y = _inside(frame, score_map.shape[0])
    above = (score_map > pixel_threshold) & inside_y[:, None] & inside_x[None, :]
    labels, count = label_regions(above)
    if not count:
        return []
    index = np.arange(1, count + 1)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    peaks = np.asarray(ndimage.maximum(score_map, labels, index))
    order = [k for k in np.argsort(-peaks, kind="stable") if areas[k] >= minimum][:limit]
    boxes = ndimage.find_objects(labels)
    return [_region(labels, k + 1, boxes[k], score_map, frame, xyz, valid) for k in order]


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
        centroid_m=_triple(points.mean(axis=0)) if len(points) else None,
        box_m=(_triple(points.min(axis=0)), _triple(points.max(axis=0))) if len(points) else None,
        extent_m=_triple(np.ptp(points, axis=0)) if len(points) else None,
    )


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
