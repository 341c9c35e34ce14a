"""Versions on a local disk: whole, checked, brought once, within their bytes."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from banks.versions.manifest import MANIFEST, Manifest
from banks.versions.node_cache import CacheFull, FolderSource, NodeCache
from banks.versions.object_store import ObjectStore
from banks.versions.objects import StoreFailed
from banks.versions.store import BadBank, BankNotFound, BankStore
from banks.versions.thresholds import MovedThreshold, calibration_of, move_threshold
from banks.versions.travel import Parcel
from tests.faults import small_disk
from tests.waiting import until

KEPT = Path(__file__).parents[2] / "data" / "versions" / "schema-3"
PRODUCT = "biscuit"
LARGE_BYTES = 1 << 20
PLENTY = 1 << 30
FETCH = """
import sys, time
from pathlib import Path
from banks.versions.node_cache import FolderSource, NodeCache
from banks.versions.store import BankStore, verify_files
source, cache, most, times, *versions = sys.argv[1:]
cache = NodeCache(FolderSource(BankStore(Path(source))), Path(cache), int(most))
for _ in range(int(times)):
    for version in versions:
        with cache.fetch("biscuit", version) as folder:
            time.sleep(0.002)
            assert not verify_files(folder, serving=True)
print("fetched", flush=True)
"""


@pytest.fixture
def source(tmp_path: Path) -> BankStore:
    """Versions v1 to v4, which share files, but for one large file each."""
    shutil.copytree(KEPT, tmp_path / "source")
    store = BankStore(tmp_path / "source")
    for number in (2, 3, 4):
        folder = store.root / PRODUCT / f"v{number}"
        shutil.copytree(store.path(PRODUCT, "v1"), folder)
        content = os.urandom(LARGE_BYTES)
        (folder / "large").write_bytes(content)
        (folder / "kept").write_bytes(b"of a good part")
        manifest = Manifest.read(folder)
        files = {**manifest.files, "large": hashlib.sha256(content).hexdigest()}
        kept = {"kept": hashlib.sha256(b"of a good part").hexdigest()}
        manifest.model_copy(update={"files": files, "kept": kept}).write(folder)
    return store


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def a_cache(source: BankStore, place: Path, most_bytes: int = PLENTY) -> NodeCache:
    return NodeCache(FolderSource(source), place, most_bytes)


def fetched(cache: NodeCache, version: str) -> set[str]:
    """Fetch a version; the names of its files."""
    with cache.fetch(PRODUCT, version) as folder:
        assert (folder.parent.name, folder.name) == (PRODUCT, version)
        return {file.name for file in folder.iterdir()}


def there(place: Path) -> list[str]:
    """The versions in the cache."""
    return sorted(entry.name.split(".")[1] for entry in (place / "versions").iterdir())


def size_of(place: Path) -> int:
    """Bytes on the disk, each file once."""
    files = {path.stat().st_ino: path.stat().st_size for path in place.rglob("*") if path.is_file()}
    return sum(files.values())


def test_a_version_comes_once_with_what_scoring_needs(source: BankStore, place: Path) -> None:
    cache, at_source = a_cache(source, place), source.path(PRODUCT, "v2")
    names = fetched(cache, "v2")
    assert names == {MANIFEST, *Manifest.read(at_source).files}
    assert "kept" not in names
    for name in names - {MANIFEST}:
        (at_source / name).unlink()
    with cache.fetch(PRODUCT, "v2") as folder:
        assert (folder / "large").stat().st_size == LARGE_BYTES
        assert source.verify(PRODUCT, "v2")
    for wrong in ("v9", "../v1"):
        with pytest.raises(BankNotFound), cache.fetch(PRODUCT, wrong):
            pass


def test_a_version_comes_from_an_object_store(any_store: str, source: BankStore, place: Path) -> None:
    for version in ("v1", "v2"):
        ObjectStore(any_store).send(source, PRODUCT, version)
    cache = NodeCache(ObjectStore(any_store), place, PLENTY)
    for version in ("v2", "v1"):
        assert fetched(cache, version) == {MANIFEST, *Manifest.read(source.path(PRODUCT, version)).files}
    with pytest.raises(BankNotFound):
        fetched(cache, "v3")


def test_a_detector_is_loaded_from_the_cache_with_what_was_said_at_the_source(
    source: BankStore, place: Path
) -> None:
    from banks.detector import Detector

    move_threshold(source, PRODUCT, "v1", MovedThreshold(threshold=2.5, rate=None))
    with a_cache(source, place).fetch(PRODUCT, "v1") as folder:
        detector = Detector.load(folder)
    shutil.rmtree(place)
    built = detector.manifest.calibration
    assert (detector.product, detector.version) == (PRODUCT, "v1")
    assert detector.calibration == built
    assert calibration_of(source.path(PRODUCT, "v1"), built).threshold == 2.5


def test_versions_share_files_and_the_one_used_longest_ago_goes(source: BankStore, place: Path) -> None:
    cache = a_cache(source, place)
    fetched(cache, "v1")
    shared = size_of(place)
    fetched(cache, "v2")
    most = size_of(place) + LARGE_BYTES + (1 << 14)
    assert shared + LARGE_BYTES < size_of(place) < shared + LARGE_BYTES + (1 << 14)
    cache = a_cache(source, place, most)
    fetched(cache, "v3")
    assert there(place) == ["v1", "v2", "v3"]
    fetched(cache, "v2")
    fetched(cache, "v4")
    assert there(place) == ["v2", "v4"]
    assert size_of(place) <= most


def test_a_version_that_is_held_stays_and_one_without_room_is_refused(source: BankStore, place: Path) -> None:
    cache = a_cache(source, place, 2 * LARGE_BYTES)
    with cache.fetch(PRODUCT, "v2") as folder:
        with pytest.raises(CacheFull):
            fetched(cache, "v3")
        assert source.verify(PRODUCT, "v2") == []
        assert (folder / "large").is_file()
        assert fetched(cache, "v1")
    assert fetched(cache, "v3")
    assert there(place) == ["v1", "v3"]
    with pytest.raises(CacheFull):
        fetched(a_cache(source, place, LARGE_BYTES), "v4")


@pytest.mark.parametrize("name", ["large", MANIFEST])
@pytest.mark.parametrize("damage", ["changed", "cut", "removed"])
def test_a_copy_that_is_damaged_comes_again(source: BankStore, place: Path, name: str, damage: str) -> None:
    cache = a_cache(source, place)
    with cache.fetch(PRODUCT, "v2") as folder:
        copy = folder / name
    content = copy.read_bytes()
    if damage == "removed":
        copy.unlink()
    else:
        copy.write_bytes(content[:-1] + (b"" if damage == "cut" else bytes([content[-1] ^ 1])))
    with cache.fetch(PRODUCT, "v2") as folder:
        assert (folder / name).read_bytes() == content


@pytest.mark.parametrize("damage", ["changed", "cut", "removed", "unreadable"])
def test_a_version_that_is_damaged_at_its_source_does_not_come(
    source: BankStore, place: Path, damage: str
) -> None:
    file = source.path(PRODUCT, "v2") / "large"
    content = file.read_bytes()
    file.unlink()
    if damage == "unreadable":
        file.mkdir()
    elif damage != "removed":
        file.write_bytes(content[:-1] + (b"" if damage == "cut" else bytes([content[-1] ^ 1])))
    with pytest.raises(BadBank, match="large"):
        fetched(a_cache(source, place), "v2")
    assert there(place) == []
    assert not list((place / "blobs").glob(".*"))


def test_a_store_out_of_reach_is_told_as_such(s3: str, place: Path) -> None:
    cache = NodeCache(ObjectStore(s3.replace("tribank", "nobody")), place, PLENTY)
    with pytest.raises((StoreFailed, BankNotFound)):
        fetched(cache, "v1")


class Counting(FolderSource):
    """Counts the files that are read."""

    def __init__(self, store: BankStore) -> None:
        super().__init__(store)
        self.read: Counter[str] = Counter()

    def pieces(self, parcel: Parcel, name: str) -> Iterator[bytes]:
        self.read[parcel.files[name]] += 1
        time.sleep(0.01)
        return super().pieces(parcel, name)


def test_threads_that_want_one_version_read_it_once(source: BankStore, place: Path) -> None:
    counting = Counting(source)
    cache = NodeCache(counting, place, PLENTY)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: fetched(cache, f"v{1 + number % 4}"), range(16)))
    assert set(counting.read.values()) == {1}
    assert there(place) == ["v1", "v2", "v3", "v4"]


def process(
    source: BankStore, place: Path, most_bytes: int, times: int, *versions: str, before: str = ""
) -> subprocess.Popen[str]:
    """A process that fetches versions, and looks at them while it holds them."""
    command = [sys.executable, "-c", before + FETCH, source.root, place, most_bytes, times, *versions]
    pipe = subprocess.PIPE
    return subprocess.Popen([*map(str, command)], stdout=pipe, stderr=pipe, text=True)


def test_processes_share_a_cache_that_is_too_small_for_all(source: BankStore, place: Path) -> None:
    most = 3 * LARGE_BYTES + (1 << 19)
    orders = (("v1", "v2", "v3", "v4"), ("v4", "v3", "v2", "v1"), ("v2", "v3"))
    running = [process(source, place, most, 20, *order) for order in orders]
    said = [one.communicate() for one in running]
    assert said == [("fetched\n", "")] * 3
    assert size_of(place) <= most
    assert not list(place.glob("*/.*"))


DIES_OF_A_LARGE_FILE = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, ({LARGE_BYTES // 2}, {LARGE_BYTES // 2}))
"""


