"""Spans of requests for an OpenTelemetry collector: one span a request, and one for each stage of its part.

OpenTelemetry is the extra `telemetry`, so this module is imported only if spans are sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from service.http.trace_context import Trace, new_span_id

_ATTRIBUTES = {
    "method": "http.request.method",
    "status": "http.response.status_code",
    "route": "http.route",
    "client": "client.address",
    "product": "tribank.product",
    "part_id": "tribank.part_id",
    "result_id": "tribank.result_id",
    "bank_version": "tribank.bank_version",
    "score": "tribank.score",
    "threshold": "tribank.threshold",
    "decision": "tribank.decision",
    "code": "error.type",
}
"""Fields of a request's log line, and their attributes of a span (OpenTelemetry's names where it has one)."""
_CLOSE_MS = 2000


class SentSpans:
    """Spans that are sent to a collector by OTLP over HTTP.

    A thread of their own sends them. Spans are dropped while the collector cannot be reached and the queue
    (2,048 spans) is full. No request waits for a collector.
    """

    def __init__(self, processor: SpanProcessor) -> None:
        self._processor = processor
        self._resource = Resource.create({"service.name": "tribank", "service.version": version("tribank")})
        self._scope = InstrumentationScope("tribank", version("tribank"))

    @classmethod
    def to(cls, address: str) -> SentSpans:
        """Spans for the collector at this address, such as `service.settings.COLLECTOR`."""
        return cls(BatchSpanProcessor(OTLPSpanExporter(address)))

    def exchanged(
        self,
        trace: Trace,
        *,
        record: Mapping[str, Any],
        stages_ms: Mapping[str, float],
        ended_ns: int,
        seconds: float,
    ) -> None:
        """Take the spans of one request, if its caller keeps the trace.

        The stages of a part follow each other, so the spans of the stages do, too. The last stage ends with
        the request.

        Args:
            trace: the request's trace and span.
            record: fields of the request's log line.
            stages_ms: milliseconds of each stage of its part, in the order of the stages.
            ended_ns: when the answer ended, nanoseconds since 1970.
            seconds: how long the request took.
        """
        if not trace.sampled:
            return
        own = _context(trace.trace_id, trace.span_id, remote=False)
        caller = None if trace.parent_id is None else _context(trace.trace_id, trace.parent_id, remote=True)
        attributes = {
            name: record[field] for field, name in _ATTRIBUTES.items() if record.get(field) is not None
        }
        began_ns = ended_ns - round(seconds * 1e9)
        at_ns = max(began_ns, ended_ns - round(sum(stages_ms.values()) * 1e6))
        for stage, milliseconds in stages_ms.items():
            until_ns = at_ns + round(milliseconds * 1e6)
            context = _context(trace.trace_id, new_span_id(), remote=False)
            self._send(stage, context, own, at_ns, until_ns, {})
            at_ns = until_ns
        name = f"{record['method']} {record['route']}"
        self._send(name, own, caller, began_ns, ended_ns, attributes, server=True)

    def close(self) -> None:
        """Send what is left, for at most two seconds."""
        self._processor.force_flush(_CLOSE_MS)
        self._processor.shutdown()

    def _send(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        began_ns: int,
        ended_ns: int,
        attributes: Mapping[str, Any],
        *,
        server: bool = False,
    ) -> None:
        failed = attributes.get("http.response.status_code", 0) >= 500
        self._processor.on_end(
            ReadableSpan(
                name,
                context=context,
                parent=parent,
                resource=self._resource,
                attributes=attributes,
                kind=SpanKind.SERVER if server else SpanKind.INTERNAL,
                status=Status(StatusCode.ERROR if failed else StatusCode.UNSET),
                start_time=began_ns,
                end_time=ended_ns,
                instrumentation_scope=self._scope,
            )
        )


def _context(trace_id: str, span_id: str, *, remote: bool) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=remote, trace_flags=flags)
