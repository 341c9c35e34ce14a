"""PNG and JPEG images. We check the header and the chunks first; then Pillow or libpng decodes.

Our own check is needed because Pillow skips checksums of pixels and decodes any number of JPEG scans.
Palettes are looked up. EXIF orientation is ignored, because image and cloud are registered as stored. Bytes
after the end of the image are ignored.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.readers.limits import ReadLimits, check_bytes, check_pixels, decoding
from models.readers.pixels import FULL_BITS, Pixels, without_alpha
from models.sample import BadSample

_PNG_START = 8
_PNG_PALETTE = 3
_PNG_PLAIN = frozenset((b"IHDR", b"IDAT", b"IEND", b"pHYs", b"tEXt", b"tIME", b"gAMA", b"sRGB", b"cHRM"))
"""Chunks that neither are compressed nor change pixels, beside the pixels themselves."""
_JPEG_FRAMES = range(0xC0, 0xD0)
_JPEG_NOT_FRAMES = (0xC4, 0xC8, 0xCC)
_JPEG_HUFFMAN = (0xC0, 0xC1, 0xC2)
_JPEG_STANDALONE = (0x01, *range(0xD0, 0xD9))
_JPEG_SCAN = 0xDA


@dataclass(frozen=True, slots=True)
class _PngHeader:
    """What a PNG says about its pixels.

    bits: of each value as stored. colour: the colour type. significant: the bits that the chunk sBIT names,
    if the file has one. plain: whether the file has 8-bit values, not of a palette, and only the chunks of
    _PNG_PLAIN.
    """

    bits: int
    colour: int
    significant: int | None
    plain: bool


def png_image(data: bytes, limits: ReadLimits) -> Pixels:
    """Raises BadSample: unreadable, too_small, multi_frame; TooLarge."""
    check_bytes(data, limits.rgb_bytes, "PNG image")
    with decoding("PNG image"):
        header = _check_png(data, limits.rgb_pixels, limits)
        if header.bits < FULL_BITS and not header.plain:
            return _pixels(_opened(data, "PNG", limits.rgb_pixels, limits))
        # Pillow keeps only the high byte of 16-bit colour, and takes twice as long for 8 bits.
        values = without_alpha(imagecodecs.png_decode(data))
        return Pixels(values, _stated_bits(header, values))


def jpeg_image(data: bytes, limits: ReadLimits) -> Pixels:
    """Raises BadSample: unreadable, too_small, unsupported_encoding; TooLarge."""
    check_bytes(data, limits.rgb_bytes, "JPEG image")
    with decoding("JPEG image"):
        _check_jpeg(data, limits)
        return _pixels(_opened(data, "JPEG", limits.rgb_pixels, limits))


def png_depth(data: bytes, limits: ReadLimits) -> NDArray[np.uint16]:
    """(H, W) uint16 of a 16-bit grey PNG. Raises BadSample: unreadable, too_small, depth_dtype; TooLarge."""
    check_bytes(data, limits.xyz_bytes, "depth PNG")
    with decoding("depth PNG"):
        header = _check_png(data, limits.xyz_pixels, limits)
        if (header.bits, header.colour) != (16, 0):
            raise BadSample("depth_dtype", "The depth PNG must be 16-bit greyscale.")
        return np.asarray(_opened(data, "PNG", limits.xyz_pixels, limits)).astype(np.uint16)


def png_heights(data: bytes, limits: ReadLimits) -> NDArray[np.unsignedinteger]:
    """(H, W) uint8 or uint16 of a grey PNG. Raises BadSample: unreadable, too_small, xyz_shape; TooLarge."""
    check_bytes(data, limits.xyz_bytes, "PNG height map")
    with decoding("PNG height map"):
        header = _check_png(data, limits.xyz_pixels, limits)
        if header.colour != 0 or header.bits not in (8, 16):
            raise BadSample("xyz_shape", "A PNG with heights must be greyscale of 8 or 16 bits.")
        heights = np.asarray(_opened(data, "PNG", limits.xyz_pixels, limits))
        return heights.astype(np.uint8 if header.bits == 8 else np.uint16)


def _opened(data: bytes, kind: str, most: int, limits: ReadLimits) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=(kind,))
    check_pixels(image.height, image.width, most, limits, f"{kind} image")
    image.load()
    return image


def _pixels(image: Image.Image) -> Pixels:
    """The 8-bit pixels of an image that Pillow decoded; a palette is looked up."""
    image.info.pop("transparency", None)  # otherwise Pillow warns that transparency is lost
    return Pixels(np.array(image if image.mode == "L" else image.convert("RGB")))


def _stated_bits(header: _PngHeader, values: NDArray[np.uint16]) -> int | None:
    """The significant bits of 16-bit values where the chunk sBIT tells them; otherwise None.

    By the standard, a value of fewer significant bits is scaled up to 16 bits. Some cameras' software writes
    the value as it is: then no value reaches 2 ** bits, and lower bits that scaling would leave 0 are used.
    """
    bits = header.significant
    if bits is None or not 8 <= bits <= FULL_BITS:
        return None
    unscaled = int(values.max()) < 1 << bits and bool((values & ((1 << (FULL_BITS - bits)) - 1)).any())
    return bits if unscaled else FULL_BITS


def _check_png(data: bytes, most: int, limits: ReadLimits) -> _PngHeader:
    """Check every chunk up to IEND. Pillow does not check the checksums of the pixels.

    Raises ValueError, BadSample or TooLarge.
    """
    header, significant, known = b"", None, True
    for name, body in _png_chunks(data):
        known = known and name in _PNG_PLAIN
        if name == b"IHDR":
            if header:
                raise ValueError("two headers")
            header = bytes(body)
        elif name == b"sBIT":
            significant = max(body)
        elif name == b"acTL":
            raise BadSample("multi_frame", "The PNG is an animation. Send one still image.")
        if not header:
            raise ValueError("the first chunk is not IHDR")
    width, height, bits, colour = struct.unpack(">IIBB3x", header)
    check_pixels(height, width, most, limits, "PNG image")
    return _PngHeader(bits, colour, significant, known and bits == 8 and colour != _PNG_PALETTE)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view, at = memoryview(data), _PNG_START
    while True:
        (length,) = struct.unpack_from(">I", data, at)
        checked = view[at + 4 : at + 8 + length]
        (crc,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(checked) != crc:
            raise ValueError("a chunk's checksum is wrong")
        name = bytes(checked[:4])
        yield name, checked[4:]
        if name == b"IEND":
            return
        at += 12 + length


def _check_jpeg(data: bytes, limits: ReadLimits) -> None:
    marker, at = _jpeg_frame(data)
    precision, height, width, channels = struct.unpack_from(">BHHB", data, at)
    if marker not in _JPEG_HUFFMAN or precision != 8 or channels not in (1, 3):
        raise BadSample(
            "unsupported_encoding",
            "The JPEG's encoding is not accepted. It must be 8-bit, grey or colour (not CMYK), baseline or "
            "progressive with Huffman coding.",
        )
    check_pixels(height, width, limits.rgb_pixels, limits, "JPEG image")
    # In coded pixels, 0xFF is always followed by 0x00 or a restart marker. So this counts the scans.
    if data.count(bytes((0xFF, _JPEG_SCAN))) > limits.jpeg_scans:
        raise BadSample(
            "unsupported_encoding",
            f"The JPEG has more than {limits.jpeg_scans} scans. Save it as a baseline JPEG.",
        )


def _jpeg_frame(data: bytes) -> tuple[int, int]:
    """Marker of the first frame header, and the position of its content, bytes."""
    at = 2
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:  # fill bytes
            at += 1
        if data[at] != 0xFF:
            raise ValueError("a marker is missing")
        marker = data[at + 1]
        if marker in _JPEG_FRAMES and marker not in _JPEG_NOT_FRAMES:
            return marker, at + 4
        if marker == _JPEG_SCAN:
            raise ValueError("a scan before any frame header")
        if marker in _JPEG_STANDALONE:
            at += 2
        else:
            (length,) = struct.unpack_from(">H", data, at + 2)
            at += 2 + max(length, 2)
