"""The unit of a cloud: what the file says, what is declared, and metres from both."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.sample import BadSample, narrowed
from recipes.sensor import METRES, Unit

_NAMED = re.compile(
    rb"\bunits?\b(?:[ \t]*[:=]|[ \t]+(?:in|is|are)\b)*[ \t]*(?P<unit>[a-z\x80-\xff]+)", re.IGNORECASE
)
"""What makers write about the unit. Each word between "unit" and the unit is read in one way only: otherwise
a header of blanks takes minutes."""
_MICRO = rb"(?:u|\xc2?\xb5|\xce\xbc)"
_WORDS: Mapping[Unit, re.Pattern[bytes]] = {
    "mm": re.compile(rb"mm|millimet(?:er|re)s?", re.I),
    "m": re.compile(rb"m|met(?:er|re)s?", re.I),
    "um": re.compile(_MICRO + rb"m|micromet(?:er|re)s?|microns?", re.I),
    "inch": re.compile(rb"inch(?:es)?|in", re.I),
}
_CENTIMETRES = re.compile(rb"cm|centimet(?:er|re)s?", re.I)
_PHOTONEO = re.compile(rb"\bphotoneo\b", re.I)


def unit_in(header: bytes) -> Unit | None:
    """The unit that a PLY or PCD header names, or None. Photoneo's files are always in millimetres.

    Raises BadSample unit_contradicted for centimetres, which cannot be declared.
    """
    for named in _NAMED.finditer(header):
        for unit, word in _WORDS.items():
            if word.fullmatch(named["unit"]):
                return unit
        if _CENTIMETRES.fullmatch(named["unit"]):
            raise BadSample(
                "unit_contradicted",
                "The file says that the unit of its cloud is centimetres, which are not read. Export the "
                f"cloud in {', '.join(METRES)}.",
                "xyz_unit",
            )
    return "mm" if _PHOTONEO.search(header) else None


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
