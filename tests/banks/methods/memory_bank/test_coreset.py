"""Projection equal to sklearn's, picks equal to the plain greedy loop's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.random_projection import SparseRandomProjection

from banks.methods.memory_bank import coreset


def plain(rows: NDArray[np.float32], count: int, start: int = 0) -> list[int]:
    """Greedy k-centre as anyone would write it."""
    wide = rows.astype(np.float64)
    near = np.full(len(rows), np.inf, np.float32)
    picks = [start]
    while len(picks) < count:
        distance = ((wide - wide[picks[-1]]) ** 2).sum(axis=1).astype(np.float32)
        near = np.minimum(near, distance)
        if near.max() == 0:  # only copies are left
            break
        picks.append(int(near.argmax()))
    return picks


def clustered(count: int, width: int, seed: int) -> NDArray[np.float32]:
    draw = np.random.default_rng(seed)
    centres = 3 * draw.standard_normal((20, width))
    spread = draw.gamma(2, 0.5, (count, 1))
    rows = centres[draw.integers(0, 20, count)] + spread * draw.standard_normal((count, width))
    return rows.astype(np.float32)


def test_projection_is_sklearns(tmp_path: Path) -> None:
    rows = clustered(1500, 400, 0)
    published = SparseRandomProjection(eps=0.9, random_state=7).fit_transform(rows)
    np.testing.assert_array_equal(coreset.project(rows, seed=7), published)
    mapped = np.memmap(tmp_path / "rows", np.float32, "w+", shape=rows.shape)
    mapped[:] = rows
    out = np.empty((1500, coreset.projected_width(1500, 400)), np.float32)
    assert coreset.project(mapped, seed=7, out=out) is out
    np.testing.assert_array_equal(out, published)


@pytest.mark.parametrize(("rows", "width"), [(765_184, 334), (191_296, 300), (15_680, 238), (3_920, 204)])
def test_projected_width_of_the_published_libraries(rows: int, width: int) -> None:
    assert coreset.projected_width(rows, 1152) == width


def test_rows_narrower_than_the_target_stay_as_they_are() -> None:
    rows = clustered(100, 33, 1)
    np.testing.assert_array_equal(coreset.project(rows, seed=0), rows)
    np.testing.assert_array_equal(coreset.project(rows, seed=0, out=np.empty_like(rows)), rows)


def test_projection_refuses_other_dtypes_and_shapes() -> None:
    with pytest.raises(ValueError, match="float32"):
        coreset.project(np.zeros((4, 4)), seed=0)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="out must be"):
        coreset.project(clustered(100, 33, 1), seed=0, out=np.empty((3, 3), np.float32))


@pytest.mark.parametrize(
    "rows",
    [
        np.random.default_rng(0).standard_normal((900, 40)).astype(np.float32),
        clustered(900, 40, 2),
        clustered(900, 40, 3)[np.random.default_rng(1).integers(0, 60, 900)],
        clustered(900, 40, 4) + np.float32(1000),
        np.random.default_rng(2).integers(0, 3, (900, 4)).astype(np.float32),
        np.concatenate([clustered(899, 40, 5), np.full((1, 40), 1e4, np.float32)]),
        np.zeros((900, 3), np.float32),
    ],
    ids=["random", "clustered", "duplicates", "far from zero", "ties everywhere", "an outlier", "all equal"],
)
@pytest.mark.parametrize("pool", [16, 300, 4096])
def test_picks_and_order_are_the_plain_loops(
    rows: NDArray[np.float32], pool: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coreset, "_POOL", (pool, pool))
    np.testing.assert_array_equal(coreset.greedy(rows, 200, start=11), plain(rows, 200, 11))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 2**32 - 1), st.integers(1, 30), st.booleans())
def test_small_libraries(count: int, width: int, seed: int, pool: int, coarse: bool) -> None:
    draw = np.random.default_rng(seed)
    rows = draw.standard_normal((count, width)).astype(np.float32)
    rows = np.round(rows) if coarse else rows
    picked = int(draw.integers(1, count + 1))
    start = int(draw.integers(0, count))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coreset, "_POOL", (pool, pool))
        patch.setattr(coreset, "_TILE", 64)
        assert coreset.greedy(rows, picked, start=start).tolist() == plain(rows, picked, start)


def test_the_device_pass_finds_the_same_distances() -> None:
    rows = np.concatenate([clustered(700, 40, 8), clustered(700, 40, 8)[:200]])
    picks = np.array(plain(rows, 90))
    near, far = np.full(900, np.inf, np.float32), np.full(900, np.inf, np.float32)
    torch.set_float32_matmul_precision("high")  # what a front door may have set
    try:
        for some in (picks[:1], picks[1:30], picks[30:]):
            coreset._Library(rows).lower(near, some)
            coreset._DeviceLibrary(rows, "cpu").lower(far, some)
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
    exact = ((rows[:, None].astype(np.float64) - rows[picks]) ** 2).sum(axis=2).min(axis=1).astype(np.float32)
    np.testing.assert_array_equal(near, exact)
    np.testing.assert_array_equal(far, exact)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_picks_on_a_gpu_are_the_same() -> None:
    rows = clustered(20_000, 300, 9)
    np.testing.assert_array_equal(coreset.greedy(rows, 2000, device="cuda"), coreset.greedy(rows, 2000))


@pytest.mark.parametrize("pool", [16, 4096])
def test_copies_are_not_picked(pool: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coreset, "_POOL", (pool, pool))
    rows = clustered(101, 40, 3)[np.arange(300) % 101]
    assert len(np.unique(rows, axis=0)) == 101
    seen: list[tuple[int, int]] = []
    picks = coreset.greedy(rows, 200, progress=lambda done, total: seen.append((done, total)))
    assert (len(picks), len(np.unique(rows[picks], axis=0))) == (101, 101)
    assert seen[-1] == (101, 101)


def test_progress_counts_up_to_the_whole() -> None:
    seen: list[tuple[int, int]] = []
    coreset.greedy(clustered(500, 8, 6), 100, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (1, 100)
    assert seen[-1] == (100, 100)
    assert seen == sorted(seen)


def test_greedy_refuses_nonsense() -> None:
    rows = clustered(50, 4, 7)
    for count, start in [(0, 0), (51, 0), (5, 50), (5, -1)]:
        with pytest.raises(ValueError, match="cannot pick"):
            coreset.greedy(rows, count, start=start)
    rows[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        coreset.greedy(rows, 5)
