"""What pydantic found wrong with data that people wrote, as sentences without its jargon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from recipes.points import KINDS


def sentences(error: ValidationError, names: Mapping[str, str] | None = None) -> list[str]:
    """One sentence for each thing that is wrong: where, what, and the value that is there.

    names: what people call a top field, where that differs.
    """
    return [_sentence(fault, names or {}) for fault in error.errors(include_url=False)]


def field_path(fault: Mapping[str, Any]) -> list[str | int]:
    """The steps to the field that is wrong, as the document has them."""
    return [step for step in fault["loc"] if step not in KINDS]


def _sentence(fault: Mapping[str, Any], names: Mapping[str, str]) -> str:
    steps = [str(step) for step in field_path(fault)]
    if steps:
        steps[0] = names.get(steps[0], steps[0])
    said = fault["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    value = fault["input"]
    if fault["type"] == "value_error" or isinstance(value, dict):
        return f"{'.'.join(steps)}: {said}" if steps else said
    said = said[:1].lower() + said[1:]
    return f"{'.'.join(steps)} is {str(value)[:80]!r}: {said}"
