"""Versions in an object store: whole or absent, checked by sha256, equal files once."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import pytest

from banks.versions.manifest import Manifest
from banks.versions.object_store import ObjectStore
from banks.versions.objects import Objects, StoreFailed
from banks.versions.seal import sealed
from banks.versions.store import BadBank, BankNotFound, BankStore
from banks.versions.thresholds import MovedThreshold, move_threshold, moved_thresholds
from banks.versions.travel import Arrived, BadParcel, Landing
from service.exit_status import EXIT_FULL
from tests.faults import small_disk
from tests.faults.warm import Warm
from tests.s3_server import s3_server
from tests.waiting import until

KEPT = Path(__file__).parents[2] / "data" / "versions" / "schema-3"
PRODUCT = "biscuit"
LARGE_BYTES = 4 << 20


@pytest.fixture
def source(tmp_path: Path) -> BankStore:
    """A copy that a test may change."""
    shutil.copytree(KEPT, tmp_path / "source")
    return BankStore(tmp_path / "source")


@pytest.fixture
def target(tmp_path: Path) -> BankStore:
    """A folder without a version."""
    return BankStore(tmp_path / "target")


def pulled(there: str | ObjectStore, target: BankStore, version: str | None = None) -> Arrived:
    """there: the store, or its URL."""
    store = ObjectStore(there) if isinstance(there, str) else there
    with Landing(target, PRODUCT) as landing:
        store.fetch(PRODUCT, version, landing)
        return landing.end(activate=False)


def another(source: BankStore, name: str, seed: int, **files: bytes) -> None:
    """A version like v1 with another seed, and with further files."""
    folder = source.root / PRODUCT / name
    shutil.copytree(source.path(PRODUCT, "v1"), folder)
    manifest = Manifest.read(folder)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    kept = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
    manifest.model_copy(update={"seed": seed, "kept": {**manifest.kept, **kept}}).write(folder)


def stored(url: str, key: str) -> Path:
    """Where an object of a store in a folder lies."""
    return Path(url.removeprefix("file://")) / key


def test_a_version_goes_there_and_back(any_store: str, source: BankStore, target: BankStore) -> None:
    move_threshold(source, PRODUCT, "v1", MovedThreshold(threshold=2.5, rate=None))
    store = ObjectStore(any_store)
    assert store.versions(PRODUCT) == []
    with pytest.raises(BankNotFound, match="no product"):
        store.active(PRODUCT)
    assert store.send(source, PRODUCT, activate=False) == Arrived("v1", new=True)
    with pytest.raises(BankNotFound, match="no active version"):
        pulled(store, target)
    assert store.send(source, PRODUCT) == Arrived("v1", new=False)
    assert store.active(PRODUCT) == "v1"
    assert pulled(any_store, target) == Arrived("v1", new=True)
    assert (target.verify(PRODUCT, "v1"), target.current(PRODUCT)) == ([], None)
    assert moved_thresholds(target.root / PRODUCT) == {"v1": MovedThreshold(threshold=2.5, rate=None)}
    assert pulled(store, target, "v1") == Arrived("v1", new=False)
    for wrong in ("v2", "../v1", ""):
        with pytest.raises(BankNotFound):
            pulled(store, target, wrong)
    with pytest.raises(BankNotFound):
        store.versions("../biscuit")


def test_a_mistyped_bucket_is_no_product_without_an_active_version(s3: str, target: BankStore) -> None:
    for version in (None, "v1"):
        with pytest.raises(BankNotFound, match="no product"):
            pulled("s3://mistyped/prefix", target, version)


def test_versions_share_equal_files_and_get_the_next_name(any_store: str, source: BankStore) -> None:
    store, objects = ObjectStore(any_store), Objects(any_store)
    store.send(source, PRODUCT)
    before = set(objects.names("blobs"))
    another(source, "v7", seed=1)
    assert store.send(source, PRODUCT, "v7", activate=False) == Arrived("v2", new=True)
    digest = hashlib.sha256((source.path(PRODUCT, "v7") / "manifest.json").read_bytes()).hexdigest()
    assert set(objects.names("blobs")) - before == {digest}
    assert (store.versions(PRODUCT), store.active(PRODUCT)) == (["v1", "v2"], "v1")


def test_two_pushes_at_once_take_two_names(any_store: str, source: BankStore, target: BankStore) -> None:
    seeds = range(2, 8)
    for seed in seeds:
        another(source, f"v{seed}", seed)
    with ThreadPoolExecutor(len(seeds)) as pool:
        arrived = pool.map(lambda seed: ObjectStore(any_store).send(source, PRODUCT, f"v{seed}"), seeds)
        names = {seed: one.name for seed, one in zip(seeds, arrived, strict=True)}
    assert sorted(names.values()) == [f"v{number}" for number in range(1, 1 + len(seeds))]
    store = ObjectStore(any_store)
    for seed, name in names.items():
        there = pulled(store, target, name)
        assert Manifest.read(target.path(PRODUCT, there.name)).seed == seed


def test_what_was_said_there_stays(any_store: str, source: BankStore, target: BankStore) -> None:
    store = ObjectStore(any_store)
    for threshold in (2.5, 3.5):
        move_threshold(source, PRODUCT, "v1", MovedThreshold(threshold=threshold, rate=None))
        store.send(source, PRODUCT)
    pulled(store, target)
    assert moved_thresholds(target.root / PRODUCT)["v1"].threshold == 2.5


def test_a_damaged_version_is_not_sent(any_store: str, source: BankStore) -> None:
    file = next(source.path(PRODUCT).glob("*.faiss"))
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(BadBank):
        ObjectStore(any_store).send(source, PRODUCT)
    assert ObjectStore(any_store).versions(PRODUCT) == []


@pytest.mark.parametrize("damage", ["changed", "cut", "removed", "a link"])
@pytest.mark.parametrize("which", ["rgb.faiss", "manifest.json"])
def test_a_damaged_blob_is_named_and_mended_by_a_push(
    source: BankStore, target: BankStore, tmp_path: Path, damage: str, which: str
) -> None:
    url = f"file://{tmp_path}/store"
    ObjectStore(url).send(source, PRODUCT)
    content = (source.path(PRODUCT) / which).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    blob = stored(url, f"blobs/{digest}")
    blob.unlink()
    if damage == "a link":
        blob.symlink_to(source.path(PRODUCT) / which)
    elif damage != "removed":
        blob.write_bytes(content[:-1] + (b"" if damage == "cut" else bytes([content[-1] ^ 1])))
    with pytest.raises(BadParcel, match=digest):
        pulled(url, target)
    assert not [path for path in target.root.rglob("*") if path.is_file()]
    blob.unlink(missing_ok=True)
    assert ObjectStore(url).send(source, PRODUCT) == Arrived("v1", new=False)
    assert pulled(url, target).new


def test_a_blob_with_another_content_does_not_arrive(
    any_store: str, source: BankStore, target: BankStore
) -> None:
    store = ObjectStore(any_store)
    store.send(source, PRODUCT)
    digest = Manifest.read(source.path(PRODUCT)).files["rgb.faiss"]
    Objects(any_store).replace(f"blobs/{digest}", (source.path(PRODUCT) / "point.faiss").read_bytes())
    with pytest.raises(BadParcel, match=digest):
        pulled(store, target)
    assert target.versions(PRODUCT) == []
    assert store.send(source, PRODUCT) == Arrived("v1", new=False)
    assert pulled(store, target).new, "a blob of another size is sent again"


def test_a_server_that_is_lost_half_way_leaves_no_version(
    source: BankStore, target: BankStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with s3_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        fsspec.filesystem("s3", skip_instance_cache=True).mkdir("bucket")
        store = ObjectStore("s3://bucket")
        store.send(source, PRODUCT)
        with Landing(target, PRODUCT) as landing:
            landing.begin(store.parcel(PRODUCT))
            assert landing.parcel is not None
            name, *_ = landing.parcel.files
            next(store.pieces(landing.parcel, name))
            server.process.kill()
            with pytest.raises(StoreFailed):
                next(store.pieces(landing.parcel, name))
    assert not [path for path in target.root.rglob("*") if path.is_file()]


def document(**content: Any) -> bytes:
    return sealed(content).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format": 1, "manifest": "' + b"0" * 64 + b'"}',
        document(format=2, manifest="0" * 64),
        document(format=1, manifest="../../../etc/passwd"),
        document(format=1, manifest="0" * 63 + "\n"),
        document(format=1),
        b" " * ((1 << 20) + 1),
        b"[" * (1 << 19),
    ],
    ids=["empty", "list", "unsealed", "no checksum", "format", "path", "newline", "half", "large", "deep"],
)
def test_a_version_that_cannot_be_read_is_none_but_keeps_its_name(
    source: BankStore, target: BankStore, tmp_path: Path, content: bytes
) -> None:
    url = f"file://{tmp_path}/store"
    place = stored(url, f"products/{PRODUCT}/v4/version.json")
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    with pytest.raises(BadParcel):
        pulled(url, target, "v4")
    assert ObjectStore(url).send(source, PRODUCT) == Arrived("v5", new=True)
    assert not target.root.exists() or not list(target.root.iterdir())


@pytest.mark.parametrize(
    ("name", "digest"),
    [("../../evil", "0" * 64), ("/evil", "0" * 64), ("a/../../evil", "0" * 64), ("evil", "../evil")],
)
def test_a_manifest_that_leads_out_of_its_folder_is_refused(
    source: BankStore, target: BankStore, tmp_path: Path, name: str, digest: str
) -> None:
    url = f"file://{tmp_path}/store"
    ObjectStore(url).send(source, PRODUCT)
    facts = json.loads((source.path(PRODUCT) / "manifest.json").read_bytes())
    facts["files"][name] = digest
    content = json.dumps(facts).encode()
    named = hashlib.sha256(content).hexdigest()
    stored(url, f"blobs/{named}").write_bytes(content)
    place = stored(url, f"products/{PRODUCT}/v2/version.json")
    place.parent.mkdir()
    place.write_bytes(document(format=1, manifest=named))
    with pytest.raises(BadParcel):
        pulled(url, target, "v2")
    assert not list(tmp_path.rglob("evil*"))
    assert not target.root.exists()


def dies_of_a_large_file() -> None:
    """A hook of `tests.faults.warm`: the process is killed while it writes the second MiB of a file."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def test_a_push_that_is_killed_leaves_no_version_and_the_next_one_finishes(
    source: BankStore, target: BankStore, tmp_path: Path, warm: Warm
) -> None:
    url = f"file://{tmp_path}/store"
    another(source, "v2", seed=1, large=os.urandom(LARGE_BYTES))
    push = ["banks", "push", PRODUCT, url, "--version", "v2", "--banks", str(source.root)]
    killed = warm.start(push, tmp_path / "said", hook=f"{__name__}:{dies_of_a_large_file.__name__}")
    assert killed.wait() == -signal.SIGXFSZ
    there = set(Objects(url).names("blobs"))
    assert there, "it was killed after its first file"
    assert ObjectStore(url).versions(PRODUCT) == []
    assert warm.run(*push) == (0, f"{PRODUCT} v1: copied, active\n")
    assert pulled(url, target).new


