"""A version as one file: what was sent arrives, and nothing that is damaged, foreign or hostile does."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from banks.versions.archive import HEAD, Archive, Unpacker, take_in
from banks.versions.leftovers import UNFINISHED
from banks.versions.manifest import Manifest
from banks.versions.seal import sealed
from banks.versions.store import BadBank, BankNotFound, BankStore
from banks.versions.thresholds import moved_thresholds
from banks.versions.travel import Arrived, BadParcel, Landing, OtherProduct

KEPT = Path(__file__).parents[2] / "data" / "versions" / "schema-3"
PRODUCT = "biscuit"
Entries = list[tuple[tarfile.TarInfo, bytes]]


@pytest.fixture(scope="module")
def archive() -> bytes:
    with Archive(BankStore(KEPT), PRODUCT) as made:
        whole = b"".join(made.pieces())
        assert len(whole) == made.size
    return whole


@pytest.fixture
def target(tmp_path: Path) -> BankStore:
    """A folder without a version."""
    return BankStore(tmp_path / "target")


def feed(target: BankStore, content: bytes, *, by: int = 1 << 16) -> Arrived:
    with Landing(target, PRODUCT) as landing:
        unpacker = Unpacker(landing)
        for start in range(0, len(content), by):
            unpacker.feed(content[start : start + by])
        unpacker.finish()
        return landing.end()


def nothing_came(target: BankStore) -> bool:
    return not [path for path in target.root.rglob("*") if path.is_file()] and not [
        *target.root.glob(f"*/{UNFINISHED}*")
    ]


def entries(archive: bytes) -> Entries:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return [(entry, found.read()) for entry in tar if (found := tar.extractfile(entry)) is not None]


def packed(entries: Entries) -> bytes:
    blocks = []
    for entry, content in entries:
        padding = bytes(-len(content) % tarfile.BLOCKSIZE)
        blocks.append(entry.tobuf(tarfile.GNU_FORMAT) + content + padding)
    return b"".join([*blocks, bytes(2 * tarfile.BLOCKSIZE)])


def entry_of(name: str, content: bytes = b"", **facts: Any) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    for fact, value in ({"size": len(content)} | facts).items():
        setattr(entry, fact, value)
    return entry, content


def test_a_version_arrives_with_what_people_said_of_it(
    archive: bytes, target: BankStore, tmp_path: Path
) -> None:
    file = tmp_path / "biscuit-v1.tar"
    file.write_bytes(archive)
    assert take_in(file, target, PRODUCT, activate=False) == Arrived("v1", new=True)
    assert (target.verify(PRODUCT, "v1"), target.current(PRODUCT)) == ([], None)
    assert moved_thresholds(target.root / PRODUCT) == moved_thresholds(KEPT / PRODUCT)
    with Archive(target, PRODUCT, "v1") as again:
        assert b"".join(again.pieces()) == archive, "the same version gives the same bytes"
    assert take_in(file, target, PRODUCT) == Arrived("v1", new=False)
    assert (target.versions(PRODUCT), target.current(PRODUCT)) == (["v1"], "v1")


def test_other_programs_read_the_archive(archive: bytes) -> None:
    assert [entry.name for entry, _ in entries(archive)][:2] == [HEAD, "v1/manifest.json"]
    for entry, content in entries(archive)[1:]:
        assert content == (KEPT / PRODUCT / entry.name).read_bytes()


@pytest.mark.parametrize("by", [37, 513])
def test_pieces_of_any_size_arrive(archive: bytes, target: BankStore, by: int) -> None:
    assert feed(target, archive, by=by) == Arrived("v1", new=True)


def test_a_version_that_arrives_twice_at_once_is_published_once(archive: bytes, target: BankStore) -> None:
    with Landing(target, PRODUCT) as slow:
        unpacker = Unpacker(slow)
        unpacker.feed(archive)
        assert feed(target, archive) == Arrived("v1", new=True)
        assert slow.end() == Arrived("v1", new=False)
    assert target.versions(PRODUCT) == ["v1"]
    assert not [*target.root.glob(f"*/{UNFINISHED}*")]


def test_an_open_archive_outlives_its_version(archive: bytes, tmp_path: Path) -> None:
    shutil.copytree(KEPT, tmp_path / "banks")
    with Archive(BankStore(tmp_path / "banks"), PRODUCT) as made:
        shutil.rmtree(tmp_path / "banks" / PRODUCT / "v1")
        assert b"".join(made.pieces()) == archive
    with pytest.raises(BankNotFound):
        Archive(BankStore(tmp_path / "banks"), PRODUCT)


def test_a_damaged_version_is_not_sent(tmp_path: Path) -> None:
    shutil.copytree(KEPT, tmp_path / "banks")
    (tmp_path / "banks" / PRODUCT / "v1" / "rgb.faiss").write_bytes(b"")
    with pytest.raises(BadBank, match=r"rgb\.faiss: changed"):
        Archive(BankStore(tmp_path / "banks"), PRODUCT)


def test_a_version_of_another_product_is_refused(archive: bytes, target: BankStore) -> None:
    with (
        Landing(target, "cookie") as landing,
        pytest.raises(OtherProduct, match="product biscuit, not of cookie"),
    ):
        Unpacker(landing).feed(archive)
    assert nothing_came(target)


def _changed_head(**changes: Any) -> Callable[[Entries], Entries]:
    def change(found: Entries) -> Entries:
        facts = json.loads(found[0][1])
        del facts["checksum"]
        return [entry_of(HEAD, sealed(facts | changes).encode()), *found[1:]]

    return change


def _changed_manifest(files: Mapping[str, str]) -> Callable[[Entries], Entries]:
    def change(found: Entries) -> Entries:
        facts = json.loads(found[1][1])
        facts["files"] |= files
        manifest = json.dumps(facts).encode()
        head, *_ = _changed_head(manifest=hashlib.sha256(manifest).hexdigest())(found)
        return [head, entry_of("v1/manifest.json", manifest), *found[2:]]

    return change


def _with(*added: tuple[tarfile.TarInfo, bytes], at: int = 3) -> Callable[[Entries], Entries]:
    return lambda found: [*found[:at], *added, *found[at:]]


def _whole_manifest(content: bytes) -> Callable[[Entries], Entries]:
    def change(found: Entries) -> Entries:
        head, *_ = _changed_head(manifest=hashlib.sha256(content).hexdigest())(found)
        return [head, entry_of("v1/manifest.json", content), *found[2:]]

    return change


def nested(depth: int) -> Any:
    """Lists in one another."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


