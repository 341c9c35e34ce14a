"""How much a reader takes on before it says no, and how its refusals are made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from models.sample import MIN_SIDE, BadSample, TooLarge

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Bounds on one part's files. All hold before anything is decoded, from headers alone.

    rgb_bytes, xyz_bytes: encoded size. rgb_pixels, xyz_pixels: height x width.
    decoded_bytes: one decoded array. min_side: shortest side, pixels.
    ratio: decoded to encoded size of compressed clouds, looked at once the decoded size passes
    ratio_free_bytes
        (a small cloud of mostly background compresses a thousandfold and harms nobody). Images are bounded by
        their pixels instead: an all-black picture is a picture.
    jpeg_scans: scans of a progressive JPEG; every one costs a pass over the whole image.
    """

    rgb_bytes: int = 16 * _MIB
    rgb_pixels: int = 16_000_000
    xyz_bytes: int = 48 * _MIB
    xyz_pixels: int = 4_000_000
    decoded_bytes: int = 128 * _MIB
    min_side: int = MIN_SIDE
    ratio: int = 200
    ratio_free_bytes: int = 8 * _MIB
    jpeg_scans: int = 64


DEFAULT_LIMITS = ReadLimits()


def check_bytes(data: bytes, most: int, noun: str) -> None:
    """Raises BadSample empty, TooLarge too_many_bytes."""
    if not data:
        raise BadSample("empty", f"The {noun} is empty (0 bytes). Send the file's content.")
    if len(data) > most:
        raise TooLarge("too_many_bytes", f"The {noun} has {len(data)} bytes; at most {most} are accepted.")


def check_pixels(height: int, width: int, most: int, limits: ReadLimits, noun: str) -> None:
    """Raises TooLarge too_many_pixels, BadSample too_small."""
    if height * width > most:
        raise TooLarge(
            "too_many_pixels", f"The {noun} is {height} x {width} pixels; at most {most} are accepted."
        )
    if min(height, width) < limits.min_side:
        raise BadSample(
            "too_small",
            f"The {noun} is {height} x {width} pixels; both sides must be at least {limits.min_side}.",
        )


def check_decoded(decoded: int, encoded: int, limits: ReadLimits, noun: str) -> None:
    """Raises TooLarge too_many_bytes_decoded, compression_ratio. Sizes in bytes."""
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
    """Make any failure of a decoder a BadSample `unreadable`; refusals of our own pass through.

    Broad on purpose: on damaged bytes tifffile raises ZeroDivisionError, TypeError and MemoryError as well
    as its own errors (shared/reliability.md, section 8). The decoder's words are not repeated: they may
    quote the file.
    """
    try:
        yield
    except BadSample:
        raise
    except Exception as error:
        raise BadSample(
            "unreadable", f"The {noun} is damaged or cut short. Write it again and check the transfer."
        ) from error
