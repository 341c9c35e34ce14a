"""Writes converted parts as product folders in the layout of MVTec 3D-AD, a whole product or none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

RECORD = "conversion.json"
"""Lies in a converted product: from where and with which settings it came, and what was left out."""
_RESULTS = frozenset({"parts", "inputs", "left_out"})
"""Entries of a record that may differ between two conversions of one product with the same settings."""


@dataclass(frozen=True, slots=True)
class ConvertedPart:
    """place: folder in the product, "test/bumps". stem: file name without suffix. Arrays (H, W, ...):
    rgb uint8, xyz float32 metres (0, 0, 0 = no return), mask bool; what is None is not written."""

    place: str
    stem: str
    rgb: NDArray[np.uint8] | None
    xyz: NDArray[np.float32]
    mask: NDArray[np.bool_] | None


def write_product(
    out: Path, parts: Iterable[ConvertedPart], record: Mapping[str, object], left_out: Sequence[str] = ()
) -> bool:
    """Write a product folder `out`; False if it is there already: the same record, and no part left out.

    record: whence and how, with "inputs" (a digest of what is read) where it is known. left_out: a sentence a
    part, read once `parts` are through. The folder is made beside, as `<out>.unfinished`, and renamed once
    whole. One that is there gives way if it is of the same product and settings, its inputs changed or left
    parts out, and nobody has changed a file in it. Raises FileExistsError for any other.
    """
    if out.exists():
        there = _record_of(out)
        if there is not None and _text(there) == _text({**record, "left_out": []}):
            return False
        if there is None or _text(_settings(there)) != _text(_settings(record)):
            raise FileExistsError(
                f"{out} is there already, and not from this conversion: remove it or write elsewhere"
            )
        if _changed_since_written(out):
            raise FileExistsError(
                f"{out} is there already, of other inputs or not whole, and files in it were changed or "
                "added since: remove it or write elsewhere"
            )
    unfinished = out.with_name(f"{out.name}.unfinished")
    replaced = out.with_name(f".{out.name}.replaced")
    for remains in (unfinished, replaced):
        shutil.rmtree(remains, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for part in parts:
        _write_part(unfinished / part.place, part)
    text = _text({**record, "left_out": list(left_out)})
    (unfinished / RECORD).write_text(text, encoding="utf-8")
    if out.exists():
        out.rename(replaced)
    unfinished.rename(out)
    shutil.rmtree(replaced, ignore_errors=True)
    return True


def _text(record: Mapping[str, object]) -> str:
    """As the file has it. Records are compared as text, in which NaN is NaN."""
    return json.dumps(record, indent=2, sort_keys=True) + "\n"


def _record_of(out: Path) -> dict[str, object] | None:
    """The record of a converted product; None where there is none that can be read. A record of before parts
    left out were told counts as one without any."""
    try:
        record = json.loads((out / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return {"left_out": [], **record} if isinstance(record, dict) else None


def _settings(record: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in record.items() if key not in _RESULTS}


def _changed_since_written(out: Path) -> bool:
    """Whether a file or folder is newer than the record, which is written last."""
    written = (out / RECORD).stat().st_mtime_ns
    return any(path.stat().st_mtime_ns > written for path in (out, *out.rglob("*")))


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
