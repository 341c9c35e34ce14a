"""What a product has beside its versions is checked too."""

from __future__ import annotations

from pathlib import Path

import pytest

from banks.versions.store import BadBank, BankStore
from banks.versions.thresholds import MovedThreshold, move_threshold, moved_thresholds
from banks.versions.verification import product_problems


@pytest.fixture
def store(tmp_path: Path) -> BankStore:
    """Product `cookie`: v1 is active with a moved threshold, v2 the shadow."""
    store = BankStore(tmp_path)
    for version in ("v1", "v2"):
        (tmp_path / "cookie" / version).mkdir(parents=True)
    store.activate("cookie", "v1")
    store.set_shadow("cookie", "v2")
    move_threshold(store, "cookie", "v1", MovedThreshold(threshold=2.5, rate=None))
    return store


def test_each_damaged_file_is_named(store: BankStore) -> None:
    assert product_problems(store, "cookie") == []
    for name in ("current", "shadow", "thresholds.json"):
        (store.root / "cookie" / name).write_bytes(b"{")
        assert sum(f"cookie/{name}" in problem for problem in product_problems(store, "cookie")) == 1
    assert len(product_problems(store, "cookie")) == 3


def test_a_version_that_is_named_and_gone(store: BankStore) -> None:
    (store.root / "cookie" / "v2").rmdir()
    (problem,) = product_problems(store, "cookie")
    assert "shadow v2 is gone" in problem


def test_a_flipped_bit_of_moved_thresholds_is_refused(store: BankStore) -> None:
    file = store.root / "cookie" / "thresholds.json"
    whole, moved = file.read_bytes(), moved_thresholds(file.parent)
    refused: list[str] = []
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        try:
            assert moved_thresholds(file.parent) == moved, "only blank space may differ"
        except BadBank as error:
            refused.append(str(error))
    assert len(refused) > 4 * len(whole)
    assert all("cookie/thresholds.json" in said for said in refused)
    with pytest.raises(BadBank):
        move_threshold(store, "cookie", "v1", None)


def test_thresholds_as_older_sources_wrote_them_are_read(store: BankStore) -> None:
    (store.root / "cookie" / "thresholds.json").write_text('{"v1":{"rate":0.02}}')
    assert moved_thresholds(store.root / "cookie") == {"v1": MovedThreshold(threshold=None, rate=0.02)}
