"""docs/send-a-part.md and docs/api.md: every line and program runs against a real server, in order."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.readers import read_files
from tests.conftest import SMALL
from tests.faults.warm import Warm
from tests.reader import DOCUMENTED_ADDRESS, ROOT, Desk, code_blocks, lines_of, server
from tests.service import stand_in

INTEGRATOR = ROOT / "docs" / "send-a-part.md"
API = ROOT / "docs" / "api.md"
COMPILER = shutil.which("mcs")
"""Mono's C# compiler, from Debian's package mono-mcs."""


@pytest.fixture(scope="module")
def folder(small_product: Path, small_banks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the pages' reader has it: one part in two forms, a folder of two, two versions."""
    folder = tmp_path_factory.mktemp("desk")
    defect = next(path for path in sorted((small_product / "test").iterdir()) if path.name != "good")
    rgb, xyz = (next((defect / kind).iterdir()) for kind in ("rgb", "xyz"))
    shutil.copy(rgb, folder / "part.png")
    shutil.copy(xyz, folder / "part.tiff")
    sample = read_files({"rgb": rgb, "xyz": xyz})
    np.savez(folder / "part.npz", rgb=sample.rgb, xyz=sample.xyz)
    shutil.copytree(small_product / "validation" / "good", folder / "parts")
    shutil.copytree(small_product / "validation" / "good", folder / "line" / "monday")
    banks = folder / "banks"
    shutil.copytree(small_banks, banks, symlinks=True)
    shutil.copytree(banks / SMALL / "v1", banks / SMALL / "v2")
    return folder


@pytest.fixture(scope="module")
def desk(folder: Path, warm: Warm) -> Iterator[Desk]:
    """The folder with a server of its banks."""
    serve = ".venv/bin/tribank serve --banks banks --state state"
    hook = f"{stand_in.__name__}:{stand_in.builds_wait.__name__}"
    with server(warm, folder, serve, hook, TRIBANK_PARTS_DIR="line") as desk:
        yield desk


@pytest.mark.slow
def test_every_line_for_the_integrator_works(desk: Desk) -> None:
    for line in lines_of(INTEGRATOR):
        answer = json.loads(desk.type(line))
        assert (answer["part_id"], answer["threshold_source"]) == ("board-000123", "calibration")


@pytest.fixture(params=["python", "csharp"])
def program(request: pytest.FixtureRequest, desk: Desk, tmp_path: Path) -> list[str]:
    """The page's program in this language, for the desk's server; what follows are its arguments."""
    (text,) = code_blocks(INTEGRATOR, request.param)
    text = re.sub(r"(LINE_WAITS_S = |LineWaits = TimeSpan.FromSeconds\()20", r"\g<1>100", desk.here(text))
    if request.param == "python":
        return [sys.executable, "-c", text]
    if COMPILER is None:
        pytest.skip("needs mono-mcs")
    source, made = tmp_path / "score.cs", tmp_path / "score.exe"
    source.write_text(text)
    subprocess.run([COMPILER, "-r:System.Net.Http", f"-out:{made}", source], check=True, capture_output=True)
    return ["mono", str(made)]


@pytest.mark.slow
def test_the_integrators_program_accepts_good_parts_alone(
    desk: Desk, program: list[str], small_product: Path
) -> None:
    def status(rgb: Path, xyz: Path) -> int:
        return subprocess.run([*program, rgb, xyz, "board-1"], capture_output=True).returncode

    good = small_product / "train" / "good"
    image, cloud = good / "rgb" / "000.png", good / "xyz" / "000.tiff"
    threshold = f"{DOCUMENTED_ADDRESS}/v1/products/myproduct/versions/v1/threshold"
    assert status(image, cloud) == 0
    assert status(cloud, image) == 1, "a request that cannot be answered"
    desk.type(f"curl -sS -X PUT --json '{{\"threshold\": 0}}' {threshold}")
    assert status(image, cloud) == 1, "a part above the threshold"
    desk.type(f"curl -sS -X DELETE {threshold}")


@pytest.mark.slow
def test_every_line_of_the_api_page_works(desk: Desk) -> None:
    told: dict[str, str] = {}
    names = {"JOB": "", "RESULT": "", "REJECT": ""}
    lines = lines_of(API)
    for line in lines:
        told[line] = desk.type(line, **names)
        if line == lines[0]:
            names["RESULT"] = json.loads(told[line])["result_id"]
        if line == lines[1]:
            names["REJECT"] = json.loads(told[line])["result_id"]
        if "respond-async" in line:
            names["JOB"] = json.loads(told[line])["job_id"]
    first, named = list(told.values())[:2]
    assert json.loads(first)["threshold_source"] == "calibration"
    assert (json.loads(named)["part_id"], json.loads(named)["threshold"]) == ("board-000123", 0.5)
    assert json.loads(named)["decision"] == "defective"
    listed = json.loads(_told(told, "results?part_id="))["results"]
    assert json.loads(named)["result_id"] in [one["result_id"] for one in listed]
    assert json.loads(_told(told, "/feedback"))["verdict"] == "good"
    assert (desk.folder / "small.jpg").read_bytes().startswith(b"\xff\xd8")
    assert (desk.folder / "results.csv").read_text().count(json.loads(first)["result_id"]) == 1
    assert (desk.folder / "heatmap.png").read_bytes().startswith(b"\x89PNG")
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
