"""The unit of a cloud: what the file says, what is declared, and metres from both."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.sample import BadSample, narrowed
from recipes.sensor import METRES, Unit

_UNIT = rb"\bunits?\b(?:\s+(?:in|is|are))?\s*[:=]?\s*(?:%s)\b"
_WORDS: Mapping[Unit, tuple[re.Pattern[bytes], ...]] = {
    "mm": (re.compile(_UNIT % rb"mm|millimet(?:er|re)s?", re.I), re.compile(rb"\bphotoneo\b", re.I)),
    "m": (re.compile(_UNIT % rb"m|met(?:er|re)s?", re.I),),
    "um": (re.compile(_UNIT % rb"um|micromet(?:er|re)s?|microns?", re.I),),
    "inch": (re.compile(_UNIT % rb"inch(?:es)?|in", re.I),),
}
"""What makers write about the unit: Mech-Eye names it; Photoneo's files are always in millimetres."""


def unit_in(header: bytes) -> Unit | None:
    """The unit that a PLY or PCD header names, or None."""
    for unit, patterns in _WORDS.items():
        if any(word.search(header) for word in patterns):
            return unit
    return None


def agreed(declared: Unit | None, named: Unit | None, default: Unit | None) -> Unit | None:
    """The unit of a cloud: declared with the part, else named by the file, else the product's.

    Raises BadSample unit_contradicted if the declared and the named unit differ.
    """
    if declared and named and declared != named:
        raise BadSample(
            "unit_contradicted",
            f"The file says that the unit of its cloud is {named}, but {declared} is declared. Declare "
            f"xyz_unit={named}, declare no unit, or export the cloud in {declared}.",
            "xyz_unit",
        )
    return declared or named or default


def in_metres(xyz: NDArray[np.floating], unit: Unit) -> NDArray[np.float32]:
    """Convert coordinates to float32 metres. Large finite numbers are clipped, as `narrowed` does."""
    if unit == "m":
        return narrowed(xyz)
    wide = xyz.astype(np.float32) if xyz.dtype == np.float16 else xyz
    return narrowed(wide * wide.dtype.type(METRES[unit]))
