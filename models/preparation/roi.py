"""The region of interest on the pixels of a product's parts."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from models.sample import BadSample, Sample
from recipes.roi import BITS, Polygon, Polygons
from recipes.sentences import sentences

COLOUR, SHAPE = BITS["colour"], BITS["shape"]
BANK_BITS: Mapping[str, int] = MappingProxyType(
    {
        **{"rgb": COLOUR, "colour": COLOUR, "point": SHAPE, "normals": SHAPE},
        **dict.fromkeys(("relief", "fused", "picture"), COLOUR | SHAPE),
    }
)
"""What each bank looks at."""
GREY = 85
"""Step of the grey levels in a PNG: 0 nothing, 85 colour, 170 shape, 255 both."""

_PNG = b"\x89PNG"


@dataclass(frozen=True, slots=True, eq=False)
class Roi:
    """What is looked at in every pixel of a product's parts.

    bits: (H, W) uint8, in pixels of the source: the sum of COLOUR and SHAPE where they are looked at.
    """

    bits: NDArray[np.uint8]

    def check(self, sample: Sample) -> None:
        """Raise BadSample roi_size if a part has another size."""
        if sample.valid.shape != self.bits.shape:
            raise BadSample(
                "roi_size",
                f"The part is {_size(sample.valid.shape)} pixels (height x width), but the region of "
                f"interest of the product is {_size(self.bits.shape)}. Record the part like the training "
                "parts, or build with a region of interest of this size.",
            )

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(H, W) bool: pixels where anything is looked at."""
        return self.bits > 0

    def to_png(self) -> bytes:
        """The region of interest as a grey PNG."""
        file = io.BytesIO()
        Image.fromarray(self.bits * np.uint8(GREY)).save(file, "PNG")
        return file.getvalue()


def read_roi(content: bytes, shape: tuple[int, int]) -> Roi:
    """The region of interest in a file: a grey PNG, or polygons in JSON.

    shape: height and width of the product's parts, pixels.
    Raises BadSample roi_invalid if the file cannot be used, roi_size if it is for pictures of another size.
    """
    bits = from_png(content).bits if content.startswith(_PNG) else _from_polygons(content, shape)
    if bits.shape != shape:
        raise BadSample(
            "roi_size",
            f"The region of interest is {_size(bits.shape)} pixels (height x width), but the parts are "
            f"{_size(shape)}. Draw it on a picture of a part.",
        )
    if not bits.any():
        raise BadSample(
            "roi_invalid", "The region of interest holds no pixel of a part. Check its coordinates."
        )
    return Roi(bits)


def from_png(content: bytes) -> Roi:
    """The inverse of `Roi.to_png`. Raises BadSample roi_invalid."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            # Pillow would make every level of 16 bits above 255 the level 255.
            levels = np.asarray(image if image.mode.startswith("I") else image.convert("L"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadSample("roi_invalid", f"The region of interest is no readable PNG: {error}.") from None
    others = np.setdiff1d(levels, np.arange(4, dtype=np.uint8) * np.uint8(GREY))
    if len(others):
        raise BadSample(
            "roi_invalid",
            f"The region of interest has the grey level {others[0]}. Use 0 (not inspected), 85 (colour "
            "only), 170 (shape only) and 255 (colour and shape), and save without smoothing.",
        )
    return Roi((levels // GREY).astype(np.uint8))


def _from_polygons(content: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    try:
        polygons = Polygons.model_validate_json(content)
    except ValidationError as error:
        raise BadSample(
            "roi_invalid", f"The region of interest cannot be used: {'; '.join(sentences(error)[:3])}."
        ) from None
    size = (polygons.height or shape[0], polygons.width or shape[1])
    if size != shape:
        return np.zeros(size, np.uint8)
    bits = np.full(shape, BITS[polygons.elsewhere], np.uint8)
    for polygon in polygons.polygons:
        bits[_inside(polygon, shape)] = BITS[polygon.look]
    return bits


def _inside(polygon: Polygon, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) bool: pixels whose centre lies inside, by the even-odd rule."""
    inside = np.zeros(shape, np.bool_)
    across, down = np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5
    corners = polygon.points
    for (x, y), (next_x, next_y) in zip(corners, (*corners[1:], corners[0]), strict=True):
        rows = np.flatnonzero((down >= y) != (down >= next_y))
        if len(rows):
            crossing = x + (down[rows] - y) * (next_x - x) / (next_y - y)
            inside[rows] ^= across > crossing[:, None]
    return inside


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape)
