"""The console page: GET / and its files. `make console` builds page/ from src/; both are committed."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response

from service.refusals import Refusal

_PAGE = Path(__file__).parent / "page"
_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css"}
_HEADERS = {
    # Forbids content from other sites, inline scripts, and frames on other pages.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_FILES = {path.name: path.read_bytes() for path in sorted(_PAGE.iterdir())}

router = APIRouter(include_in_schema=False)


@router.get("/")
async def show_page() -> Response:
    """The console page."""
    return await page_file("index.html")


@router.get("/console/{name}")
async def page_file(name: str) -> Response:
    """One file of the page. Raises Refusal for an unknown name."""
    content = _FILES.get(name)
    if content is None:
        raise Refusal(404, "not_found", "The console page has no such file. GET / opens the page.")
    return Response(content, media_type=_TYPES[Path(name).suffix], headers=_HEADERS)
