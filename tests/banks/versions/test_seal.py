"""Sealed documents: the same when only the layout changed, refused when anything else did."""

from __future__ import annotations

import json

import pytest

from banks.versions.seal import CHECKSUM, parse, sealed, unsealed

DOCUMENT = {"v1": {"threshold": 2.5}, "name": "Gehäuse", "bits": [1, 0.1, None, True]}


def test_a_document_comes_back_whatever_its_layout() -> None:
    text = sealed(DOCUMENT)
    assert unsealed(parse(text.encode())) == DOCUMENT
    assert unsealed(parse(json.dumps(json.loads(text), sort_keys=True).encode())) == DOCUMENT


def test_every_flipped_bit_is_refused() -> None:
    content = sealed(DOCUMENT).encode()
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            found = unsealed(parse(bytes(damaged)))
        except ValueError:
            continue
        assert found == DOCUMENT, "only blank space may differ"


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"a": NaN}', '{"a": 1, "a": 1}', '{"a": 1}', f'{{"{CHECKSUM}": 1}}']
)
def test_what_is_no_sealed_document_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says something else
        unsealed(parse(text.encode()))
