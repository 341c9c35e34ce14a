"""One part from named contents. Folders, zips, uploads and the command line all go through `read_part`.

A part's fields are files (rgb, xyz, depth, sample) and what is declared about them, by the names of
`recipes.sensor.Sensor` (xyz_unit, intrinsics, ...).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from models.readers.arrays import npz_sample
from models.readers.declared import NOTHING, UNDECLARED, declared
from models.readers.files import file_bytes, read_cloud, read_depth, read_rgb, require
from models.readers.limits import DEFAULT_LIMITS, ReadLimits
from models.sample import BadSample, Sample, make_sample
from recipes.intrinsics import Intrinsics
from recipes.sensor import Sensor


def read_part(
    fields: Mapping[str, bytes], sensor: Sensor = UNDECLARED, limits: ReadLimits = DEFAULT_LIMITS
) -> Sample:
    """Read one part.

    Args:
        fields: rgb (image), xyz (cloud) or depth (depth map), or sample (NPZ) alone; and what is declared
            about them, by the names of `Sensor`. The image or the cloud may be missing; a cloud with colour
            is an image too.
        sensor: what is declared for the product. The part's own fields override it.
        limits: larger files are refused.

    Raises BadSample with the name of the field at fault: the codes of the readers and of make_sample;
    missing_field for a depth map without a camera.
    """
    sensor = declared(sensor, fields)
    if "sample" in fields:
        with _naming("sample"):
            require(fields["sample"], "NPZ", "part")
            return npz_sample(fields["sample"], limits, sensor)
    rgb = None
    if "rgb" in fields:
        with _naming("rgb"):
            rgb = read_rgb(fields["rgb"], limits, sensor.image_bits)
    if "depth" in fields:
        with _naming("depth"):
            return make_sample(
                rgb, read_depth(fields["depth"], _camera(sensor), limits, unit=sensor.xyz_unit)
            )
    if "xyz" not in fields:
        return make_sample(rgb, None)
    with _naming("xyz"):
        size = None if rgb is None else rgb.shape[:2]
        cloud = read_cloud(fields["xyz"], limits, image=size, unit=sensor.xyz_unit)
        return make_sample(cloud.rgb if rgb is None else rgb, cloud.xyz)


def read_files(
    files: Mapping[str, Path],
    sensor: Sensor = UNDECLARED,
    limits: ReadLimits = DEFAULT_LIMITS,
    *,
    words: Mapping[str, bytes] = NOTHING,
) -> Sample:
    """Read one part from files by field name. Raises the errors of read_part; OSError.

    words: further fields.
    """
    fields = {name: file_bytes(path, limits.bytes_of(name)) for name, path in files.items()}
    return read_part({**words, **fields}, sensor, limits)


def _camera(sensor: Sensor) -> Intrinsics:
    if sensor.intrinsics is None:
        raise BadSample(
            "missing_field",
            "A depth map needs intrinsics: fx, fy, cx, cy in pixels, as JSON. Send them with the part, or "
            "declare them for the product.",
            field="intrinsics",
        )
    return sensor.intrinsics


@contextmanager
def _naming(field: str) -> Iterator[None]:
    """Give a BadSample the name of the field at fault, if it has none."""
    try:
        yield
    except BadSample as bad:
        bad.field = bad.field or field
        raise
