"""One part from named contents. Folders, zips, uploads and the command line all go through `read_part`.

A part's fields are files (rgb, xyz, depth, x, y, z, sample) and what is declared about them, by the names of
`recipes.sensor.Sensor` (xyz_unit, intrinsics, ...).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from models.readers.declared import NOTHING, UNDECLARED, declared
from models.readers.files import file_bytes, read_cloud, read_depth, read_rgb, require
from models.readers.limits import DEFAULT_LIMITS, ReadLimits, check_bytes
from models.readers.npz import npz_recording
from models.readers.pixels import pixels_of
from models.readers.recording import Recording, joined
from models.readers.units import agreed
from models.sample import BadSample, Sample
from recipes.sensor import Sensor, Unit

PLANES = ("x", "y", "z")
"""The fields of a cloud in three files."""


def read_part(
    fields: Mapping[str, bytes], sensor: Sensor = UNDECLARED, limits: ReadLimits = DEFAULT_LIMITS
) -> Sample:
    """Read one part.

    Args:
        fields: rgb (image), and xyz (cloud or height map), x, y and z (three planes) or depth (depth map); or
            sample (NPZ) alone; and what is declared about them. The image or the cloud may be missing; a
            cloud with colour is an image too.
        sensor: what is declared for the product. The part's own fields override it.
        limits: larger files are refused.

    Raises BadSample with the name of the field at fault: sensor_invalid, unit_contradicted, missing_field
    for a depth map without a camera, and the codes of the readers and of make_sample.
    """
    own = _unit(fields)
    if "sample" in fields:
        with _naming("sample"):
            check_bytes(fields["sample"], limits.bytes_of("sample"), "part")
            require(fields["sample"], "NPZ", "part")
            recording, words = npz_recording(fields["sample"], limits)
            used = declared(sensor, {**words, **fields})
            if recording.depth is not None and used.intrinsics is None:
                raise BadSample(
                    "npz_entries", "The entry depth needs an entry intrinsics: fx, fy, cx, cy, depth_scale."
                )
            own = agreed(own, _unit(words), None)
            if recording.rgb is not None:
                recording = replace(recording, rgb=pixels_of(recording.rgb, limits).rgb(used.image_bits))
            return recording.sample(used, own)
    sensor = declared(sensor, fields)
    recording = _recorded(fields, limits, sensor.image_bits)
    with _naming("depth" if "depth" in fields else "z" if "z" in fields else "xyz"):
        return recording.sample(sensor, own)


def _unit(words: Mapping[str, bytes]) -> Unit | None:
    """The unit that these words declare."""
    return declared(UNDECLARED, {name: words[name] for name in ("xyz_unit",) if name in words}).xyz_unit


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


def _recorded(fields: Mapping[str, bytes], limits: ReadLimits, bits: int | None) -> Recording:
    """The arrays of the files. bits: significant bits of 16-bit images."""
    rgb = None
    if "rgb" in fields:
        with _naming("rgb"):
            rgb = read_rgb(fields["rgb"], limits, bits)
    if "depth" in fields:
        with _naming("depth"):
            return Recording(rgb, depth=read_depth(fields["depth"], limits))
    size = None if rgb is None else rgb.shape[:2]
    clouds = {}
    for name in ("xyz", *PLANES):
        if name in fields:
            with _naming(name):
                clouds[name] = read_cloud(fields[name], limits, image=size)
    if not clouds:
        return Recording(rgb)
    if "xyz" in clouds:
        return Recording(rgb, clouds["xyz"])
    with _naming("z" if "z" in fields else next(iter(clouds))):
        return Recording(rgb, joined({name: cloud.xyz for name, cloud in clouds.items()}))


@contextmanager
def _naming(field: str) -> Iterator[None]:
    """Give a BadSample the name of the field at fault, if it has none."""
    try:
        yield
    except BadSample as bad:
        bad.field = bad.field or field
        raise
