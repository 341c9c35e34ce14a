"""Versions over HTTP, with real banks."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from banks.decision.odd_parts import OddPart
from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from models.preparation.roi import Roi, from_png
from models.weights.folder import DEFAULT_WEIGHTS
from service.engine.store_loader import StoreLoader
from service.settings import Settings
from tests.conftest import SMALL
from tests.service.conftest import png, tiff
from tests.waiting import until

PRODUCT = f"/v1/products/{SMALL}"


def derive(root: Path, version: str) -> None:
    """A version with v1's banks that answers with other scores than v1."""
    folder = root / SMALL / version
    shutil.copytree(root / SMALL / "v1", folder)
    manifest = Manifest.read(folder)
    spread = [2 * s for s in manifest.decision["peak_spread"]]
    changed = {"decision": {**manifest.decision, "peak_spread": spread}, "probe": None}
    manifest.model_copy(update=changed).write(folder)


@pytest.fixture
def store(small_banks: Path, tmp_path: Path) -> BankStore:
    """Versions v1 (active) and v2."""
    shutil.copytree(small_banks, tmp_path / "banks")
    derive(tmp_path / "banks", "v2")
    return BankStore(tmp_path / "banks")


@pytest.fixture
def running(store: BankStore, serve: Callable[..., Any]) -> Iterator[Any]:
    with serve(Settings(banks=store.root, poll_s=0.05, deadline_s=120, max_in_flight=8), None) as running:
        yield running


@pytest.fixture
def part(small_product: Path) -> dict[str, bytes]:
    """A defective part: a good one may lie below every bank's centre and score 0 in both versions."""
    defect = next(path for path in sorted((small_product / "test").iterdir()) if path.name != "good")
    return {kind: next((defect / kind).iterdir()).read_bytes() for kind in ("rgb", "xyz")}


def _score(client: httpx.Client, part: dict[str, bytes]) -> dict[str, Any]:
    answer = client.post(f"{PRODUCT}/score", files=part, timeout=120)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_look_activate_roll_back_and_delete(running: Any, store: BankStore, part: dict[str, bytes]) -> None:
    with running.client() as client:
        listed = client.get(f"{PRODUCT}/versions").json()
        assert [v["version"] for v in listed["versions"]] == ["v1", "v2"]
        statements = [v["calibration"]["statement"] for v in listed["versions"]]
        assert all("held-out good parts" in statement for statement in statements)
        assert (listed["active"], listed["previous"]) == ("v1", None)
        assert client.post(f"{PRODUCT}/rollback").json()["code"] == "nothing_to_roll_back_to"
        first = _score(client, part)
        activation = {"product": SMALL, "active": "v2", "previous": "v1"}
        assert client.post(f"{PRODUCT}/versions/v2/activate").json() == activation
        second = _score(client, part)
        assert (first["bank_version"], second["bank_version"]) == ("v1", "v2")
        assert first["score"] != second["score"]
        assert client.delete(f"{PRODUCT}/versions/v2").json()["code"] == "version_in_use"
        assert client.post(f"{PRODUCT}/rollback").json()["active"] == "v1"
        assert _score(client, part)["score"] == first["score"]
        shown = client.get(f"{PRODUCT}/versions/v2").json()
        assert shown["manifest"]["training_parts"] == list(Manifest.read(store.path(SMALL)).training_parts)
        assert "held-out good parts" in shown["calibration"]["statement"]
        pinned = client.put(f"{PRODUCT}/versions/v2/pin").json()["versions"]
        assert [(one["version"], one["pinned"]) for one in pinned] == [("v1", False), ("v2", True)]
        assert client.delete(f"{PRODUCT}/versions/v2").json()["code"] == "version_in_use"
        assert client.put(f"{PRODUCT}/versions/v9/pin").json()["code"] == "unknown_version"
        assert not client.delete(f"{PRODUCT}/versions/v2/pin").json()["versions"][1]["pinned"]
        assert client.delete(f"{PRODUCT}/versions/v2").status_code == 204
        for path in (f"{PRODUCT}/versions/v2", "/v1/products/tile/versions", f"{PRODUCT}/versions/%2e%2e"):
            assert client.get(path).status_code == 404
        assert client.post(f"{PRODUCT}/versions/v2/activate").json()["code"] == "unknown_version"


