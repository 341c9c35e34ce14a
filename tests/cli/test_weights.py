"""`tribank weights` as a person meets it, without a network."""

from __future__ import annotations

import pickle
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from cli.weights import app
from models.weights.store import WeightStore


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str, timeout: float) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


def test_list_names_every_set_of_weights() -> None:
    result = CliRunner().invoke(app, ["list"], env={"COLUMNS": "160"})
    assert result.exit_code == 0
    for name in ("efficientnet_lite1", "dino_vitb8", "pointmae", "pointbert", "uff"):
        assert name in result.output


@pytest.mark.usefixtures("offline")
def test_fetch_without_internet_says_what_to_copy_where(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["fetch", "dino_vitb8", "--dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "dino_vitbase8_pretrain.pth" in result.output
    assert str(tmp_path) in result.output
    assert not list(tmp_path.iterdir())


def test_fetch_of_weights_without_an_address_names_the_page(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["fetch", "uff", "--dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "github.com/nomewang/M3DM" in result.output


def test_add_then_verify(tmp_path: Path) -> None:
    source = WeightStore().find("efficientnet_lite0")
    assert source is not None
    added = CliRunner().invoke(app, ["add", str(source), "--dir", str(tmp_path)])
    assert added.exit_code == 0
    assert "the official file" in added.output
    verified = CliRunner().invoke(app, ["verify", "--dir", str(tmp_path)], env={"COLUMNS": "160"})
    assert verified.exit_code == 0
    assert "efficientnet_lite0.safetensors" in verified.output


def test_verify_says_which_file_has_no_checksum(tmp_path: Path) -> None:
    tensors = WeightStore().load("efficientnet_lite0")
    kept = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(kept, tmp_path / "efficientnet_lite0.safetensors", metadata={"sha256": "0" * 64})
    verified = CliRunner().invoke(app, ["verify", "--dir", str(tmp_path)], env={"COLUMNS": "200"})
    assert verified.exit_code == 0
    assert "checksum" in verified.output


def test_verify_fails_for_a_file_that_is_something_else(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(2)}, tmp_path / "dino_deitsmall8_pretrain.pth")
    result = CliRunner().invoke(app, ["verify", "--dir", str(tmp_path)], env={"COLUMNS": "200"})
    assert result.exit_code == 1
    assert "missing" in result.output


def test_add_of_an_unknown_file_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "mine.pth"
    torch.save({"a": torch.zeros(2)}, file)
    result = CliRunner().invoke(app, ["add", str(file), "--dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "dino_vitb8" in result.output


@pytest.mark.parametrize("content", [b"<html>no such file</html>", pickle.dumps(Path("x"), protocol=2), b""])
def test_add_of_a_file_of_something_else_gives_no_unsafe_advice(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "mine.pth"
    file.write_bytes(content)
    result = CliRunner().invoke(app, ["add", str(file), "--dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "mine.pth" in result.output
    assert "weights_only" not in result.output


def test_verify_of_a_folder_that_does_not_exist_finds_no_sound_weights(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["verify", "--dir", str(tmp_path / "mistyped")])
    assert isinstance(result.exception, FileNotFoundError)
