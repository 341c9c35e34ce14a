"""The console page: GET / and its files. `make console` builds page/ from src/; both are committed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, Response

from service.refusals import Refusal

_PAGE = Path(__file__).parent / "page"
_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css"}
# Forbids content from other sites, inline scripts, and frames on other pages.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src {}; img-src 'self' blob: data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES = {path.name: path.read_bytes() for path in sorted(_PAGE.iterdir())}


class Page:
    """The routes of the page."""

    def __init__(self, servers: Iterable[str]) -> None:
        """servers: addresses of the servers that the page may ask, beside its own."""
        parts = [urlsplit(server) for server in servers]
        origins = sorted({f"{part.scheme}://{part.netloc}" for part in parts})
        self._headers = {
            "Content-Security-Policy": _POLICY.format(" ".join(["'self'", *origins])),
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        }
        self.router = APIRouter(include_in_schema=False)
        self.router.get("/")(self.show_page)
        self.router.get("/console/{name}")(self.page_file)

    async def show_page(self) -> Response:
        """The console page."""
        return await self.page_file("index.html")

    async def page_file(self, name: str) -> Response:
        """One file of the page. Raises Refusal for an unknown name."""
        content = _FILES.get(name)
        if content is None:
            raise Refusal(404, "not_found", "The console page has no such file. GET / opens the page.")
        return Response(content, media_type=_TYPES[Path(name).suffix], headers=self._headers)
