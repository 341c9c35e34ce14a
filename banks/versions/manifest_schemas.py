"""Manifests of other schemas: old ones are brought up to date, newer ones are read where they allow it.

An upgrade is a pure function on the JSON document, from one schema to the next. A version's other files stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from banks.versions.seal import CHECKSUM, unsealed
from recipes.sentences import field_path

SCHEMA_VERSION = 10
"""Raise the number whenever a reader must not ignore something new in a manifest; see MIN_READER."""
MIN_READER = 10
"""The oldest schema whose readers understand what this Tribank writes, if they ignore fields that they do
not know."""
_SEALED_SINCE = 4

Document = dict[str, Any]


def current_form(document: Mapping[str, Any]) -> Document:
    """A manifest's document in the form of `banks.versions.manifest.Manifest`, without its checksum.

    Fields that a newer Tribank added are kept. Raises ValueError where the document is damaged, too old or
    needs a newer reader.
    """
    schema = document.get("schema_version")
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise ValueError("it does not say which schema it is of")
    if schema >= _SEALED_SINCE:
        found = unsealed(document)
        reader = found.get("min_reader")
        if not isinstance(reader, int) or reader > SCHEMA_VERSION:
            raise ValueError(
                f"made by a newer Tribank (this one reads schema {SCHEMA_VERSION}, it needs {reader}): "
                "use that one, or build it again"
            )
    else:
        found = dict(document)
        if CHECKSUM in found:
            raise ValueError(f"schema {schema} has no checksum, and this one does")
    while schema < SCHEMA_VERSION:
        if schema not in _UPGRADES:
            raise ValueError(
                f"made by an older Tribank (schema {schema}, this one reads {min(_UPGRADES)} and later): "
                "build it again"
            )
        found = _UPGRADES[schema](found)
        schema += 1
    return found


_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
"""What pydantic calls a field that a model, or a dataclass, does not have."""


def without_unknown(document: Mapping[str, Any], error: ValidationError) -> Document:
    """The document without the fields that `error` calls unknown. Raises `error` for any other fault."""
    unknown = [field_path(problem) for problem in error.errors() if problem["type"] in _UNKNOWN]
    if len(unknown) < error.error_count():
        raise error
    known = _copied(document)
    for *way, name in unknown:
        place: Any = known
        try:
            for step in way:
                place = place[step]
            del place[name]
        except (LookupError, TypeError):
            raise error from None
    return known


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(inside) for key, inside in value.items()}
    return [_copied(inside) for inside in value] if isinstance(value, list) else value


def _from_3(document: Document) -> Document:
    """Schema 4 adds a checksum, the oldest reader, and a probe. A version of schema 3 has no probe."""
    return {**document, "schema_version": 4, "min_reader": 4}


def _from_4(document: Document) -> Document:
    """Schema 5 adds the lengths of the preparation, and what is declared about the sensor.

    The defaults of the lengths are the numbers that were constants.
    """
    return {**document, "schema_version": 5, "min_reader": 5}


def _from_5(document: Document) -> Document:
    """Schema 6 names the odd parts in the calibration. Older versions name none: they counted all.

    A reader of schema 5 scores the same without them, so it may read schema 6.
    """
    return {**document, "schema_version": 6}


def _from_6(document: Document) -> Document:
    """Schema 7 takes drift of the white balance back. Older versions take none back.

    A reader of schema 6 would not, and so would score otherwise.
    """
    return {**document, "schema_version": 7, "min_reader": 7}


def _from_7(document: Document) -> Document:
    """Schema 8 can divide distances by local scales. Older versions have none, and score as before.

    A reader of schema 7 would not divide, and so would score otherwise.
    """
    return {**document, "schema_version": 8, "min_reader": 8}


def _from_8(document: Document) -> Document:
    """Schema 9 has banks of other methods than a memory bank. All banks of older versions are memory banks.

    A reader of schema 8 may not look at the method of a bank. A later method needs no new schema: a reader of
    schema 9 refuses a method that it does not know.
    """
    return {**document, "schema_version": 9, "min_reader": 9}


def _from_9(document: Document) -> Document:
    """Schema 10 can have a bank of colour. Older versions have none.

    A reader of schema 9 has no extractor for it.
    """
    return {**document, "schema_version": 10, "min_reader": 10}


_UPGRADES: Mapping[int, Callable[[Document], Document]] = MappingProxyType(
    {3: _from_3, 4: _from_4, 5: _from_5, 6: _from_6, 7: _from_7, 8: _from_8, 9: _from_9}
)