def test_the_region_of_interest_of_a_version_can_be_read(running: Any, store: BankStore) -> None:
    bits = np.tile(np.arange(4, dtype=np.uint8), (6, 2))
    folder = store.path(SMALL, "v2")
    (folder / "roi.png").write_bytes(Roi(bits).to_png())
    manifest = Manifest.read(folder)
    manifest.model_copy(update={"files": {**manifest.files, "roi.png": "0" * 64}}).write(folder)
    with running.client() as client:
        answer = client.get(f"{PRODUCT}/versions/v2/roi")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert np.array_equal(from_png(answer.content).bits, bits)
        (folder / "roi.png").write_bytes(answer.content[:40])
        for version, status, code in (
            ("v1", 404, "no_roi"),
            ("v2", 409, "bank_damaged"),
            ("v7", 404, "unknown_version"),
        ):
            answer = client.get(f"{PRODUCT}/versions/{version}/roi")
            assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_damaged_version_is_not_activated(running: Any, store: BankStore, part: dict[str, bytes]) -> None:
    (store.root / SMALL / "v2" / "rgb.faiss").write_bytes(b"")
    with running.client() as client:
        answer = client.post(f"{PRODUCT}/versions/v2/activate")
        assert (answer.status_code, answer.json()["code"]) == (409, "bank_damaged")
        assert _score(client, part)["bank_version"] == "v1"
    assert store.current(SMALL) == "v1"


def test_a_damaged_name_is_mended_as_its_refusal_says(running: Any, store: BankStore) -> None:
    folder = store.root / SMALL
    with running.client() as client:
        for file, mends in (
            ("shadow", lambda: client.put(f"{PRODUCT}/shadow", json={"version": "v2"})),
            ("shadow", lambda: client.delete(f"{PRODUCT}/shadow")),
            ("current", lambda: client.post(f"{PRODUCT}/versions/v2/activate")),
        ):
            (folder / file).write_bytes(b"v\0")
            assert client.get(f"{PRODUCT}/versions").json()["code"] == "bank_damaged"
            answer = mends()
            assert answer.status_code == 200, answer.text
            assert client.get(f"{PRODUCT}/versions").status_code == 200
    assert (store.current(SMALL), store.shadow(SMALL)) == ("v2", None)


def test_an_empty_name_is_no_version(running: Any, store: BankStore) -> None:
    with running.client() as client:
        shadow = client.put(f"{PRODUCT}/shadow", json={"version": ""})
        extended = client.post(f"{PRODUCT}/builds?extend=", json={"results": "accepted"})
    for answer in (shadow, extended):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_version")
    assert store.shadow(SMALL) is None


def test_a_version_whose_probe_scores_otherwise_gives_way(store: BankStore) -> None:
    path = store.path(SMALL, "v2")
    probe = Manifest.read(store.path(SMALL, "v1")).probe
    assert probe is not None
    other = probe.model_copy(update={"score": probe.score + 5})
    Manifest.read(path).model_copy(update={"probe": other}).write(path)
    store.activate(SMALL, "v2")
    loaded = StoreLoader(store, device="cpu", weights=DEFAULT_WEIGHTS).load(SMALL)
    assert loaded.detector.version == "v1"
    assert "its probe part has" in loaded.note


def test_what_is_restored_is_served_without_a_restart(
    store: BankStore, serve: Callable[..., Any], part: dict[str, bytes], tmp_path: Path
) -> None:
    """First no version can be served, then an older one stands in, then the active one is back."""
    store.activate(SMALL, "v2")
    for version in ("v1", "v2"):
        bank = store.root / SMALL / version / "rgb.faiss"
        shutil.move(bank, tmp_path / version)  # as a backup, it keeps its modification time
        bank.write_bytes(b"damaged")
    settings = Settings(banks=store.root, poll_s=0.05, deadline_s=120)
    with serve(settings, None, wait=False) as running, running.client() as client:
        until(lambda: client.get(PRODUCT).json().get("state") == "failed", "the failed load")
        assert client.get("/readyz").json()["code"] == "not_ready"
        assert client.post(f"{PRODUCT}/score", files=part).json()["code"] == "bank_failed"
        shutil.copy2(tmp_path / "v1", store.root / SMALL / "v1" / "rgb.faiss")
        until(lambda: client.get("/readyz").status_code == 200, "a server that is ready")
        note = client.get(PRODUCT).json()["note"]
        assert "v2 is damaged: rgb.faiss: changed" in note, "the reason is told"
        assert client.get(PRODUCT).json()["bank_version"] == "v1"
        degraded = f'tribank_product_degraded{{product="{SMALL}"}}'
        assert f"{degraded} 1.0" in client.get("/metrics").text
        assert _score(client, part)["bank_version"] == "v1"
        shutil.copy2(tmp_path / "v2", store.root / SMALL / "v2" / "rgb.faiss")
        until(lambda: client.get(PRODUCT).json()["bank_version"] == "v2", "v2 in service")
        assert "note" not in client.get(PRODUCT).json()
        assert f"{degraded} 0.0" in client.get("/metrics").text
        assert _score(client, part)["bank_version"] == "v2"
    (told,) = [line for line in running.log if line["event"] == "bank_stands_in"]
    assert (told["level"], told["bank_version"], told["wanted"]) == ("warning", "v1", "v2")


