"""The API's document, made once: each application would make it again, which is most of its start."""

from __future__ import annotations

from functools import cache
from typing import Any

from service.app import create_app
from service.settings import Settings


@cache
def document() -> dict[str, Any]:
    """It is the same for every application: http/test_document.py. No test may change it."""
    return create_app(Settings()).openapi()