def test_a_process_that_is_killed_while_a_version_comes_leaves_nothing_in_use(
    source: BankStore, place: Path
) -> None:
    killed = process(source, place, PLENTY, 1, "v2", before=DIES_OF_A_LARGE_FILE)
    killed.communicate()
    assert killed.returncode == -signal.SIGXFSZ
    assert there(place) == []
    assert list((place / "blobs").glob(".*")), "it was killed in the middle of a file"
    assert fetched(a_cache(source, place), "v2")
    assert not list(place.glob("*/.*"))


def test_a_process_that_is_killed_while_it_holds_a_version_holds_it_no_more(
    source: BankStore, place: Path
) -> None:
    holding = process(source, place, PLENTY, 1 << 30, "v2")
    until(lambda: place.is_dir() and (place / "versions").is_dir() and there(place), "the version")
    holding.kill()
    holding.communicate()
    assert fetched(a_cache(source, place, 2 * LARGE_BYTES), "v3")


@pytest.mark.skipif(not small_disk.available(), reason="no mount namespace can be had here")
def test_a_full_disk_is_an_error_of_the_disk_and_leaves_no_half_file(source: BankStore, place: Path) -> None:
    place.mkdir()
    before = (
        f"import os; os.environ |= {small_disk.environment(place, LARGE_BYTES // 2)}\n"
        "from tests.faults import small_disk; small_disk.mount()\n"
        "import atexit, pathlib\n"
        f"atexit.register(lambda: print(sorted(pathlib.Path({str(place)!r}).glob('*/.*'))))\n"
    )
    full = process(source, place, PLENTY, 1, "v2", before=before)
    out, errors = full.communicate()
    assert out == "[]\n"
    assert os.strerror(errno.ENOSPC) in errors.splitlines()[-1]
