"""NumPy files: one array (NPY), or one part (NPZ). Nothing is ever unpickled."""

from __future__ import annotations

import io
import math
import struct
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from models.readers.depth import unproject
from models.readers.intrinsics import intrinsics_of
from models.readers.limits import ReadLimits, check_bytes, check_decoded, check_pixels, decoding
from models.readers.units import in_metres
from models.sample import MAX_RANGE, BadSample, Sample, TooLarge, UnsupportedType, make_sample
from recipes.sensor import Sensor

_FLOAT_CLOUD = "The NPY cloud must hold float32 numbers (float16 and float64 are accepted too)."
_HEADER_BYTES = 10_000
_SMALL_BYTES = 4096
_ENTRIES: Mapping[str, Callable[[ReadLimits], int]] = {
    "rgb.npy": lambda limits: limits.rgb_pixels * 3,
    "xyz.npy": lambda limits: limits.xyz_pixels * 3 * _WIDEST,
    "xyz_scale.npy": lambda limits: _SMALL_BYTES,
    "xyz_offset.npy": lambda limits: _SMALL_BYTES,
    "depth.npy": lambda limits: limits.xyz_pixels * _WIDEST,
    "intrinsics.npy": lambda limits: _SMALL_BYTES,
}
"""The entries that an NPZ may hold, and the largest size of each entry's numbers, bytes."""
_WIDEST = 8  # bytes of a float64
_DIRECTORY_BYTES = 4096
_MAX_SCALE = 1.0  # metres per unit; sensors use smaller units, and up to 1 no int16 or float16 overflows


def npy_xyz(data: bytes, limits: ReadLimits) -> NDArray[np.floating]:
    """Read an NPY cloud: (H, W, 3) float16, float32 or float64 as stored.

    Raises BadSample: unreadable, xyz_shape, xyz_dtype, too_small; TooLarge.
    """
    array = _npy_grid(data, limits)
    if array.dtype.kind != "f":
        raise BadSample("xyz_dtype", _FLOAT_CLOUD)
    return cast("NDArray[np.floating]", array)


def _npy_grid(data: bytes, limits: ReadLimits) -> NDArray[Any]:
    """(H, W, 3) numbers as stored."""
    check_bytes(data, limits.xyz_bytes, "NPY cloud")
    array = npy_array(data, limits, "NPY cloud")
    if array.ndim != 3 or array.shape[2] != 3:
        raise BadSample("xyz_shape", "The NPY cloud must be height x width x 3: x, y and z of every pixel.")
    if array.dtype.itemsize > 8:
        raise BadSample("xyz_dtype", _FLOAT_CLOUD)
    check_pixels(array.shape[0], array.shape[1], limits.xyz_pixels, limits, "NPY cloud")
    return array


def npy_depth(data: bytes, limits: ReadLimits) -> NDArray[np.generic]:
    """Read an NPY depth map: (H, W) numbers as stored.

    Raises BadSample: unreadable, depth_shape, too_small; TooLarge.
    """
    check_bytes(data, limits.xyz_bytes, "NPY depth")
    array = npy_array(data, limits, "NPY depth")
    if array.ndim != 2:
        raise BadSample("depth_shape", "The NPY depth must be height x width.")
    check_pixels(array.shape[0], array.shape[1], limits.xyz_pixels, limits, "NPY depth")
    return array


def npy_array(data: bytes, limits: ReadLimits, noun: str) -> NDArray[np.generic]:
    """Read an NPY file: an array of numbers in the machine's byte order and C order.

    The header is parsed first. Its size is compared with the bytes that follow before an array is allocated.
    Raises BadSample: unreadable, npy_dtype; TooLarge.
    """
    with decoding(noun):
        shape, fortran, dtype, start = _npy_header(data)
        if dtype.hasobject or dtype.kind not in "fui" or dtype.subdtype is not None:
            raise BadSample("npy_dtype", f"The {noun} must hold integers or floating point numbers.")
        size = math.prod(shape) * dtype.itemsize
        check_decoded(size, len(data), limits, noun)
        if size != len(data) - start:
            raise ValueError("the size in the header is not the size of the file")
        array = np.frombuffer(data, dtype, offset=start).reshape(shape, order="F" if fortran else "C")
        return np.ascontiguousarray(array, dtype=dtype.newbyteorder("="))