FILE = "v1/rgb.faiss"
HOSTILE: Mapping[str, tuple[Callable[[Entries], Entries], str]] = {
    "no head": (lambda found: found[1:], HEAD),
    "no manifest": (lambda found: [found[0], *found[2:]], "manifest"),
    "a file is missing": (lambda found: found[:-1], "ends before"),
    "a file twice": (_with(entry_of("v1/fused.faiss", b"x")), "twice"),
    "a file that is not listed": (_with(entry_of("v1/more.faiss", b"x")), "does not belong"),
    "another version's file": (_with(entry_of("v2/rgb.faiss", b"x")), "does not belong"),
    "a name that leaves the folder": (_with(entry_of("v1/../../../x", b"x")), "does not belong"),
    "an absolute name": (_with(entry_of("/tmp/x", b"x")), "does not belong"),
    "a link": (_with(entry_of(FILE, type=tarfile.SYMTYPE, linkname="/etc/passwd")), "no file"),
    "a hard link": (_with(entry_of(FILE, type=tarfile.LNKTYPE, linkname="v1/manifest.json")), "no file"),
    "a device": (_with(entry_of(FILE, type=tarfile.CHRTYPE)), "no file"),
    "a folder": (_with(entry_of("v1", type=tarfile.DIRTYPE)), "no file"),
    "a sparse file": (_with(entry_of(FILE, type=tarfile.GNUTYPE_SPARSE)), "no file"),
    "an extended header": (
        _with(entry_of("v1/x", b"20 size=99999999999\n", type=tarfile.XHDTYPE)),
        "no file",
    ),
    "a long name": (_with(entry_of("v1/" + "x" * 200, b"x")), "no file"),
    "a head of 2 MiB": (_changed_head(more="x" * (2 << 20)), "larger than"),
    "a head of format 2": (_changed_head(format=2), "reads 1"),
    "a version that leaves the folder": (_changed_head(version="../v1"), "names no"),
    "a product that leaves the folder": (_changed_head(product=".."), "names no"),
    "words of no kind": (_changed_head(said={"current": "v9"}), "What people said"),
    "words that cannot be": (_changed_head(said={"thresholds.json": {"rate": 7}}), "What people said"),
    "a manifest that leaves the folder": (_changed_manifest({"../../x": "0" * 64}), "manifest"),
    "a manifest with an absolute name": (_changed_manifest({"/tmp/x": "0" * 64}), "manifest"),
    "a manifest with hidden files": (_changed_manifest({".x": "0" * 64}), "manifest"),
    "a manifest that lists itself": (_changed_manifest({"manifest.json": "0" * 64}), "no version has"),
    "a manifest of 1,001 files": (
        _changed_manifest({f"x{n}": "0" * 64 for n in range(1001)}),
        "no version has",
    ),
    "a manifest of 100,000 lists in one another": (_whole_manifest(b"[" * 100_000), "too deep"),
    "a manifest of 600 lists in one another": (
        _whole_manifest(sealed({"schema_version": 9, "min_reader": 9, "x": nested(600)}).encode()),
        "recursion limit",
    ),
    "a manifest with an infinite number": (
        _whole_manifest(b'{"schema_version": 3, "calibration": {"threshold": 1e400}}'),
        "too large for a number",
    ),
    "another manifest": (_changed_head(manifest="0" * 64), "sha256"),
    "another file": (lambda found: [*found[:2], entry_of(found[2][0].name, b"x"), *found[3:]], "sha256"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_archives_are_refused(archive: bytes, target: BankStore, what: str) -> None:
    change, said = HOSTILE[what]
    with pytest.raises(BadParcel, match=said):
        feed(target, packed(change(entries(archive))))
    assert nothing_came(target)


def test_what_is_no_archive_is_refused(archive: bytes, target: BankStore) -> None:
    negative = bytearray(archive)
    negative[124:136] = b"\xff" * 12  # the size of the first entry, as a number below 0
    negative[148:156] = b"%06o\0 " % (sum(negative[:148]) + 8 * 32 + sum(negative[156:512]))
    for content in (b"", b"PK\x03\x04" + bytes(600), gzip.compress(archive), bytes(20_000), bytes(negative)):
        with pytest.raises(BadParcel):
            feed(target, content)
    for more in (b"x", bytes(20_000), archive):
        with pytest.raises(BadParcel, match="goes on"):
            feed(target, archive + more)
    assert nothing_came(target)
    assert feed(target, archive + bytes(tarfile.RECORDSIZE)).new, "tar fills the last record"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 0.9999), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_archive_is_refused_or_changes_nothing(
    archive: bytes, target: BankStore, at: float, bit: int, cut: bool
) -> None:
    place = int(at * (len(archive) - 2 * tarfile.BLOCKSIZE))  # the end of a tar may be missing
    damaged = bytearray(archive[:place] if cut else archive)
    if not cut:
        damaged[place] ^= 1 << bit
    try:
        arrived = feed(target, bytes(damaged))
    except (BadParcel, OtherProduct):
        assert nothing_came(target)
        return
    assert not cut
    assert target.verify(PRODUCT, arrived.name) == []
    assert Manifest.read(target.path(PRODUCT, arrived.name)) == Manifest.read(KEPT / PRODUCT / "v1")
    shutil.rmtree(target.root)
