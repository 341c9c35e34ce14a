"""The grammar of multipart/form-data (RFC 2046, RFC 7578), read in pieces of any size, every one bounded."""

from __future__ import annotations

from typing import Protocol

from python_multipart.multipart import parse_options_header

from service.http.problems import Refusal

MAX_HEADER_BYTES = 8 * 1024
MAX_AROUND_BYTES = 1024
"""Of what stands before the first boundary and after the last: RFC 2046 lets old clients write there."""


class FieldSink(Protocol):
    """Where the fields of a form go, one after another. Each method may raise Refusal."""

    def open(self, name: str, filename: str) -> None:
        """A field begins. filename: as the client gave it, to be distrusted; empty where it gave none."""
        ...

    def take(self, piece: bytes) -> None:
        """More of the open field's content."""
        ...

    def close(self) -> None:
        """The open field is whole."""
        ...


class FormReader:
    """Takes a multipart/form-data body in pieces of any size; what the sink gets in all does not depend on
    their sizes. most_fields: above it 413."""

    def __init__(self, boundary: bytes, sink: FieldSink, *, most_fields: int) -> None:
        self._sink = sink
        self._most_fields = most_fields
        self._delimiter = b"\r\n--" + boundary
        self._pending = bytearray(b"\r\n")  # as if a line had ended before the first delimiter
        self._step = self._opening
        self._count = 0
        self._passed = 0
        self._line_end = 0  # bytes still to skip: the line end that closed the headers is not content

    def feed(self, chunk: bytes) -> None:
        """Take the next piece. Raises Refusal."""
        self._pending += chunk
        while self._step():
            pass

    def finish(self) -> None:
        """The body has ended. Raises Refusal."""
        if self._step not in (self._close, self._epilogue):
            raise _malformed("the body ends before its closing boundary")

    def _opening(self) -> bool:
        """Up to the first delimiter: a preamble, which is passed over."""
        at = self._pending.find(self._delimiter)
        passed = at if at >= 0 else max(0, len(self._pending) - len(self._delimiter) + 1)
        self._pass_over(
            passed, "the body does not start with the boundary that the Content-Type header names"
        )
        if at < 0:
            return False
        del self._pending[: len(self._delimiter)]
        self._step = self._after_delimiter
        return True

    def _pass_over(self, count: int, fault: str) -> None:
        """Leave out what stands before the first and after the last delimiter. Raises Refusal above the
        bound."""
        del self._pending[:count]
        self._passed += count
        if self._passed > MAX_AROUND_BYTES:
            raise _malformed(fault)

    def _after_delimiter(self) -> bool:
        """A line end opens a part; two hyphens close the body."""
        if len(self._pending) < 2:
            return False
        mark = bytes(self._pending[:2])
        del self._pending[:2]
        if mark == b"--":
            self._step = self._close
        elif mark == b"\r\n":
            self._count += 1
            if self._count > self._most_fields:
                raise Refusal(413, "too_many_fields", f"A form has at most {self._most_fields} fields.")
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
        self._sink.open(*_field_names(bytes(self._pending[:end])))
        # The line end before the content stays: a delimiter may follow it at once (an empty field).
        del self._pending[: end + 2]
        self._line_end = 2
        self._step = self._content
        return True

    def _content(self) -> bool:
        """The part's content, up to the next delimiter."""
        end = self._pending.find(self._delimiter)
        # What could be the start of a delimiter waits for the next piece.
        ready = end if end >= 0 else len(self._pending) - len(self._delimiter) + 1
        if ready > 0:
            if piece := bytes(self._pending[self._line_end : ready]):
                self._sink.take(piece)
            self._line_end = max(0, self._line_end - ready)
            del self._pending[:ready]
        if end < 0:
            return False
        self._sink.close()
        del self._pending[: len(self._delimiter)]
        self._step = self._after_delimiter
        return True

    def _close(self) -> bool:
        """The closing delimiter is whole where the body or its line ends."""
        if not self._pending:
            return False
        if self._pending[:1] not in (b"\r", b"\n", b" ", b"\t"):
            raise _malformed("the closing boundary is followed by something other than a line end")
        self._step = self._epilogue
        return True

    def _epilogue(self) -> bool:
        """What follows the closing boundary is passed over."""
        self._pass_over(len(self._pending), "too much follows the closing boundary")
        return False


def _field_names(head: bytes) -> tuple[str, str]:
    """The name and the file name in a part's Content-Disposition header. Raises Refusal."""
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
    return options[b"name"].decode("utf-8", "replace"), options.get(b"filename", b"").decode(
        "utf-8", "replace"
    )


def _malformed(reason: str) -> Refusal:
    return Refusal(400, "malformed_form", f"The multipart body cannot be read: {reason}.")
