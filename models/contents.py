"""What a part holds, as digests: two files with the same image and cloud are the same recording."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

import numpy as np

from models.sample import Sample


class Contents(NamedTuple):
    """Hex sha256 of a part's image and of its cloud; empty where it was not recorded or is not known.

    An image of one colour stands for a camera that is not there, and counts as not recorded.
    """

    rgb: str = ""
    xyz: str = ""


def contents_of(sample: Sample) -> Contents:
    """The contents of a part as it was read. The container and the compression of its files do not count."""
    rgb = sha256(sample.rgb.data).hexdigest() if sample.missing != "rgb" and np.ptp(sample.rgb) else ""
    xyz = sha256(sample.xyz.data).hexdigest() if sample.missing != "xyz" else ""
    return Contents(rgb, xyz)
