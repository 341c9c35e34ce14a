"""W3C Trace Context: the trace that a request belongs to, so that a log of many services can be joined."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

RESPONSE = "traceresponse"
"""What says in an answer which trace the request was taken into, of the Trace Context drafts."""
_FIELDS = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?\Z")


@dataclass(frozen=True, slots=True)
class Trace:
    """trace_id: the caller's, 32 hexadecimal digits. span_id: this exchange's within it, 16 of them."""

    trace_id: str
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def of(cls, given: Sequence[str]) -> Trace | None:
        """By the request's `traceparent` headers; None where there is not one, or it is not valid, which the
        standard says to ignore. A later version may bring fields that are not known here."""
        found = _FIELDS.match(given[0]) if len(given) == 1 else None
        if found is None or (found[1] == "00" and found[3] is not None):
            return None
        return cls(found[2])

    @property
    def response(self) -> str:
        """The answer's header. Its flags say "not sampled": no span is sent to any collector from here."""
        return f"00-{self.trace_id}-{self.span_id}-00"
