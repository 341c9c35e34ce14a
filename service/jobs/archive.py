"""A zip of parts: listed and read in place; extracted only for a build, when every name has been checked.

A name or an entry that is not allowed refuses the whole archive (422). So does an archive beyond a limit
(413). What is wrong with the bytes of one part is a refusal of that part alone.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from posixpath import commonpath
from typing import cast

from models.readers.limits import ReadLimits, check_decoded
from models.readers.product_folder import (
    PART_SUFFIXES,
    SPLITS,
    NotAProductFolder,
    PartFile,
    open_product_folder,
)
from models.sample import BadSample
from service.engine.decoding import check_fields
from service.refusals import Refusal, from_bad_sample

FILE = "parts.zip"
"""The name of the zip in a job's folder of input."""
MAX_NAME_BYTES = 255
_MAC_FOLDER = "__MACOSX"
_LAYOUT = frozenset((*SPLITS, "rgb", "xyz", "gt"))
"""Folders within a product's; what lies above the first of them is no part of a layout."""
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NESTED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".jar")
_DRIVE = re.compile(r"[A-Za-z]:")
_ENTRY, _END, _END64, _LOCATOR64 = b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_END_BYTES = 22
_MOST_COMMENT = 65_535
_END64_BYTES = 56 + 20  # the record of a large zip, and its locator, before the one of any zip
_ENTRY_BYTES = 1024
"""The most that an entry takes of the directory, with its name, extra fields and remark, on average."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """entries: files and folders. bytes: all entries together, decompressed."""

    entries: int
    bytes: int


class PartsArchive:
    """The parts in a zip file, in natural order. Methods block; `read` may be called from any thread.

    parts: what it holds, named by their place in it. left_out: a sentence for each that is not whole.
    """

    def __init__(self, file: Path, limits: ArchiveLimits) -> None:
        """Raises Refusal; nothing is decompressed."""
        with _unreadable():
            _check_count(file, limits)
            self._zip = zipfile.ZipFile(file)
        try:
            _take_backslashes_as_steps(self._zip)
            _check(self._zip.infolist(), limits)
            self._root, outside = _root(self._zip)
            found = open_product_folder(cast(Path, self._root))
        except NotAProductFolder:
            self.close()
            detail = (
                "The zip holds no parts. Zip a folder with rgb/ and xyz/ of equal names, with 000.png beside "
                "000.tiff, with 000.npz, or in the layout of MVTec 3D-AD."
            )
            raise Refusal(422, "no_parts", detail) from None
        except BaseException:
            self.close()
            raise
        self.parts: tuple[PartFile, ...] = (*found.train, *found.validation, *found.test)
        self.left_out = (*found.skipped, *(f"{name}: lies outside of {self._root.at}" for name in outside))

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def read(self, part: PartFile, limits: ReadLimits) -> dict[str, bytes]:
        """The fields of a part as a form would bring them. Raises Refusal."""
        fields: dict[str, bytes] = {}
        if part.rgb is not None:
            fields["rgb"] = self._bytes(part.rgb, "rgb", limits.rgb_bytes, limits)
        if part.xyz is not None and part.xyz.suffix.lower() == ".npz":
            fields["sample"] = self._bytes(part.xyz, "sample", limits.rgb_bytes + limits.xyz_bytes, limits)
        elif part.xyz is not None:
            fields["xyz"] = self._bytes(part.xyz, "xyz", limits.xyz_bytes, limits)
        check_fields(fields)
        return fields

    def extract(self, folder: Path, limits: ReadLimits, told: Callable[[int, int], None]) -> Path:
        """Write the files of the good parts below `folder`; returns the product folder there. told: called
        with how many parts are done, and of how many. Raises Refusal, OSError."""
        good = [part for part in self.parts if part.split != "test"]
        for number, part in enumerate(good, 1):
            try:
                fields = self.read(part, limits)
            except Refusal as refusal:
                detail = f"{part.name}: {refusal.detail}"
                raise Refusal(refusal.status, refusal.code, detail, part=refusal.part) from None
            for field, path in (("rgb", part.rgb), ("xyz", part.xyz), ("sample", part.xyz)):
                if path is not None and field in fields:
                    place = folder / _at(path)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(fields[field])
            told(number, len(good))
        return folder / self._root.at  # pyright: ignore[reportAttributeAccessIssue]

    def _bytes(self, path: Path, field: str, most: int, limits: ReadLimits) -> bytes:
        """One entry. zipfile inflates no more than the size that the entry declares and checks its CRC, so
        the sizes checked here and in `_check` are those of the real bytes."""
        info = self._zip.getinfo(_at(path))
        if info.file_size > most:
            detail = f"The field {field} is larger than {most} bytes."
            raise Refusal(413, "field_too_large", detail, part=field)
        try:
            check_decoded(info.file_size, max(1, info.compress_size), limits, f"entry of {field}")
        except BadSample as error:
            raise from_bad_sample(error, field) from error
        with _unreadable(field), self._zip.open(info) as entry:
            return entry.read(most)


def _at(path: Path) -> str:
    """The name of a part's file in the zip; `path` is really a zipfile.Path."""
    return cast(zipfile.Path, path).at  # pyright: ignore[reportAttributeAccessIssue]


