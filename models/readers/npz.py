"""NPZ files: one part, as named arrays. Nothing is ever unpickled."""

from __future__ import annotations

import io
import json
import math
import struct
import zipfile
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from models.readers.arrays import HEADER_BYTES, npy_array, npy_coordinates, npy_depth, npy_grid, npy_header
from models.readers.declared import WORDS
from models.readers.limits import ReadLimits, check_bytes, check_decoded, check_pixels, decoding
from models.readers.recording import Recording, joined
from models.readers.stored import Scale, Stored
from models.sample import MAX_RANGE, BadSample, TooLarge, UnsupportedType

_SMALL_BYTES = 4096
_ENTRIES: Mapping[str, Callable[[ReadLimits], int]] = {
    "rgb.npy": lambda limits: limits.rgb_pixels * 3,
    "xyz.npy": lambda limits: limits.xyz_pixels * 3 * _WIDEST,
    "xyz_scale.npy": lambda limits: _SMALL_BYTES,
    "xyz_offset.npy": lambda limits: _SMALL_BYTES,
    "depth.npy": lambda limits: limits.xyz_pixels * _WIDEST,
    **{f"{plane}.npy": lambda limits: limits.xyz_pixels * _WIDEST for plane in "xyz"},
    **{f"{word}.npy": lambda limits: _SMALL_BYTES for word in WORDS},
}
"""The entries that an NPZ may hold, and the largest size of each entry's numbers, bytes."""
_WIDEST = 8  # bytes of a float64
_CAMERA = ("fx", "fy", "cx", "cy", "depth_scale")
_DIRECTORY_BYTES = 4096
_MAX_SCALE = 1.0  # metres per unit; sensors use smaller units, and up to 1 no int16 or float16 overflows


def npz_recording(data: bytes, limits: ReadLimits) -> tuple[Recording, dict[str, bytes]]:
    """Read one part from an NPZ file, and what the file declares. The image or the cloud may be missing.

    Entries:
        rgb: (H, W) grey, or (H, W, C): grey, grey and alpha, RGB, or RGB and alpha; uint8 or uint16.
        xyz: (H, W, 3) float, or (H, W) heights. With xyz_scale, (H, W, 3) int16 too.
        xyz_scale: one number or three. Metres are then xyz * xyz_scale + xyz_offset. A stored 0, 0, 0
            means no return.
        xyz_offset: three numbers, metres; 0 if the entry is missing.
        x, y, z: three arrays (H, W), instead of xyz; z alone holds heights.
        depth: (H, W), instead of xyz.
        intrinsics: (4,) or (5,): fx, fy, cx, cy, depth_scale.
        xyz_unit, x_pitch, ...: what is declared, by the names of `recipes.sensor.Sensor`.

    Raises BadSample: unreadable, npz_entries, xyz_scale and the codes of the array readers; UnsupportedType;
    TooLarge.
    """
    check_bytes(data, limits.rgb_bytes + limits.xyz_bytes, "NPZ part")
    with decoding("NPZ part"):
        entries = {name.removesuffix(".npy"): entry for name, entry in _npz_entries(data, limits).items()}
        words = {name: _word(name, entries[name], limits) for name in WORDS if name in entries}
        rgb = npy_array(entries["rgb"], limits, "entry rgb") if "rgb" in entries else None
        depth = None
        cloud = _npz_cloud(entries, limits)
        if cloud is None and "depth" in entries:
            depth = npy_depth(entries["depth"], limits)
        if rgb is None and cloud is None and depth is None:
            raise BadSample(
                "npz_entries", "The NPZ part holds no image and no cloud. Add an entry rgb, xyz or depth."
            )
        return Recording(rgb, cloud, depth), words


def _word(name: str, data: bytes, limits: ReadLimits) -> bytes:
    """A declared word as text."""
    shape, _, dtype, start = npy_header(data)
    if dtype.kind == "S" and math.prod(shape) == 1:
        return data[start:].rstrip(b"\0")
    if dtype.kind == "U" and math.prod(shape) == 1:
        return data[start:].decode("utf-32-le" if dtype.str[0] != ">" else "utf-32-be").rstrip("\0").encode()
    numbers = npy_array(data, limits, f"entry {name}").astype(np.float64).reshape(-1)
    if name == "intrinsics":
        if numbers.size not in (4, 5) or len(shape) != 1:
            raise BadSample(
                "npz_entries", f"The entry intrinsics must be four or five numbers: {', '.join(_CAMERA)}."
            )
        return json.dumps(dict(zip(_CAMERA, numbers.tolist(), strict=False))).encode()
    if numbers.size != 1:
        raise BadSample("npz_entries", f"The entry {name} must be one number or one text.")
    return f"{numbers[0]:.17g}".encode()


def _npz_cloud(entries: Mapping[str, bytes], limits: ReadLimits) -> Stored | None:
    planes = {plane: npy_grid(entries[plane], limits) for plane in "xyz" if plane in entries}
    if planes:
        if "xyz" in entries:
            raise BadSample("npz_entries", "The NPZ part has xyz, and x, y or z too. Keep one of them.")
        return joined(planes)
    if "xyz" not in entries:
        return None
    if "xyz_scale" not in entries:
        if "xyz_offset" in entries:
            raise BadSample(
                "npz_entries", "The entry xyz_offset needs an entry xyz_scale, in metres per unit."
            )
        return Stored(npy_grid(entries["xyz"], limits))
    stored = npy_coordinates(entries["xyz"], limits)
    if stored.ndim != 3 or (stored.dtype.kind != "f" and stored.dtype != np.int16):
        raise BadSample(
            "xyz_dtype",
            "With an entry xyz_scale, xyz must be height x width x 3 of int16, float16, float32 or float64.",
        )
    factor = _numbers(entries["xyz_scale"], limits)
    offset = _numbers(entries["xyz_offset"], limits) if "xyz_offset" in entries else np.zeros(3)
    if not (factor > 0).all() or not (factor <= _MAX_SCALE).all() or not (abs(offset) <= MAX_RANGE).all():
        raise BadSample(
            "xyz_scale",
            f"xyz_scale must be above 0 and at most {_MAX_SCALE:g} m per unit, and xyz_offset must lie "
            f"between -{MAX_RANGE:g} and {MAX_RANGE:g} m.",
        )
    return Stored(stored, unit="m", scale=Scale(factor, offset))


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
        shape, _, dtype, start = npy_header(stream.read(min(entry.file_size, HEADER_BYTES + 12)))
    if dtype.hasobject:
        raise BadSample("npy_dtype", f"The {noun} holds Python objects. Write numbers, or one text.")
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
