"""What the good parts of a product say about its size and its sensor."""

from __future__ import annotations

from dataclasses import dataclass

_DIGITS = 6
"""With three digits, settings of the same part in another size differed by up to 0.5 %, which moves a few
pixels across the edge of the part."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Lengths of a product in metres: medians over a few good parts. Two lengths are in pixels.

    Attributes:
        parts: number of parts that were measured.
        pitch: distance of neighbouring points in the source cloud.
        grid_pitch: distance of neighbouring points on the prepared grid.
        noise: standard deviation of the support plane's points; None if no part has a support plane.
        field: longest side of the box of all points.
        extent: longest side of the box of the prepared part; None if no part could be prepared.
        piece_share: share of the largest piece's points from which a piece belongs to the part; None if no
            part could be prepared.
        height, width: the smallest and the middle side of the prepared part along its own axes; None if no
            part could be prepared.
        box: longest side of the box of the largest prepared part in its picture, pixels of the source; None
            if no part could be prepared.
        picture: longest side of the pictures, pixels of the source.
        image_scale: pixels of a recorded image to one pixel of its cloud, along x and y; None if both have
            the same size, and in versions of older sources.
    """

    parts: int
    pitch: float
    grid_pitch: float
    noise: float | None
    field: float
    extent: float | None
    height: float | None = None
    width: float | None = None
    box: int | None = None
    picture: int = 0
    piece_share: float | None = None
    image_scale: tuple[float, float] | None = None


def rounded(length: float) -> float:
    """A length that a person can read, rounded by less than what a sensor sees."""
    return float(f"{length:.{_DIGITS}g}")
