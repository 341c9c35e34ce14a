"""W3C Trace Context: the trace of a request. Logs of several services can be joined by the trace."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

RESPONSE = "traceresponse"
"""The header of an answer that names the trace of its request (a draft of Trace Context)."""
_FIELDS = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?\Z")


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace and this server's span in the trace.

    trace_id: from the caller, 32 hexadecimal digits. span_id: of this request, 16 hexadecimal digits.
    """

    trace_id: str
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def of(cls, given: Sequence[str]) -> Trace | None:
        """The trace in the request's `traceparent` headers. None without a single valid header.

        The standard says to ignore an invalid header. A later version of the header may have further fields.
        """
        found = _FIELDS.match(given[0]) if len(given) == 1 else None
        if found is None or (found[1] == "00" and found[3] is not None):
            return None
        return cls(found[2])

    @property
    def response(self) -> str:
        """The value of the answer's header. Its flags say "not sampled": no span is sent to a collector."""
        return f"00-{self.trace_id}-{self.span_id}-00"
