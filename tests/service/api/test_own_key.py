"""A client learns what its key may do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from service.http.keys import Keys
from service.settings import Settings


def test_what_a_key_may_do(serve: Callable[..., Any], loader: Any, tmp_path: Path) -> None:
    ends = datetime.now(UTC) + timedelta(days=1)
    secret = Keys(tmp_path).add("desk", "label", products=["cookie"], expires=ends)
    with serve(Settings(banks=tmp_path), loader, state=tmp_path) as running, running.client() as client:
        assert client.get("/v1/key").status_code == 401
        answer = client.get("/v1/key", headers={"X-API-Key": secret}).json()
    assert datetime.fromisoformat(answer.pop("expires")) == ends
    assert answer == {"name": "desk", "role": "label", "products": ["cookie"]}


def test_without_keys_a_client_of_this_computer_manages(
    serve: Callable[..., Any], loader: Any, tmp_path: Path
) -> None:
    with serve(Settings(banks=tmp_path), loader) as running, running.client() as client:
        answer = client.get("/v1/key").json()
    assert answer == {"name": None, "role": "manage", "products": None, "expires": None}
