from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.conftest import SMALL

ROOT = Path(__file__).parents[3]
TRIBANK = [sys.executable, str(ROOT / "tribank.py")]


@pytest.fixture
def address(small_banks: Path, tmp_path: Path, free_port: int) -> Iterator[str]:
    """A server with a place for one part."""
    command = [*TRIBANK, "serve", "--banks", str(small_banks), "--state", str(tmp_path)]
    limits = {**os.environ, "TRIBANK_MAX_IN_FLIGHT": "1"}
    server = subprocess.Popen([*command, "--port", str(free_port)], env=limits, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{free_port}"
    try:
        for _ in range(600):
            try:
                urlopen(f"{address}/readyz", timeout=5).close()
                break
            except (URLError, OSError):
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        assert server.wait(60) == 0


@pytest.mark.slow
def test_more_than_a_service_can_score(address: str, small_product: Path) -> None:
    part = small_product / "train" / "good"
    files = [str(next((part / kind).iterdir())) for kind in ("rgb", "xyz")]
    command = [*TRIBANK, "bench-serve", SMALL, *files, "--url", address, "--seconds", "2", "--factor", "4"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert set(report["statuses"]) == {"200", "429"}
    assert report["refused_with_retry_after"] == report["statuses"]["429"]
    assert report["memory_mb"]["before"] > 0
    assert report["accepted_p99_ms"] >= report["accepted_p50_ms"] > 0
