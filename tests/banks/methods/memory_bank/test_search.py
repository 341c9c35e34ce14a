"""Both forms of the search give the same answer; the GPU's own test runs where there is one."""

from __future__ import annotations

import threading
from typing import ClassVar

import faiss
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from banks.methods.memory_bank.bank import MemoryBank
from banks.methods.memory_bank.search import (
    HostSearch,
    NonFiniteScore,
    TensorSearch,
    check_finite,
    free_dropped,
    indices_dropped,
    search_on,
)


def drawn(count: int, width: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)


def both(rows: NDArray[np.float32]) -> tuple[HostSearch, TensorSearch]:
    index = faiss.IndexFlatL2(rows.shape[1])
    index.add(rows)
    return HostSearch(index, rows), TensorSearch(index, torch.device("cpu"))


def test_arrays_and_tensors_name_the_same_rows() -> None:
    host, tensors = both(drawn(500, 40, 0))
    queries = drawn(60, 40, 1)[np.random.default_rng(0).integers(0, 60, 200)]
    distances, ids = host.nearest(queries)
    others, same = tensors.nearest(tensors.take(queries))
    np.testing.assert_array_equal(ids, same)
    np.testing.assert_allclose(distances, others, rtol=1e-6)
    assert others.dtype == np.float32
    np.testing.assert_array_equal(host.ids(queries, 3), tensors.ids(tensors.take(queries), 3))


def test_rows_that_are_there_are_not_copied() -> None:
    host, tensors = both(drawn(5, 8, 2))
    rows = torch.from_numpy(drawn(4, 8, 3))
    assert tensors.take(rows).data_ptr() == rows.data_ptr()
    assert torch.from_numpy(host.take(rows)).data_ptr() == rows.data_ptr()


def test_too_few_rows_are_no_answer() -> None:
    host, tensors = both(drawn(2, 8, 4))
    query = drawn(1, 8, 5)
    with pytest.raises(NonFiniteScore):
        host.ids(query, 3)
    with pytest.raises(NonFiniteScore):
        tensors.ids(tensors.take(query), 3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_bad_numbers_are_seen_in_either_form(bad: float) -> None:
    rows = drawn(6, 8, 6)
    rows[4, 2] = bad
    for form in (rows, torch.tensor(rows)):
        with pytest.raises(NonFiniteScore, match="query 4"):
            check_finite(form, "query")


def test_a_device_without_faiss_is_refused() -> None:
    rows = drawn(2, 8, 7)
    with pytest.raises(ValueError, match="no FAISS index can live on 'mps' here"):
        search_on("mps", faiss.IndexFlatL2(8), rows, half=False)


@pytest.mark.gpu
@pytest.mark.skipif(
    not (torch.cuda.is_available() and hasattr(faiss, "StandardGpuResources")), reason="no CUDA device"
)
@pytest.mark.parametrize("precision", ["float32", "float16"])
@pytest.mark.parametrize("width", [33, 768, 1920])
def test_cuda_names_the_host_s_rows(precision: str, width: int) -> None:
    rows, queries = drawn(4000, width, 8), drawn(3136, width, 9)
    host = MemoryBank.of(rows, precision=precision)  # pyright: ignore[reportArgumentType]
    device = MemoryBank.of(rows, device="cuda", precision=precision)  # pyright: ignore[reportArgumentType]
    ours, theirs = host.score(queries), device.score(torch.tensor(queries, device="cuda"))
    np.testing.assert_allclose(ours.distances, theirs.distances, rtol=1e-3)
    assert theirs.image_score == pytest.approx(ours.image_score, rel=1e-3)
    assert not device.nearest(torch.tensor(host.rows[:100], device="cuda"))[0].any()


def test_small_products_take_the_fast_path_with_the_same_ids() -> None:
    draw = np.random.default_rng(3)
    rows = draw.standard_normal((2000, 33), np.float32)
    queries = (rows[:300] + 0.01 * draw.standard_normal((300, 33))).astype(np.float32)
    index = faiss.IndexFlatL2(33)
    index.add(rows)
    assert faiss.cvar.distance_compute_blas_threshold == 20
    found = HostSearch(index, rows).nearest(queries)
    exact = np.linalg.norm(queries[:, None].astype(np.float64) - rows[None], axis=2)
    np.testing.assert_array_equal(found[1], exact.argmin(axis=1))
    np.testing.assert_allclose(found[0], exact.min(axis=1), rtol=1e-5)


class Index:
    """Something that notes which thread frees it."""

    freed_by: ClassVar[list[int]] = []

    def __del__(self) -> None:
        self.freed_by.append(threading.get_ident())


def test_an_index_on_a_device_is_freed_by_the_thread_that_searches() -> None:
    Index.freed_by.clear()
    free_dropped()
    held = [TensorSearch(Index(), torch.device("cpu"))]
    loader = threading.Thread(target=held.clear)
    loader.start()
    loader.join()
    assert not Index.freed_by
    assert indices_dropped()
    free_dropped()
    assert Index.freed_by == [threading.get_ident()]
    assert not indices_dropped()
