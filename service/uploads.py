"""The multipart body of a part, received with a bound on everything a client can send.

A body is a handful of named fields kept in memory. File names are never looked at. What breaks the form
(RFC 2046, RFC 7578) is 400, what breaks a limit 413, what comes too slowly 408.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers

from service.problems import Refusal
from service.settings import Settings

SMALL_FIELD_BYTES = 64 * 1024
MAX_PARTS = 8
"""More than any form needs; few enough that a body of thousands ends early."""
MAX_HEADER_BYTES = 8 * 1024
MAX_BOUNDARY = 70


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """fields: the names a form may hold, and the most bytes of each."""

    fields: Mapping[str, int]
    body_bytes: int
    timeout_s: float

    @classmethod
    def of(cls, settings: Settings) -> UploadLimits:
        """The limits that the settings ask for."""
        fields = {
            "rgb": settings.max_rgb_bytes,
            "xyz": settings.max_xyz_bytes,
            "depth": settings.max_xyz_bytes,
            "sample": settings.max_body_bytes,
            "intrinsics": SMALL_FIELD_BYTES,
            "part_id": SMALL_FIELD_BYTES,
        }
        return cls(fields, settings.max_body_bytes, settings.body_timeout_s)


def check_head(headers: Headers, limits: UploadLimits) -> bytes:
    """Refuse what the headers alone forbid, before a byte of the body is read. Returns the boundary."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise Refusal(415, "unsupported_encoding", "Send the body as it is, without Content-Encoding.")
    length = headers.get("content-length")
    if length is not None and length.isdigit() and int(length[:20]) > limits.body_bytes:
        raise _body_too_large(limits)
    if length == "0" or (length is None and "transfer-encoding" not in headers):
        raise Refusal(400, "no_body", "The request has no body. Send the part as multipart/form-data.")
    media_type, options = parse_options_header(headers.get("content-type", ""))
    if media_type.strip() != b"multipart/form-data":
        raise Refusal(415, "unsupported_body", "Send the part as multipart/form-data, fields rgb and xyz.")
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= MAX_BOUNDARY:
        raise _malformed("the Content-Type header names no usable boundary")
    return boundary


async def read_form(chunks: AsyncIterator[bytes], boundary: bytes, limits: UploadLimits) -> dict[str, bytes]:
    """Receive the body. Returns the content of each field."""
    reader = FormReader(boundary, limits)
    try:
        async with asyncio.timeout(limits.timeout_s):
            async for chunk in chunks:
                reader.feed(chunk)
    except TimeoutError:
        detail = f"The body did not arrive within {limits.timeout_s:g} s. Send it again over a faster link."
        raise Refusal(408, "body_timeout", detail) from None
    return reader.finish()


