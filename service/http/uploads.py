"""The body of a request with a part, received within bounds of size and time.

A body is a form with a few named fields, or the bytes of one NPZ sample. The body is kept in memory.
400: the form is not valid. 408: the body is too slow. 413: a limit is exceeded.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass

from multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.requests import Request

from models.readers.declared import WORDS
from models.readers.part import PLANES
from service.http.arrivals import Arrival
from service.http.forms import FormReader
from service.refusals import Refusal
from service.settings import SMALL_FIELD_BYTES, Settings

MAX_FIELDS = 16
"""Most fields of a form. No form needs more."""
MAX_BOUNDARY = 70
FORM = "multipart/form-data"
RAW = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """The limits of a body. fields: names of the allowed fields, and the most bytes of each."""

    fields: Mapping[str, int]
    body_bytes: int
    timeout_s: float

    @classmethod
    def of(cls, settings: Settings) -> UploadLimits:
        """The limits in the settings."""
        fields = {
            "rgb": settings.max_rgb_bytes,
            "xyz": settings.max_xyz_bytes,
            "depth": settings.max_xyz_bytes,
            "sample": settings.max_body_bytes,
            **dict.fromkeys(PLANES, settings.max_xyz_bytes),
            **dict.fromkeys((*WORDS, "part_id"), SMALL_FIELD_BYTES),
        }
        return cls(fields, settings.max_body_bytes, settings.body_timeout_s)


async def receive_fields(request: Request, limits: UploadLimits, arrival: Arrival) -> dict[str, bytes]:
    """Receive the fields of a part. A raw body becomes the field `sample`. Raises Refusal."""
    media_type, boundary = check_head(request.headers, limits.body_bytes, (FORM, RAW))
    if media_type == RAW:
        return {"sample": await receive_bytes(request, limits, arrival)}
    fields = Fields(limits.fields)
    reader = FormReader(boundary, fields, most_fields=MAX_FIELDS)
    async for chunk in bounded(request.stream(), limits.body_bytes, limits.timeout_s, arrival):
        reader.feed(chunk)
    reader.finish()
    return fields.content()


def check_head(headers: Headers, most_bytes: int, accepted: Sequence[str]) -> tuple[str, bytes]:
    """Check the headers of a request before its body is read.

    Returns the media type of the body, one of `accepted`, and the boundary of a form. Raises Refusal.
    """
    check_coding(headers)
    check_length(headers, most_bytes, accepted)
    media_type, options = parse_options_header(headers.get("content-type", ""))
    if media_type not in accepted:
        detail = f"The Content-Type is not supported. Send the body as {' or '.join(accepted)}."
        raise Refusal(415, "unsupported_body", detail)
    boundary = options.get("boundary", "").encode("latin-1")
    if media_type == FORM and not 1 <= len(boundary) <= MAX_BOUNDARY:
        detail = "The form cannot be read: the Content-Type header has no valid boundary."
        raise Refusal(400, "malformed_form", detail)
    return media_type, boundary


def check_coding(headers: Headers) -> None:
    """Raises Refusal if the body is compressed."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        detail = "The body has a Content-Encoding. Send the body without one."
        raise Refusal(415, "unsupported_encoding", detail)


def check_length(headers: Headers, most_bytes: int, accepted: Sequence[str]) -> None:
    """Raises Refusal if the headers announce no body, or a body that is too large."""
    length = headers.get("content-length")
    if length is not None and length.isdigit() and int(length[:20]) > most_bytes:
        raise _body_too_large(most_bytes)
    if length == "0" or (length is None and "transfer-encoding" not in headers):
        raise _no_body(accepted)


def announced_bytes(headers: Headers, most: int) -> int:
    """The length of the body in the headers, at most `most`. Without a length: `most`."""
    length = headers.get("content-length", "")
    return min(int(length[:20]), most) if length.isdigit() else most


async def receive_bytes(request: Request, limits: UploadLimits, arrival: Arrival) -> bytes:
    """Receive the whole body. Raises Refusal."""
    whole = io.BytesIO()  # grows in place; getvalue makes no copy
    async for chunk in bounded(request.stream(), limits.body_bytes, limits.timeout_s, arrival):
        whole.write(chunk)
    return whole.getvalue()


async def bounded(
    chunks: AsyncIterator[bytes], most_bytes: int, timeout_s: float, arrival: Arrival
) -> AsyncIterator[bytes]:
    """The pieces of a body with at least one byte and at most `most_bytes`, received within `timeout_s`.

    The body must keep the pace of `arrival`; only the time spent waiting for the client counts.
    Raises Refusal.
    """
    until = asyncio.get_running_loop().time() + timeout_s
    try:
        while (chunk := await arrival.next_piece(chunks, until)) is not None:
            if arrival.received > most_bytes:
                raise _body_too_large(most_bytes)
            yield chunk
    except TimeoutError:
        detail = f"The body did not arrive within {timeout_s:g} s. Send it again over a faster connection."
        raise Refusal(408, "body_timeout", detail) from None
    if not arrival.received:
        raise _no_body((FORM, RAW))


class Fields:
    """The fields of one part, in memory.

    An unknown or repeated field is reported at the end only, so that a form with thousands of fields is
    refused for their number first.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        """limits: names of the allowed fields, and the most bytes of each."""
        self._limits = limits
        self._content: dict[str, bytes] = {}
        self._name = ""
        self._whole = io.BytesIO()
        self._fault: Refusal | None = None

    def open(self, name: str, filename: str) -> None:
        """A field begins. The file name is ignored."""
        self._name, self._whole = name, io.BytesIO()
        if name not in self._limits:
            self._fault = self._fault or unknown_field(self._limits)
        elif name in self._content:
            detail = f"The form has the field {name} twice. Send each field once."
            self._fault = self._fault or Refusal(400, "repeated_field", detail, part=name)

    def take(self, piece: bytes) -> None:
        """The next piece of the field. Raises Refusal if the field is larger than its limit."""
        if self._fault is not None:
            return
        check_size(self._name, self._whole.tell() + len(piece), self._limits)
        self._whole.write(piece)

    def close(self) -> None:
        """The field is complete."""
        if self._fault is None:
            self._content[self._name] = self._whole.getvalue()
        self._whole = io.BytesIO()

    def content(self) -> dict[str, bytes]:
        """The fields by name. Raises Refusal."""
        if self._fault is not None:
            raise self._fault
        return self._content


def unknown_field(known: Iterable[str]) -> Refusal:
    """The refusal of a form with an unknown field. known: the allowed names."""
    detail = f"The form has an unknown field. The known fields are: {', '.join(known)}."
    return Refusal(400, "unknown_field", detail)


def check_size(name: str, size: int, limits: Mapping[str, int]) -> None:
    """Raises Refusal if a field is larger than its limit."""
    if size > limits[name]:
        detail = f"The field {name} is larger than {limits[name]} bytes. Send a smaller file."
        raise Refusal(413, "field_too_large", detail, part=name)


def _no_body(accepted: Sequence[str]) -> Refusal:
    return Refusal(400, "no_body", f"The request has no body. Send the part as {' or '.join(accepted)}.")


def _body_too_large(most_bytes: int) -> Refusal:
    return Refusal(413, "body_too_large", f"The body is larger than {most_bytes} bytes. Send a smaller body.")
