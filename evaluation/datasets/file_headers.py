"""What the header of an image or a cloud says: kind, values and size. No pixel is read."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

Size = tuple[int, int]

_PNG_COLOURS = {0: "grey", 2: "colour", 3: "palette", 4: "grey and alpha", 6: "colour and alpha"}
_MODES = {"1": "black and white", "L": "grey", "P": "palette", "RGB": "colour", "RGBA": "colour and alpha"}
_CHANNELS = {1: "grey", 2: "grey and alpha", 3: "colour", 4: "colour and alpha"}


@dataclass(frozen=True, slots=True)
class Header:
    """The header of one file.

    Attributes:
        kind: "PNG", "TIFF", ...
        values: "colour, 8 bits", "float32", ...; "" if the header does not say it briefly.
        size: (height, width) in pixels or points, if the header says it.
    """

    kind: str
    values: str
    size: Size | None

    def __str__(self) -> str:
        size = self.size and f"{self.size[0]} x {self.size[1]}"
        return ", ".join(filter(None, (self.kind, self.values, size)))


def image_header(path: Path) -> Header:
    """Read an image's header. Raises OSError or ValueError if the file is no image."""
    suffix = path.suffix.lower()
    if suffix == ".png":
        return _png(path)
    if suffix in (".tif", ".tiff"):
        with _of_tiff(path) as tiff:
            page = tiff.pages.first
            channels = _CHANNELS.get(page.samplesperpixel, f"{page.samplesperpixel} channels")
            return Header(
                "TIFF", f"{channels}, {page.bitspersample} bits", (page.imagelength, page.imagewidth)
            )
    with Image.open(path) as image:
        values = f"{_MODES.get(image.mode, image.mode)}, 8 bits"
        return Header(image.format or suffix.lstrip(".").upper(), values, (image.height, image.width))


def cloud_header(path: Path) -> Header:
    """Read the header of a cloud, a depth map or an NPZ part. Raises OSError or ValueError."""
    suffix = path.suffix.lower()
    read = _CLOUDS.get(suffix)
    return read(path) if read else Header(suffix.lstrip(".").upper(), "", None)


def _png(path: Path) -> Header:
    with path.open("rb") as file:
        head = file.read(26)
    if len(head) < 26 or not head.startswith(b"\x89PNG"):
        raise ValueError("this is not a PNG file, or the file is cut short")
    width, height, bits, colour = struct.unpack_from(">IIBB", head, 16)
    return Header("PNG", f"{_PNG_COLOURS.get(colour, 'unknown')}, {bits} bits", (height, width))


def _of_tiff(path: Path) -> tifffile.TiffFile:
    try:
        return tifffile.TiffFile(path)
    except tifffile.TiffFileError as error:
        raise ValueError(str(error)) from error


def _tiff_cloud(path: Path) -> Header:
    with _of_tiff(path) as tiff:
        series = tiff.series[0]
        return Header("TIFF", _values(series.dtype, series.shape), _size(series.shape))


def _npy(path: Path) -> Header:
    stored = np.load(path, mmap_mode="r", allow_pickle=False)
    return Header("NPY", _values(stored.dtype, stored.shape), _size(stored.shape))


def _npz(path: Path) -> Header:
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name.removesuffix(".npy") for name in archive.namelist())
    except zipfile.BadZipFile as error:
        raise ValueError(str(error)) from error
    return Header("NPZ", " and ".join(names), None)


def _values(dtype: np.dtype | None, shape: tuple[int, ...]) -> str:
    channels = "" if len(shape) == 3 else ", one value per pixel"
    return f"{dtype}{channels}"


def _size(shape: tuple[int, ...]) -> Size | None:
    return (int(shape[0]), int(shape[1])) if len(shape) > 1 else None


_CLOUDS: Mapping[str, Callable[[Path], Header]] = {
    ".png": _png,
    ".tif": _tiff_cloud,
    ".tiff": _tiff_cloud,
    ".npy": _npy,
    ".npz": _npz,
}