def _check_count(file: Path, limits: ArchiveLimits) -> None:
    """zipfile makes an object of every entry of the directory, so they are counted before it is asked: in the
    directory alone, which lies before the record at the end and is bounded itself."""
    with file.open("rb") as raw:
        size = raw.seek(0, io.SEEK_END)
        raw.seek(max(0, size - _END_BYTES - _MOST_COMMENT))
        tail = raw.read()
        end = tail.rfind(_END, 0, len(tail) - _END_BYTES + len(_END))
        if end < 0:
            raise ValueError("no record at the end of the zip")
        (length,) = struct.unpack_from("<I", tail, end + 12)
        start = size - len(tail) + end
        raw.seek(max(0, start - _END64_BYTES))
        wide = raw.read(min(start, _END64_BYTES))
        if len(wide) == _END64_BYTES and wide.startswith(_END64) and wide[56:60] == _LOCATOR64:
            (length,) = struct.unpack_from("<Q", wide, 40)
            start -= _END64_BYTES
        if length > limits.entries * _ENTRY_BYTES:
            raise _too_many_entries(limits)
        raw.seek(max(0, start - length))
        if raw.read(length).count(_ENTRY) > limits.entries:
            raise _too_many_entries(limits)


def _too_many_entries(limits: ArchiveLimits) -> Refusal:
    detail = f"A zip has at most {limits.entries} files and folders. Send several."
    return Refusal(413, "too_many_entries", detail)


def _check(entries: list[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    """Refuse an archive for what its directory says."""
    if sum(entry.file_size for entry in entries) > limits.bytes:
        detail = f"The zip holds more than {limits.bytes} bytes. Send several."
        raise Refusal(413, "too_many_bytes_decoded", detail)
    seen: set[str] = set()
    for number, entry in enumerate(entries, 1):
        reason = _fault(entry)
        name = unicodedata.normalize("NFC", entry.filename).casefold().rstrip("/")
        if reason is None and name in seen:
            reason = "has the name of another, but for case or accents"
        if reason is not None:
            raise Refusal(422, "unsafe_archive", f"The zip is refused: its entry {number} {reason}.")
        seen.add(name)


def _fault(entry: zipfile.ZipInfo) -> str | None:
    """What is wrong with an entry, apart from its content; None for nothing."""
    name = entry.orig_filename  # zipfile ends `filename` at a NUL
    if "/" in entry.filename and "/" not in name:
        name = name.replace("\\", "/")
    pieces = name.rstrip("/").split("/")
    faults = {
        "is encrypted": entry.flag_bits & _ENCRYPTED,
        "is a link or a device": stat.S_IFMT(entry.external_attr >> 16)
        not in (0, stat.S_IFREG, stat.S_IFDIR),
        "has a name with a backslash, a control character or a drive letter": "\\" in name
        or not name.isprintable()
        or _DRIVE.match(name),
        "has an absolute name or one with an empty, '.' or '..' step": {"", ".", ".."} & set(pieces),
        f"has a name longer than {MAX_NAME_BYTES} bytes": len(name.encode("utf-8", "replace"))
        > MAX_NAME_BYTES,
        "is an archive itself": name.lower().endswith(_NESTED),
        "is compressed in another way than deflate": entry.compress_type not in _METHODS,
    }
    return next((fault for fault, found in faults.items() if found), None)


def _take_backslashes_as_steps(archive: zipfile.ZipFile) -> None:
    """Older Windows software separates the steps of a name by backslashes, in every name of the zip: where no
    name has a slash, they are read as slashes. Every check comes after."""
    entries = archive.infolist()
    if any("/" in entry.orig_filename for entry in entries):
        return
    for entry in entries:
        entry.filename = entry.filename.replace("\\", "/")
    archive.NameToInfo = {entry.filename: entry for entry in entries}


def _root(archive: zipfile.ZipFile) -> tuple[zipfile.Path, list[str]]:
    """The folder that holds the parts, and the files of parts outside of it.

    It is the deepest folder above all of them, and above any folder of a layout. What is no part (a note, a
    system's own file) has no say, nor has a file of a part that lies in no layout when another does.
    """
    files = [name for name in archive.namelist() if _is_part_file(name)]
    steps = {name: name.split("/")[:-1] for name in files}
    tops = {name: list(takewhile(lambda step: step.casefold() not in _LAYOUT, steps[name])) for name in files}
    laid_out = [name for name in files if tops[name] != steps[name]]
    common = commonpath(["/".join(tops[name]) for name in laid_out or files] or [""])
    root = zipfile.Path(archive, f"{common}/" if common else "")
    return root, [name for name in files if not name.startswith(root.at)]


def _is_part_file(name: str) -> bool:
    """Whether an entry may belong to a part, by its name."""
    *folders, last = name.split("/")
    hidden = _MAC_FOLDER in folders or any(step.startswith(".") for step in (*folders, last))
    return not hidden and last.lower().endswith(PART_SUFFIXES)


@contextmanager
def _unreadable(field: str | None = None) -> Iterator[None]:
    """Make any failure of zipfile a 422: on damaged bytes it raises much more than BadZipFile."""
    try:
        yield
    except Refusal:
        raise
    except Exception as error:
        detail = "The zip is damaged or cut short. Write it again and check the transfer."
        raise Refusal(422, "unreadable", detail, part=field) from error
