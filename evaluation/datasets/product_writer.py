"""Write converted parts as a product folder in the layout of MVTec 3D-AD: the whole product or nothing."""

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
"""File in a converted product with its source, settings and skipped parts."""
_RESULTS = frozenset({"parts", "inputs", "left_out"})
"""Entries of a record that may differ between two conversions of a product with the same settings."""


@dataclass(frozen=True, slots=True)
class ConvertedPart:
    """One part to write. Arrays that are None are not written.

    Attributes:
        place: folder in the product, such as "test/bumps".
        stem: file name without suffix.
        rgb: (H, W, 3) uint8.
        xyz: (H, W, 3) float32 metres, 0, 0, 0 for no return.
        mask: (H, W) bool, True = defect.
    """

    place: str
    stem: str
    rgb: NDArray[np.uint8] | None
    xyz: NDArray[np.float32]
    mask: NDArray[np.bool_] | None


def write_product(
    out: Path, parts: Iterable[ConvertedPart], record: Mapping[str, object], left_out: Sequence[str] = ()
) -> bool:
    """Write a product folder. Returns False if `out` exists with the same record and without skipped parts.

    Args:
        out: folder to write. The files are written to `<out>.unfinished`, which is renamed at the end.
        parts: the converted parts.
        record: source and settings, with "inputs" (a digest of the files that are read) if known.
        left_out: one message per skipped part. It is read after all `parts`.

    An existing folder is replaced if it is of the same product and settings, other inputs or skipped parts,
    and no file in it was changed. Raises FileExistsError for any other existing folder.
    """
    if out.exists():
        existing = _record_of(out)
        if existing is not None and _text(existing) == _text({**record, "left_out": []}):
            return False
        if existing is None or _text(_settings(existing)) != _text(_settings(record)):
            raise FileExistsError(
                f"{out} exists and is not from this conversion. Remove it or choose another folder."
            )
        if _changed_since_written(out):
            raise FileExistsError(
                f"{out} exists from other inputs, and files in it were changed or added later. Remove it or "
                "choose another folder."
            )
    unfinished = out.with_name(f"{out.name}.unfinished")
    replaced = out.with_name(f".{out.name}.replaced")
    for leftover in (unfinished, replaced):
        shutil.rmtree(leftover, ignore_errors=True)
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
    """The record as text. Records are compared as text, because NaN equals NaN there."""
    return json.dumps(record, indent=2, sort_keys=True) + "\n"


def _record_of(out: Path) -> dict[str, object] | None:
    """The record of a converted product; None if there is no readable record.

    Older records do not list skipped parts. They count as records without skipped parts.
    """
    try:
        record = json.loads((out / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return {"left_out": [], **record} if isinstance(record, dict) else None


def _settings(record: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in record.items() if key not in _RESULTS}


def _changed_since_written(out: Path) -> bool:
    """Whether a file or folder is newer than the record. The record is written last."""
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
