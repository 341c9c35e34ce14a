"""Rejected parts are kept within their bytes, the newest longest, and come back as they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.readers.product_folder import open_product_folder
from models.sample import Sample, make_sample
from recipes.sensor import Sensor
from service.records.kept_parts import KeptParts


def _part(seed: int) -> Sample:
    random = np.random.default_rng(seed)
    xyz = random.uniform(0.1, 0.2, (40, 48, 3)).astype(np.float32)
    xyz[:5] = 0
    return make_sample(random.integers(0, 255, (40, 48, 3), dtype=np.uint8), xyz)


def _size(tmp_path: Path) -> int:
    kept = KeptParts(tmp_path, 10**9)
    kept.open()
    kept.add("x", "tile", _part(0))
    return (tmp_path / "parts/x.npz").stat().st_size


def test_a_part_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = KeptParts(tmp_path, 10**9)
    kept.open()
    samples = {"a": _part(1), "b": make_sample(None, _part(2).xyz)}
    for name, sample in samples.items():
        kept.add(name, "tile", sample)
    out = tmp_path / "out"
    out.mkdir()
    assert kept.copy(["a", "b", "c"], out) == ["c"]
    for name in samples:
        copied = (out / f"accepted-{name}.npz").stat()
        assert copied.st_ino == (tmp_path / f"parts/{name}.npz").stat().st_ino  # no second place on the disk
    kept.retain([], kept.names())  # nor does it go with the kept one
    for part in open_product_folder(out).train:
        sample = samples[part.name.removeprefix("accepted-")]
        found = part.read(
            Sensor(xyz_unit="mm", registration="scaled")
        )  # of the product, not of the kept part
        np.testing.assert_array_equal(found.rgb, sample.rgb)
        np.testing.assert_array_equal(found.xyz, sample.xyz)
        np.testing.assert_array_equal(found.valid, sample.valid)
        assert found.missing == sample.missing


def test_the_oldest_go_first_also_after_a_restart(tmp_path: Path) -> None:
    size = _size(tmp_path)
    (tmp_path / "parts/x.npz").unlink()
    kept = KeptParts(tmp_path, 3 * size)
    kept.open()
    for name in "abcd":
        kept.add(name, "tile", _part(0))
    assert [name for name in "abcd" if kept.has(name)] == ["b", "c", "d"]
    (tmp_path / "parts/.e.npz").write_bytes(b"half")
    again = KeptParts(tmp_path, 2 * size)
    again.open()
    again.retain(
        [(name, "tile") for name in "cdb"], again.names()
    )  # by their results, whatever the files' times say
    assert sorted(file.name for file in (tmp_path / "parts").iterdir()) == ["b.npz", "d.npz"]


def test_parts_are_forgotten_by_name(tmp_path: Path) -> None:
    kept = KeptParts(tmp_path, 10**9)
    kept.open()
    for name in "ab":
        kept.add(name, "tile", _part(0))
    kept.retain([("b", "tile"), ("never kept", "tile")], kept.names())
    assert kept.names() == {"b"}
    assert [file.name for file in (tmp_path / "parts").iterdir()] == ["b.npz"]


def test_none_are_kept_where_nobody_wants_them(tmp_path: Path) -> None:
    kept = KeptParts(tmp_path, 0)
    kept.open()
    kept.add("a", "tile", _part(0))
    assert not kept.has("a")
    with pytest.raises(StopIteration):
        next((tmp_path / "parts").iterdir())


def test_a_product_with_many_parts_pushes_out_its_own(tmp_path: Path) -> None:
    size = _size(tmp_path)
    (tmp_path / "parts/x.npz").unlink()
    kept = KeptParts(tmp_path, 4 * size)
    kept.open()
    kept.add("rare", "cap", _part(0))
    for name in "abcdef":
        kept.add(name, "tile", _part(0))
    assert kept.names() == {"rare", "d", "e", "f"}
    again = KeptParts(tmp_path, 2 * size)
    again.open()
    again.retain([("rare", "cap"), ("d", "tile"), ("e", "tile"), ("f", "tile")], again.names())
    assert again.names() == {"rare", "f"}


def test_a_part_is_kept_all_the_while_others_are_deleted(tmp_path: Path) -> None:
    kept = KeptParts(tmp_path, 10**9)
    kept.open()
    for name in "abc":
        kept.add(name, "tile", _part(0))
    seen: list[bool] = []

    class Asked(list[tuple[str, str]]):
        """What else a server asks while it looks through the results."""

        def __iter__(self) -> Iterator[tuple[str, str]]:
            for one in super().__iter__():
                yield one
                seen.append(kept.has(one[0]))

    kept.retain(Asked([("a", "tile"), ("b", "tile")]), kept.names())
    assert set(seen) == {True}
    assert [kept.has(name) for name in "abc"] == [True, True, False]
