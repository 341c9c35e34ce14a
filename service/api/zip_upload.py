"""Receiving parts: a zip as the body or as a form's field, or a form of their files. They go to disk as they
come, as a zip in every case, and what a zip must not be they must not be either (`archives`)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO
from zipfile import ZipFile, ZipInfo

from fastapi import Request

from service.http.arrivals import Arrival
from service.http.bodies import named_schema
from service.http.forms import FormReader
from service.http.uploads import FORM, bounded, check_head, unknown_field
from service.jobs.archive import ArchiveLimits
from service.refusals import Refusal
from service.settings import Settings
from service.threads import on_disk

ZIP = "application/zip"
FIELD = "parts"
FILES = "file"
_FILE_SCHEMA = {"type": "string", "format": "binary", "description": "Zip of a folder of parts."}
_FILES_SCHEMA = {
    "type": "array",
    "items": {"type": "string", "format": "binary"},
    "description": "The files of the parts instead of a zip, each with its name: 000.png beside 000.tiff.",
}
_FORM = {
    "type": "object",
    "description": "Many parts: one zip, or their files.",
    "properties": {FIELD: _FILE_SCHEMA, FILES: _FILES_SCHEMA},
}
ZIP_BODIES: Mapping[str, Any] = {
    ZIP: {"schema": _FILE_SCHEMA},
    FORM: {"schema": named_schema("PartsForm", _FORM)},
}
"""For the document: the bodies that bring a zip."""


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """body_bytes, timeout_s: of the body."""

    body_bytes: int
    timeout_s: float
    archive: ArchiveLimits

    @classmethod
    def of(cls, settings: Settings) -> ZipLimits:
        """The limits that the settings ask for."""
        archive = ArchiveLimits(settings.max_batch_entries, settings.max_batch_decoded_bytes)
        return cls(settings.max_batch_bytes, settings.batch_timeout_s, archive)


async def receive_zip(
    request: Request,
    file: Path,
    limits: ZipLimits,
    arrival: Arrival,
    accepted: Sequence[str] = (ZIP, FORM),
) -> str:
    """Put the body's parts into the zip `file`; returns their SHA-256.

    arrival: the body.
    accepted: the media types that the route takes, also those that it reads itself.

    Raises Refusal.
    """
    media_type, boundary = check_head(request.headers, limits.body_bytes, accepted)
    try:
        with file.open("wb") as raw, PartsSink(raw) as sink:
            reader = None
            if media_type == ZIP:
                sink.open(FIELD, "")
            else:
                reader = FormReader(boundary, sink, most_fields=limits.archive.entries)
            take = reader.feed if reader else sink.take
            async for chunk in bounded(request.stream(), limits.body_bytes, limits.timeout_s, arrival):
                await on_disk(partial(take, chunk))
            if reader:
                reader.finish()
    except OSError:
        detail = "The service has no room for these parts. Tell its operator."
        raise Refusal(507, "no_disk", detail) from None
    if not sink.size:
        detail = f"The form has neither {FIELD} (one zip) nor {FILES} (the parts' files), or they are empty."
        raise Refusal(422, "missing_field", detail, part=FIELD)
    return sink.digest.hexdigest()


class PartsSink:
    """Where a form's fields go: one zip as it is, or files one by one into a zip that is made of them."""

    def __init__(self, file: BinaryIO) -> None:
        self.size = 0
        self.digest = hashlib.sha256()
        self._file = file
        self._out: IO[bytes] = file
        self._names: set[str] = set()  # of files
        self._zipped = False
        self._made: ZipFile | None = None

    def __enter__(self) -> PartsSink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._made is not None:
            self._made.close()

    def open(self, name: str, filename: str) -> None:
        """A field begins. Raises Refusal for another name, a second zip, or a file without a name of its
        own."""
        if name not in (FIELD, FILES):
            raise unknown_field((FIELD, FILES))
        if self._zipped or (name == FIELD and self._names) or filename in self._names:
            detail = f"Send one zip as {FIELD}, or files of different names as {FILES}."
            raise Refusal(400, "repeated_field", detail, part=name)
        if name == FIELD:
            self._zipped = True
            return
        if not filename or not filename.isprintable():
            detail = (
                f"Each {FILES} needs its file name: the image and the cloud of a part have the same stem."
            )
            raise Refusal(400, "unnamed_file", detail, part=name)
        self._names.add(filename)
        self.digest.update(f"\0{len(filename)}{filename}\0".encode())
        self._made = self._made or ZipFile(self._file, "w")
        self._out = self._made.open(ZipInfo(filename), "w")

    def take(self, piece: bytes) -> None:
        """More of the field. Raises OSError."""
        self._out.write(piece)
        self.digest.update(piece)
        self.size += len(piece)

    def close(self) -> None:
        """The field is whole."""
        if self._out is not self._file:
            self._out.close()
            self._out = self._file
