"""Tiny folders of the official layouts: their names, data types and sizes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml
from numpy.typing import NDArray
from PIL import Image

SIDE = 512


def save_png(path: Path, pixels: NDArray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_mvtec3d_part(folder: Path, name: str, size: tuple[int, int], mask: bool = True) -> None:
    """rgb/NNN.png 8-bit, xyz/NNN.tiff H x W x 3 float32 with 0, 0, 0 = no return, gt/NNN.png 8-bit grey."""
    height, width = size
    row, column = np.mgrid[:height, :width].astype(np.float32)
    xyz = np.stack([column / 4000, row / 4000, np.full(size, 0.6, np.float32)], axis=2)
    xyz[: height // 8] = 0
    (folder / "xyz").mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(folder / "xyz" / f"{name}.tiff", xyz, photometric="rgb")
    save_png(folder / "rgb" / f"{name}.png", np.full((*size, 3), 90, np.uint8))
    if mask:
        pixels = np.zeros(size, np.uint8)
        pixels[height // 2 :][:20, :20] = 255 if folder.name != "good" else 0
        save_png(folder / "gt" / f"{name}.png", pixels)


def write_mvtec3d_category(root: Path, size: tuple[int, int]) -> None:
    """train/good, validation/good, test/{good,hole,combined}: one part each, masks for all test parts."""
    for split in ("train", "validation"):
        write_mvtec3d_part(root / split / "good", "000", size, mask=False)
    for defect in ("good", "hole", "combined"):
        write_mvtec3d_part(root / "test" / defect, "000", size)


def belt() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Depth (512, 512) in metres and pose (4, 4) of a camera 2 m above a belt, looking down at a tilt,
    with a half ball lying on the belt under the middle of the image."""
    tilt = np.deg2rad(20)
    pose = np.eye(4)
    pose[1:3, 1:3] = [[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]]
    pose[:3, 3] = [0.1, -0.2, 0.3]
    row, column = np.mgrid[:SIDE, :SIDE]
    depth = np.full((SIDE, SIDE), 2.0)
    inside = np.hypot(row - 256, column - 256) / 120
    depth -= 0.3 * np.sqrt(np.clip(1 - inside**2, 0, None))
    return depth, pose


def write_eyecandies_part(
    data: Path, index: str, families: tuple[str, ...] = (), masks: bool = False
) -> None:
    """The seventeen files of a part; the six images differ in colour, (light, 40, 40)."""
    depth, pose = belt()
    low, high = 1.5, 2.25
    raw = np.rint((depth - low) / (high - low) * 65535).astype(np.uint16)
    save_png(data / f"{index}_depth.png", raw)
    for light in range(6):
        image = np.full((SIDE, SIDE, 3), 40, np.uint8)
        image[..., 0] = light
        save_png(data / f"{index}_image_{light}.png", image)
    save_png(data / f"{index}_normals.png", np.full((SIDE, SIDE, 3), 128, np.uint8))
    normalization = {"normalization": {"min": low, "max": high}}
    (data / f"{index}_info_depth.yaml").write_text(yaml.safe_dump(normalization))
    np.savetxt(data / f"{index}_pose.txt", pose)
    (data / f"{index}_metadata.yaml").write_text(yaml.safe_dump({"anomalous": int(bool(families))}))
    (data / f"{index}_obj_params.yaml").write_text("{}\n")
    if masks:
        defect = np.zeros((SIDE, SIDE), np.uint8)
        defect[240:260, 240:260] = 255
        for name in ("bumps", "dents", "colors", "normals"):
            save_png(data / f"{index}_{name}_mask.png", defect * np.uint8(name in families))
        save_png(data / f"{index}_mask.png", defect * np.uint8(bool(families)))


def write_eyecandies_class(folder: Path) -> None:
    """Two training parts, one of validation; a good test part, one with a bump, one with bump and dent."""
    for index in ("000", "001"):
        write_eyecandies_part(folder / "train" / "data", index)
    write_eyecandies_part(folder / "val" / "data", "000")
    test = folder / "test_public" / "data"
    for index, families in (("00", ()), ("01", ("bumps",)), ("02", ("bumps", "dents"))):
        write_eyecandies_part(test, index, families, masks=True)


@pytest.fixture
def mvtec3d_part() -> Callable[..., None]:
    """Writes one part into a folder such as test/hole: (folder, name, size, mask=True)."""
    return write_mvtec3d_part


@pytest.fixture
def mvtec3d_category() -> Callable[[Path, tuple[int, int]], None]:
    """Writes a category of one part each: (root, size)."""
    return write_mvtec3d_category


@pytest.fixture
def eyecandies_class() -> Callable[[Path], None]:
    """Writes a class of six parts: (folder)."""
    return write_eyecandies_class


@pytest.fixture
def belt_scene() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Depth and pose of the scene on every Eyecandies part."""
    return belt()
