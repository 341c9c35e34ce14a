"""`tribank doctor`: quiet about a sound machine; of each fault it says what is wrong and how to fix it."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path

import faiss
import pytest
import torch
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from cli import checks as doctor
from cli.main import app
from models.weights.catalogue import WEIGHTS
from service.settings import Settings
from tests.conftest import SMALL


def _ask(tmp_path: Path, port: int, *more: str) -> Result:
    banks, state, weights = (str(tmp_path / name) for name in ("banks", "state", "weights"))
    where = ["--banks", banks, "--state", state, "--weights-dir", weights, "--port", str(port)]
    return CliRunner().invoke(app, ["doctor", *where, *more])


def test_a_sound_machine(small_banks: Path, tmp_path: Path, free_port: int) -> None:
    shutil.copytree(small_banks, tmp_path / "banks", symlinks=True)
    answer = _ask(tmp_path, free_port)
    assert answer.exit_code == 0, answer.output
    assert f"banks: {SMALL} v1 (active): complete, profile embedded" in answer.output
    assert "0 bad" in answer.output.splitlines()[-1]


def test_every_fault_is_told_with_its_remedy(small_banks: Path, tmp_path: Path) -> None:
    shutil.copytree(small_banks, tmp_path / "banks", symlinks=True)
    bank = tmp_path / "banks" / SMALL / "v1" / "rgb.faiss"
    bank.write_bytes(bank.read_bytes()[:-1] + b"x")
    (tmp_path / "state").write_text("a file where a folder should be")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / WEIGHTS["pointmae"].files[0]).write_bytes(b"half a download")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        answer = _ask(tmp_path, other.getsockname()[1], "--json")
    assert answer.exit_code == 1
    bad = {finding["check"]: finding for finding in json.loads(answer.stdout) if finding["state"] == "bad"}
    assert set(bad) == {"banks", "disk", "weights", "port"}
    assert "rgb.faiss: changed" in bad["banks"]["said"]
    assert "tribank weights fetch pointmae" in bad["weights"]["mend"]
    assert all(finding["mend"] for finding in bad.values())


def test_a_cache_is_looked_at_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = [
        list(doctor.folders(Settings(banks=tmp_path, state=tmp_path, cache=cache)))
        for cache in (None, tmp_path / "cache", tmp_path / "file")
    ]
    assert [len(findings) for findings in found] == [2, 3, 3]
    assert found[1][-1].message.startswith("cache")
    assert found[2][-1].state == "warn"


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    (finding,) = doctor.database(
        Settings(database=SecretStr(f"postgresql://me:secret@/records?host={tmp_path}"))
    )
    assert finding.state == "bad"
    assert "TRIBANK_DATABASE" in finding.fix
    assert "secret" not in finding.message
    assert list(doctor.database(Settings())) == []


def test_others_reach_a_server_without_keys(tmp_path: Path) -> None:
    (finding,) = doctor.access(Settings(host="0.0.0.0", state=tmp_path))
    assert (finding.state, finding.fix) == ("bad", "tribank keys add NAME --role manage")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_gpu_that_is_not_there() -> None:
    (finding,) = doctor.device(Settings(device="cuda"))
    assert finding.state == "bad"


def test_a_gpu_that_the_libraries_cannot_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 'GPU 0: as good as any'\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (finding,) = doctor.device(Settings(device="auto"))
    assert (finding.state, "torch sees no GPU" in finding.message) == ("warn", True)
    assert "TRIBANK_HARDWARE=gpu scripts/setup" in finding.fix
    (finding,) = doctor.device(Settings(device="cpu"))
    assert finding.state == "ok"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (1e9, 2e9))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "GPU")
    monkeypatch.delattr(faiss, "StandardGpuResources", raising=False)
    for device, state in (("auto", "bad"), ("cuda", "bad"), ("cpu", "warn")):
        gpu, search = doctor.device(Settings(device=device))
        assert (gpu.state, search.state) == ("ok", state)
        assert "faiss-cpu" in search.message


def test_libraries_other_than_tested_and_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpu.txt").write_text("numpy==1.0\nscipy==0.1\nnot-installed==3\n")
    monkeypatch.setattr(doctor, "CONSTRAINTS", tmp_path)
    monkeypatch.setitem(doctor.SYSTEM_LIBRARIES, "libnone.so.1", "libnone1")
    said = [
        finding.message.split(" is ")[0] for finding in doctor.versions(Settings()) if finding.state == "warn"
    ]
    assert said == ["numpy", "scipy"]
    (finding,) = doctor.system_libraries(Settings())
    assert finding.fix == "sudo apt-get install libnone1"


def test_an_active_version_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "banks" / "cookie").mkdir(parents=True)
    (tmp_path / "banks" / "cookie" / "current").write_text("v9\n")
    (finding,) = doctor.banks(Settings(banks=tmp_path / "banks", state=tmp_path))
    assert (finding.state, "v9" in finding.message) == ("bad", True)
