"""The limits of the readers, and the errors for files beyond them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from models.sample import MIN_SIDE, BadSample, TooLarge
from recipes.part_sizes import RGB_BYTES, RGB_PIXELS, XYZ_BYTES, XYZ_PIXELS

_MIB = 1 << 20
TEXT_BYTES = 8192
"""The largest size of a field that declares something, such as intrinsics."""


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Limits on the files of one part. All are checked from headers, before anything is decoded.

    Attributes:
        rgb_bytes, xyz_bytes: encoded size.
        rgb_pixels, xyz_pixels: height x width.
        decoded_bytes: size of one decoded array.
        min_side: shortest side, pixels.
        ratio: decoded to encoded size of a compressed cloud. It is checked only if the decoded size is above
            ratio_free_bytes, because a small cloud of mostly background compresses a thousandfold. Images
            have a limit on pixels instead, because an all-black image is valid.
        jpeg_scans: scans of a progressive JPEG. Each scan costs a pass over the whole image.
    """

    rgb_bytes: int = RGB_BYTES
    rgb_pixels: int = RGB_PIXELS
    xyz_bytes: int = XYZ_BYTES
    xyz_pixels: int = XYZ_PIXELS
    decoded_bytes: int = 192 * _MIB
    min_side: int = MIN_SIDE
    ratio: int = 200
    ratio_free_bytes: int = 8 * _MIB
    jpeg_scans: int = 40

    def bytes_of(self, field: str) -> int:
        """The largest encoded size of a field of a part. field: such as "xyz"; others are short texts."""
        sizes = {"rgb": self.rgb_bytes, "sample": self.rgb_bytes + self.xyz_bytes}
        sizes |= dict.fromkeys(("xyz", "depth", "x", "y", "z"), self.xyz_bytes)
        return sizes.get(field, TEXT_BYTES)


class BadLimit(ValueError):
    """A variable of the environment that is no limit; the message says which."""


def limits_of(environment: Mapping[str, str]) -> ReadLimits:
    """The limits of a command: TRIBANK_MAX_RGB_PIXELS and its like. Raises BadLimit."""
    given: dict[str, int] = {}
    for name in ("rgb_bytes", "rgb_pixels", "xyz_bytes", "xyz_pixels"):
        variable = f"TRIBANK_MAX_{name.upper()}"
        text = environment.get(variable, "")
        if text and not (text.isdecimal() and int(text)):
            raise BadLimit(f"{variable} must be a whole number above 0, not {text!r}.")
        given |= {name: int(text)} if text else {}
    return ReadLimits(**given)


DEFAULT_LIMITS = limits_of(os.environ)
"""The limits of this process, where none are given."""


def check_bytes(data: bytes, most: int, noun: str) -> None:
    """Check the encoded size. Raises BadSample empty, TooLarge too_many_bytes."""
    if not data:
        raise BadSample("empty", f"The {noun} is empty (0 bytes). Send the file's content.")
    if len(data) > most:
        raise TooLarge("too_many_bytes", f"The {noun} has {len(data)} bytes; at most {most} are accepted.")


def check_pixels(height: int, width: int, most: int, limits: ReadLimits, noun: str) -> None:
    """Check height and width, pixels. Raises TooLarge too_many_pixels, BadSample too_small."""
    if height * width > most:
        raise TooLarge(
            "too_many_pixels",
            f"The {noun} is {height} x {width} pixels; at most {most} are accepted (settings "
            "TRIBANK_MAX_RGB_PIXELS and TRIBANK_MAX_XYZ_PIXELS).",
        )
    if min(height, width) < limits.min_side:
        raise BadSample(
            "too_small",
            f"The {noun} is {height} x {width} pixels; both sides must be at least {limits.min_side}.",
        )


def check_decoded(decoded: int, encoded: int, limits: ReadLimits, noun: str) -> None:
    """Check the decoded size, bytes. Raises TooLarge too_many_bytes_decoded, compression_ratio."""
    if decoded > limits.decoded_bytes:
        raise TooLarge(
            "too_many_bytes_decoded",
            f"The {noun} decodes to {decoded} bytes; at most {limits.decoded_bytes} are accepted.",
        )
    if decoded > limits.ratio_free_bytes and decoded > limits.ratio * encoded:
        raise TooLarge(
            "compression_ratio",
            f"The {noun} is compressed more than {limits.ratio} to 1. Send it uncompressed.",
        )


@contextmanager
def decoding(noun: str) -> Iterator[None]:
    """Turn any failure of a decoder into BadSample `unreadable`. A BadSample passes through unchanged.

    Exception is caught on purpose: on damaged bytes, tifffile raises ZeroDivisionError, TypeError and
    MemoryError besides its own errors. The message leaves out the
    decoder's text, which may quote the file.
    """
    try:
        yield
    except BadSample:
        raise
    except Exception as error:
        raise BadSample(
            "unreadable",
            f"The {noun} is damaged or incomplete. Write the file again, and check how it is transferred.",
        ) from error
