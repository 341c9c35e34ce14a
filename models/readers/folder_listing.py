"""What lies directly in one folder, and sentences about what is left out there.

A folder is a `pathlib.Path` or a `zipfile.Path`. Both are listed by the same code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.readers.file_names import name_key, natural, printable
from models.readers.folder_layout import OTHER_FILES, PART_SUFFIXES, ROI_FILES, SYSTEM_FOLDER, UNREAD

_DEEPEST = 4
"""How many folders deep parts are looked for."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The visible content of one folder.

    Attributes:
        folders: folders by `name_key`, in natural order.
        files: files in natural order, without system files and regions of interest.
        notes: one sentence for each entry that is neither, or whose name another folder has too, or that is a
            region of interest in the wrong place.
        regions: files of a region of interest, the one to be used first.
    """

    folders: Mapping[str, Path]
    files: Sequence[Path]
    notes: Sequence[str]
    regions: Sequence[Path] = ()


def list_folder(folder: Path, prefix: str) -> Listing:
    """List a folder. prefix: the folder's place in the product, such as "train/good/", for the notes.

    Of folders whose names differ only in case or Unicode form, the one in lower case is used.
    """
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: natural(printable(entry.name)))
    except PermissionError:
        return Listing({}, (), (f"{prefix}: this folder cannot be opened. Correct its permissions.",))
    entries = [entry for entry in entries if not _is_hidden(entry.name)]
    folders: dict[str, Path] = {}
    notes: list[str] = []
    inside = [entry for entry in entries if entry.is_dir()]
    for entry in sorted(inside, key=lambda entry: entry.name != name_key(entry.name)):
        used = folders.setdefault(name_key(entry.name), entry)
        if used is not entry:
            notes.append(
                f"{prefix}{printable(entry.name)}: the folder {printable(used.name)} is used instead."
            )
    files = [entry for entry in entries if entry.is_file() and entry.name.lower() not in ROI_FILES]
    regions = [entry for entry in entries if entry.is_file() and entry.name.lower() in ROI_FILES]
    regions.sort(key=lambda entry: ROI_FILES.index(entry.name.lower()))
    if regions and prefix:
        notes.append(left_out(regions, prefix, "a region of interest belongs in the product's folder"))
    for entry in entries:
        if not (entry.is_dir() or entry.is_file()):
            notes.append(
                f"{prefix}{printable(entry.name)}: this is a link that leads to no file, or a device."
            )
    order = sorted(folders, key=lambda key: natural(printable(folders[key].name)))
    return Listing({key: folders[key] for key in order}, files, notes, regions)


def holds_parts(folder: Path, deepest: int = _DEEPEST) -> bool:
    """Whether a file that may belong to a part is in the folder or below it."""
    listing = list_folder(folder, "")
    return any(may_be_part(file) for file in listing.files) or (
        deepest > 0 and any(holds_parts(inside, deepest - 1) for inside in listing.folders.values())
    )


def may_be_part(file: Path) -> bool:
    """Whether the file's ending is an ending of images or clouds."""
    return file.suffix.lower() in PART_SUFFIXES


def unread(files: Iterable[Path], suffixes: Iterable[str], prefix: str) -> Iterator[str]:
    """One sentence for each ending that is not in `suffixes`."""
    known, others = frozenset(suffixes), dict[str, list[Path]]()
    for file in files:
        if file.suffix.lower() not in known:
            others.setdefault(file.suffix.lower(), []).append(file)
    for suffix, of_suffix in sorted(others.items()):
        kind = printable(suffix).lstrip(".").upper() or "a file without an ending"
        yield left_out(of_suffix, prefix, UNREAD.get(suffix, f"{kind} is not read here"))


def left_out(entries: Sequence[Path], prefix: str, reason: str) -> str:
    """One sentence about files or folders that are left out for the same reason. The first is named."""
    more = f"; {len(entries) - 1} more of this kind." if len(entries) > 1 else "."
    return f"{prefix}{printable(entries[0].name)}: {reason}{more}"


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == SYSTEM_FOLDER or name.lower() in OTHER_FILES
