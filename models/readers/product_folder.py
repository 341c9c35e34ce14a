"""A folder of recorded parts: the MVTec 3D-AD layout, good/ beside one folder per defect, or good parts only.

Upper and lower case make no difference in folder names and file endings. Names that differ only in the
Unicode form of their accents are the same name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from models.readers.declared import UNDECLARED, declared
from models.readers.limits import DEFAULT_LIMITS, ReadLimits
from models.readers.part import read_files
from models.sample import BadSample, Sample
from recipes.sensor import Sensor

Split = Literal["train", "validation", "test"]

GOOD = "good"
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
TIFF_SUFFIXES = (".tiff", ".tif")
"""In a folder of images, a TIFF is an image. In a folder with images and clouds, a TIFF is a cloud."""
CLOUD_SUFFIXES = (".tiff", ".tif", ".pcd", ".ply", ".npy")
PART_SUFFIX = ".npz"
PART_SUFFIXES = (*IMAGE_SUFFIXES, *CLOUD_SUFFIXES, PART_SUFFIX)
_NO_PARTS = frozenset(
    (".txt", ".md", ".json", ".csv", ".xml", ".yaml", ".yml", ".log", ".ini", ".html", ".pdf")
)
"""Endings of notes and documents, which are skipped without a message."""
_SYSTEM_FILES = frozenset(("thumbs.db", "desktop.ini"))

_EXPECTED = (
    "Expected the MVTec 3D-AD layout: <folder>/train/good/rgb/000.png and "
    "<folder>/train/good/xyz/000.tiff (validation and test in the same way); "
    "or good/ and one folder per defect, each with rgb/ and xyz/; "
    "or a folder of good parts: rgb/ and xyz/ with equal file names, "
    "or 000.png and 000.tiff (.pcd, .ply, .npy) side by side, or 000.npz."
)


class NotAProductFolder(ValueError):
    """The folder has no parts in a known layout. The message says which layouts are known."""


@dataclass(frozen=True, slots=True)
class PartFile:
    """The files of one part.

    Attributes:
        name: such as "test/hole/003", unique in its folder, as `printable` writes it.
        defect: "good" or the defect's name.
        files: at least one file by the name of its field, as in an upload: rgb (image), xyz (cloud), or
            sample (NPZ with image and cloud).
        mask: image of the defect (not 0 = defect), if there is one.
        declared: what the folder declares about the files, as further fields.
    """

    name: str
    split: Split
    defect: str
    files: Mapping[str, Path]
    mask: Path | None = None
    declared: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def has_cloud(self) -> bool:
        """Whether the part has a file with a cloud."""
        return any(field != "rgb" for field in self.files)

    def read(self, sensor: Sensor = UNDECLARED, limits: ReadLimits = DEFAULT_LIMITS) -> Sample:
        """Read the part. Raises BadSample, whose message begins with the part's name; OSError.

        sensor: what is declared for the product. What the folder declares overrides it.
        """
        try:
            return read_files(self.files, sensor, limits, words=self.declared)
        except BadSample as bad:
            raise type(bad)(bad.code, f"{self.name}: {bad}", bad.field) from bad


@dataclass(frozen=True, slots=True)
class ProductFolder:
    """The parts of a folder in natural order (2 before 10), good parts first.

    skipped: one sentence for each file or folder that looked like a part and was left out.
    declared: what the folder declares about all parts, by the names of `Sensor`.
    """

    train: tuple[PartFile, ...]
    validation: tuple[PartFile, ...]
    test: tuple[PartFile, ...]
    skipped: tuple[str, ...]
    declared: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def sensor(self) -> Sensor:
        """What the folder declares about all parts. Raises BadSample."""
        return declared(UNDECLARED, self.declared)

    @property
    def has_clouds(self) -> bool:
        """Whether any part has a cloud. Without clouds, the background cannot be removed."""
        return any(part.has_cloud for part in (*self.train, *self.validation, *self.test))


def open_product_folder(path: Path) -> ProductFolder:
    """List the parts under `path` without reading them. Raises NotAProductFolder.

    In the layout with good/ beside one folder per defect, good parts are training parts and defective parts
    are test parts.
    """
    if not path.is_dir():
        raise NotAProductFolder(f"{printable(path)} is not a folder. {_EXPECTED}")
    skipped: list[str] = []
    parts: dict[Split, list[PartFile]] = {split: [] for split in SPLITS}
    inside = subfolders(path)
    if not inside.keys().isdisjoint(SPLITS):
        for split in SPLITS:
            parts[split] += _split_parts(inside.get(split), split, skipped)
    elif GOOD in inside:
        parts["train"] += _folder_parts(inside[GOOD], "train", GOOD, f"{GOOD}/", skipped)
        for folder in sorted(inside.values(), key=lambda folder: _natural(folder.name)):
            if folder != inside[GOOD]:
                parts["test"] += _defective_parts(folder, skipped)
    else:
        parts["train"] += _folder_parts(path, "train", GOOD, "", skipped)
    if not any(parts.values()):
        reasons = f" Skipped: {' '.join(skipped[:3])}" if skipped else ""
        raise NotAProductFolder(f"{printable(path)} has no parts. {_EXPECTED}{reasons}")
    train, validation, test = (tuple(parts[split]) for split in SPLITS)
    return ProductFolder(train=train, validation=validation, test=test, skipped=tuple(skipped))


def printable(name: str | Path) -> str:
    r"""A file's name for JSON, tables and logs.

    Bytes that are not UTF-8 (from an old share or a Windows zip) are escaped, as in "Geh\xe4use". Accents are
    in the form NFC.
    """
    text = str(name).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def subfolders(path: Path) -> dict[str, Path]:
    """The folders inside `path`, by name in lower case, without hidden folders.

    If names differ only in case, the folder with the lower-case name is used.
    """
    folders = [folder for folder in path.iterdir() if folder.is_dir() and not _is_hidden(folder)]
    by_name: dict[str, Path] = {}
    for folder in sorted(folders, key=lambda folder: (folder.name != folder.name.casefold(), folder.name)):
        by_name.setdefault(folder.name.casefold(), folder)
    return by_name


def _split_parts(path: Path | None, split: Split, skipped: list[str]) -> Iterable[PartFile]:
    """Parts of train/, validation/ or test/, which hold one folder per defect. No parts if `path` is None."""
    defects = {} if path is None else subfolders(path)
    for name in sorted(defects, key=lambda name: (name != GOOD, _natural(defects[name].name))):
        defect = GOOD if name == GOOD else printable(defects[name].name)
        if split != "test" and defect != GOOD:
            skipped.append(f"{split}/{defect}: {split} may hold good parts only, in {split}/{GOOD}.")
            continue
        yield from _folder_parts(defects[name], split, defect, f"{split}/{defect}/", skipped)


def _defective_parts(folder: Path, skipped: list[str]) -> Iterable[PartFile]:
    """Parts of a defect's folder beside good/."""
    defect = printable(folder.name)
    parts = list(_folder_parts(folder, "test", defect, f"{defect}/", skipped))
    if not parts:
        skipped.append(f"{defect}: this folder has no parts.")
    return parts


