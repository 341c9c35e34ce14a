"""A request that is sent again: what its answer depends on, and the answer that is on record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from service.records.results import Result


class Answered(Exception):
    """The same request was answered before. result: what was said."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.id)
        self.result = result


def digest_of(fields: Mapping[str, bytes], part_id: str | None, threshold: float | None) -> str:
    """Of all that a part's answer depends on. Heavy."""
    digest = hashlib.sha256(json.dumps([part_id, threshold]).encode())
    for name in sorted(fields.keys() - {"part_id"}):
        digest.update(f"{name} {len(fields[name])} ".encode())
        digest.update(fields[name])
    return digest.hexdigest()