def test_the_threshold_moves_without_a_rebuild(running: Any, part: dict[str, bytes]) -> None:
    path = f"{PRODUCT}/versions/v1/threshold"
    with running.client() as client:
        built = _score(client, part)
        moved = client.put(path, json={"threshold": built["score"] + 1}).json()
        assert (moved["basis"], moved["threshold"]) == ("set", built["score"] + 1)
        answer = _score(client, part)
        assert (answer["decision"], answer["score"]) == ("good", built["score"])
        assert (built["threshold_source"], answer["threshold_source"]) == ("calibration", "set")
        assert client.put(path, json={"rate": 0.2}).json()["false_reject_rate"] == 0.2
        assert _score(client, part)["threshold_source"] == "calibration"
        for wrong in ({}, {"rate": 0}, {"threshold": "high"}, {"threshold": 1, "rate": 0.1}, []):
            assert client.put(path, json=wrong).status_code == 422
        assert client.put(path, content=b'{"threshold": NaN}').status_code == 422
        assert client.put(path, content=b"[" * 60_000).status_code == 422
        assert client.put(path, content=b" " * 70_000).status_code == 413
        assert client.delete(path).json()["threshold"] == built["threshold"]
        assert _score(client, part)["threshold"] == built["threshold"]


def test_an_odd_part_counts_once_a_person_calls_it_good(running: Any, store: BankStore) -> None:
    folder = store.path(SMALL, "v1")
    manifest = Manifest.read(folder)
    odd = OddPart("train/good/003", 2 * manifest.calibration.threshold, 1.0)
    changed = {"calibration": replace(manifest.calibration, odd=(odd,))}
    shutil.copytree(folder, folder.with_name("v3"))
    manifest.model_copy(update=changed).write(folder.with_name("v3"))
    version = f"{PRODUCT}/versions/v3"
    with running.client() as client:
        assert client.post(f"{version}/activate").status_code == 200
        shown = client.get(version).json()
        assert shown["calibration"]["odd_parts"] == [{"part": odd.name, "score": odd.score}]
        assert shown["reviews"] == {}
        for word, counted in (("good", 1), ("dropped", 0), (None, 0)):
            answer = client.put(f"{version}/odd-parts", json={"part": odd.name, "review": word}).json()
            assert answer["reviews"] == ({odd.name: word} if word else {})
            assert answer["calibration"]["held_out_parts"] == manifest.calibration.count + counted
            in_force = client.get(PRODUCT).json()["calibration"]
            assert in_force == answer["calibration"]
            assert (in_force["threshold"] > manifest.calibration.threshold) == bool(counted)
        refused = client.put(f"{version}/odd-parts", json={"part": "train/good/000", "review": "good"})
        assert (refused.status_code, refused.json()["code"]) == (404, "not_odd")
        assert client.put(f"{version}/odd-parts", json={"part": odd.name, "review": "bad"}).status_code == 422


