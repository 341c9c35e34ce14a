"""JSON documents that carry a checksum of their content, so that damage is found when they are read.

The checksum is over the content in a canonical form, not over the bytes: a document that is only indented in
another way stays sound.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

CHECKSUM = "checksum"
"""The key of the checksum in a sealed document. Its value is the hex sha256 of all other keys and values."""


def sealed(document: Mapping[str, Any]) -> str:
    """The document as JSON text with its checksum. Raises ValueError for numbers that JSON does not have."""
    return json.dumps({**document, CHECKSUM: _digest(document)}, indent=1, allow_nan=False) + "\n"


def parse(content: bytes) -> dict[str, Any]:
    """A JSON object, without a look at its checksum. Raises ValueError."""
    with _nesting():
        document = json.loads(
            content, object_pairs_hook=_distinct, parse_constant=_no_constant, parse_float=_finite
        )
    if not isinstance(document, dict):
        raise ValueError(f"it holds a {type(document).__name__}, not an object")
    return document


def unsealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without its checksum. Raises ValueError where the checksum is missing or does not fit."""
    content = {key: value for key, value in document.items() if key != CHECKSUM}
    if CHECKSUM not in document:
        raise ValueError("its checksum is missing")
    with _nesting():
        digest = _digest(content)
    if document[CHECKSUM] != digest:
        raise ValueError("changed since it was written (its checksum differs)")
    return content


def digest_of(text: str) -> str:
    """Hex sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(content: Mapping[str, Any]) -> str:
    return digest_of(json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False))


@contextmanager
def _nesting() -> Iterator[None]:
    """Turn the RecursionError of a document with too many objects in one another into a ValueError."""
    try:
        yield
    except RecursionError:
        raise ValueError("its lists or objects are nested too deep") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is too large for a number")
    return number
