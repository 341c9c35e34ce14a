"""The entries of a zip are counted in its directory, not in its content."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from models.readers import ReadLimits
from service.archives import ArchiveLimits, PartsArchive
from service.problems import Refusal

LIMITS = ArchiveLimits(entries=4, bytes=1 << 20)


def _zip(file: Path, part: dict[str, bytes], *, comment: bytes = b"", noise: bytes = b"") -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("rgb/0.png", part["rgb"] + noise)
        archive.writestr("xyz/0.tiff", part["xyz"])
        archive.comment = comment
    return file


def _refusal(file: Path) -> tuple[int, str]:
    with pytest.raises(Refusal) as caught:
        PartsArchive(file, LIMITS)
    return caught.value.status, caught.value.code


def test_what_looks_like_entries_within_a_file_counts_for_none(
    tmp_path: Path, part: dict[str, bytes]
) -> None:
    file = _zip(tmp_path / "noise.zip", part, comment=b"made by hand", noise=b"PK\x01\x02" * 100)
    archive = PartsArchive(file, LIMITS)
    assert archive.read(archive.parts[0], ReadLimits())["xyz"] == part["xyz"]
    archive.close()


def test_a_zip_with_a_large_directory_is_refused_whatever_its_count_says(tmp_path: Path) -> None:
    file = tmp_path / "many.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(5):
            archive.writestr(f"{number}.txt", b"")
    honest = bytearray(file.read_bytes())
    end = honest.rfind(b"PK\x05\x06")
    struct.pack_into("<HH", honest, end + 8, 1, 1)
    file.write_bytes(honest)
    assert _refusal(file) == (413, "too_many_entries")
    struct.pack_into("<I", honest, end + 12, 1 << 31)
    file.write_bytes(honest)
    assert _refusal(file) == (413, "too_many_entries")


def test_what_ends_in_no_record_is_unreadable(tmp_path: Path, part: dict[str, bytes]) -> None:
    file = _zip(tmp_path / "cut.zip", part)
    file.write_bytes(file.read_bytes()[:-22])
    assert _refusal(file) == (422, "unreadable")
