"""W3C Trace Context: the trace of a request. It joins the logs and the spans of several services."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

RESPONSE = "traceresponse"
"""The header of an answer that names the trace of its request (a draft of Trace Context)."""
_FIELDS = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\Z"
)
_SAMPLED = 1


def new_span_id() -> str:
    """The id of one more span, 16 hexadecimal digits."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace and this server's span in the trace.

    trace_id: from the caller, 32 hexadecimal digits. span_id: of this request, 16 hexadecimal digits.
    parent_id: the caller's span; None where this server began the trace.
    sampled: whether the caller's spans of this trace are kept.
    """

    trace_id: str
    span_id: str = field(default_factory=new_span_id)
    parent_id: str | None = None
    sampled: bool = True

    @classmethod
    def of(cls, given: Sequence[str]) -> Trace | None:
        """The trace in the request's `traceparent` headers. None without a single valid header.

        The standard says to ignore an invalid header. A later version of the header may have further fields.
        """
        found = _FIELDS.match(given[0]) if len(given) == 1 else None
        if found is None or (found[1] == "00" and found[5] is not None):
            return None
        return cls(found[2], parent_id=found[3], sampled=bool(int(found[4], 16) & _SAMPLED))

    @classmethod
    def new(cls) -> Trace:
        """A trace that begins here."""
        return cls(secrets.token_hex(16))

    def response(self, *, sent: bool) -> str:
        """The value of the answer's header. sent: whether this server sends spans to a collector."""
        return f"00-{self.trace_id}-{self.span_id}-{int(sent and self.sampled):02x}"
