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

from models.readers.kinds import kind_of

Size = tuple[int, int]

_HEAD_BYTES = 4096  # comments may come before the first word of a PCD file

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
    return _checked(_IMAGES.get(_kind(path), _picture), path)


def cloud_header(path: Path) -> Header:
    """Read the header of a cloud, a depth map or an NPZ part. Raises OSError or ValueError."""
    kind = _kind(path)
    read = _CLOUDS.get(kind)
    return _checked(read, path) if read else Header(kind, "", None)


def _kind(path: Path) -> str:
    """The kind of file by its content, as for the readers. Raises OSError, ValueError."""
    with path.open("rb") as file:
        kind = kind_of(file.read(_HEAD_BYTES))
    if kind is None:
        raise ValueError("its format is unknown")
    return kind


def _checked(read: Callable[[Path], Header], path: Path) -> Header:
    try:
        return read(path)
    except (OSError, ValueError):
        raise
    except Exception as error:  # a damaged header makes tifffile raise errors of any kind
        raise ValueError("its header is damaged") from error


def _png(path: Path) -> Header:
    with path.open("rb") as file:
        head = file.read(26)
    if len(head) < 26:
        raise ValueError("this PNG file is cut short")
    width, height, bits, colour = struct.unpack_from(">IIBB", head, 16)
    return Header("PNG", f"{_PNG_COLOURS.get(colour, 'unknown')}, {bits} bits", (height, width))


def _picture(path: Path) -> Header:
    with Image.open(path) as image:
        values = f"{_MODES.get(image.mode, image.mode)}, 8 bits"
        return Header(image.format or path.suffix.lstrip(".").upper(), values, (image.height, image.width))


def _tiff_image(path: Path) -> Header:
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        channels = _CHANNELS.get(page.samplesperpixel, f"{page.samplesperpixel} channels")
        return Header("TIFF", f"{channels}, {page.bitspersample} bits", (page.imagelength, page.imagewidth))


def _tiff_cloud(path: Path) -> Header:
    with tifffile.TiffFile(path) as tiff:
        series = tiff.series[0]
        size = series.shape[1:] if series.axes == "SYX" else series.shape
        return Header("TIFF", _values(series.dtype, series.shape), _size(size))


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


_IMAGES: Mapping[str, Callable[[Path], Header]] = {"PNG": _png, "TIFF": _tiff_image}
_CLOUDS: Mapping[str, Callable[[Path], Header]] = {
    "PNG": _png,
    "TIFF": _tiff_cloud,
    "NPY": _npy,
    "NPZ": _npz,
}
