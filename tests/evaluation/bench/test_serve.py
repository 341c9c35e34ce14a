from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SMALL
from tests.faults.bench import ended, served_by
from tests.faults.warm import Warm


@pytest.fixture
def address(small_banks: Path, tmp_path: Path, warm: Warm) -> Iterator[str]:
    """A server with a place for one part."""
    serve = ["serve", "--banks", str(small_banks), "--state", str(tmp_path / "state"), "--port", "0"]
    server = warm.start(serve, tmp_path / "served", {"TRIBANK_MAX_IN_FLIGHT": "1"})
    try:
        yield served_by(server).url
    finally:
        assert ended(server) == 0


@pytest.mark.slow
def test_more_than_a_service_can_score(address: str, small_product: Path, warm: Warm) -> None:
    part = small_product / "train" / "good"
    files = [next((part / kind).iterdir()) for kind in ("rgb", "xyz")]
    options = ["--url", address, "--seconds", "1", "--factor", "4"]
    status, said = warm.run("bench-serve", SMALL, *files, *options)
    assert status == 0, said
    report = json.loads(said)
    assert set(report["statuses"]) == {"200", "429"}
    assert report["refused_with_retry_after"] == report["statuses"]["429"]
    assert report["memory_mb"]["before"] > 0
    assert report["accepted_p99_ms"] >= report["accepted_p50_ms"] > 0
