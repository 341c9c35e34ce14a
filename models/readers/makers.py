"""Makers of cameras, by what their software writes into a file, and the switch that keeps the grid."""

from __future__ import annotations

import re

_END = re.compile(rb"\nend_header|\nDATA ")
_ADVICE = (
    (rb"photoneo|phoxi", 'This file is from Photoneo: untick "unordered" when you export.'),
    (rb"data unit in|mech-?eye|mech-?mind", "This file is from Mech-Eye: save with isOrganized=True."),
    (rb"zivid", "This file is from Zivid: export PLY with the layout ordered."),
    (
        rb"realsense",
        "This file is from RealSense Viewer, whose PLY files drop points: save the depth image, aligned to "
        "the colour image, and send it with the intrinsics.",
    ),
    (
        rb"ensenso|nxlib",
        "This file is from Ensenso's SaveModel, which drops points: save the point map as TIFF or NPY.",
    ),
    (rb"matlab", "This file is from MATLAB: write PCD, because MATLAB's PLY files lose the grid."),
)
_LOOKED_AT = 16_384  # bytes


def notes(data: bytes) -> bytes:
    """The header of a PLY or PCD file, or its beginning."""
    return _END.split(data[:_LOOKED_AT], maxsplit=1)[0]


def advice(data: bytes) -> str:
    """A sentence with the switch to set in the maker's software, with a blank before it; or nothing."""
    head = notes(data).lower()
    return next((f" {sentence}" for pattern, sentence in _ADVICE if re.search(pattern, head)), "")
