"""Turn pydantic's validation errors into sentences without pydantic's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from recipes.banks import BY_METHOD
from recipes.picture import PICTURES
from recipes.points import KINDS

_CHOICES = {*KINDS, *PICTURES, *BY_METHOD}
"""Steps of pydantic's paths that are no field of the document."""


def sentences(error: ValidationError, names: Mapping[str, str] | None = None) -> list[str]:
    """One sentence per error: the field, the fault, and the wrong value.

    names: another name for a top-level field in the sentence.
    """
    return [_sentence(fault, names or {}) for fault in error.errors(include_url=False)]


def field_path(fault: Mapping[str, Any]) -> list[str | int]:
    """The path to the wrong field in the document."""
    return [step for step in fault["loc"] if step not in _CHOICES]


def _sentence(fault: Mapping[str, Any], names: Mapping[str, str]) -> str:
    steps = [str(step) for step in field_path(fault)]
    if steps:
        steps[0] = names.get(steps[0], steps[0])
    message = fault["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    value = fault["input"]
    if fault["type"] == "value_error" or isinstance(value, dict):
        return f"{'.'.join(steps)}: {message}" if steps else message
    message = message[:1].lower() + message[1:]
    return f"{'.'.join(steps)} is {str(value)[:80]!r}: {message}"
