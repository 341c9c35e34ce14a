"""Writes converted parts as product folders in the layout of MVTec 3D-AD, a whole product or none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

RECORD = "conversion.json"
"""Lies in a converted product, which is then whole: from where and with which settings it came."""


@dataclass(frozen=True, slots=True)
class ConvertedPart:
    """place: folder in the product, "test/bumps". stem: file name without suffix. Arrays (H, W, ...):
    rgb uint8, xyz float32 metres (0, 0, 0 = no return), mask bool; what is None is not written."""

    place: str
    stem: str
    rgb: NDArray[np.uint8] | None
    xyz: NDArray[np.float32]
    mask: NDArray[np.bool_] | None


def write_product(out: Path, parts: Iterable[ConvertedPart], record: Mapping[str, object]) -> bool:
    """Write a product folder `out`; False if it is there already, made with the same record.

    It is made beside, as `<out>.unfinished`, and renamed once whole. Raises FileExistsError for a folder
    with another record or none: nothing is ever overwritten.
    """
    text = json.dumps(record, indent=2, sort_keys=True) + "\n"
    if out.exists():
        if (out / RECORD).is_file() and (out / RECORD).read_text(encoding="utf-8") == text:
            return False
        raise FileExistsError(
            f"{out} is there already, and not from this conversion: remove it or write elsewhere"
        )
    unfinished = out.with_name(f"{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for part in parts:
        _write_part(unfinished / part.place, part)
    (unfinished / RECORD).write_text(text, encoding="utf-8")
    unfinished.rename(out)
    return True


def _write_part(folder: Path, part: ConvertedPart) -> None:
    for name in ("rgb", "xyz", "gt"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(folder / "xyz" / f"{part.stem}.tiff", part.xyz, photometric="rgb", compression="zlib")
    if part.rgb is not None:
        Image.fromarray(part.rgb).save(folder / "rgb" / f"{part.stem}.png")
    if part.mask is not None:
        Image.fromarray(part.mask.astype(np.uint8) * np.uint8(255)).save(folder / "gt" / f"{part.stem}.png")
    for name in ("rgb", "gt"):
        if not any((folder / name).iterdir()):
            (folder / name).rmdir()
