"""A part as its files store it, before its unit, its geometry and its registration are applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.readers.depth import unproject
from models.readers.heights import height_map, is_value
from models.readers.registration import registered
from models.readers.stored import Scale, Stored
from models.readers.units import agreed, in_metres
from models.sample import BadSample, Sample, make_sample
from recipes.sensor import Sensor, Unit

_Z = 2
HEIGHT_MAP = (
    "It has one value per pixel. If the values are heights of a line profiler, declare x_pitch and y_pitch "
    "(the distance of neighbouring columns and rows), z_scale, z_offset and xyz_unit. If the values are "
    "depths of a camera, send them as depth with intrinsics. Else send the three single-channel files x, y "
    "and z, or one file of height x width x 3."
)


@dataclass(frozen=True, slots=True)
class Recording:
    """The arrays of one part.

    Attributes:
        rgb: (H, W, 3) uint8, or the array of an NPZ as stored.
        cloud: coordinates, or heights.
        depth: (H, W) depths along the optical axis.
    """

    rgb: NDArray[Any] | None
    cloud: Stored | None = None
    depth: NDArray[np.generic] | None = None

    def sample(self, sensor: Sensor, unit: Unit | None) -> Sample:
        """The part in metres.

        sensor: what is declared, for the part or else for its product. unit: the unit that is declared for
        the part itself; the file's own unit must not contradict it.

        Raises BadSample: unit_contradicted, missing_field, xyz_shape, the codes of unproject and make_sample.
        """
        if self.depth is not None:
            return self._of_depth(self.depth, sensor, agreed(unit, None, sensor.xyz_unit))
        if self.cloud is None:
            return make_sample(self.rgb, None)
        used = agreed(unit, self.cloud.unit, sensor.xyz_unit) or "m"
        rgb = self.cloud.rgb if self.rgb is None else self.rgb
        return _joined(rgb, _metres(self.cloud, sensor, used), used, sensor)

    def _of_depth(self, depth: NDArray[np.generic], sensor: Sensor, unit: Unit | None) -> Sample:
        if sensor.intrinsics is None:
            raise BadSample(
                "missing_field",
                "A depth map needs intrinsics: fx, fy, cx, cy in pixels, as JSON. Send intrinsics with the "
                "part, or declare intrinsics for the product.",
                "intrinsics",
            )
        if sensor.invalid is not None:
            depth = np.where(is_value(depth, sensor.invalid), depth.dtype.type(0), depth)
        xyz, used = unproject(depth, sensor.intrinsics, unit)
        return _joined(self.rgb, xyz, used, sensor)


def _joined(rgb: NDArray[Any] | None, xyz: NDArray[np.float32], unit: Unit | None, sensor: Sensor) -> Sample:
    """The part, with its image at the cloud's size."""
    if rgb is None:
        return make_sample(None, xyz, unit)
    sample = make_sample(registered(rgb, xyz.shape[:2], sensor.registration), xyz, unit)
    return sample if rgb.shape[:2] == xyz.shape[:2] else replace(sample, image_size=rgb.shape[:2])


def _metres(cloud: Stored, sensor: Sensor, unit: Unit) -> NDArray[np.float32]:
    """(H, W, 3) float32, metres."""
    if cloud.xyz.ndim == 2:
        if sensor.x_pitch is None:
            raise BadSample("xyz_shape", f"The cloud has no x and y. {HEIGHT_MAP}")
        return in_metres(height_map(cloud.xyz, sensor), unit)
    xyz = cloud.xyz
    if cloud.scale is not None:
        xyz = _scaled(xyz, cloud.scale)
    if sensor.invalid is not None:
        gone = is_value(cloud.xyz[..., _Z], sensor.invalid)
        xyz = np.where(gone[..., None], xyz.dtype.type(np.nan), xyz)
    return in_metres(xyz, unit)


def _scaled(stored: NDArray[Any], scale: Scale) -> NDArray[np.floating]:
    """(H, W, 3) metres. A stored 0, 0, 0 means no return."""
    exact = np.float64 if stored.dtype == np.float64 else np.float32
    metres = stored.astype(exact) * scale.factor.astype(exact) + scale.offset.astype(exact)
    metres[~stored.any(axis=2)] = 0
    return metres


def joined(planes: Mapping[str, NDArray[Any]]) -> Stored:
    """A cloud of the planes x, y and z, each (H, W) as stored, or of z alone. Raises BadSample: xyz_shape."""
    if set(planes) == {"z"}:
        return Stored(planes["z"])
    missing = [plane for plane in "xyz" if plane not in planes]
    if missing or len({plane.shape for plane in planes.values()}) > 1 or planes["z"].ndim != 2:
        raise BadSample(
            "xyz_shape",
            "A cloud of three files needs x, y and z of the same size, each with one value per pixel.",
        )
    kind = np.result_type(*planes.values(), np.float32)
    return Stored(np.stack([planes[plane].astype(kind) for plane in "xyz"], axis=2))
