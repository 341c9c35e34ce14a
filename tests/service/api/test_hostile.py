"""The table of hostile inputs (reliability, section 11), by row, through a real server.

Rows 27 to 72 beyond those here are the readers' and the preparation's; tests/models has them.
"""

from __future__ import annotations

import asyncio
import io
import json
import socket
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.answers.renderers import RENDERERS
from service.http.keys import Keys
from tests.service.document import document
from tests.waiting import until

URL = "/v1/products/cookie/score"
START = b"POST /v1/products/cookie/score HTTP/1.1\r\nHost: localhost\r\n"
SCRIPT = b"<script>alert('polyglot')</script>"
FORM = b"Content-Type: multipart/form-data; boundary=b\r\n"


def one(name: str, content: bytes, extra: bytes = b"") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"'.encode()
    return head + extra + b"\r\n\r\n" + content + b"\r\n"


def problem(answer: bytes) -> tuple[int, str]:
    """Status and code; there is exactly one answer, it is a problem, and it tells nothing of the machine."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1, answer[:200]
    assert b"application/problem+json" in head, answer[:300]
    told = json.loads(body)
    assert told["request_id"]
    assert told["detail"]
    assert "/work" not in body.decode()
    assert "Traceback" not in body.decode()
    return int(head.split()[1]), told["code"]


BODIES = {
    "1 no body": (b"", b"", 400),
    "2 JSON": (b"{}", b"Content-Type: application/json\r\n", 415),
    "3 no boundary": (b"x", b"Content-Type: multipart/form-data\r\n", 400),
    "4 boundary never appears": (b"x" * 100, FORM, 400),
    "4 boundary never closed": (one("rgb", b"1"), FORM, 400),
    "5 junk before": (b"x" * 2_000_000 + one("rgb", b"1") + b"--b--\r\n", FORM, 400),
    "5 junk after": (one("rgb", b"1") + b"--b--\r\n" + b"x" * 2_000_000, FORM, 400),
    "6 10,000 empty parts": (one("rgb", b"") * 10_000 + b"--b--\r\n", FORM, 413),
    "7 a part too large": (one("rgb", b"x" * 1_500_000) + b"--b--\r\n", FORM, 413),
    "8 a header of 1 MB": (one("rgb", b"1", b"\r\nX: " + b"x" * 1_000_000) + b"--b--\r\n", FORM, 400),
    "8 10,000 headers": (one("rgb", b"1", b"\r\nX: y" * 10_000) + b"--b--\r\n", FORM, 400),
    "9 rgb twice": (one("rgb", b"1") * 2 + b"--b--\r\n", FORM, 400),
    "10 xyz missing": (one("rgb", b"1") + b"--b--\r\n", FORM, 422),
    "11 unknown part": (one("rgb", b"1") + one("colour", b"1") + b"--b--\r\n", FORM, 400),
    "19 gzip": (b"\x1f\x8b" + b"x" * 100, FORM + b"Content-Encoding: gzip\r\n", 415),
    "27 rgb of 0 bytes": (one("rgb", b"") + one("xyz", b"1") + b"--b--\r\n", FORM, 422),
    "28 random bytes as rgb": (one("rgb", b"\x01" * 99) + one("xyz", b"1") + b"--b--\r\n", FORM, 415),
    "71 CR LF in a file name": (one("rgb", b"1", b'; filename="a\r\nX"') + b"--b--\r\n", FORM, 400),
    "72 intrinsics": (
        one("rgb", b"1") + one("depth", b"1") + one("intrinsics", b'{"fx": 1e999}') + b"--b--\r\n",
        FORM,
        422,
    ),
    "part_id with a line end": (one("sample", b"1") + one("part_id", b"a\nb") + b"--b--\r\n", FORM, 422),
    "sample and rgb": (one("sample", b"1") + one("rgb", b"1") + b"--b--\r\n", FORM, 400),
}


@pytest.mark.parametrize("row", BODIES)
def test_bodies(server: Any, row: str) -> None:
    body, headers, status = BODIES[row]
    answer = server.raw(START + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert problem(answer)[0] == status


def test_12_ten_gigabytes_are_refused_before_they_are_read(server: Any) -> None:
    """Who waited for them would answer 408: not one of them comes."""
    answer = server.raw(START + FORM + b"Content-Length: 10000000000\r\n\r\n")
    assert problem(answer) == (413, "body_too_large")


def test_13_endless_chunks_end_at_the_cap(server: Any) -> None:
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    first = one("sample", b"")[:-2]
    begin = START + FORM + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % len(first) + first + b"\r\n"
    assert problem(server.raw(begin + chunk * 100))[0] == 413


def test_14_a_body_of_one_byte_chunks_is_answered(server: Any, form: bytes) -> None:
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in form)
    answer = server.raw(START + FORM + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert answer.split()[1] == b"200", answer[:300]


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 5x\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"X Y: z\r\n",
    ],
)
def test_15_and_80_ambiguous_framing_is_400(server: Any, headers: bytes) -> None:
    answer = server.raw(
        START + FORM + headers + b"\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    assert problem(answer)[0] == 400


def test_16_a_body_that_stalls_is_408(server: Any) -> None:
    assert problem(server.raw(START + FORM + b"Content-Length: 500\r\n\r\n--b\r\n")) == (408, "body_timeout")


def test_17_a_body_that_drips_is_408(server: Any) -> None:
    with socket.create_connection((server.host, server.port), 10) as connection:
        connection.sendall(START + FORM + b"Content-Length: 500\r\n\r\n")
        for byte in one("rgb", b"1" * 40)[:15]:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)
        assert problem(connection.recv(65536)) == (408, "body_timeout")


def test_17_a_head_that_drips_is_408(server: Any) -> None:
    assert problem(server.raw(b"POST /v1/products/cookie/sc")) == (408, "head_timeout")


def test_18_a_client_that_leaves_mid_upload_is_logged(server: Any) -> None:
    with socket.create_connection((server.host, server.port), 5) as connection:
        connection.sendall(START + FORM + b"X-Request-ID: left\r\nContent-Length: 500\r\n\r\n--b\r\n")
        time.sleep(0.1)
    assert until(lambda: logged(server, "left"), "the line of who left") == [499]


def logged(server: Any, request_id: str) -> list[int]:
    """Statuses of the log lines of one request."""
    return [line["status"] for line in server.log if line.get("request_id") == request_id]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"GET /" + b"x" * 65_536 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", {414, 431}),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 65_536 + b"\r\n\r\n", {431}),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 12_000 + b"\r\n", {431}),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000, {431}),
        (b"nonsense\r\n\r\n", {400}),
        (b"GET /\x00 HTTP/1.1\r\n\r\n", {400}),
    ],
)
def test_20_heads(server: Any, head: bytes, expected: set[int]) -> None:
    assert problem(server.raw(head))[0] in expected


@pytest.mark.parametrize(
    "product",
    [
        "biscuit",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e%2f",
        "%00",
        "x" * 10_000,
        "CON",
        "%F0%9F%8D%AA",
        "Cookie",
        "%ff",
    ],
)
def test_23_and_24_unknown_products_are_404(server: Any, form: bytes, product: str) -> None:
    path = f"/v1/products/{product}/score".encode()
    assert problem(server.post(form, path=path))[0] == 404


def test_26_get_is_405_with_allow(client: httpx.Client) -> None:
    answer = client.get(URL)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_26_allow_names_every_method_of_an_address(client: httpx.Client) -> None:
    for path, operations in document()["paths"].items():
        answer = client.request(
            "PATCH", path.format(product="cookie", version="v1", job_id="1", result_id="1")
        )
        told = {method.upper() for method in operations} | ({"HEAD"} if "get" in operations else set())
        assert (answer.status_code, answer.headers["allow"]) == (405, ", ".join(sorted(told)))


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("index.html", content)
    return file.getvalue()


@pytest.mark.parametrize("tail", [zipped(SCRIPT), SCRIPT], ids=["ZIP", "JS"])
def test_40_what_follows_the_image_is_ignored_and_never_echoed(
    client: httpx.Client, part: Any, tail: bytes
) -> None:
    polyglot = {name: content + tail for name, content in part.items()}
    plain, told = (client.post(URL, files=files).json() for files in (part, polyglot))
    assert told["score"] == plain["score"]
    for media_type in RENDERERS:
        answer = client.post(URL, files=polyglot, headers={"Accept": media_type})
        assert answer.status_code == 200, answer.text
        assert SCRIPT not in answer.content
    assert SCRIPT not in client.get(f"/v1/results/{told['result_id']}/picture").content
    assert zipfile.is_zipfile(io.BytesIO(polyglot["rgb"])) == (tail != SCRIPT)


def test_54_sizes_that_differ_name_the_field(client: httpx.Client, part: Any) -> None:
    files = {"rgb": part["rgb"], "xyz": ("x", npy(np.ones((64, 64, 3), np.float32)))}
    told = client.post(URL, files=files).json()
    assert (told["status"], told["code"], told["part"]) == (422, "size_mismatch", "xyz")


def test_58_an_archive_as_cloud_is_415(client: httpx.Client, part: Any) -> None:
    told = client.post(URL, files=part | {"xyz": b"PK\x03\x04" + b"x" * 99}).json()
    assert (told["status"], told["part"]) == (415, "xyz")


def test_64_millimetres_are_422(client: httpx.Client, part: Any) -> None:
    files = part | {"xyz": npy(np.full((96, 128, 3), 700.0, np.float32))}
    assert client.post(URL, files=files).json()["code"] == "out_of_range"


def test_73_an_answer_nobody_can_give_is_406(client: httpx.Client, part: Any) -> None:
    assert client.post(URL, files=part, headers={"Accept": "text/plain"}).status_code == 406


def test_74_of_200_requests_at_once_some_are_429_and_none_fails(
    serve: Callable[..., Any], strict_settings: Any, loader: Any, part: Any, tmp_path: Path
) -> None:
    key = {"X-API-Key": Keys(tmp_path).add("line", "score")}

    async def flood(address: str) -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(
            base_url=address, headers=key, limits=limits, timeout=60, trust_env=False
        ) as client:
            return await asyncio.gather(*(client.post(URL, files=part) for _ in range(200)))

    settings = strict_settings.model_copy(update={"body_timeout_s": 30.0, "head_timeout_s": 30.0})
    with serve(settings, loader, state=tmp_path) as running, running.client(headers=key) as client:
        answers = asyncio.run(flood(running.url))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert {answer.status_code for answer in answers} == {200, 429}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
        assert {answer.json()["code"] for answer in refused} == {"overloaded"}
        assert client.post(URL, files=part).status_code == 200


def test_80_pipelined_requests_get_one_answer_each(server: Any) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with socket.create_connection((server.host, server.port), 5) as connection:
        connection.sendall(request * 2 + last)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.count(b"HTTP/1.1 200 OK") == 3


def test_80_http_1_0_is_answered(server: Any) -> None:
    assert server.raw(b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket"])
def test_80_upgrades_are_not_taken(server: Any, upgrade: bytes) -> None:
    head = (
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: "
        + upgrade
        + b"\r\n\r\n"
    )
    assert server.raw(head).split()[1] in (b"200", b"400")


def test_one_connection_serves_a_refused_and_a_good_part(client: httpx.Client, part: Any) -> None:
    assert client.post(URL, files=part | {"extra": b"x" * 500_000}).status_code == 400
    assert client.post(URL, files=part).status_code == 200


@given(noise=st.binary(max_size=2000), at=st.floats(0, 1), cut=st.integers(0, 5000))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_mutated_bodies_never_make_a_500(server: Any, form: bytes, noise: bytes, at: float, cut: int) -> None:
    where = int(at * len(form))
    answer = server.post(form[:where] + noise + form[where + cut :])
    assert int(answer.split()[1]) < 500, answer[:500]


@given(noise=st.binary(min_size=1, max_size=500))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_random_requests_never_make_a_500(server: Any, noise: bytes) -> None:
    answer = server.raw(noise + b"\r\n\r\n\r\n", end=True, timeout=3)
    assert not answer or int(answer.split()[1]) < 500


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_head_answers_as_get_does_without_the_body(client: httpx.Client) -> None:
    for url in ("/healthz", "/readyz", "/", "/console/console.js", "/v1/products", "/openapi.json", "/v2"):
        got, head = client.get(url), client.head(url)
        assert (head.status_code, head.content) == (got.status_code, b""), url
        assert head.headers["content-length"] == got.headers["content-length"]
    assert client.head("/v1/products/none").status_code == 404
    refused = client.head("/v1/products/cookie/score")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


def test_the_head_of_a_stream_holds_no_place(server: Any, client: httpx.Client) -> None:
    assert client.head("/v1/results.csv").status_code == 200
    until(lambda: server.app.state.shared.exports.inside == 0, "the place of the table")
