"""A multipart/form-data body (RFC 2046, RFC 7578), read in pieces of any size and within bounds.

The library `multipart` parses the form. This module adds the bounds and the refusals of this service.
"""

from __future__ import annotations

from typing import Protocol

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from service.refusals import Refusal

MAX_HEADER_BYTES = 8 * 1024
"""The longest header line of a field."""
MAX_HEADERS = 8
"""Most header lines of a field. RFC 7578 defines three."""
MAX_AROUND_BYTES = 1024
"""Most text before the first boundary and after the last boundary. RFC 2046 allows text there."""


class FieldSink(Protocol):
    """Receives the fields of a form, one after another. Each method may raise Refusal."""

    def open(self, name: str, filename: str) -> None:
        """A field begins. filename: as the client sent it; do not trust it. Empty if the client sent none."""
        ...

    def take(self, piece: bytes) -> None:
        """The next piece of the open field's content."""
        ...

    def close(self) -> None:
        """The open field is complete."""
        ...


class FormReader:
    """Reads a multipart/form-data body in pieces of any size and hands its fields to the sink.

    boundary: from the Content-Type header.
    most_fields: a form with more fields is refused with 413.
    """

    def __init__(self, boundary: bytes, sink: FieldSink, *, most_fields: int) -> None:
        self._sink = sink
        self._most_fields = most_fields
        # Latin-1 lets every byte of a file name pass; _text turns the names into UTF-8.
        self._parser = PushMultipartParser(
            boundary,
            max_header_size=MAX_HEADER_BYTES,
            max_header_count=MAX_HEADERS,
            header_charset="latin-1",
        )
        self._closing = b"--" + boundary + b"--"
        self._count = 0
        self._before = 0
        self._end = b""

    def feed(self, chunk: bytes) -> None:
        """Parse the next piece of the body. Raises Refusal."""
        if not chunk:  # the parser takes an empty piece for the end of the body
            return
        room = MAX_AROUND_BYTES + len(self._closing)
        self._end = (self._end + chunk[-room:])[-room:]
        try:
            for event in self._parser.parse(chunk):
                self._handle(event)
        except MultipartError as error:
            raise _malformed(f"{error}") from None
        self._before += 0 if self._count else len(chunk)
        if self._before > MAX_AROUND_BYTES + MAX_HEADERS * MAX_HEADER_BYTES:
            raise _malformed("the body does not start with the boundary that the Content-Type header names")

    def finish(self) -> None:
        """Call at the end of the body. Raises Refusal."""
        try:
            self._parser.close()
        except MultipartError:
            raise _malformed("the body ends before its closing boundary") from None
        # The parser ignores all text after the closing boundary.
        _, found, after = self._end.rpartition(self._closing)
        if not found or after[:1].strip():
            raise _malformed("the closing boundary is followed by something other than a line end")

    def _handle(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        """Handle one event of the parser: a field's headers, a piece of its content, or its end."""
        if event is None:
            self._sink.close()
        elif isinstance(event, MultipartSegment):
            self._count += 1
            if self._count > self._most_fields:
                detail = f"The form has too many fields. Send at most {self._most_fields}."
                raise Refusal(413, "too_many_fields", detail)
            self._sink.open(*_names(event))
        else:
            self._sink.take(bytes(event))


def _names(segment: MultipartSegment) -> tuple[str, str]:
    """The name and the file name of a field. Raises Refusal."""
    if sum(name == "Content-Disposition" for name, _ in segment.headerlist) > 1:
        raise _malformed("a field has two Content-Disposition headers")
    if not segment.name:
        raise _malformed("a field has no name")
    return _text(segment.name), _text(segment.filename or "")


def _text(name: str) -> str:
    return name.encode("latin-1").decode("utf-8", "replace")


def _malformed(reason: str) -> Refusal:
    return Refusal(400, "malformed_form", f"The multipart body cannot be read: {reason}.")
