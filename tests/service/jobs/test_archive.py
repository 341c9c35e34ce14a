"""The entries of a zip are counted in its directory, not in its content."""

from __future__ import annotations

import struct
import unicodedata
import zipfile
from pathlib import Path

import pytest

from models.readers import ReadLimits
from models.readers.product_folder import open_product_folder
from service.jobs.archive import ArchiveLimits, PartsArchive
from service.refusals import Refusal

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


def _holding(file: Path, part: dict[str, bytes], *names: str) -> Path:
    """A zip with one part's files; other names hold a byte."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            archive.writestr(
                name, part.get({"png": "rgb", "tiff": "xyz"}.get(name[-4:].lstrip("."), ""), b"x")
            )
    return file


@pytest.mark.parametrize(
    "stray",
    [".DS_Store", "Thumbs.db", "readme.txt", "desktop.ini", "__MACOSX/p/rgb/._0.png", "notes/to do.txt"],
)
@pytest.mark.parametrize("top", ["p/", "line 3/p/", ""])
def test_what_is_no_part_may_lie_beside_the_zipped_folder(
    tmp_path: Path, part: dict[str, bytes], stray: str, top: str
) -> None:
    file = _holding(tmp_path / "stray.zip", part, f"{top}rgb/0.png", f"{top}xyz/0.tiff", stray)
    archive = PartsArchive(file, LIMITS)
    assert [one.name for one in archive.parts] == ["0"]
    assert archive.read(archive.parts[0], ReadLimits())["xyz"] == part["xyz"]
    assert archive.left_out == ()
    archive.close()


def test_a_lone_image_beside_the_zipped_folder_is_left_out_and_named(
    tmp_path: Path, part: dict[str, bytes]
) -> None:
    file = _holding(tmp_path / "preview.zip", part, "p/rgb/0.png", "p/xyz/0.tiff", "preview.png")
    archive = PartsArchive(file, LIMITS)
    assert [one.name for one in archive.parts] == ["0"]
    assert [reason.split(":")[0] for reason in archive.left_out] == ["preview.png"]
    archive.close()


def test_names_of_old_windows_software_are_read_and_extracted(tmp_path: Path, part: dict[str, bytes]) -> None:
    names = ("p\\rgb\\0.png", "p\\xyz\\0.tiff", "p\\Thumbs.db")
    archive = PartsArchive(_holding(tmp_path / "net.zip", part, *names), LIMITS)
    assert archive.read(archive.parts[0], ReadLimits()) == part
    folder = archive.extract(tmp_path / "out", ReadLimits(), lambda done, total: None)
    archive.close()
    (extracted,) = open_product_folder(folder).train
    assert extracted.files["xyz"].read_bytes() == part["xyz"]


@pytest.mark.parametrize("name", ["roi.json", "roi.png"])
@pytest.mark.parametrize("top", ["p/", ""])
def test_the_region_of_interest_comes_along(
    tmp_path: Path, part: dict[str, bytes], name: str, top: str
) -> None:
    file = _holding(tmp_path / "roi.zip", part, f"{top}rgb/0.png", f"{top}xyz/0.tiff", f"{top}{name}")
    archive = PartsArchive(file, LIMITS)
    assert [one.name for one in archive.parts] == ["0"]
    folder = archive.extract(tmp_path / "out", ReadLimits(), lambda done, total: None)
    archive.close()
    assert open_product_folder(folder).roi == folder / top / name


@pytest.mark.parametrize("name", ["roi.json", "sensor.json"])
def test_a_file_about_the_product_beside_its_folder_is_said(
    tmp_path: Path, part: dict[str, bytes], name: str
) -> None:
    file = _holding(tmp_path / "beside.zip", part, "p/rgb/0.png", "p/xyz/0.tiff", name)
    archive = PartsArchive(file, LIMITS)
    archive.close()
    assert [note.split(":")[0] for note in archive.left_out] == [name]


@pytest.mark.parametrize(
    "name", ["..\\1.png", "\\1.png", "a\\..\\..\\1.png", "a\\\\1.png", "C:\\1.png", "C:1.png", "a\\CON\n.png"]
)
def test_backslashes_pass_no_check(tmp_path: Path, part: dict[str, bytes], name: str) -> None:
    assert _refusal(_holding(tmp_path / "climbs.zip", part, name)) == (422, "unsafe_archive")


def test_a_backslash_beside_slashes_is_refused(tmp_path: Path, part: dict[str, bytes]) -> None:
    file = _holding(tmp_path / "mixed.zip", part, "rgb/0.png", "xyz\\0.tiff")
    assert _refusal(file) == (422, "unsafe_archive")


@pytest.mark.parametrize("names", [["rgb/0.png", "rgb/0.PNG/sensor.json"], ["a.png/b/0.png", "a.png"]])
def test_a_name_of_a_file_and_a_folder_is_refused(
    tmp_path: Path, part: dict[str, bytes], names: list[str]
) -> None:
    """A build could not unpack the zip."""
    assert _refusal(_holding(tmp_path / "both.zip", part, *names)) == (422, "unsafe_archive")


class _OldName(zipfile.ZipInfo):
    """An entry without the mark of UTF-8, as Info-ZIP and macOS write it."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("utf-8", "surrogateescape"), self.flag_bits


@pytest.mark.parametrize(
    ("system", "raw", "name"),
    [
        (3, "Gehäuse".encode(), "Gehäuse"),
        (3, unicodedata.normalize("NFD", "Gehäuse").encode(), "Gehäuse"),
        (3, "Gehäuse".encode("latin-1"), "Geh\\xe4use"),
        (0, "Gehäuse".encode("cp437"), "Gehäuse"),
    ],
)
def test_names_without_the_mark_of_utf8_are_those_on_disk(
    tmp_path: Path, part: dict[str, bytes], system: int, raw: bytes, name: str
) -> None:
    file = tmp_path / "names.zip"
    with zipfile.ZipFile(file, "w") as zipped:
        for folder, ending, field in (("rgb", "png", "rgb"), ("xyz", "tiff", "xyz")):
            info = _OldName(f"{folder}/{raw.decode('utf-8', 'surrogateescape')}.{ending}")
            info.create_system = system
            zipped.writestr(info, part[field])
    archive = PartsArchive(file, LIMITS)
    assert [one.name for one in archive.parts] == [name]
    assert archive.read(archive.parts[0], ReadLimits()) == part
    folder = archive.extract(tmp_path / "out", ReadLimits(), lambda done, total: None)
    archive.close()
    assert [one.name for one in open_product_folder(folder).train] == [name]


def test_two_products_in_one_zip_are_refused_by_name(tmp_path: Path, part: dict[str, bytes]) -> None:
    names = ("a/rgb/0.png", "a/xyz/0.tiff", "b/rgb/0.png", "b/xyz/0.tiff")
    with pytest.raises(Refusal, match="a, b") as caught:
        PartsArchive(_holding(tmp_path / "two.zip", part, *names), LIMITS)
    assert (caught.value.status, caught.value.code) == (422, "no_parts")
