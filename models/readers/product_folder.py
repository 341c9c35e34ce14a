"""A folder of recorded parts: the MVTec 3D-AD layout, good/ beside a folder a defect, or good parts only.

Names of folders and endings of files count without regard to case, and names that differ only in how Unicode
writes their accents are one.
"""

from __future__ import annotations

import re
import unicodedata
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
TIFF_SUFFIXES = (".tiff", ".tif")
"""In a folder of images these are images; beside images they are clouds."""
CLOUD_SUFFIXES = (".tiff", ".tif", ".pcd", ".ply", ".npy")
PART_SUFFIX = ".npz"
PART_SUFFIXES = (*IMAGE_SUFFIXES, *CLOUD_SUFFIXES, PART_SUFFIX)
_NO_PARTS = frozenset(
    (".txt", ".md", ".json", ".csv", ".xml", ".yaml", ".yml", ".log", ".ini", ".html", ".pdf")
)
"""Endings of what lies beside parts as a note, and is not worth a word there."""
_SYSTEM_FILES = frozenset(("thumbs.db", "desktop.ini"))

_EXPECTED = (
    "Expected either the MVTec 3D-AD layout, <folder>/train/good/rgb/000.png beside "
    "<folder>/train/good/xyz/000.tiff (and validation, test in the same way), "
    "or good/ and one folder a defect, each with rgb/ and xyz/, "
    "or a folder of good parts: rgb/ and xyz/ with equal names, or "
    "000.png beside 000.tiff (.pcd, .ply, .npy), or 000.npz."
)


