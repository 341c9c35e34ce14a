"""Which folders and files of a product mean what, as data. Names are compared by `word_key`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from models.readers.file_names import word_key

Split = Literal["train", "validation", "test"]
Role = Literal["rgb", "xyz", "depth", "x", "y", "z", "mask"]
"""What one file of a part holds."""

Layout = Literal["splits", "good", "parts"]
"""train/, validation/ and test/; good/ beside one folder per defect; good parts only."""

GOOD = "good"
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

GOOD_NAMES = (GOOD, "ok")
SPLIT_NAMES: Mapping[Split, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("validation", "val"),
    "test": ("test", "testpublic"),
}
ROLE_NAMES: Mapping[Role, tuple[str, ...]] = {
    "rgb": ("rgb", "color", "colour", "image", "images"),
    "xyz": ("xyz", "cloud", "clouds", "pointcloud", "pointclouds"),
    "depth": ("depth",),
    "x": ("x",),
    "y": ("y",),
    "z": ("z",),
    "mask": ("gt", "groundtruth", "mask", "masks"),
}
"""Names of folders, and words at the beginning or end of file names. The first name present is used. A
single letter is a word at the end only."""
CLOUD_ROLES: tuple[tuple[Role, ...], ...] = (("xyz",), ("depth",), ("x", "y", "z"), ("z",))
"""The files that make a cloud: coordinates or heights, depths, three planes, or heights. The first kind
present is used."""
SENSOR_FILE, INTRINSICS_FILE = "sensor.json", "intrinsics.json"
"""Files that declare something about the parts: in the product's folder, or beside rgb/ and xyz/."""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
TIFF_SUFFIXES = (".tiff", ".tif")
"""In a folder of images, a TIFF is an image. In a folder with images and clouds, a TIFF is a cloud."""
CLOUD_SUFFIXES = (".tiff", ".tif", ".pcd", ".ply", ".npy")
PART_SUFFIX = ".npz"
_GRID_SUFFIXES = (".tiff", ".tif", ".npy", ".png")
"""Endings of files with one value per pixel."""
ROLE_SUFFIXES: Mapping[Role, tuple[str, ...]] = {
    "rgb": (*IMAGE_SUFFIXES, *TIFF_SUFFIXES),
    "xyz": (*CLOUD_SUFFIXES, PART_SUFFIX, ".png"),
    "depth": _GRID_SUFFIXES,
    "x": _GRID_SUFFIXES,
    "y": _GRID_SUFFIXES,
    "z": _GRID_SUFFIXES,
    "mask": (*IMAGE_SUFFIXES, *TIFF_SUFFIXES),
}
PART_SUFFIXES = (*IMAGE_SUFFIXES, *CLOUD_SUFFIXES, PART_SUFFIX)
NOTE_SUFFIXES = frozenset(
    (".txt", ".md", ".json", ".csv", ".xml", ".yaml", ".yml", ".log", ".ini", ".html", ".pdf")
)
"""Endings of notes and documents, which are left out without a message where parts lie side by side."""
ROI_FILES = ("roi.json", "roi.png")
"""Names of the file in a product's folder that holds the region of interest. The first one present is
used."""
OTHER_FILES = frozenset(("thumbs.db", "desktop.ini"))
"""Files that are no parts and are left out without a message."""
SYSTEM_FOLDER = "__MACOSX"
UNREAD: Mapping[str, str] = {
    ".lnk": "a Windows shortcut is not read. Copy the file itself here",
    ".zip": "an archive inside a folder is not read. Unpack the archive",
}
"""Reasons for endings that people expect to work. Other endings get a general reason."""

EXPECTED = (
    "Expected the MVTec 3D-AD layout: <folder>/train/good/rgb/000.png and "
    "<folder>/train/good/xyz/000.tiff (validation and test in the same way); "
    "the MVTec AD layout: <folder>/train/good/000.png, <folder>/ground_truth/<defect>/000_mask.png; "
    "or good/ and one folder per defect, each with rgb/ and xyz/; "
    "or a folder of good parts: rgb/ and xyz/ with equal file names, "
    "or 000.png and 000.tiff (.pcd, .ply, .npy) side by side, or 000.npz."
)

_SPLITS: Mapping[str, Split] = {name: split for split, names in SPLIT_NAMES.items() for name in names}
_WORDS: Mapping[str, Role] = {word: role for role, words in ROLE_NAMES.items() for word in words}
_WORD = "|".join(sorted((*_WORDS, "ground[ _-]?truth", "point[ _-]?clouds?"), key=len, reverse=True))
_AT_END = re.compile(rf"(?P<base>.+?)[ _.-]+(?P<word>{_WORD})", re.IGNORECASE)
_AT_START = re.compile(rf"(?P<word>{_WORD.removesuffix('|x|y|z')})[ _.-]+(?P<base>.+)", re.IGNORECASE)


def word_file(name: str) -> bool:
    """Whether a file of that name declares something about the parts."""
    return word_key(name) in (word_key(SENSOR_FILE), word_key(INTRINSICS_FILE))


def split_of_folder(name: str) -> Split | None:
    """The split in a folder of that name, such as "validation" for "Val"; None for another name."""
    return _SPLITS.get(word_key(name))


def is_good(name: str) -> bool:
    """Whether a folder of that name holds good parts."""
    return word_key(name) in GOOD_NAMES


def role_of_folder(name: str) -> Role | None:
    """What a folder of that name holds, such as "xyz" for "Point Cloud"; None for another name."""
    return _WORDS.get(word_key(name))


def role_in_name(stem: str) -> tuple[str, Role] | None:
    """The base and the role in a file name, such as ("000", "mask") for "000_mask"; None without a role."""
    found = _AT_END.fullmatch(stem) or _AT_START.fullmatch(stem)
    return None if found is None else (found["base"], _WORDS[word_key(found["word"])])
