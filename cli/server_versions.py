"""The versions of a running server, over HTTP: for `tribank banks push` and `pull`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from banks.versions.archive import PIECE_BYTES, Archive, Unpacker
from banks.versions.travel import Landing

_TIMEOUT_S = 300.0  # a server that takes a version in scores its probe before it answers


class ServerRefused(ValueError):
    """The server cannot be reached, or says no. The message is the server's."""


class ServerVersions:
    """The versions of one server. The methods raise ServerRefused."""

    def __init__(self, address: str, key: str) -> None:
        """address: such as https://line1:8000. key: an API key; "" for none."""
        self._address = address.rstrip("/")
        self._headers = {"X-API-Key": key} if key else {}

    def active(self, product: str) -> str:
        """The active version of a product."""
        with self._asked("GET", _versions(product)) as answer:
            active = json.loads(self._read(answer))["active"]
        if active is None:
            detail = f"Product {product} has no active version at {self._address}. Name a --version."
            raise ServerRefused(detail)
        return active

    def fetch(self, product: str, version: str, landing: Landing) -> None:
        """Let a version arrive in a landing. Raises as `Unpacker`, too."""
        with self._asked("GET", f"{_versions(product)}/{quote(version, safe='')}/archive") as answer:
            unpacker = Unpacker(landing)
            while piece := self._read(answer, PIECE_BYTES):
                unpacker.feed(piece)
        unpacker.finish()

    def send(self, archive: Archive) -> tuple[str, bool]:
        """Give the server a version. Returns its name there, and whether it was not there yet."""
        headers = {"Content-Type": "application/x-tar", "Content-Length": str(archive.size)}
        path = _versions(archive.parcel.product)
        with self._asked("POST", path, headers, archive.pieces()) as answer:
            return json.loads(self._read(answer))["version"], answer.status == HTTPStatus.CREATED

    def activate(self, product: str, version: str) -> None:
        """Make a version the active one."""
        with self._asked("POST", f"{_versions(product)}/{version}/activate") as answer:
            self._read(answer)

    @contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Iterator[bytes] | None = None,
    ) -> Iterator[HTTPResponse]:
        """The answer to a request, if its status is below 300."""
        parts = urlsplit(self._address)
        connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        with ExitStack() as held, self._reached():
            connection = connect(parts.netloc, timeout=_TIMEOUT_S)
            held.callback(connection.close)
            with suppress(BrokenPipeError, ConnectionResetError):  # refused before the body's end
                connection.request(method, parts.path + path, body, {**self._headers, **(headers or {})})
            answer = connection.getresponse()
            kept = held.pop_all()
        with kept:
            if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
                raise ServerRefused(f"{self._address} says no ({answer.status}): {self._detail(answer)}")
            yield answer

    def _read(self, answer: HTTPResponse, most: int | None = None) -> bytes:
        with self._reached():
            return answer.read(most)

    def _detail(self, answer: HTTPResponse) -> str:
        """What a problem says."""
        try:
            problem: Any = json.loads(self._read(answer, 1 << 16))
            return str(problem["detail"])
        except (ValueError, LookupError, TypeError):
            return f"{answer.reason}. Is this the address of a Tribank server?"

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (OSError, HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise ServerRefused(f"{self._address} cannot be reached: {reason}.") from error


def _versions(product: str) -> str:
    return f"/v1/products/{quote(product, safe='')}/versions"