class NotAProductFolder(ValueError):
    """The folder holds no parts in any layout known here; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class PartFile:
    """Where one part lies.

    name: such as "test/hole/003", unique in its folder, as `printable` writes it.
    defect: "good" or the defect's name.
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
    """List the parts under `path`; no part is read. Raises NotAProductFolder.

    Of good/ beside a folder a defect, the good parts are for training, the defective ones for the test.
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
        found = f" What was there: {' '.join(skipped[:3])}" if skipped else ""
        raise NotAProductFolder(f"{printable(path)} holds no parts. {_EXPECTED}{found}")
    train, validation, test = (tuple(parts[split]) for split in SPLITS)
    return ProductFolder(train=train, validation=validation, test=test, skipped=tuple(skipped))


def printable(name: str | Path) -> str:
    r"""A file's name as it may stand in JSON, in a table or in a log.

    Bytes that are no UTF-8 (an old share, an unpacked Windows zip) are written out, as in "Geh\xe4use";
    accents have one form (NFC).
    """
    text = str(name).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def subfolders(path: Path) -> dict[str, Path]:
    """The folders in one, by name in lower case; hidden ones are none. Of names that differ only in case, the
    one in lower case counts."""
    folders = [folder for folder in path.iterdir() if folder.is_dir() and not _is_hidden(folder)]
    by_name: dict[str, Path] = {}
    for folder in sorted(folders, key=lambda folder: (folder.name != folder.name.casefold(), folder.name)):
        by_name.setdefault(folder.name.casefold(), folder)
    return by_name


def _split_parts(path: Path | None, split: Split, skipped: list[str]) -> Iterable[PartFile]:
    """Parts of train/, validation/ or test/: one folder a defect; none for None."""
    defects = {} if path is None else subfolders(path)
    for name in sorted(defects, key=lambda name: (name != GOOD, _natural(defects[name].name))):
        defect = GOOD if name == GOOD else printable(defects[name].name)
        if split != "test" and defect != GOOD:
            skipped.append(f"{split}/{defect}: {split} holds good parts only, in {split}/{GOOD}.")
            continue
        yield from _folder_parts(defects[name], split, defect, f"{split}/{defect}/", skipped)


def _defective_parts(folder: Path, skipped: list[str]) -> Iterable[PartFile]:
    """Parts of a folder beside good/."""
    defect = printable(folder.name)
    parts = list(_folder_parts(folder, "test", defect, f"{defect}/", skipped))
    if not parts:
        skipped.append(f"{defect}: no parts in it.")
    return parts


def _folder_parts(
    folder: Path, split: Split, defect: str, prefix: str, skipped: list[str]
) -> Iterable[PartFile]:
    """Parts of one folder of equal parts: rgb/ and xyz/ (and gt/), or files side by side."""
    inside = subfolders(folder)
    clouds_here = (*CLOUD_SUFFIXES, PART_SUFFIX)
    if "rgb" in inside or "xyz" in inside:
        kinds = {"rgb": (*IMAGE_SUFFIXES, *TIFF_SUFFIXES), "xyz": clouds_here}
        images, clouds = (_by_stem(inside.get(kind), kinds[kind], prefix, skipped) for kind in kinds)
        unread = {kind: _unread(inside.get(kind), kinds[kind], f"{prefix}{kind}/") for kind in kinds}
        notes = [note for one in unread.values() for note in one]
    else:
        images, clouds = (_by_stem(folder, kind, prefix, skipped) for kind in (IMAGE_SUFFIXES, clouds_here))
        unread = {}
        notes = _unread(folder, (*PART_SUFFIXES, *_NO_PARTS), prefix)
    skipped += notes
    masks = _by_stem(inside.get("gt"), (*IMAGE_SUFFIXES, *TIFF_SUFFIXES), prefix, skipped)
    # Recorded without cloud, or without image: on purpose, unless there are files that no reader takes.
    one_kind = not (images or unread.get("rgb")) or not (clouds or unread.get("xyz"))
    for stem in sorted(images.keys() | clouds.keys(), key=_natural):
        rgb, xyz = images.get(stem), clouds.get(stem)
        whole = xyz is not None and xyz.suffix.lower() == PART_SUFFIX
        if not (one_kind or whole) and (rgb is None or xyz is None):
            skipped.append(f"{prefix}{stem}: has no {'image' if rgb is None else 'cloud'}.")
            continue
        yield PartFile(f"{prefix}{stem}", split, defect, None if whole else rgb, xyz, masks.get(stem))


def _by_stem(
    folder: Path | None, suffixes: tuple[str, ...], prefix: str, skipped: list[str]
) -> Mapping[str, Path]:
    """Files by name without suffix; of two with one name, the first in the order of `suffixes`."""
    files: dict[str, Path] = {}
    candidates = [file for file in _files(folder) if file.suffix.lower() in suffixes]
    for file in sorted(candidates, key=lambda file: (suffixes.index(file.suffix.lower()), file.name)):
        taken = files.setdefault(printable(file.stem), file)
        if taken is not file:
            skipped.append(f"{prefix}{printable(file.name)}: {printable(taken.name)} was taken instead.")
    return files


def _unread(folder: Path | None, suffixes: tuple[str, ...], prefix: str) -> list[str]:
    """A sentence for every kind of file there, by its ending, that is none of `suffixes`."""
    others: dict[str, list[str]] = {}
    for file in _files(folder):
        if file.suffix.lower() not in suffixes:
            others.setdefault(printable(file.suffix.lower()), []).append(printable(file.name))
    return [
        f"{prefix}{min(names)}: {suffix.lstrip('.').upper() or 'no kind by its name'}, which is not read here"
        + (f", and {len(names) - 1} more of the kind." if len(names) > 1 else ".")
        for suffix, names in sorted(others.items())
    ]


def _files(folder: Path | None) -> list[Path]:
    """The files of a folder, without the system's own; none for None."""
    files = [] if folder is None else [file for file in folder.iterdir() if file.is_file()]
    return [file for file in files if not _is_hidden(file) and file.name.lower() not in _SYSTEM_FILES]


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name == "__MACOSX"


def _natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key under which "2" comes before "10"."""
    pieces = re.findall(r"\d+|\D+", name)
    return tuple((0, int(piece)) if piece.isdecimal() else (1, piece) for piece in pieces)
