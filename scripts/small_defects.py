"""Write a product of large parts with defects of 3 to 6 pixels, to measure what a finer grid finds.

    .venv/bin/python scripts/small_defects.py FOLDER

Pictures have 1600 x 1600 pixels of 0.0625 mm. The part is a panel of 1300 pixels with a faint grain. Place
and grain differ from part to part. A speck is darker, a pit is 0.4 mm deep. Sizes run from 3 to 6 pixels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

SIDE, PITCH = 1600, 0.0000625
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]


def part(
    seed: int, kind: str, size: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]:
    """Image, cloud and mask of one part. kind: good, speck or pit. size: of the defect, pixels."""
    rng = np.random.default_rng(seed)
    at = rng.integers(-20, 20, 2) + SIDE / 2
    inside = np.maximum(abs(ROWS - at[0]), abs(COLUMNS - at[1])) < 650
    grain = np.asarray(gaussian_filter(rng.normal(0, 1, (SIDE, SIDE)), 3)) * 10
    z = 0.5 - 0.004 * inside - 0.00001 * grain * inside + rng.normal(0, 0.00001, (SIDE, SIDE))
    tone = 120 + 3 * grain + rng.normal(0, 3, (SIDE, SIDE))
    row, column = at + rng.uniform(-550, 550, 2)
    spot = np.hypot(ROWS - row, COLUMNS - column) < size / 2
    if kind == "pit":
        z[spot] += 0.0004
    if kind == "speck":
        tone[spot] -= 60
    xyz = np.stack([(COLUMNS - SIDE / 2) * PITCH, (ROWS - SIDE / 2) * PITCH, z], axis=2).astype(np.float32)
    light = np.where(inside, 1, 0.6)[..., None] * np.array([1.0, 0.9, 0.8])
    return np.clip(tone[..., None] * light, 0, 255).astype(np.uint8), xyz, spot


def write(folder: Path, count: int, seed: int, kind: str = "good") -> None:
    """Write parts with defects of 3 to 6 pixels, evenly spread."""
    for number in range(count):
        rgb, xyz, spot = part(seed + number, kind, 3 + 3 * number / max(1, count - 1))
        for name in ("rgb", "xyz", "gt"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(rgb).save(folder / "rgb" / f"{number:03}.png")
        tifffile.imwrite(folder / "xyz" / f"{number:03}.tiff", xyz, photometric="rgb")
        mask = (255 * spot * (kind != "good")).astype(np.uint8)
        Image.fromarray(mask).save(folder / "gt" / f"{number:03}.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write a product of large parts with small defects.")
    parser.add_argument("folder", type=Path, help="folder for the product; created if missing")
    panel = parser.parse_args().folder / "panel"
    write(panel / "train" / "good", 6, 0)
    write(panel / "validation" / "good", 4, 100)
    for seed, kind in ((200, "good"), (300, "speck"), (400, "pit")):
        write(panel / "test" / kind, 7, seed, kind)
