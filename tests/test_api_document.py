"""docs/api.md: every line is typed against a real server, in the order of the page."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pytest

from models.readers.files import read_pair
from tests.conftest import SMALL

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "api.md").read_text()
LINES = [line for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture
def desk(small_product: Path, small_banks: Path, tmp_path: Path) -> Path:
    """A folder as the page's reader has it: one part in two forms, a folder of two, two versions."""
    defect = next(path for path in sorted((small_product / "test").iterdir()) if path.name != "good")
    rgb, xyz = (next((defect / kind).iterdir()) for kind in ("rgb", "xyz"))
    shutil.copy(rgb, tmp_path / "part.png")
    shutil.copy(xyz, tmp_path / "part.tiff")
    sample = read_pair(rgb, xyz)
    np.savez(tmp_path / "part.npz", rgb=sample.rgb, xyz=sample.xyz)
    shutil.copytree(small_product / "validation" / "good", tmp_path / "parts")
    shutil.copytree(small_product / "validation" / "good", tmp_path / "line" / "monday")
    banks = tmp_path / "banks"
    shutil.copytree(small_banks, banks, symlinks=True)
    shutil.copytree(banks / SMALL / "v1", banks / SMALL / "v2")
    return tmp_path


@pytest.fixture
def address(desk: Path, free_port: int) -> Iterator[str]:
    """A server of the desk's banks."""
    serve = [sys.executable, "-m", "tribank", "serve", "--port", str(free_port)]
    server = subprocess.Popen(
        [*serve, "--banks", "banks", "--state", "state"],
        cwd=desk,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TRIBANK_PARTS_DIR": "line"},
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{free_port}"
    try:
        _wait(address)
        yield address
    finally:
        server.terminate()
        assert server.wait(60) == 0


def _wait(address: str) -> None:
    for _ in range(600):
        try:
            with urlopen(f"{address}/readyz", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError("the server was not ready")


@pytest.mark.slow
def test_every_line_of_the_page_works(desk: Path, address: str) -> None:
    told: dict[str, str] = {}
    job, result, reject = "JOB", "RESULT", "REJECT"
    for line in LINES:
        typed = (
            line.replace(ADDRESS, address)
            .replace("myproduct", SMALL)
            .replace("JOB", job)
            .replace("RESULT", result)
            .replace("REJECT", reject)
        )
        typed = typed.replace(".venv/bin/python", sys.executable)
        asks = typed.startswith("curl ")
        if asks:
            typed += " -w '%{stderr}%{http_code}'"
        done = subprocess.run(["bash", "-c", typed], cwd=desk, capture_output=True, text=True)
        assert done.returncode == 0, (line, done.stderr)
        assert not asks or re.fullmatch(r"20[0-4]", done.stderr), (line, done.stdout, done.stderr)
        told[line] = done.stdout
        if line == LINES[0]:
            result = json.loads(done.stdout)["result_id"]
        if line == LINES[1]:
            reject = json.loads(done.stdout)["result_id"]
        if "respond-async" in line:
            job = json.loads(done.stdout)["job_id"]
    first, named = list(told.values())[:2]
    assert json.loads(first)["threshold_source"] == "calibration"
    assert (json.loads(named)["part_id"], json.loads(named)["threshold"]) == ("board-000123", 0.5)
    assert json.loads(named)["decision"] == "defective"
    listed = json.loads(_told(told, "results?part_id="))["results"]
    assert json.loads(named)["result_id"] in [one["result_id"] for one in listed]
    assert json.loads(_told(told, "/feedback"))["verdict"] == "good"
    assert (desk / "small.jpg").read_bytes().startswith(b"\xff\xd8")
    assert (desk / "results.csv").read_text().count(json.loads(first)["result_id"]) == 1
    assert (desk / "heatmap.png").read_bytes().startswith(b"\x89PNG")
    by_protocol = json.loads(_told(told, "/infer"))
    assert by_protocol["outputs"][0]["data"] == [pytest.approx(json.loads(first)["score"])]
    results = _told(told, "/results")
    for answer in (_told(told, "-F parts=@parts.zip http"), results):
        scored = [json.loads(line) for line in answer.splitlines()]
        assert [line["part_id"] for line in scored] == ["000", "001"]
        assert all(line["score"] > 0 for line in scored)
    assert json.loads(_told(told, "/events").splitlines()[-1])["state"] == "done"
    builds = [json.loads(answer) for line, answer in told.items() if "/builds" in line]
    assert [(job["kind"], job["state"]) for job in builds] == 4 * [("build", "queued")]
    assert json.loads(_told(told, "/activate"))["active"] == "v2"
    assert json.loads(_told(told, "/rollback"))["active"] == "v1"


def _told(told: dict[str, str], piece: str) -> str:
    """What the first line with this piece in it answered."""
    return next(answer for line, answer in told.items() if piece in line)
