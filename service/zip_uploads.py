"""Receiving a zip of parts: the whole body, or the one field of a form. It goes to disk as it comes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from fastapi import Request

from service.archives import ArchiveLimits
from service.forms import FormReader
from service.jobs import on_disk
from service.problems import Refusal
from service.settings import Settings
from service.uploads import FORM, MAX_FIELDS, bounded, check_head, unknown_field

ZIP = "application/zip"
FIELD = "parts"
FILE = "parts.zip"
"""The name of the zip in a job's folder of input."""
_FILE_SCHEMA = {"type": "string", "format": "binary", "description": "Zip of a folder of parts."}
ZIP_BODIES: Mapping[str, Any] = {
    ZIP: {"schema": _FILE_SCHEMA},
    FORM: {"schema": {"type": "object", "required": [FIELD], "properties": {FIELD: _FILE_SCHEMA}}},
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


async def receive_zip(request: Request, file: Path, limits: ZipLimits) -> str:
    """Put the body's zip into `file`; returns its SHA-256. Raises Refusal."""
    media_type, boundary = check_head(request.headers, limits.body_bytes, (ZIP, FORM))
    try:
        with file.open("wb") as raw:
            sink = ZipField(raw)
            reader = FormReader(boundary, sink, most_fields=MAX_FIELDS)
            take = reader.feed if media_type == FORM else sink.take
            async for chunk in bounded(request.stream(), limits.body_bytes, limits.timeout_s):
                await on_disk(partial(take, chunk))
            if media_type == FORM:
                reader.finish()
    except OSError:
        detail = "The service has no room for this zip. Tell its operator."
        raise Refusal(507, "no_disk", detail) from None
    if not sink.size:
        raise Refusal(422, "missing_field", f"The field {FIELD} is missing or empty.", part=FIELD)
    return sink.digest.hexdigest()


class ZipField:
    """Where the one field of a batch's form goes; also takes a body that is the zip alone."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._opened = False
        self.size = 0
        self.digest = hashlib.sha256()

    def open(self, name: str) -> None:
        """A field begins. Raises Refusal for another name, or the same again."""
        if name != FIELD:
            raise unknown_field((FIELD,))
        if self._opened:
            raise Refusal(
                400, "repeated_field", f"The field {FIELD} is there twice. Send it once.", part=FIELD
            )
        self._opened = True

    def take(self, piece: bytes) -> None:
        """More of the zip. Raises OSError."""
        self._file.write(piece)
        self.digest.update(piece)
        self.size += len(piece)

    def close(self) -> None:
        """The field is whole."""
