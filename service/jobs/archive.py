"""A zip file of parts. The parts are read from the zip; only a build extracts them, after every check.

One forbidden name or entry refuses the whole zip (422). A zip above a limit is refused too (413). Where one
part's bytes cannot be read, only that part is refused.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from models.readers.file_names import printable
from models.readers.folder_layout import word_file
from models.readers.limits import TEXT_BYTES, ReadLimits, check_decoded
from models.readers.product_folder import PartFile, open_product_folder
from models.readers.product_places import NotAProductFolder, SeveralProducts
from models.sample import BadSample
from service.engine.decoding import check_fields
from service.refusals import Refusal, from_bad_sample

FILE = "parts.zip"
"""The name of the zip file in a job's input folder."""
MAX_NAME_BYTES = 255
_ENCRYPTED = 0x1
_UTF8 = 0x800
_UNIX = (3, 19)
"""Systems that wrote a zip, as entries name them: Unix and macOS."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NESTED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".jar")
_DRIVE = re.compile(r"[A-Za-z]:")
_ENTRY, _END, _END64, _LOCATOR64 = b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_END_BYTES = 22
_MAX_COMMENT_BYTES = 65_535
_END64_BYTES = 56 + 20  # a large zip's end record and locator, before the usual end record
_ENTRY_BYTES = 1024
"""The most bytes of the directory for one entry, on average: name, extra fields and comment."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """The limits of one zip file.

    entries: the most files and folders.
    bytes: the most bytes of all entries together, decompressed.
    """

    entries: int
    bytes: int


class PartsArchive:
    """The parts in a zip file, in natural order. The methods block; any thread may call `read`.

    parts: the complete parts; a part's name is its path in the zip.
    left_out: one sentence for each file that makes no complete part.
    """

    def __init__(self, file: Path, limits: ArchiveLimits) -> None:
        """Open and check a zip file without decompressing the zip. Raises Refusal."""
        with _refusing_damage():
            _check_count(file, limits)
            self._zip = zipfile.ZipFile(file)
        try:
            _decode_names(self._zip)
            _check(self._zip.infolist(), limits)
            with _refusing_damage():
                product = open_product_folder(cast(Path, zipfile.Path(self._zip)))
        except SeveralProducts as several:
            self.close()
            names = ", ".join(several.names[:5])
            detail = (
                f"The zip contains {len(several.names)} products: {names}. Send one zip for each product."
            )
            raise Refusal(422, "no_parts", detail) from None
        except NotAProductFolder:
            self.close()
            detail = (
                "The zip contains no parts. Zip one of these: folders rgb/ and xyz/ with equal file names; "
                "000.png beside 000.tiff; 000.npz; or a folder in the layout of MVTec 3D-AD."
            )
            raise Refusal(422, "no_parts", detail) from None
        except BaseException:
            self.close()
            raise
        self.parts: tuple[PartFile, ...] = (*product.train, *product.validation, *product.test)
        self.left_out = product.skipped
        self._roi = product.roi

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def read(self, part: PartFile, limits: ReadLimits) -> dict[str, bytes]:
        """A part's fields, as in a form. Raises Refusal."""
        fields = {
            field: self._bytes(path, field, limits.bytes_of(field), limits)
            for field, path in part.files.items()
        } | dict(part.declared)
        check_fields(fields)
        return fields

    def extract(self, folder: Path, limits: ReadLimits, on_progress: Callable[[int, int], None]) -> Path:
        """Write the files of the good parts to a folder.

        folder: the target.
        limits: how large a part may be.
        on_progress: called with the number of parts that are written, and the number of all good parts.

        Returns `folder`, in which a build finds the product. Raises Refusal, OSError.
        """
        good = [part for part in self.parts if part.split != "test"]
        for number, part in enumerate(good, 1):
            try:
                fields = self.read(part, limits)
            except Refusal as refusal:
                detail = f"{part.name}: {refusal.detail}"
                raise Refusal(refusal.status, refusal.code, detail, part=refusal.part) from None
            for field, path in part.files.items():
                place = folder / _at(path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(fields[field])
            on_progress(number, len(good))
        self._extract_declared(folder)
        if self._roi is not None:
            content = self._bytes(self._roi, "rgb", limits.bytes_of("rgb"), limits)
            (folder / _at(self._roi)).write_bytes(content)
        return folder

    def _extract_declared(self, folder: Path) -> None:
        """Write the files that declare something about the parts."""
        for info in self._zip.infolist():
            if word_file(info.filename.rpartition("/")[2]) and info.file_size <= TEXT_BYTES:
                place = folder / info.filename
                place.parent.mkdir(parents=True, exist_ok=True)
                with _refusing_damage():
                    place.write_bytes(self._zip.read(info))

    def _bytes(self, path: Path, field: str, most: int, limits: ReadLimits) -> bytes:
        """The bytes of one entry. Raises Refusal.

        zipfile decompresses at most the size that the entry declares and checks the CRC. The sizes that are
        checked here and in `_check` are therefore the real sizes.
        """
        info = self._zip.getinfo(_at(path))
        if info.file_size > most:
            detail = f"The field {field} is larger than {most} bytes. Send a smaller file."
            raise Refusal(413, "field_too_large", detail, part=field)
        try:
            check_decoded(info.file_size, max(1, info.compress_size), limits, f"entry of {field}")
        except BadSample as error:
            raise from_bad_sample(error, field) from error
        with _refusing_damage(field), self._zip.open(info) as entry:
            return entry.read(most)


def _at(path: Path) -> str:
    """The name of a part's file in the zip. `path` is a zipfile.Path."""
    return cast(zipfile.Path, path).at  # pyright: ignore[reportAttributeAccessIssue]


def _check_count(file: Path, limits: ArchiveLimits) -> None:
    """Count the entries before zipfile reads the directory, because zipfile makes an object of every entry.

    The directory is before the end record, and the directory's length is limited too. Raises Refusal,
    ValueError.
    """
    with file.open("rb") as raw:
        size = raw.seek(0, io.SEEK_END)
        raw.seek(max(0, size - _END_BYTES - _MAX_COMMENT_BYTES))
        tail = raw.read()
        end = tail.rfind(_END, 0, len(tail) - _END_BYTES + len(_END))
        if end < 0:
            raise ValueError("the zip has no end record")
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
    detail = f"The zip has more than {limits.entries} files and folders. Split the parts into several zips."
    return Refusal(413, "too_many_entries", detail)


def _check(entries: list[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    """Check the directory of the zip. Raises Refusal."""
    if sum(entry.file_size for entry in entries) > limits.bytes:
        detail = f"The zip is larger than {limits.bytes} bytes after decompression. Send several zips."
        raise Refusal(413, "too_many_bytes_decoded", detail)
    seen: set[str] = set()
    files: set[str] = set()
    folders: set[str] = set()
    for number, entry in enumerate(entries, 1):
        reason = _fault(entry)
        name = unicodedata.normalize("NFC", entry.filename).casefold().rstrip("/")
        above = {name[:at] for at, sign in enumerate(name) if sign == "/"}
        if reason is None and name in seen:
            reason = "has the name of another entry, apart from case or accents"
        if reason is None and (not above.isdisjoint(files) or (not entry.is_dir() and name in folders)):
            reason = "makes one name a file and a folder"
        if reason is not None:
            raise Refusal(422, "unsafe_archive", f"The zip is refused: entry {number} {reason}.")
        seen.add(name)
        folders |= above
        files |= set() if entry.is_dir() else {name}


def _fault(entry: zipfile.ZipInfo) -> str | None:
    """Why an entry is forbidden, apart from its content; None for an entry that is allowed."""
    cut = entry.orig_filename.partition("\0")[1:]  # zipfile ends `filename` at a NUL
    name = entry.filename + "".join(cut)
    pieces = name.rstrip("/").split("/")
    faults = {
        "is encrypted": entry.flag_bits & _ENCRYPTED,
        "is a link or a device": stat.S_IFMT(entry.external_attr >> 16)
        not in (0, stat.S_IFREG, stat.S_IFDIR),
        "has a name with a backslash, a control character or a drive letter": "\\" in name
        or not printable(name).isprintable()
        or _DRIVE.match(name),
        "has an absolute name, or a name with an empty, '.' or '..' step": {"", ".", ".."} & set(pieces),
        f"has a name longer than {MAX_NAME_BYTES} bytes": len(name.encode("utf-8", "surrogateescape"))
        > MAX_NAME_BYTES,
        "is an archive": name.lower().endswith(_NESTED),
        "uses another compression than deflate": entry.compress_type not in _METHODS,
    }
    return next((fault for fault, present in faults.items() if present), None)


def _decode_names(archive: zipfile.ZipFile) -> None:
    """Decode the entries' names as a person sees them on disk. Every check comes afterwards.

    Older Windows software writes backslashes between the folders in a name. They are read as slashes where no
    name in the zip has a slash. zipfile reads a name without the UTF-8 mark as code page 437. On macOS and
    Unix such a name holds the bytes of the file system, which are UTF-8 in most cases.
    """
    entries = archive.infolist()
    slashes = any("/" in entry.orig_filename for entry in entries)
    for entry in entries:
        name = entry.filename if slashes else entry.filename.replace("\\", "/")
        if not entry.flag_bits & _UTF8:
            raw = name.encode("cp437", "replace")
            errors = "surrogateescape" if entry.create_system in _UNIX else "strict"
            with suppress(UnicodeDecodeError):
                name = raw.decode("utf-8", errors)
        entry.filename = name
    archive.NameToInfo = {entry.filename: entry for entry in entries}


@contextmanager
def _refusing_damage(field: str | None = None) -> Iterator[None]:
    """Turn every error of zipfile into a 422: damaged bytes raise many errors other than BadZipFile."""
    try:
        yield
    except (Refusal, NotAProductFolder):
        raise
    except BadSample as error:
        raise from_bad_sample(error, field) from error
    except Exception as error:
        detail = "The zip is damaged or incomplete. Create the zip again and send the zip again."
        raise Refusal(422, "unreadable", detail, part=field) from error