class FormReader:
    """Takes a multipart/form-data body in pieces of any size; the result does not depend on their sizes.

    Faults of single fields (an unknown or repeated name) are kept until the end, so that a body of
    thousands of fields is refused for their number.
    """

    def __init__(self, boundary: bytes, limits: UploadLimits) -> None:
        self._limits = limits
        self._delimiter = b"\r\n--" + boundary
        self._pending = bytearray(b"\r\n")  # as if a line had ended before the first delimiter
        self._step = self._opening
        self._received = 0
        self._parts = 0
        self._name = ""
        self._size = 0
        self._pieces: list[bytes] = []
        self._fields: dict[str, bytes] = {}
        self._fault: Refusal | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next piece. Raises Refusal."""
        self._received += len(chunk)
        if self._received > self._limits.body_bytes:
            raise _body_too_large(self._limits)
        self._pending += chunk
        while self._step():
            pass

    def finish(self) -> dict[str, bytes]:
        """The fields, once the body has ended. Raises Refusal."""
        if self._received == 0:
            raise Refusal(400, "no_body", "The request has no body. Send the part as multipart/form-data.")
        if self._step != self._epilogue:
            raise _malformed("the body ends before its closing boundary")
        if self._fault is not None:
            raise self._fault
        return self._fields

    def _opening(self) -> bool:
        """The body must start with the delimiter: no preamble."""
        start = bytes(self._pending[: len(self._delimiter)])
        if not self._delimiter.startswith(start):
            raise _malformed("the body does not start with the boundary that the Content-Type header names")
        if len(start) < len(self._delimiter):
            return False
        del self._pending[: len(self._delimiter)]
        self._step = self._after_delimiter
        return True

    def _after_delimiter(self) -> bool:
        """A line end opens a part; two hyphens close the body."""
        if len(self._pending) < 2:
            return False
        mark = bytes(self._pending[:2])
        del self._pending[:2]
        if mark == b"--":
            self._step = self._epilogue
        elif mark == b"\r\n":
            self._parts += 1
            if self._parts > MAX_PARTS:
                raise Refusal(413, "too_many_fields", f"A form has at most {MAX_PARTS} fields.")
            self._step = self._headers
        else:
            raise _malformed("a boundary is followed by something other than a line end")
        return True

    def _headers(self) -> bool:
        """The part's header lines, up to the empty one."""
        end = self._pending.find(b"\r\n\r\n", 0, MAX_HEADER_BYTES + 4)
        if end < 0:
            if len(self._pending) > MAX_HEADER_BYTES:
                raise _malformed(f"the headers of a field are larger than {MAX_HEADER_BYTES} bytes")
            return False
        self._open_field(bytes(self._pending[:end]))
        # The line end before the content stays: a delimiter may follow it at once (an empty field).
        del self._pending[: end + 2]
        self._size = -2
        self._step = self._content
        return True

    def _content(self) -> bool:
        """The part's content, up to the next delimiter."""
        end = self._pending.find(self._delimiter)
        # What could be the start of a delimiter waits for the next piece.
        ready = end if end >= 0 else len(self._pending) - len(self._delimiter) + 1
        if ready > 0:
            self._take(bytes(self._pending[:ready]))
            del self._pending[:ready]
        if end < 0:
            return False
        if self._name in self._limits.fields and self._name not in self._fields:
            # The line end that closed the headers is not content.
            self._fields[self._name] = b"".join(self._pieces)[2:]
        del self._pending[: len(self._delimiter)]
        self._step = self._after_delimiter
        return True

    def _epilogue(self) -> bool:
        """Nothing but one line end may follow the closing boundary."""
        if bytes(self._pending) not in (b"", b"\r", b"\r\n"):
            raise _malformed("something follows the closing boundary")
        return False

    def _open_field(self, head: bytes) -> None:
        self._name = _field_name(head)
        self._pieces = []
        known = self._limits.fields
        if self._name not in known:
            names = ", ".join(known)
            fault = Refusal(400, "unknown_field", f"A field is not known. The fields are: {names}.")
        elif self._name in self._fields:
            detail = f"The field {self._name} is there twice. Send it once."
            fault = Refusal(400, "repeated_field", detail, part=self._name)
        else:
            return
        self._fault = self._fault or fault

    def _take(self, piece: bytes) -> None:
        self._size += len(piece)
        limit = self._limits.fields.get(self._name)
        if limit is None or self._name in self._fields:
            return
        if self._size > limit:
            detail = f"The field {self._name} is larger than {limit} bytes."
            raise Refusal(413, "field_too_large", detail, part=self._name)
        self._pieces.append(piece)


def _field_name(head: bytes) -> str:
    """The name in a part's Content-Disposition header. Raises Refusal."""
    disposition: bytes | None = None
    for line in head.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if not colon or not name.strip() or name != name.strip() or b"\n" in line or b"\r" in line:
            raise _malformed("a header line of a field is not valid")
        if name.lower() == b"content-disposition":
            if disposition is not None:
                raise _malformed("a field has two Content-Disposition headers")
            disposition = value.strip()
    kind, options = parse_options_header(disposition or b"")
    if kind != b"form-data" or b"name" not in options:
        raise _malformed("a field has no name")
    return options[b"name"].decode("utf-8", "replace")


def _malformed(reason: str) -> Refusal:
    return Refusal(400, "malformed_form", f"The multipart body cannot be read: {reason}.")


def _body_too_large(limits: UploadLimits) -> Refusal:
    detail = f"The body is larger than {limits.body_bytes} bytes. Send a smaller part."
    return Refusal(413, "body_too_large", detail)
