from __future__ import annotations

from pathlib import Path

import pytest

from service.records.server_name import server_name


def test_a_server_keeps_its_name(tmp_path: Path) -> None:
    names = [server_name(folder) for folder in (tmp_path, tmp_path)]
    assert len({*names}) == 1
    assert names[0]


def test_a_disk_that_is_full_for_a_moment_gives_no_two_servers_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / "left", tmp_path / "right"]
    for folder in folders:
        folder.mkdir()
        with monkeypatch.context() as full:
            full.setattr("pathlib.Path.write_bytes", _refused)
            with pytest.raises(OSError, match="full"):
                server_name(folder)
    (folders[1] / "server").touch()  # as older sources left it
    assert len({server_name(folder) for folder in folders}) == 2
    assert not list(tmp_path.rglob(".*"))


def _refused(*_: object) -> int:
    raise OSError(28, "full")
