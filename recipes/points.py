"""What the point bank is made of: histograms (FPFH) or the groups of a point transformer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

PointKind = Literal["pointmae", "pointbert"]
BatchNormMode = Literal["sample", "running"]


@dataclass(frozen=True, slots=True)
class FpfhSettings:
    """Neighbourhoods of the histograms.

    normal_radius, feature_radius: metres. normal_neighbours, feature_neighbours: the nearest so many points
    inside the radius count. stride: every stride-th row and column of the prepared cloud is used.
    towards_camera: whether normals are turned to the camera (the origin); otherwise their sign is what the
    eigensolver leaves.
    """

    normal_radius: float
    normal_neighbours: int
    feature_radius: float
    feature_neighbours: int
    stride: int = 1
    towards_camera: bool = False

    def __post_init__(self) -> None:
        sizes = (self.normal_radius, self.feature_radius, self.normal_neighbours, self.feature_neighbours)
        if not min(*sizes, self.stride) > 0:
            raise ValueError(f"radii, neighbour counts and stride must be positive: {self}")


PRESETS: Mapping[str, FpfhSettings] = MappingProxyType(
    {
        # 3D-ADS:feature_extractors. Its radii exceed the parts, so the neighbour counts decide.
        "btf": FpfhSettings(0.1, 30, 0.25, 100),
        # A quarter of the points at a sixth of the time, which the 600 ms of a two-core host need.
        "embedded": FpfhSettings(0.005, 30, 0.010, 60, stride=2, towards_camera=True),
    }
)


@dataclass(frozen=True, slots=True)
class FpfhChoice:
    """settings: of the histograms. side: patches along an edge of the point grid."""

    settings: FpfhSettings
    side: Literal[28, 56] = 56


@dataclass(frozen=True, slots=True)
class PointNetwork:
    """Everything that decides what the point bank holds.

    groups, group_size: farthest points sampled, and neighbours each gathers (paper: 1024 of 128).
    batch_norm: "sample" as published, where raw metres need it; "running" with the stored statistics.
    scaling: "raw" metres as published; "unit_sphere" as in pre-training: minus the centroid, divided by the
        largest norm. Groups and interpolation weights stay in metres either way.
    skip_near_origin: pointnet2_ops' rule, see `models.points.groups.farthest_points`.
    distances: how interpolation weighs group centres; "expanded" repeats the published code's float32
        rounding, see `models.points.alignment.interpolation`.
    side: patches along one edge, 56 (paper's 4 x 4 pixels) or 28 (8 x 8); None: the groups themselves are the
        patches ("point groups", supplement sec. D), each at its centre's pixel, nothing is interpolated.
    """

    kind: PointKind = "pointmae"
    groups: int = 1024
    group_size: int = 128
    batch_norm: BatchNormMode = "sample"
    scaling: Literal["raw", "unit_sphere"] = "raw"
    skip_near_origin: bool = False
    distances: Literal["exact", "expanded"] = "exact"
    side: Literal[28, 56] | None = 56

    def __post_init__(self) -> None:
        if min(self.groups, self.group_size) < 1:
            raise ValueError(
                f"groups and group_size must be at least 1, not {self.groups} and {self.group_size}"
            )


KINDS = ("histograms", "network")
"""What pydantic calls the two choices where it says at which field something is wrong."""


def _kind(value: Any) -> str:
    """Which of the two a value is meant to be: only histograms have settings of their own."""
    histograms = "settings" in value if isinstance(value, dict) else isinstance(value, FpfhChoice)
    return KINDS[0] if histograms else KINDS[1]


PointChoice = Annotated[
    Annotated[FpfhChoice, Tag(KINDS[0])] | Annotated[PointNetwork, Tag(KINDS[1])], Discriminator(_kind)
]
