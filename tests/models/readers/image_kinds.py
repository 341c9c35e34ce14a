"""One picture in every kind of file that cameras and their software write, and the pixels that it gives."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

SHAPE = (40, 52)
RGB = np.random.default_rng(5).integers(1, 256, (*SHAPE, 3), np.uint8)
RGB[0, 0] = 255
GREY = np.ascontiguousarray(RGB[..., 0])
ALPHA = np.random.default_rng(6).integers(0, 256, SHAPE, np.uint8)
PALETTE = Image.fromarray(RGB).quantize(16)
_GREYS = np.repeat(GREY[..., None], 3, axis=2)


@dataclass(frozen=True)
class Kind:
    """content: of the file. suffix: of its name. rgb: what it must give. bits: that the product declares."""

    content: bytes
    suffix: str
    rgb: np.ndarray
    bits: int | None = None


def pillow(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def deep_png(values: np.ndarray) -> bytes:
    """A PNG of 16 bits: (H, W) or (H, W, channels) uint16."""
    return bytes(imagecodecs.png_encode(values))


def tiff(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **{"photometric": "rgb", **options})  # type: ignore[arg-type]
    return stream.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_significant_bits(png: bytes, *bits: int) -> bytes:
    return png[:33] + chunk(b"sBIT", bytes(bits)) + png[33:]  # right after IHDR


def deep(values: np.ndarray, bits: int) -> np.ndarray:
    """Values of `bits` bits, in 16 bits, whose highest 8 bits are `values`; the lower bits are not 0."""
    return (values.astype(np.uint16) << (bits - 8)) | 3


def turned(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return pillow(Image.fromarray(RGB), kind, exif=exif)


def masked_bmp() -> bytes:
    """32 bits for each pixel with masks, as OpenCV and GIMP write a picture with alpha."""
    pixels = np.dstack([RGB[::-1, :, ::-1], ALPHA]).tobytes()
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, SHAPE[1], SHAPE[0], 1, 32, 3, len(pixels), 0, 0, 0, 0)
    header += masks + bytes(108 - 56)
    return b"BM" + struct.pack("<IHHI", 14 + 108 + len(pixels), 0, 0, 14 + 108) + header + pixels


_grey, _rgb, _rgba = Image.fromarray(GREY), Image.fromarray(RGB), Image.fromarray(np.dstack([RGB, ALPHA]))
_palette_rgb = np.asarray(PALETTE.convert("RGB"))
_palette_tiff = np.zeros((3, 256), np.uint16)
_palette_tiff[:, : len(PALETTE.getpalette() or ()) // 3] = (
    np.reshape(PALETTE.getpalette() or (), (-1, 3)).T.astype(np.uint16) * 257
)
_jpeg = pillow(_rgb, "JPEG")
_grey_jpeg = pillow(_grey, "JPEG")


def _decoded(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


KINDS: dict[str, Kind] = {
    "PNG colour": Kind(pillow(_rgb, "PNG"), ".png", RGB),
    "PNG grey": Kind(pillow(_grey, "PNG"), ".png", _GREYS),
    "PNG grey, alpha": Kind(pillow(Image.fromarray(np.dstack([GREY, ALPHA])), "PNG"), ".png", _GREYS),
    "PNG colour, alpha": Kind(pillow(_rgba, "PNG"), ".png", RGB),
    "PNG palette": Kind(pillow(PALETTE, "PNG", transparency=bytes(range(16))), ".png", _palette_rgb),
    "PNG turned by EXIF": Kind(turned("PNG"), ".png", RGB),
    "PNG grey 16": Kind(deep_png(deep(GREY, 16)), ".png", _GREYS),
    "PNG colour 16": Kind(deep_png(deep(RGB, 16)), ".png", RGB),
    "PNG colour 16, alpha": Kind(deep_png(np.dstack([deep(RGB, 16), deep(ALPHA, 16)])), ".png", RGB),
    "PNG grey 12 in 16": Kind(deep_png(deep(GREY, 12)), ".png", _GREYS, 12),
    "PNG grey 12 in the high bits": Kind(deep_png(deep(GREY, 12) << 4), ".png", _GREYS, 16),
    "PNG colour 10 in 16": Kind(deep_png(deep(RGB, 10)), ".png", RGB, 10),
    "PNG grey 12 in 16, sBIT": Kind(with_significant_bits(deep_png(deep(GREY, 12)), 12), ".png", _GREYS),
    "PNG colour 12 scaled, sBIT": Kind(
        with_significant_bits(deep_png(deep(RGB, 12) << 4), 12, 12, 12), ".png", RGB, 16
    ),
    "JPEG colour": Kind(_jpeg, ".jpg", _decoded(_jpeg)),
    "JPEG grey": Kind(_grey_jpeg, ".jpeg", _decoded(_grey_jpeg)),
    "JPEG turned by EXIF": Kind(turned("JPEG"), ".jpg", _decoded(_jpeg)),
    "TIFF colour": Kind(tiff(RGB), ".tiff", RGB),
    "TIFF colour, planes": Kind(tiff(np.moveaxis(RGB, 2, 0), planarconfig="separate"), ".tif", RGB),
    "TIFF colour, alpha": Kind(tiff(np.dstack([RGB, ALPHA]), extrasamples=[2]), ".tiff", RGB),
    "TIFF grey": Kind(tiff(GREY, photometric="minisblack", compression="zlib"), ".tif", _GREYS),
    "TIFF grey, alpha": Kind(
        tiff(np.dstack([GREY, ALPHA]), photometric="minisblack", planarconfig="contig", extrasamples=[2]),
        ".tif",
        _GREYS,
    ),
    "TIFF grey, white is 0": Kind(tiff(255 - GREY, photometric="miniswhite"), ".tif", _GREYS),
    "TIFF palette": Kind(
        tiff(np.asarray(PALETTE), photometric="palette", colormap=_palette_tiff), ".tif", _palette_rgb
    ),
    "TIFF turned": Kind(tiff(RGB, extratags=[(274, 3, 1, 6, True)]), ".tiff", RGB),
    "TIFF grey 16": Kind(tiff(deep(GREY, 16), photometric="minisblack"), ".tif", _GREYS),
    "TIFF colour 16": Kind(tiff(deep(RGB, 16)), ".tiff", RGB),
    "TIFF grey 12 in 16": Kind(tiff(deep(GREY, 12), photometric="minisblack"), ".tif", _GREYS, 12),
    "TIFF grey 14 in 16, largest value": Kind(
        tiff(deep(GREY, 14), photometric="minisblack", extratags=[(281, 3, 1, 16383, True)]), ".tif", _GREYS
    ),
    "BMP colour": Kind(pillow(_rgb, "BMP"), ".bmp", RGB),
    "BMP grey": Kind(pillow(_grey, "BMP"), ".bmp", _GREYS),
    "BMP palette": Kind(pillow(PALETTE, "BMP"), ".bmp", _palette_rgb),
    "BMP colour, alpha": Kind(pillow(_rgba, "BMP"), ".bmp", RGB),
    "BMP colour, alpha, masks": Kind(masked_bmp(), ".bmp", RGB),
}