def npz_sample(data: bytes, limits: ReadLimits, sensor: Sensor) -> Sample:
    """Read one part from an NPZ file. The image or the cloud may be missing.

    Entries:
        rgb: (H, W, 3) uint8.
        xyz: (H, W, 3) float, in the declared unit, else metres. With xyz_scale, xyz may be int16 too.
        xyz_scale: one number or three. Metres are then xyz * xyz_scale + xyz_offset. A stored 0, 0, 0
            means no return.
        xyz_offset: three numbers, metres; 0 if the entry is missing.
        depth: (H, W), instead of xyz.
        intrinsics: (4,) or (5,): fx, fy, cx, cy, depth_scale; needed with depth, unless declared.

    sensor: what is declared about the part.

    Raises BadSample: unreadable, npz_entries, xyz_scale and the codes of the array readers and make_sample;
    UnsupportedType; TooLarge.
    """
    check_bytes(data, limits.rgb_bytes + limits.xyz_bytes, "NPZ part")
    with decoding("NPZ part"):
        entries = _npz_entries(data, limits)
        xyz = _npz_cloud(entries, limits, sensor)
        rgb = npy_array(entries["rgb.npy"], limits, "entry rgb") if "rgb.npy" in entries else None
        if rgb is None and xyz is None:
            raise BadSample(
                "npz_entries", "The NPZ part holds no image and no cloud. Add an entry rgb, xyz or depth."
            )
        return make_sample(rgb, xyz)