def test_a_new_version_on_disk_is_picked_up(running: Any, store: BankStore, part: dict[str, bytes]) -> None:
    store.activate(SMALL, "v2")
    with running.client() as client:
        until(lambda: client.get(PRODUCT).json()["bank_version"] == "v2", "v2 in service")
        assert _score(client, part)["bank_version"] == "v2"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_20_activations_and_roll_backs_under_load(running: Any, part: dict[str, bytes]) -> None:
    """Every answer names one version, and its score is exactly that version's."""
    answers: list[dict[str, Any]] = []
    done = threading.Event()

    def line() -> None:
        with running.client() as client:
            while not done.is_set():
                answers.append(_score(client, part))

    with running.client(headers={"Connection": "keep-alive"}) as client:
        expected = {"v1": _score(client, part)["score"]}
        assert client.post(f"{PRODUCT}/versions/v2/activate").status_code == 200
        expected["v2"] = _score(client, part)["score"]
        assert expected["v1"] != expected["v2"]
        lines = [threading.Thread(target=line) for _ in range(3)]
        for thread in lines:
            thread.start()
        active = []
        try:
            for turn in range(20):
                path = "rollback" if turn % 2 else f"versions/{('v1', 'v2')[turn // 2 % 2]}/activate"
                answer = client.post(f"{PRODUCT}/{path}", timeout=120)
                assert answer.status_code == 200, answer.text
                active.append(answer.json()["active"])
                if turn % 5 == 0:  # on a busy machine, all turns can fit between two answers
                    until(
                        lambda: answers and answers[-1]["bank_version"] == active[-1],
                        "an answer of the new version",
                    )
        finally:
            done.set()
            for thread in lines:
                thread.join(120)
    assert all(answer["score"] == expected[answer["bank_version"]] for answer in answers)
    counted = Counter(answer["bank_version"] for answer in answers)
    assert min(counted["v1"], counted["v2"]) > 0
    assert Counter(active) == {"v1": 10, "v2": 10}


def test_one_product_that_cannot_be_read_leaves_the_others_alone(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    """Odd and damaged product folders, at the start and later: each is told with its reason, the rest is
    served, under the names of their folders."""
    schema = Path(__file__).parents[2] / "data" / "versions" / "schema-3"
    for name in ("first", "second"):
        shutil.copytree(schema / "biscuit", tmp_path / name)
    (tmp_path / "odd" / "current").mkdir(parents=True)
    with np.load(schema / "part.npz", allow_pickle=False) as kept:
        files = {"rgb": ("a.png", png(kept["rgb"])), "xyz": ("a.tiff", tiff(kept["xyz"]))}
    settings = Settings(banks=tmp_path, state=tmp_path / "state", poll_s=0.05, deadline_s=120)
    with serve(settings, None, wait=False) as running, running.client() as client:

        def product(name: str) -> dict[str, Any]:
            found = client.get("/v1/products").json()["products"]
            return next((one for one in found if one["product"] == name), {"state": "none"})

        def score(name: str) -> dict[str, Any]:
            return client.post(f"/v1/products/{name}/score", files=files).json()

        until(lambda: product("second")["state"] == "serving", "the last product")
        assert (product("odd")["state"], "odd/current" in product("odd")["note"]) == ("failed", True)
        before = score("second")
        assert (before["product"], before["threshold"]) == ("second", 20.0)

        (tmp_path / "first" / "current").write_bytes(b"v\0")
        (tmp_path / "second" / "thresholds.json").write_bytes(b"{}}")
        until(lambda: "first/current" in product("first").get("note", ""), "the damaged name told")
        until(lambda: "thresholds.json" in product("second").get("note", ""), "the damaged thresholds told")
        for name in ("first", "second"):
            assert product(name)["state"] == "serving"
            assert (score(name)["product"], score(name)["score"]) == (name, before["score"])
        assert score("second")["threshold"] == 20.0, "the one in force stays"
        moved = client.put("/v1/products/second/versions/v1/threshold", json={"threshold": 1.0})
        assert (moved.status_code, moved.json()["code"]) == (409, "bank_damaged")

        shutil.rmtree(tmp_path / "odd" / "current")
        (tmp_path / "first" / "current").write_text("v1\n")
        (tmp_path / "second" / "thresholds.json").unlink()
        until(lambda: product("odd")["state"] == "empty", "the odd folder without an active version")
        until(lambda: not product("first").get("note"), "no note of the first")
        until(lambda: not product("second").get("note"), "no note of the second")
        assert score("second")["threshold"] != 20.0
    for event in ("bank_not_served", "thresholds_not_followed"):
        told = [line["reason"] for line in running.log if line["event"] == event]
        assert len(told) == len(set(told)) > 0, "each is logged once"
