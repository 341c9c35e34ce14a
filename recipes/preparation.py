"""Settings of the preparation: background, sizes, and the sensor's value for no return."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from annotated_types import Ge, Le

from recipes.measured import Measured, rounded

Colours = tuple[float, float]
"""Logarithms of red over green, and of blue over green."""
Balance = tuple[float, float, float]
"""What good parts show: the median of each of their `Colours`, and how far a good part lies from it, as a
logarithm of the gains that explain it."""

SMALLEST = 28
"""Smallest side of a prepared image or cloud grid, pixels: one pixel per patch of the coarsest grid."""
LARGEST = 4096
MOST_WINDOW = 1 << 14
"""Largest window, pixels: wider than the pictures of any camera."""
MOST_DRIFT = 0.5
"""Largest drift of a camera's gains that may be declared."""

_CLEARANCE_NOISES = 6.0
"""Clearance of a product, in standard deviations of its support plane. Normal noise reaches 6 once in 5e8
points. A support that is bent by the same amount everywhere has 3 at most."""
_CLEARANCE_PITCHES = 0.1
"""Least clearance of a product, in pitches, where the noise is almost nothing."""
_INLIER_SHARE = 0.8
"""Share of the clearance within which a point supports the plane, as published: 4 mm of 5 mm."""
_PIECE_PITCHES = 24.0
"""Gap between two pieces of a product, in pitches: the published 6 mm on parts with points 0.25 mm apart."""

_WINDOW_MARGIN = 1.25
"""Window of a product, in sides of the box of its largest measured part. The box of a part that lies askew is
larger, by 1.4 at most. Then the window of this part is larger too."""
_WINDOW_SHARE = 0.8
"""Largest window of a product, as a share of its pictures. A larger window would hardly enlarge a part."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """Settings that training parts and scored parts share. They are stored in the manifest.

    Attributes:
        background: "plane" removes the support plane and keeps the largest piece; "none" keeps everything,
            for parts that were prepared as the published script does.
        size: side of the square cloud grid, pixels.
        rgb_size: side of the square RGB image, pixels.
        window: side of the square that becomes the grids, pixels of the source, so that a grid's pixel means
            the same length on every part. The square is centred on the part; a larger part has a larger one.
            "padded": the whole image, padded as the published script does. None follows the product.
        min_points: a part with fewer valid points on the cloud grid is refused (1024 groups of 128 points
            need 1152).
        no_return: the z, metres, that the sensor writes for no return, besides 0, 0, 0 and NaN.
        plane_inlier: largest distance of a point that supports the support plane.
        clearance: points closer than this to the support plane are background.
        piece_distance: points of one piece are at most this far apart (published: DBSCAN eps).
        piece_share: a piece with more than this share of the largest piece's points is kept beside the
            largest piece; 1 keeps the largest piece alone, as published.
        surrounded: whether a smaller piece that the kept ones surround in the image is kept, too, such as the
            rim of a boss, behind whose shadow nothing returns. Published: no.
        balance_drift: how far the camera's gains for red, green and blue may drift, as a share; so much is
            taken back (`models.preparation.white_balance`). 0 takes nothing back, as published.
        balance: of the good parts' images. None follows the product, and takes nothing back.

    The lengths are in metres. The defaults of the last four are the published numbers, for hand-sized parts
    of one piece. None means that a setting or the window follows the product: `resolved` puts a number in its
    place.
    Raises ValueError for impossible numbers.
    """

    background: Literal["plane", "none"] = "plane"
    size: int = 224
    rgb_size: int = 224
    window: Annotated[int, Ge(1), Le(MOST_WINDOW)] | Literal["padded"] | None = "padded"
    min_points: int = 1152
    no_return: float | None = None
    plane_inlier: float | None = 0.004
    clearance: float | None = 0.005
    piece_distance: float | None = 0.006
    piece_share: float | None = 1.0
    surrounded: bool = False
    balance_drift: float = 0.0
    balance: Balance | None = None

    def __post_init__(self) -> None:
        for name, pixels in (("size", self.size), ("rgb_size", self.rgb_size)):
            if not SMALLEST <= pixels <= LARGEST:
                raise ValueError(f"{name} must lie between {SMALLEST} and {LARGEST} pixels, not {pixels}")
        if not 1 <= self.min_points <= self.size**2:
            raise ValueError(
                f"min_points must lie between 1 and the {self.size**2} points of the grid, "
                f"not {self.min_points}"
            )
        if self.no_return is not None and not math.isfinite(self.no_return):
            raise ValueError("no_return must be a finite number; NaN and infinity always mean no return")
        for name in LENGTHS:
            length = getattr(self, name)
            if length is not None and not length > 0:
                raise ValueError(f"{name} must be a length above 0 in metres, or null, not {length}")
        if self.piece_share is not None and not 0 < self.piece_share <= 1:
            raise ValueError(f"piece_share must lie between 0 and 1, or be null, not {self.piece_share}")
        if not 0 <= self.balance_drift <= MOST_DRIFT:
            raise ValueError(f"balance_drift must lie between 0 and {MOST_DRIFT}, not {self.balance_drift}")
        if self.balance is not None and not (all(map(math.isfinite, self.balance)) and self.balance[2] >= 0):
            raise ValueError(
                f"balance must be three finite numbers, the last one at least 0, or null, not {self.balance}"
            )

    def resolved(self, measured: Measured | None) -> Preparation:
        """The same settings with a number for each length that follows the product.

        measured: of the product; None where no cloud could be measured, which gives the published numbers.
        """
        if measured is None:
            found = {name: getattr(Preparation(), name) for name in LENGTHS}
        else:
            noise = 0.0 if measured.noise is None else measured.noise
            clearance = max(_CLEARANCE_NOISES * noise, _CLEARANCE_PITCHES * measured.pitch)
            found = {
                "plane_inlier": rounded(_INLIER_SHARE * (self.clearance or clearance)),
                "clearance": rounded(clearance),
                "piece_distance": rounded(_PIECE_PITCHES * measured.pitch),
            }
        share = None if measured is None else measured.piece_share
        found |= {"window": self._window(measured), "piece_share": 1.0 if share is None else share}
        return replace(self, **{name: found[name] for name in found if getattr(self, name) is None})

    def _window(self, measured: Measured | None) -> int | Literal["padded"]:
        """The window that follows the product. Where the background stays, nothing tells the part's box.

        A window that is smaller than the grid would only repeat points. Where parts fill their pictures, the
        whole picture is used.
        """
        if measured is None or measured.box is None or self.background == "none":
            return "padded"
        wanted = max(math.ceil(_WINDOW_MARGIN * measured.box), self.size)
        return wanted if wanted <= _WINDOW_SHARE * measured.picture else "padded"

    def length(self, name: str) -> float:
        """A length of LENGTHS, metres, or the `piece_share`. Raises ValueError if it still follows the
        product."""
        length = getattr(self, name)
        if length is None:
            raise ValueError(f"preparation.{name} follows the product: resolve the profile first")
        return length


LENGTHS = ("plane_inlier", "clearance", "piece_distance")
"""Names of the settings that may follow the product."""

FOLLOWING = Preparation(
    window=None,
    plane_inlier=None,
    clearance=None,
    piece_distance=None,
    piece_share=None,
    surrounded=True,
)
"""Every length and the window follow the product, and what the part surrounds belongs to the part."""
