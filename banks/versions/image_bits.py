"""The significant bits of a product's 16-bit images, found in its training images."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from models.readers.files import largest_value
from models.readers.pixels import FULL_BITS, significant_bits
from models.readers.product_folder import PartFile
from models.sample import BadSample
from recipes.sensor import Sensor


def with_image_bits(sensor: Sensor, parts: Iterable[PartFile]) -> Sensor:
    """The sensor with the bits of its images, where they are not declared and the parts have 16-bit images.

    One image may be dark, so the largest value of all training images tells the bits.
    """
    if sensor.image_bits is not None:
        return sensor
    bits = 0
    for part in parts:
        with suppress(BadSample):  # the extraction tells why the part cannot be used
            largest = largest_value(part.files["rgb"]) if "rgb" in part.files else None
            bits = max(bits, 0 if largest is None else significant_bits(largest))
        if bits == FULL_BITS:
            break
    return replace(sensor, image_bits=bits) if bits else sensor
