"""Folders of anomaly maps and masks of any method, matched by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

MAP_SUFFIXES = frozenset({".npy", ".tif", ".tiff"})
OTHER_FOLDERS = frozenset({"rgb", "xyz"})
"""Folders beside MVTec 3D-AD's `gt` whose PNG files are not masks."""

MAX_LABELS = 16
"""Largest number of values in a mask of labels, including black."""


@dataclass(frozen=True, slots=True)
class NamedMap:
    """One map. name: path without suffix, such as "crack/003". mask_path: None if there is no mask."""

    name: str
    map_path: Path
    mask_path: Path | None


@dataclass(frozen=True, slots=True)
class MapMatch:
    """maps: all maps by name. unmasked: names of maps without a mask. unused: masks without a map."""

    maps: tuple[NamedMap, ...]
    unmasked: tuple[str, ...]
    unused: tuple[Path, ...]


def match_maps(maps: Path, masks: Path) -> MapMatch:
    """Find every map below `maps` and its mask below `masks`.

    The mask of `crack/003.npy` is the first of `crack/003.png`, `crack/003_mask.png` (MVTec AD) and
    `crack/gt/003.png` (MVTec 3D-AD). No file is read. Raises ValueError if a folder is missing or has no map,
    or if two maps have the same name.
    """
    for folder in (maps, masks):
        if not folder.is_dir():
            raise ValueError(f"{folder} is not a folder")
    paths: dict[str, Path] = {}
    for path in sorted(path for path in maps.rglob("*") if path.suffix.lower() in MAP_SUFFIXES):
        name = path.relative_to(maps).with_suffix("").as_posix()
        if name in paths:
            raise ValueError(
                f"{path.name} and {paths[name].name} have the same name {name}. Keep one of them."
            )
        paths[name] = path
    if not paths:
        raise ValueError(f"{maps} has no maps. Add .npy or .tiff files.")
    rows = tuple(NamedMap(name, path, _mask_of(name, masks)) for name, path in paths.items())
    used = {row.mask_path for row in rows}
    every = (path for path in sorted(masks.rglob("*.png")) if path.parent.name not in OTHER_FOLDERS)
    return MapMatch(
        maps=rows,
        unmasked=tuple(row.name for row in rows if row.mask_path is None),
        unused=tuple(path for path in every if path not in used),
    )


def _mask_of(name: str, masks: Path) -> Path | None:
    folder, stem = (masks / name).parent, (masks / name).name
    candidates = (folder / f"{stem}.png", folder / f"{stem}_mask.png", folder / "gt" / f"{stem}.png")
    return next((path for path in candidates if path.is_file()), None)


class MapPairs:
    """Reads (map, mask) pairs one at a time, and counts masks that change because they are resized."""

    def __init__(self, rows: Sequence[NamedMap]) -> None:
        self._rows = rows
        self.defective: list[bool] = []
        """For each row that was read, whether its mask in its own size has a defect."""
        self.resized = 0
        """Number of masks with another size than their map."""
        self.vanished: list[str] = []
        """Parts whose mask has no defect pixel left after resizing."""

    def __iter__(self) -> Iterator[tuple[NDArray, NDArray[np.bool_]]]:
        for row in self._rows:
            score_map = read_map(row.map_path)
            shape = (score_map.shape[0], score_map.shape[1])
            if row.mask_path is None:
                self.defective.append(False)
                yield score_map, np.zeros(shape, bool)
                continue
            mask = read_mask(row.mask_path)
            self.defective.append(bool(mask.any()))
            if mask.shape != shape:
                self.resized += 1
                resized = nearest(mask, shape)
                if mask.any() and not resized.any():
                    self.vanished.append(row.name)
                mask = resized
            yield score_map, mask


def read_map(path: Path) -> NDArray:
    """A map, (H, W) in its own dtype; axes of length 1 are dropped. Raises ValueError naming the file."""
    try:
        is_npy = path.suffix.lower() == ".npy"
        raw = np.asarray(np.load(path, allow_pickle=False) if is_npy else tifffile.imread(path))
    except (ValueError, OSError, EOFError, tifffile.TiffFileError) as error:
        raise ValueError(f"{path} cannot be read as a map: {error}") from error
    score_map = np.squeeze(raw) if raw.ndim > 2 else raw
    if score_map.ndim != 2 or score_map.dtype.kind not in "fiub":
        raise ValueError(f"{path} holds {raw.shape} {raw.dtype}: a map is H x W real numbers")
    if not np.isfinite(score_map).all():
        raise ValueError(f"{path} holds NaN or infinite pixels: a score must be a number")
    return score_map


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read a mask: (H, W) bool, True = defect. Raises ValueError with the file's name.

    A pixel that is not black is defect, because labelling programs write different numbers. A mask with many
    values (a JPEG, a smoothed edge) is not a mask of labels. There, pixels above half of the brightest are
    defect.
    """
    levels = _levels(path)
    return levels > (levels.max() / 2 if _has_many_values(levels) else 0)


def is_blurred(path: Path) -> bool:
    """Whether a mask has many values, as a JPEG or a smoothed mask. Raises ValueError with the file's
    name."""
    return _has_many_values(_levels(path))


def fitted(mask: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The mask in the size (H, W) of its part or map. A mask of another size is resized by the nearest
    pixel."""
    return mask if mask.shape == shape else nearest(mask, shape)


def _has_many_values(levels: NDArray) -> bool:
    return len(np.unique(levels)) > MAX_LABELS


def _levels(path: Path) -> NDArray:
    """The brightest channel of a mask's pixels, (H, W), as stored. Raises ValueError with the file's name."""
    try:
        with Image.open(path) as image:
            plain = image if image.mode in ("1", "L", "I", "I;16") else image.convert("RGB")
            return np.atleast_3d(np.asarray(plain)).max(axis=2)
    except OSError as error:
        raise ValueError(f"{path} cannot be read as a mask: {error}") from error


def nearest(mask: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Resize a mask to (H, W) by the nearest pixel, as the published loader does."""
    image = Image.fromarray(mask.astype(np.uint8))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.NEAREST)) != 0
