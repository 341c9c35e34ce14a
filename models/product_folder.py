"""A folder of recorded parts: the MVTec 3D-AD layout, or good parts only, as a line records them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.readers.arrays import npz_sample
from models.readers.files import file_bytes, read_pair
from models.readers.limits import DEFAULT_LIMITS, ReadLimits
from models.sample import BadSample, Sample

Split = Literal["train", "validation", "test"]

GOOD = "good"
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
CLOUD_SUFFIXES = (".tiff", ".tif", ".pcd", ".ply", ".npy")
PART_SUFFIX = ".npz"
PART_SUFFIXES = (*IMAGE_SUFFIXES, *CLOUD_SUFFIXES, PART_SUFFIX)

_EXPECTED = (
    "Expected either the MVTec 3D-AD layout, <folder>/train/good/rgb/000.png beside "
    "<folder>/train/good/xyz/000.tiff (and validation, test in the same way), "
    "or a folder of good parts: rgb/ and xyz/ with equal names, or "
    "000.png beside 000.tiff (.pcd, .ply, .npy), or 000.npz."
)


class NotAProductFolder(ValueError):
    """The folder holds no parts in any layout known here; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class PartFile:
    """Where one part lies.

    name: such as "test/hole/003", unique in its folder. defect: "good" or the defect's name.
    rgb: image. xyz: cloud, or the NPZ file that holds both. A missing one is None, never both.
    mask: image of the defect (not 0 = defect), where there is one.
    """

    name: str
    split: Split
    defect: str
    rgb: Path | None
    xyz: Path | None
    mask: Path | None = None

    def read(self, limits: ReadLimits = DEFAULT_LIMITS) -> Sample:
        """The part; it says what it misses. Raises BadSample, with the part's name in front; OSError."""
        try:
            if self.xyz is not None and self.xyz.suffix.lower() == PART_SUFFIX:
                return npz_sample(file_bytes(self.xyz, limits.rgb_bytes + limits.xyz_bytes), limits)
            return read_pair(self.rgb, self.xyz, limits)
        except BadSample as bad:
            raise type(bad)(bad.code, f"{self.name}: {bad}") from bad


@dataclass(frozen=True, slots=True)
class ProductFolder:
    """The parts of a folder in natural order (2 before 10), good ones first.

    skipped: one sentence for everything that looked like a part and was left out.
    """

    train: tuple[PartFile, ...]
    validation: tuple[PartFile, ...]
    test: tuple[PartFile, ...]
    skipped: tuple[str, ...]

    @property
    def has_clouds(self) -> bool:
        """Whether any part comes with a cloud; without, no background can be removed."""
        return any(part.xyz for part in (*self.train, *self.validation, *self.test))


def open_product_folder(path: Path) -> ProductFolder:
    """List the parts under `path`; no part is read. Raises NotAProductFolder."""
    if not path.is_dir():
        raise NotAProductFolder(f"{path} is not a folder. {_EXPECTED}")
    skipped: list[str] = []
    parts: dict[Split, tuple[PartFile, ...]] = {}
    if any((path / split).is_dir() for split in SPLITS):
        for split in SPLITS:
            parts[split] = tuple(_split_parts(path / split, split, skipped))
    else:
        parts["train"] = tuple(_folder_parts(path, "train", GOOD, "", skipped))
    if not any(parts.values()):
        found = f" What was there: {' '.join(skipped[:3])}" if skipped else ""
        raise NotAProductFolder(f"{path} holds no parts. {_EXPECTED}{found}")
    return ProductFolder(
        train=parts["train"],
        validation=parts.get("validation", ()),
        test=parts.get("test", ()),
        skipped=tuple(skipped),
    )


def _split_parts(path: Path, split: Split, skipped: list[str]) -> Iterable[PartFile]:
    """Parts of train/, validation/ or test/: one folder a defect."""
    if not path.is_dir():
        return
    defects = [folder for folder in path.iterdir() if folder.is_dir()]
    for folder in sorted(defects, key=lambda folder: (folder.name != GOOD, _natural(folder.name))):
        if split != "test" and folder.name != GOOD:
            skipped.append(f"{split}/{folder.name}: {split} holds good parts only, in {split}/{GOOD}.")
            continue
        yield from _folder_parts(folder, split, folder.name, f"{split}/{folder.name}/", skipped)


def _folder_parts(
    folder: Path, split: Split, defect: str, prefix: str, skipped: list[str]
) -> Iterable[PartFile]:
    """Parts of one folder of equal parts: rgb/ and xyz/ (and gt/), or files side by side."""
    apart = (folder / "rgb").is_dir() or (folder / "xyz").is_dir()
    images = _by_stem(folder / "rgb" if apart else folder, IMAGE_SUFFIXES, prefix, skipped)
    clouds = _by_stem(folder / "xyz" if apart else folder, (*CLOUD_SUFFIXES, PART_SUFFIX), prefix, skipped)
    masks = _by_stem(folder / "gt", IMAGE_SUFFIXES, prefix, skipped)
    one_kind = not images or not clouds  # recorded without cloud, or without image: on purpose
    for stem in sorted(images.keys() | clouds.keys(), key=_natural):
        rgb, xyz = images.get(stem), clouds.get(stem)
        whole = xyz is not None and xyz.suffix.lower() == PART_SUFFIX
        if not (one_kind or whole) and (rgb is None or xyz is None):
            skipped.append(f"{prefix}{stem}: has no {'image' if rgb is None else 'cloud'}.")
            continue
        yield PartFile(f"{prefix}{stem}", split, defect, None if whole else rgb, xyz, masks.get(stem))


def _by_stem(folder: Path, suffixes: tuple[str, ...], prefix: str, skipped: list[str]) -> Mapping[str, Path]:
    """Files by name without suffix; of two with one name, the first in the order of `suffixes`."""
    files: dict[str, Path] = {}
    if not folder.is_dir():
        return files
    candidates = [file for file in folder.iterdir() if file.suffix.lower() in suffixes and file.is_file()]
    for file in sorted(candidates, key=lambda file: (suffixes.index(file.suffix.lower()), file.name)):
        if file.name.startswith("."):
            continue
        if files.setdefault(file.stem, file) is not file:
            skipped.append(f"{prefix}{file.name}: {files[file.stem].name} was taken instead.")
    return files


def _natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key under which "2" comes before "10"."""
    pieces = re.findall(r"\d+|\D+", name)
    return tuple((0, int(piece)) if piece.isdecimal() else (1, piece) for piece in pieces)
