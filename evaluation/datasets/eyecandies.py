"""Read Eyecandies as unpacked: pipelime underfolders with seventeen files per part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

from evaluation.datasets.eyecandies_geometry import CloudFrame, cloud_of, decode_depth
from models.readers.folder_layout import Split

CLASSES = (
    "CandyCane",
    "ChocolateCookie",
    "ChocolatePraline",
    "Confetto",
    "GummyBear",
    "HazelnutTruffle",
    "LicoriceSandwich",
    "Lollipop",
    "Marshmallow",
    "PeppermintCandy",
)
RAW_SPLITS: Mapping[str, Split] = {"train": "train", "val": "validation", "test_public": "test"}
"""Our split for each of Eyecandies' splits. The private test has no masks, so it cannot be used."""
COUNTS = {"train": 1000, "val": 100, "test_public": 50}
FAMILIES = ("bumps", "dents", "colors", "normals")

Light = Literal[0, 1, 2, 3, 4, 5]
ENVIRONMENT_LIGHT: Light = 5
"""The global light box, the "environment light" of M3DM's paper. M3DM's script uses light 4, the left
spotlight (0: all spotlights; 1, 2, 3: bottom, right, top)."""


class BadEyecandies(ValueError):
    """A part's file differs from the data set's documentation. The message names the file."""


@dataclass(frozen=True, slots=True)
class RawPart:
    """The files of one part, `<data>/<index>_<item>.<ext>`. split: Eyecandies' name of the split."""

    data: Path
    index: str
    split: str

    def file(self, item: str) -> Path:
        """Path of an item, such as "depth.png"."""
        return self.data / f"{self.index}_{item}"


@dataclass(frozen=True, slots=True)
class EyecandiesPart:
    """One part in memory.

    Attributes:
        rgb: (512, 512, 3) uint8, with background, as published.
        xyz: (512, 512, 3) float32, 0, 0, 0 for background.
        mask: (512, 512) bool, True = defect.
        families: the kinds of defect on the part.
    """

    rgb: NDArray[np.uint8]
    xyz: NDArray[np.float32]
    mask: NDArray[np.bool_]
    families: tuple[str, ...]


def find_classes(root: Path) -> dict[str, Path]:
    """Class folders by name. No file is read.

    A class folder is `root`, a subfolder, or nested as the archive of a class unpacks
    (`<class>/Eyecandies/<class>`).
    """
    classes: dict[str, Path] = {}
    for depth in range(4):
        pattern = "/".join(["*"] * depth + ["*", "data"])
        for data in sorted(root.glob(pattern)):
            if data.parent.name in RAW_SPLITS and any(data.glob("*_info_depth.yaml")):
                folder = data.parent.parent
                classes.setdefault(folder.resolve().name, folder)
    return dict(sorted(classes.items()))


def list_parts(folder: Path) -> Iterator[RawPart]:
    """The parts of a class folder by split and index (three digits in train, two in test)."""
    for split in RAW_SPLITS:
        data = folder / split / "data"
        names = [re.fullmatch(r"(\d+)_depth\.png", path.name) for path in data.glob("*_depth.png")]
        for index in sorted((name[1] for name in names if name), key=int):
            yield RawPart(data, index, split)


def read_part(
    part: RawPart, light: Light = ENVIRONMENT_LIGHT, frame: CloudFrame = "script"
) -> EyecandiesPart:
    """Read and convert one part. Raises BadEyecandies; OSError."""
    raw = _pixels(part.file("depth.png"), np.uint16)
    low, high = _depth_range(part.file("info_depth.yaml"))
    rgb = _pixels(part.file(f"image_{light}.png"), np.uint8)
    if rgb.shape != (*raw.shape, 3):
        raise BadEyecandies(
            f"{part.file(f'image_{light}.png')} is {rgb.shape}, but its depth map is {raw.shape}."
        )
    try:
        xyz = cloud_of(decode_depth(raw, low, high), _pose(part.file("pose.txt")), frame)
    except ValueError as error:
        raise BadEyecandies(f"{part.file('depth.png')}: {error}") from error
    mask = np.zeros(raw.shape, bool)
    families: tuple[str, ...] = ()
    if part.split == "test_public":
        mask = _mask(part.file("mask.png"), raw.shape)
        families = tuple(name for name in FAMILIES if _mask(part.file(f"{name}_mask.png"), raw.shape).any())
    return EyecandiesPart(rgb=rgb, xyz=xyz, mask=mask, families=families)


def _pixels(path: Path, dtype: type[np.generic]) -> NDArray[Any]:
    with Image.open(path) as image:
        pixels = np.asarray(image)
    if pixels.dtype == np.int32:  # older versions of Pillow open 16-bit grey as int32
        pixels = pixels.astype(np.uint16)
    if pixels.dtype != dtype:
        raise BadEyecandies(f"{path} holds {pixels.dtype} pixels, not {np.dtype(dtype)}")
    return pixels[..., :3] if pixels.ndim == 3 else pixels


def _mask(path: Path, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    with Image.open(path) as image:
        mask = np.asarray(image.convert("L")) != 0
    if mask.shape != shape:
        raise BadEyecandies(f"{path} is {mask.shape}, but its depth map is {shape}.")
    return mask


def _depth_range(path: Path) -> tuple[float, float]:
    """Metres of depth 0 and depth 65535."""
    try:
        limits = yaml.safe_load(path.read_text(encoding="utf-8"))["normalization"]
        low, high = float(limits["min"]), float(limits["max"])
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise BadEyecandies(f"{path} must hold normalization.min and normalization.max") from error
    if not 0 <= low < high < 1000:
        raise BadEyecandies(f"{path}: {low} to {high} is not a range of depth in metres")
    return low, high


def _pose(path: Path) -> NDArray[np.float64]:
    """(4, 4) camera pose in the world."""
    try:
        pose = np.array(path.read_text(encoding="utf-8").replace(",", " ").split(), np.float64)
    except ValueError as error:
        raise BadEyecandies(f"{path} must hold 16 numbers") from error
    if pose.size != 16 or not np.isfinite(pose).all():
        raise BadEyecandies(f"{path} must hold 16 numbers, a 4 x 4 pose")
    pose = pose.reshape(4, 4)
    if abs(np.linalg.det(pose)) < 1e-9:
        raise BadEyecandies(f"{path}: the pose cannot be inverted")
    return pose
