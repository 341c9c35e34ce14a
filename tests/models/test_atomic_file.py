"""Files replaced in one step: whole or as before, with the user's usual mode, and nothing left over."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.atomic_file import PRIVATE, replacing, write_atomically


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_files_have_the_users_usual_mode(tmp_path: Path) -> None:
    write_atomically(tmp_path / "text", "of the plant: Gehäuse")
    with replacing(tmp_path / "tensors") as fresh:
        save_file({"a": torch.zeros(3)}, fresh)  # which writes 0600
    write_atomically(tmp_path / "secret", b"x", mode=PRIVATE)
    assert [_mode(tmp_path / name) for name in ("text", "tensors", "secret")] == [0o640, 0o640, 0o600]
    assert (tmp_path / "text").read_text("utf-8") == "of the plant: Gehäuse"


def _fail_halfway(file: Path) -> None:
    with replacing(file) as fresh:
        fresh.write_text("half of the n")
        raise OSError("the disk is full")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(OSError, match="full"):
        _fail_halfway(file)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
