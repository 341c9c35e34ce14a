"""BMP images, as industrial cameras save them: uncompressed, with a Windows header.

We check the header; then Pillow decodes. Run-length codes, embedded JPEG and PNG, OS/2 headers and 16-bit
pixels are refused, because writers disagree about them.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from models.readers.limits import ReadLimits, check_bytes, check_pixels, decoding
from models.readers.pixels import Pixels
from models.sample import BadSample

_HEADERS = (40, 108, 124)
"""Bytes of the Windows headers: BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER."""
_BITS = (1, 4, 8, 24, 32)
_UNCOMPRESSED, _MASKS = 0, 3
_BGR = (0xFF0000, 0xFF00, 0xFF)
"""The masks of red, green and blue in a pixel of 32 bits."""


def bmp_image(data: bytes, limits: ReadLimits) -> Pixels:
    """Raises BadSample: unreadable, too_small, unsupported_encoding; TooLarge."""
    check_bytes(data, limits.rgb_bytes, "BMP image")
    with decoding("BMP image"):
        _check(data, limits)
        image = Image.open(io.BytesIO(data), formats=("BMP",))
        check_pixels(image.height, image.width, limits.rgb_pixels, limits, "BMP image")
        return Pixels(np.array(image if image.mode == "L" else image.convert("RGB")))


def _check(data: bytes, limits: ReadLimits) -> None:
    """Raises struct.error, ValueError, BadSample or TooLarge."""
    start, header = struct.unpack_from("<II", data, 10)
    if header not in _HEADERS:
        raise _unsupported("it has no Windows header")
    width, height, planes, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    check_pixels(abs(height), max(width, 0), limits.rgb_pixels, limits, "BMP image")
    masks = compression == _MASKS and bits == 32 and struct.unpack_from("<III", data, 54) == _BGR
    if planes != 1 or bits not in _BITS or not (compression == _UNCOMPRESSED or masks):
        raise _unsupported("its pixels are compressed, or have another order or size than usual")
    row = (width * bits + 31) // 32 * 4  # bytes, a multiple of 4
    if start < 14 + header or start + row * abs(height) > len(data):
        raise ValueError("the pixels reach past the end of the file")


def _unsupported(reason: str) -> BadSample:
    return BadSample(
        "unsupported_encoding",
        f"The BMP's encoding is not accepted: {reason}. Save it uncompressed, with 8, 24 or 32 bits for each "
        "pixel; or send PNG.",
    )
