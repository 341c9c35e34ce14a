"""Readers turn files and uploads into arrays or a Sample. They trust no byte of the input."""

from models.readers.files import read_cloud, read_depth, read_pixels, read_rgb
from models.readers.limits import ReadLimits
from models.readers.part import read_files, read_part

__all__ = [
    "ReadLimits",
    "read_cloud",
    "read_depth",
    "read_files",
    "read_part",
    "read_pixels",
    "read_rgb",
]
