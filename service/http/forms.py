"""A multipart/form-data body (RFC 2046, RFC 7578), read in pieces of any size, every one bounded.

The grammar is the library `multipart`'s. Added here: the bounds of this service, and its refusals.
"""

from __future__ import annotations

from typing import Protocol

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from service.refusals import Refusal

MAX_HEADER_BYTES = 8 * 1024
"""The longest header line of a field."""
MAX_HEADERS = 8
"""Header lines of a field; RFC 7578 knows three."""
MAX_AROUND_BYTES = 1024
"""Text before the first boundary and after the last one: RFC 2046 lets old clients write there."""


class FieldSink(Protocol):
    """Receives the fields of a form, one after another. Each method may raise Refusal."""

    def open(self, name: str, filename: str) -> None:
        """A field begins. filename: as the client gave it, to be distrusted; empty where it gave none."""
        ...

    def take(self, piece: bytes) -> None:
        """More of the open field's content."""
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
        """Take the next piece. Raises Refusal."""
        if not chunk:  # to the parser an empty piece is the end of the body
            return
        room = MAX_AROUND_BYTES + len(self._closing)
        self._end = (self._end + chunk[-room:])[-room:]
        try:
            for event in self._parser.parse(chunk):
                self._take(event)
        except MultipartError as error:
            raise _malformed(f"{error}") from None
        self._before += 0 if self._count else len(chunk)
        if self._before > MAX_AROUND_BYTES + MAX_HEADERS * MAX_HEADER_BYTES:
            raise _malformed("the body does not start with the boundary that the Content-Type header names")

    def finish(self) -> None:
        """The body has ended. Raises Refusal."""
        try:
            self._parser.close()
        except MultipartError:
            raise _malformed("the body ends before its closing boundary") from None
        # The parser passes over all that follows the closing boundary.
        _, found, after = self._end.rpartition(self._closing)
        if not found or after[:1].strip():
            raise _malformed("the closing boundary is followed by something other than a line end")

    def _take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        """One event of the parser: a field's headers, a piece of its content, or its end."""
        if event is None:
            self._sink.close()
        elif isinstance(event, MultipartSegment):
            self._count += 1
            if self._count > self._most_fields:
                raise Refusal(413, "too_many_fields", f"A form has at most {self._most_fields} fields.")
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
