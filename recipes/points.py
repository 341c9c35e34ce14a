"""Settings of the point extractor: histograms (FPFH) or a point transformer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from recipes.measured import Measured, rounded

PointKind = Literal["pointmae", "pointbert"]
PointSide = Literal[28, 56, 84, 112, 168]
"""Patches along one edge of the point grid: 28 or 56 (4 x 4 pixels, as in the paper), times the profile's
scale."""
BatchNormMode = Literal["sample", "running"]

_NORMAL_PITCHES = 5.6
_FEATURE_PITCHES = 11.2
"""Radii that follow the product, in distances of the points that are used. On a hand-sized part, these are 5
and 10 mm."""
_FLATNESS = 0.25
"""Height of a part, as a share of its width, from which its heights stay as they are, as on hand-sized parts.
On a flatter part all normals are nearly the same, and histograms see nothing."""
_MOST_NOISE = 0.3
"""Largest noise of stretched heights, in pitches: more noise would turn the normals."""


@dataclass(frozen=True, slots=True)
class FpfhSettings:
    """Neighbourhoods of the histograms.

    Attributes:
        normal_radius, feature_radius: metres; None means that the radius follows the product: `resolved` puts
            a number in its place.
        normal_neighbours, feature_neighbours: largest number of neighbours inside the radius; the nearest
            neighbours are used.
        stride: every stride-th row and column of the prepared cloud is used.
        relief: factor of the heights above the part's mean plane, so that the histograms see the relief of a
            flat part; 1 leaves the part as it is. None means that the factor follows the product.
        towards_camera: whether normals are turned to the camera (the origin). If not, the sign of a normal is
            arbitrary.
        scales: factors of `feature_neighbours`, rising. Each gives a histogram of its own, one after the
            other in a row. Simple3D (AAAI 2026) uses 1, 2 and 3.
        averaged: a point's histograms are means over this many nearest points, the point itself included; 1
            leaves them as they are. Simple3D uses 128.

    Raises ValueError for impossible numbers.
    """

    normal_radius: float | None
    normal_neighbours: int
    feature_radius: float | None
    feature_neighbours: int
    stride: int = 1
    towards_camera: bool = False
    relief: float | None = 1.0
    scales: tuple[int, ...] = (1,)
    averaged: int = 1

    def __post_init__(self) -> None:
        followed = (self.normal_radius, self.feature_radius, self.relief)
        known = [number for number in followed if number is not None]
        counts = (self.normal_neighbours, self.feature_neighbours, self.stride, self.averaged, *self.scales)
        if not min(*known, *counts) > 0:
            raise ValueError(f"radii, counts, stride, scales and relief must be positive, not {self}")
        if not self.scales or list(self.scales) != sorted(set(self.scales)):
            raise ValueError(f"there must be a scale, and scales must rise, not {self.scales}")

    def resolved(self, measured: Measured | None) -> FpfhSettings:
        """The same settings with a number for each radius that follows the product.

        measured: of the product; None where no cloud could be measured, which gives the radii of a hand-sized
        part.
        """
        spacing = _HAND_SIZED if measured is None else self.stride * measured.grid_pitch
        return replace(
            self,
            normal_radius=self.normal_radius or rounded(_NORMAL_PITCHES * spacing),
            feature_radius=self.feature_radius or rounded(_FEATURE_PITCHES * spacing),
            relief=self.relief or rounded(relief(measured)),
        )

    @property
    def searched(self) -> int:
        """How many neighbours of a point are looked for."""
        return max(self.normal_neighbours, self.scales[-1] * self.feature_neighbours, self.averaged)

    def numbers(self) -> tuple[float, float, float]:
        """Normal radius and feature radius, metres, and relief. Raises ValueError if one still follows the
        product."""
        if self.normal_radius is None or self.feature_radius is None or self.relief is None:
            raise ValueError("the radii of the histograms follow the product: resolve the profile first")
        return self.normal_radius, self.feature_radius, self.relief


def relief(measured: Measured | None) -> float:
    """The factor of a product's heights: as flat parts need it, and as the noise allows it."""
    if measured is None or not measured.height or measured.width is None:
        return 1.0
    wanted = _FLATNESS * measured.width / measured.height
    allowed = _MOST_NOISE * measured.pitch / measured.noise if measured.noise else wanted
    return max(1.0, min(wanted, allowed))