def test_a_push_to_s3_that_is_killed_leaves_no_version_and_the_next_one_finishes(
    s3: str, source: BankStore, target: BankStore, tmp_path: Path, warm: Warm
) -> None:
    another(source, "v2", seed=1, **{f"part{number}": os.urandom(1 << 16) for number in range(50)})
    push = ["banks", "push", PRODUCT, s3, "--version", "v2", "--banks", str(source.root)]
    environment = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    command = warm.start(push, tmp_path / "said", environment)
    objects = Objects(s3)
    there = until(lambda: objects.names("blobs"), "the first objects", every=0.05)
    command.kill()
    assert command.wait() == -signal.SIGKILL
    assert len(there) < 50
    assert ObjectStore(s3).versions(PRODUCT) == []
    assert warm.start(push, tmp_path / "said", environment).wait() == 0
    assert pulled(s3, target).new


def test_a_pull_that_is_killed_leaves_no_version_and_the_next_one_finishes(
    source: BankStore, target: BankStore, tmp_path: Path, warm: Warm
) -> None:
    url = f"file://{tmp_path}/store"
    another(source, "v2", seed=1, large=os.urandom(LARGE_BYTES))
    ObjectStore(url).send(source, PRODUCT, "v2")
    pull = ["banks", "pull", PRODUCT, url, "--no-probe", "--banks", str(target.root)]
    killed = warm.start(pull, tmp_path / "said", hook=f"{__name__}:{dies_of_a_large_file.__name__}")
    assert killed.wait() == -signal.SIGXFSZ
    assert target.versions(PRODUCT) == []
    assert warm.run(*pull, "--state", tmp_path) == (0, f"{PRODUCT} v1: copied, active\n")
    assert target.verify(PRODUCT) == []
    assert sorted(path.name for path in (target.root / PRODUCT).iterdir()) == ["current", "v1"]


@pytest.mark.parametrize("way", ["push", "pull"])
@pytest.mark.skipif(not small_disk.available(), reason="no mount namespace can be had here")
def test_a_full_disk_is_said(
    source: BankStore, target: BankStore, tmp_path: Path, warm: Warm, way: str
) -> None:
    store = tmp_path / "store"
    another(source, "v2", seed=1, large=os.urandom(LARGE_BYTES))
    banks = {"push": source.root, "pull": target.root}[way]
    full = {"push": store, "pull": target.root}[way]
    full.mkdir()
    if way == "pull":
        ObjectStore(f"file://{store}").send(source, PRODUCT, "v2")
    command = ["banks", way, PRODUCT, f"file://{store}", "--banks", str(banks)]
    command += ["--version", "v2"] if way == "push" else ["--no-probe"]
    hook = f"{small_disk.__name__}:{small_disk.mount.__name__}"
    ended = warm.start(command, tmp_path / "said", small_disk.environment(full, LARGE_BYTES // 2), hook)
    assert ended.wait() == EXIT_FULL, ended.said.read_text()