def _folder_parts(
    folder: Path, split: Split, defect: str, prefix: str, skipped: list[str]
) -> Iterable[PartFile]:
    """Parts of one folder: in rgb/ and xyz/ (masks in gt/), or as files side by side."""
    inside = subfolders(folder)
    cloud_suffixes = (*CLOUD_SUFFIXES, PART_SUFFIX)
    if "rgb" in inside or "xyz" in inside:
        kinds = {"rgb": (*IMAGE_SUFFIXES, *TIFF_SUFFIXES), "xyz": cloud_suffixes}
        images, clouds = (_by_stem(inside.get(kind), kinds[kind], prefix, skipped) for kind in kinds)
        unread = {kind: _unread(inside.get(kind), kinds[kind], f"{prefix}{kind}/") for kind in kinds}
        notes = [note for notes_of_kind in unread.values() for note in notes_of_kind]
    else:
        images, clouds = (
            _by_stem(folder, suffixes, prefix, skipped) for suffixes in (IMAGE_SUFFIXES, cloud_suffixes)
        )
        unread = {}
        notes = _unread(folder, (*PART_SUFFIXES, *_NO_PARTS), prefix)
    skipped += notes
    masks = _by_stem(inside.get("gt"), (*IMAGE_SUFFIXES, *TIFF_SUFFIXES), prefix, skipped)
    # Parts without images, or without clouds, are intended, unless the folder holds files of unknown kinds.
    one_kind = not (images or unread.get("rgb")) or not (clouds or unread.get("xyz"))
    for stem in sorted(images.keys() | clouds.keys(), key=_natural):
        rgb, xyz = images.get(stem), clouds.get(stem)
        whole = xyz is not None and xyz.suffix.lower() == PART_SUFFIX
        if not (one_kind or whole) and (rgb is None or xyz is None):
            skipped.append(f"{prefix}{stem}: the {'image' if rgb is None else 'cloud'} is missing.")
            continue
        files = {"sample": xyz} if whole else {"rgb": rgb, "xyz": xyz}
        found = {field: file for field, file in files.items() if file is not None}
        yield PartFile(f"{prefix}{stem}", split, defect, found, masks.get(stem))


def _by_stem(
    folder: Path | None, suffixes: tuple[str, ...], prefix: str, skipped: list[str]
) -> Mapping[str, Path]:
    """Files by name without suffix. If two files share a name, the first in the order of `suffixes` is
    used."""
    files: dict[str, Path] = {}
    candidates = [file for file in _files(folder) if file.suffix.lower() in suffixes]
    for file in sorted(candidates, key=lambda file: (suffixes.index(file.suffix.lower()), file.name)):
        used = files.setdefault(printable(file.stem), file)
        if used is not file:
            skipped.append(f"{prefix}{printable(file.name)}: {printable(used.name)} is used instead.")
    return files


def _unread(folder: Path | None, suffixes: tuple[str, ...], prefix: str) -> list[str]:
    """One sentence for each file ending in the folder that is not in `suffixes`."""
    others: dict[str, list[str]] = {}
    for file in _files(folder):
        if file.suffix.lower() not in suffixes:
            others.setdefault(printable(file.suffix.lower()), []).append(printable(file.name))
    return [
        f"{prefix}{min(names)}: {suffix.lstrip('.').upper() or 'a file without an ending'} is not read here"
        + (f"; {len(names) - 1} more such files." if len(names) > 1 else ".")
        for suffix, names in sorted(others.items())
    ]


def _files(folder: Path | None) -> list[Path]:
    """The files of a folder, without system files. No files if `folder` is None."""
    files = [] if folder is None else [file for file in folder.iterdir() if file.is_file()]
    return [file for file in files if not _is_hidden(file) and file.name.lower() not in _SYSTEM_FILES]


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name == "__MACOSX"


def _natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key that puts "2" before "10"."""
    pieces = re.findall(r"\d+|\D+", name)
    return tuple((0, int(piece)) if piece.isdecimal() else (1, piece) for piece in pieces)