def _npy_header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Shape, Fortran order, dtype and the position of the first number, bytes."""
    version = (data[6], data[7])
    if version not in ((1, 0), (2, 0)):
        raise BadSample("unreadable", "The NPY file has an unknown version. Write it as version 1.0 or 2.0.")
    lengths = struct.Struct("<H" if version == (1, 0) else "<I")
    (length,) = lengths.unpack_from(data, 8)
    if length > _HEADER_BYTES:
        raise TooLarge(
            "too_many_bytes", f"The NPY header has {length} bytes; at most {_HEADER_BYTES} are accepted."
        )
    start = 8 + lengths.size + length
    read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, fortran, dtype = read(io.BytesIO(data[8:start]), max_header_size=_HEADER_BYTES)
    if any(side < 0 for side in shape):
        raise ValueError("a negative side")
    return shape, fortran, dtype, start


def _npz_cloud(entries: dict[str, bytes], limits: ReadLimits, sensor: Sensor) -> NDArray[np.floating] | None:
    if "xyz.npy" in entries:
        return _npz_xyz(entries, limits, sensor)
    if "depth.npy" not in entries:
        return None
    camera = sensor.intrinsics
    if "intrinsics.npy" in entries:
        numbers = npy_array(entries["intrinsics.npy"], limits, "entry intrinsics")
        if numbers.ndim != 1 or numbers.size not in (4, 5):
            raise BadSample(
                "npz_entries",
                "The entry intrinsics must be four or five numbers: fx, fy, cx, cy, depth_scale.",
            )
        names = ("fx", "fy", "cx", "cy", "depth_scale")
        camera = intrinsics_of(**dict(zip(names, map(float, numbers), strict=False)))
    if camera is None:
        raise BadSample(
            "npz_entries", "The entry depth needs an entry intrinsics: fx, fy, cx, cy, depth_scale."
        )
    return unproject(npy_depth(entries["depth.npy"], limits), camera, sensor.xyz_unit)


def _npz_xyz(entries: dict[str, bytes], limits: ReadLimits, sensor: Sensor) -> NDArray[np.floating]:
    """(H, W, 3) metres."""
    if "xyz_scale.npy" not in entries:
        if "xyz_offset.npy" in entries:
            raise BadSample(
                "npz_entries", "The entry xyz_offset needs an entry xyz_scale, in metres per unit."
            )
        return in_metres(npy_xyz(entries["xyz.npy"], limits), sensor.xyz_unit or "m")
    stored = _npy_grid(entries["xyz.npy"], limits)
    if stored.dtype.kind != "f" and stored.dtype != np.int16:
        raise BadSample(
            "xyz_dtype", "With an entry xyz_scale, xyz must be int16, float16, float32 or float64."
        )
    scale = _numbers(entries["xyz_scale.npy"], limits)
    offset = _numbers(entries["xyz_offset.npy"], limits) if "xyz_offset.npy" in entries else np.zeros(3)
    if not (scale > 0).all() or not (scale <= _MAX_SCALE).all() or not (abs(offset) <= MAX_RANGE).all():
        raise BadSample(
            "xyz_scale",
            f"xyz_scale must be above 0 and at most {_MAX_SCALE:g} m per unit, and xyz_offset must lie "
            f"between -{MAX_RANGE:g} and {MAX_RANGE:g} m.",
        )
    exact = np.float64 if stored.dtype == np.float64 else np.float32
    metres = stored.astype(exact) * scale.astype(exact) + offset.astype(exact)
    metres[~stored.any(axis=2)] = 0
    return metres


def _numbers(data: bytes, limits: ReadLimits) -> NDArray[np.float64]:
    """(1,) or (3,) float64."""
    numbers = npy_array(data, limits, "entry xyz_scale or xyz_offset").astype(np.float64).reshape(-1)
    if numbers.size not in (1, 3):
        raise BadSample("xyz_scale", "xyz_scale and xyz_offset must each be one number or three.")
    return numbers


def _npz_entries(data: bytes, limits: ReadLimits) -> dict[str, bytes]:
    """Content of the entries by name. Names and sizes are checked before the first entry is decompressed."""
    _check_zip_directory(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        if not set(names) <= _ENTRIES.keys() or len(set(names)) < len(names):
            raise BadSample(
                "npz_entries",
                "The NPZ part has an unknown or repeated entry. "
                f"Accepted, each once: {', '.join(n.removesuffix('.npy') for n in _ENTRIES)}.",
            )
        for entry in entries:
            _check_entry(archive, entry, limits)
        together = sum(entry.file_size for entry in entries)
        if together > limits.decoded_bytes:
            raise TooLarge(
                "too_many_bytes_decoded",
                f"The NPZ part decodes to {together} bytes; at most {limits.decoded_bytes} are accepted.",
            )
        return {entry.filename: _inflated(archive, entry) for entry in entries}


def _check_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: ReadLimits) -> None:
    """Check an entry against its limits.

    The check reads the directory and the header of the array. No more of the entry is decompressed.
    Raises BadSample, UnsupportedType or TooLarge.
    """
    noun = f"entry {entry.filename.removesuffix('.npy')}"
    if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnsupportedType(
            "unsupported_compression",
            "The NPZ is encrypted or compressed by another method than deflate. Write it with numpy.savez.",
        )
    check_decoded(entry.file_size, entry.compress_size, limits, noun)
    with archive.open(entry) as stream:
        shape, _, dtype, start = _npy_header(stream.read(min(entry.file_size, _HEADER_BYTES + 12)))
    size = math.prod(shape) * dtype.itemsize
    if size != entry.file_size - start:
        raise ValueError("the size in the header is not the size of the entry")
    if entry.filename == "rgb.npy" and len(shape) == 3:
        check_pixels(shape[0], shape[1], limits.rgb_pixels, limits, noun)
    most = _ENTRIES[entry.filename](limits)
    if size > most:
        raise TooLarge("too_many_bytes_decoded", f"The {noun} has {size} bytes; at most {most} are accepted.")


def _inflated(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The entry's bytes. Never more bytes than the directory declares, because that size was checked."""
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise ValueError("an entry does not have the size that the directory declares")
    return content


def _check_zip_directory(data: bytes) -> None:
    """Accept only a short directory: zipfile would build an object for each of a million entries."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if end < 0:
        raise ValueError("no zip directory")
    (size,) = struct.unpack_from("<I", data, end + 12)
    if size > _DIRECTORY_BYTES or data[max(end - 20, 0) : end].startswith(b"PK\x06\x07"):
        raise TooLarge(
            "too_many_entries", f"The NPZ part has too many entries; at most {len(_ENTRIES)} are accepted."
        )
