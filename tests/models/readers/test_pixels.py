"""Pictures of every kind become the same 8-bit RGB."""

from __future__ import annotations

import io

import numpy as np
import pytest

from models.readers import ReadLimits, read_part, read_pixels, read_rgb
from models.readers.pixels import pixels_of, significant_bits
from models.sample import BadSample
from recipes.sensor import Sensor
from tests.models.readers.image_kinds import ALPHA, GREY, KINDS, RGB, deep, deep_png, tiff


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_gives_its_pixels(name: str) -> None:
    kind = KINDS[name]
    read = read_rgb(kind.content, bits=kind.bits)
    assert (read.dtype, read.flags.c_contiguous) == (np.uint8, True)
    np.testing.assert_array_equal(read, kind.rgb)


def test_twelve_bits_without_a_declaration_are_read_as_sixteen() -> None:
    assert read_rgb(KINDS["PNG grey 12 in 16"].content).max() == 15


def test_the_bits_are_found_from_the_largest_value() -> None:
    assert [significant_bits(most) for most in (9, 255, 256, 1023, 1024, 4095, 16383, 16384)] == [
        *(8, 8, 10, 10, 12, 12, 14, 16)
    ]
    assert read_pixels(KINDS["PNG grey 12 in 16"].content).largest == 4083
    assert read_pixels(KINDS["TIFF grey 16"].content).largest == 65283
    assert read_pixels(KINDS["PNG grey 12 in 16, sBIT"].content).largest is None
    assert read_pixels(KINDS["TIFF grey 14 in 16, largest value"].content).largest is None
    assert read_pixels(KINDS["PNG grey"].content).largest is None


def test_a_largest_value_of_one_picture_is_no_bits() -> None:
    content = tiff(deep(GREY, 12), photometric="minisblack", extratags=[(281, 3, 1, 4083, True)])
    assert read_pixels(content).bits is None


def test_few_values_beyond_the_bits_are_white_and_many_are_refused() -> None:
    values = deep(GREY, 12)
    values[:8] = 5000
    read = read_rgb(deep_png(values), bits=12)
    assert (read[:8] == 255).all()
    np.testing.assert_array_equal(read[8:, :, 0], GREY[8:])
    with pytest.raises(BadSample) as refused:
        read_rgb(deep_png(deep(RGB, 12) << 4), bits=12)
    assert refused.value.code == "image_bits"


def test_the_bits_are_declared_for_the_product_or_with_the_part() -> None:
    kind = KINDS["PNG grey 12 in 16"]
    fields = {"rgb": kind.content}
    for read in (read_part(fields, Sensor(image_bits=12)), read_part({**fields, "image_bits": b"12"})):
        np.testing.assert_array_equal(read.rgb, kind.rgb)


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_an_array_of_every_form_is_an_image(bits: int, channels: int | None) -> None:
    shape = {None: GREY, 1: GREY[..., None], 2: np.dstack([GREY, ALPHA]), 3: RGB, 4: np.dstack([RGB, ALPHA])}
    array, expected = shape[channels], RGB if channels in (3, 4) else np.dstack([GREY] * 3)
    stream = io.BytesIO()
    np.savez(stream, rgb=array if bits == 8 else deep(array, bits))
    read = read_part({"sample": stream.getvalue(), "image_bits": str(bits).encode()})
    np.testing.assert_array_equal(read.rgb, expected)


@pytest.mark.parametrize(
    ("shape", "kind", "code"),
    [
        ((40, 40, 5), "u1", "rgb_shape"),
        ((40, 40), "f4", "rgb_dtype"),
        ((5001, 5000), "u1", "too_many_pixels"),
    ],
)
def test_other_arrays_are_refused(shape: tuple[int, ...], kind: str, code: str) -> None:
    with pytest.raises(BadSample) as refused:
        pixels_of(np.zeros(shape, kind), ReadLimits())
    assert refused.value.code == code
