from __future__ import annotations

from typing import Any

import pytest

from service.http.trace_context import Trace

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{PARENT}-01"


@pytest.mark.parametrize(
    ("given", "sampled"),
    [
        (VALID, True),
        (f"00-{TRACE}-{PARENT}-ff", True),
        (f"cc-{TRACE}-{PARENT}-01-more.of-it", True),
        (f"00-{TRACE}-{PARENT}-02", False),
    ],
)
def test_the_trace_of_a_valid_header(given: str, sampled: bool) -> None:
    trace = Trace.of([given])
    assert trace is not None
    assert (trace.trace_id, trace.parent_id, trace.sampled) == (TRACE, PARENT, sampled)
    assert trace.span_id != PARENT
    assert trace.response(sent=False) == f"00-{TRACE}-{trace.span_id}-00"
    assert trace.response(sent=True) == f"00-{TRACE}-{trace.span_id}-0{sampled:d}"


@pytest.mark.parametrize(
    "given",
    [
        [], [VALID, VALID], [""], ["00"], [VALID.upper()], [f"{VALID}\n"], [f" {VALID}"], [f"{VALID}-00"],
        [f"ff-{TRACE}-{PARENT}-01"], [f"00-{'0' * 32}-{PARENT}-01"], [f"00-{TRACE}-{'0' * 16}-01"],
        [f"00-{TRACE[1:]}-{PARENT}-01"], [f"00-{TRACE}-{PARENT}-1"], [f"cc-{TRACE}-{PARENT}-01x"],
        [f"00-{TRACE}-{PARENT}"], [f"0x-{TRACE}-{PARENT}-01"],
    ],
)  # fmt: skip
def test_what_is_not_valid_is_ignored(given: list[str]) -> None:
    assert Trace.of(given) is None


def test_a_trace_is_in_the_log_and_comes_back_beside_the_request_id(server: Any, part: Any) -> None:
    headers = {"traceparent": VALID, "X-Request-ID": "traced"}
    with server.client() as client:
        answers = [
            client.post("/v1/products/cookie/score", files=part, headers=headers),
            client.get("/v1/products/nothing", headers=headers),
        ]
        untraced = client.get(
            "/v1/products", headers={"traceparent": "00-nonsense", "X-Request-ID": "untraced"}
        )
    assert [answer.status_code for answer in answers] == [200, 404]
    lines = [line for line in server.log if line.get("request_id") == "traced"]
    for answer, line in zip(answers, lines, strict=True):
        assert answer.headers["x-request-id"] == "traced"
        assert answer.headers["traceresponse"] == f"00-{TRACE}-{line['span_id']}-00"
        assert line["trace_id"] == TRACE
    assert lines[0]["span_id"] != lines[1]["span_id"]
    assert "traceresponse" not in untraced.headers
    (line,) = [line for line in server.log if line.get("request_id") == "untraced"]
    assert "trace_id" not in line
