"""Environment variables that look like settings and are none, such as mistyped names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from service.settings import PREFIX, Settings

NOT_SETTINGS = frozenset(
    f"{PREFIX}{name}"
    for name in (
        *("HARDWARE", "FOR", "PYTHON"),
        *("PUBLISH", "WEIGHTS_DIR", "MEM_LIMIT"),
        *("KEY", "TEST_DEVICE", "SCREENSHOT"),
    )
)
"""TRIBANK_ variables that are not settings: variables of the set-up, Compose, clients and tests."""


def unknown_names(environment: Iterable[str]) -> dict[str, str | None]:
    """Names that begin with TRIBANK_ and are not settings, such as mistyped names.

    Each name comes with the most similar setting, or None."""
    fields = [field.upper() for field in Settings.model_fields]
    known = {f"{PREFIX}{field}" for field in fields} | NOT_SETTINGS
    unknown = sorted(n for n in environment if n.upper().startswith(PREFIX) and n.upper() not in known)
    matches = {name: get_close_matches(name.upper().removeprefix(PREFIX), fields, 1) for name in unknown}
    return {name: f"{PREFIX}{match[0]}" if match else None for name, match in matches.items()}
