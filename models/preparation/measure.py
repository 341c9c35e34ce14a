"""Lengths of a product: its points, its support and its size, measured on a few good parts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from models.preparation.background import Pieces, plane_noise
from models.preparation.pitch import LINES, point_pitch
from models.preparation.prepare import PreparedPart, foreground, part_box, prepare
from models.preparation.roi import Roi
from models.sample import BadSample, Sample, check_range, without_returns
from recipes.measured import Measured, rounded
from recipes.preparation import Preparation

_DEBRIS = 0.005
"""Share of the largest piece's points up to which a piece is taken for noise or dirt."""
_MOST_PARTS = 0.75
"""Share of the good parts that have a piece of the product."""
_OUTLIERS = 0.005
"""Share of the points at each end of an axis that the box leaves out: single points fly far away."""


def measure(samples: Iterable[Sample], preparation: Preparation, roi: Roi | None = None) -> Measured | None:
    """Measure good parts of one product. Each length is the median over the parts that show the length.

    preparation: of the profile. Its lengths may follow the product: the parts are prepared with the lengths
    that are measured here. roi: the product's region of interest. Returns None if no part has a cloud with
    neighbouring points.
    """
    clouds = [without_returns(sample, preparation.no_return) for sample in samples if sample.missing != "xyz"]
    pitches = {
        place: pitch
        for place, cloud in enumerate(clouds)
        if (pitch := point_pitch(cloud.xyz, cloud.valid)) is not None
    }
    if not pitches:
        return None
    clouds = [clouds[place] for place in pitches]
    pitch = median(pitches.values())
    noises = [] if preparation.background == "none" else [plane_noise(it.xyz, it.valid) for it in clouds]
    longest = max(max(cloud.valid.shape) for cloud in clouds)
    first = Measured(
        parts=len(clouds),
        pitch=pitch,
        grid_pitch=pitch * longest / preparation.size,
        noise=_median(noises),
        field=median(longest_side(cloud.xyz, cloud.valid) for cloud in clouds),
        extent=None,
        box=None,
        picture=longest,
        image_scale=_image_scale(clouds),
    )
    return _with_grid(first, clouds, preparation, roi)


def _with_grid(first: Measured, clouds: list[Sample], preparation: Preparation, roi: Roi | None) -> Measured:
    """`first` with what the prepared parts show."""
    parts: list[PreparedPart] = []
    lenient = replace(preparation.resolved(first), min_points=1)  # a window may show more of a small part
    if preparation.background == "plane":
        pieces = [_pieces(cloud, lenient, roi) for cloud in clouds]
        share = _piece_share([it.sizes / it.sizes[0] for it in pieces if it is not None])
        first = replace(first, piece_share=share)
        lenient = replace(lenient, piece_share=preparation.piece_share or share)
    for cloud in clouds:
        with suppress(BadSample):  # the build will say why
            parts.append(prepare(cloud, lenient, roi))
    boxes = [box for part in parts if (box := _longest_box(part)) is not None]
    extents = [longest_side(part.xyz, part.valid) for part in parts]
    sides = [smaller_sides(part.xyz[part.valid]) for part in parts]
    found = replace(
        first,
        extent=_median(extents),
        height=_median(height for height, _ in sides),
        width=_median(width for _, width in sides),
        box=max(boxes, default=None),
    )
    window = preparation.resolved(found).window
    if isinstance(window, int):
        return replace(found, grid_pitch=first.pitch * window / preparation.size)
    pitches = [point_pitch(part.xyz, part.valid) for part in parts]
    return replace(found, grid_pitch=_median(pitches) or first.grid_pitch)


def _pieces(cloud: Sample, preparation: Preparation, roi: Roi | None) -> Pieces | None:
    """The pieces above the support plane; None without any, or for a part that `prepare` refuses."""
    with suppress(BadSample):
        if roi is not None:
            roi.check(cloud)
        check_range(cloud)
        return foreground(cloud, preparation, roi)[0]
    return None


def _image_scale(samples: Sequence[Sample]) -> tuple[float, float] | None:
    """Pixels of a recorded image to one pixel of its cloud, along x and y; None if they are equal."""
    scales = [scale for sample in samples if (scale := sample.image_scale) is not None]
    return (median(x for x, _ in scales), median(y for _, y in scales)) if scales else None


def _longest_box(part: PreparedPart) -> int | None:
    """Longest side of a prepared part's box, pixels of the source; None without a point."""
    box = part_box(part.valid)
    if box is None:
        return None
    top, bottom, left, right = box
    return math.ceil(max(bottom - top, right - left) * part.frame.side / part.frame.size)


def longest_side(xyz: NDArray[np.float32], valid: NDArray[np.bool_]) -> float:
    """Longest side of the box of the valid points, metres, without the outermost points; 0 without points."""
    rows, columns = (np.s_[:: max(1, side // LINES)] for side in valid.shape)
    points = xyz[rows, columns][valid[rows, columns]]
    if not len(points):
        return 0.0
    ends = np.quantile(points, [_OUTLIERS, 1 - _OUTLIERS], axis=0)
    return float((ends[1] - ends[0]).max())


def _piece_share(parts: Sequence[NDArray[np.float64]]) -> float:
    """The share of the largest piece's points from which a piece belongs to a product.

    parts: the pieces' shares of each part, in descending order. A piece that most parts have belongs to the
    product. The share is half that of the smallest such piece.
    """
    smallest = 1.0
    for place in range(1, max(map(len, parts), default=0)):
        shares = [shares[place] for shares in parts if len(shares) > place and shares[place] > _DEBRIS]
        if len(shares) < _MOST_PARTS * len(parts):
            break
        smallest = median(shares)
    return rounded(smallest / 2)


def smaller_sides(points: NDArray[np.float32]) -> tuple[float, float]:
    """The smallest and the middle side, metres, of the box along the points' own axes, without the outermost
    points. points: (N, 3) metres, at least one."""
    centred = points.astype(np.float64) - points.mean(axis=0)
    along = centred @ np.linalg.eigh(centred.T @ centred)[1]
    ends = np.quantile(along, [_OUTLIERS, 1 - _OUTLIERS], axis=0)
    smallest, middle, _ = sorted((ends[1] - ends[0]).tolist())
    return smallest, middle


def _median(lengths: Iterable[float | None]) -> float | None:
    known = [length for length in lengths if length is not None]
    return median(known) if known else None
