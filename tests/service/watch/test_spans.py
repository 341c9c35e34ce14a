"""Spans of requests, as a collector gets them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from service.settings import BadSetting, Settings, read_settings

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP. spans: what came, in its order."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    raise AssertionError("the exporter compresses nothing unless it is told to")
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    named = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
                    collector.services.add(named["service.name"])
                    collector.spans += [span for scope in resource.scope_spans for span in scope.spans]
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


def _attributes(span: Span) -> dict[str, str | int]:
    return {pair.key: pair.value.string_value or pair.value.int_value for pair in span.attributes}


def test_a_request_is_a_span_of_its_callers_trace_and_each_stage_of_its_part_is_one(
    collector: Collector, strict_settings: Settings, loader: Any, serve: Callable[..., Any], part: Any
) -> None:
    settings = strict_settings.model_copy(update={"spans_to": collector.address})
    with serve(settings, loader) as running, running.client() as client:
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        scored = client.post("/v1/products/cookie/score", files=part, headers=headers)
        missing = client.get("/v1/products/nothing")
        unkept = client.get("/v1/products", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
        client.get("/healthz")
    assert (scored.status_code, missing.status_code) == (200, 404)
    requests = [span for span in collector.spans if span.kind == Span.SPAN_KIND_SERVER]
    assert [span.name for span in requests] == [
        "POST /v1/products/{product}/score",
        "GET /v1/products/{product}",
    ]
    first, second = requests
    assert (first.trace_id.hex(), first.parent_span_id.hex()) == (TRACE, PARENT)
    assert scored.headers["traceresponse"] == f"00-{TRACE}-{first.span_id.hex()}-01"
    told = _attributes(first)
    assert told["http.response.status_code"] == 200
    assert told["tribank.decision"] == scored.json()["decision"]
    assert told["tribank.bank_version"] == scored.json()["bank_version"]
    stages = [span for span in collector.spans if span.parent_span_id == first.span_id]
    assert {"receive", "decode", "queue", "encode"} <= {span.name for span in stages}
    assert all(span.trace_id == first.trace_id for span in stages)
    for before, after in pairwise(stages):
        assert before.end_time_unix_nano == after.start_time_unix_nano
    assert first.start_time_unix_nano <= stages[0].start_time_unix_nano
    assert stages[-1].end_time_unix_nano <= first.end_time_unix_nano + 1_000_000
    assert (second.parent_span_id, _attributes(second)["error.type"]) == (b"", "unknown_product")
    assert missing.headers["traceresponse"].split("-")[1:3] == [second.trace_id.hex(), second.span_id.hex()]
    assert unkept.headers["traceresponse"].endswith("-00")
    assert collector.services == {"tribank"}


def test_without_a_collector_parts_are_scored_all_the_same(
    strict_settings: Settings, loader: Any, serve: Callable[..., Any], part: Any
) -> None:
    settings = strict_settings.model_copy(update={"spans_to": "http://127.0.0.1:9/v1/traces"})
    with serve(settings, loader) as running, running.client() as client:
        assert client.post("/v1/products/cookie/score", files=part).status_code == 200


@pytest.mark.parametrize("address", ["collector:4318", "http://", "ftp://collector/v1/traces"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(BadSetting):
        read_settings(spans_to=address)
