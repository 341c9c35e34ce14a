"""Requests that are sent again: the digest of a request, and the answer on record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from service.records.results import Result


class Answered(Exception):
    """The same request was answered before. result: the result on record."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.id)
        self.result = result


def digest_of(
    fields: Mapping[str, bytes],
    part_id: str | None,
    threshold: float | None,
    labels: Mapping[str, str],
) -> str:
    """SHA-256, in hexadecimal, of everything on which a part's answer depends. Call on the decode pool.

    fields: the form's fields.
    part_id: the client's name for the part.
    threshold: the request's own threshold.
    labels: the part's labels.
    """
    asked = [part_id, threshold, *([dict(labels)] if labels else [])]
    digest = hashlib.sha256(json.dumps(asked).encode())
    for name in sorted(fields.keys() - {"part_id"}):
        digest.update(f"{name} {len(fields[name])} ".encode())
        digest.update(fields[name])
    return digest.hexdigest()
