from __future__ import annotations

from typing import Any

import httpx
import pytest

from service.http.access import PUBLIC
from tests.service.document import document

KNOWN = {"product": "cookie", "version": "v1", "job_id": "1" * 32, "result_id": "2" * 32}
OPERATIONS = [(method, path) for path, operations in document()["paths"].items() for method in operations]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_unknown_parameter_is_refused_by_every_route(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path.format(**KNOWN), params={"versoin": "v1"})
    if path in PUBLIC:
        assert answer.status_code == 200
        return
    assert answer.status_code == 422
    assert "versoin" in (answer.json().get("detail") or answer.json()["error"])


def test_a_repeated_parameter_is_refused(client: httpx.Client, part: Any) -> None:
    path = "/v1/products/cookie/score"
    told = client.post(f"{path}?threshold=0.1&threshold=0.9", files=part).json()
    assert (told["status"], told["code"]) == (422, "invalid_parameter")
    assert "threshold" in told["detail"]
    assert client.post(f"{path}?threshold=0.1", files=part).status_code == 200


def test_a_query_that_is_not_utf_8_is_refused(client: httpx.Client, part: Any) -> None:
    """As text with other characters in its place, two names would be one."""
    path = "/v1/products/cookie/score"
    told = client.post(f"{path}?part_id=St%FCck", files=part).json()
    assert (told["status"], told["code"]) == (422, "invalid_parameter")
    assert client.get("/v1/results?part_id=St%FCck").json()["code"] == "invalid_parameter"
    assert client.post(f"{path}?part_id=St%C3%BCck", files=part).json()["part_id"] == "Stück"


def test_the_page_opens_whatever_its_address_says(client: httpx.Client) -> None:
    assert client.get("/?from=mail").status_code == 200
