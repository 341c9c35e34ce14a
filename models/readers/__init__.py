"""Readers turn files and uploads into arrays or a Sample. They trust no byte of the input."""

from models.readers.files import Cloud, read_cloud, read_depth, read_npz, read_pair, read_rgb, read_xyz
from models.readers.intrinsics import Intrinsics
from models.readers.limits import ReadLimits

__all__ = [
    "Cloud",
    "Intrinsics",
    "ReadLimits",
    "read_cloud",
    "read_depth",
    "read_npz",
    "read_pair",
    "read_rgb",
    "read_xyz",
]
