"""Changes of a profile: "field=value", on the profile's fields as JSON."""

from __future__ import annotations

import json
from typing import Any

SCALE = "scale="
"""How the change begins that comes before all others."""
_SIDES = (
    "preparation.size",
    "preparation.rgb_size",
    "extraction.rgb.side",
    "extraction.point.side",
    "extraction.normals.network.side",
    "extraction.relief.side",
    "extraction.colour.side",
    "extraction.picture.side",
)
"""Fields that grow with the scale. Point groups have no side."""


class BadChange(ValueError):
    """A change of a profile is wrong. The message says which field."""


def scale_sides(fields: dict[str, Any], scale: int) -> None:
    """Multiply every side of a profile's fields."""
    for side in _SIDES:
        *parents, last = side.split(".")
        inner = fields
        for parent in parents:
            inner = inner.get(parent) or {}
        if inner.get(last):
            inner[last] *= scale


def apply(fields: dict[str, Any], change: str) -> None:
    """Apply one change to the fields of a profile. Raises BadChange."""
    path, equals, value = change.partition("=")
    *parents, last = path.split(".")
    inner: Any = fields
    for parent in parents:
        inner = inner.get(parent) if isinstance(inner, dict) else None
    if not equals or not isinstance(inner, dict) or last not in inner:
        raise BadChange(
            f"'{change}' is not a field=value of the profile. 'tribank profiles --json' lists the fields."
        )
    try:
        inner[last] = json.loads(value)
    except json.JSONDecodeError:
        inner[last] = value