_HAND_SIZED = 0.010 / _FEATURE_PITCHES

_EMBEDDED = FpfhSettings(None, 30, None, 60, stride=2, towards_camera=True, relief=None)

PRESETS: Mapping[str, FpfhSettings] = MappingProxyType(
    {
        # 3D-ADS:feature_extractors. The radii are larger than the parts, so only the neighbour counts matter.
        "btf": FpfhSettings(0.1, 30, 0.25, 100),
        # A quarter of the points in a sixth of the time, so that a two-core host scores a part in 600 ms.
        "embedded": _EMBEDDED,
        # Simple3D (AAAI 2026) with its means over 128 points, and with the default's neighbours.
        "scales": replace(_EMBEDDED, scales=(1, 2, 3), averaged=128),
    }
)


@dataclass(frozen=True, slots=True)
class FpfhChoice:
    """FPFH.

    Attributes:
        settings: of the histograms.
        side: patches along one edge of the point grid.
        overlap: whether patches overlap: a patch is then the weighted mean of its own half patches and of the
            half patches around it. A mean over more histograms is steadier among good parts, so that it shows
            smaller dents (docs/results.md).
    """

    settings: FpfhSettings
    side: PointSide = 56
    overlap: bool = False

    @property
    def cells(self) -> int:
        """Patches, or half patches where patches overlap, along one edge."""
        return 2 * self.side if self.overlap else self.side


@dataclass(frozen=True, slots=True)
class PointNetwork:
    """A point transformer and its groups.

    Attributes:
        kind: the network.
        groups: number of group centres (paper: 1024).
        group_size: points per group (paper: 128).
        batch_norm: "sample" uses the statistics of the part's cloud, as published and as raw metres need;
            "running" uses the stored statistics.
        scaling: "raw" uses metres, as published; "unit_sphere" subtracts the centroid and divides by the
            largest norm, as in pre-training. Groups and interpolation weights use metres in both cases.
        skip_near_origin: pointnet2_ops' rule, see `models.points.groups.farthest_points`.
        distances: how interpolation computes distances; "expanded" repeats the published code's float32
            rounding, see `models.points.alignment.interpolation`.
        side: patches along one edge. None: each group is a patch at the pixel of its centre ("point groups",
            supplement sec. D), without interpolation.

    Raises ValueError for impossible numbers.
    """

    kind: PointKind = "pointmae"
    groups: int = 1024
    group_size: int = 128
    batch_norm: BatchNormMode = "sample"
    scaling: Literal["raw", "unit_sphere"] = "raw"
    skip_near_origin: bool = False
    distances: Literal["exact", "expanded"] = "exact"
    side: PointSide | None = 56

    def __post_init__(self) -> None:
        if min(self.groups, self.group_size) < 1:
            raise ValueError(
                f"groups and group_size must be at least 1, not {self.groups} and {self.group_size}"
            )


KINDS = ("histograms", "network")
"""Names of the two choices in the field paths of pydantic's errors."""


def _kind(value: Any) -> str:
    """Which of the two choices a value is. Only histograms have a field `settings`."""
    histograms = "settings" in value if isinstance(value, dict) else isinstance(value, FpfhChoice)
    return KINDS[0] if histograms else KINDS[1]


PointChoice = Annotated[
    Annotated[FpfhChoice, Tag(KINDS[0])] | Annotated[PointNetwork, Tag(KINDS[1])], Discriminator(_kind)
]
