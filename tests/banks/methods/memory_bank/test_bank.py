"""Bank scores against the published formulas written plainly, and what the index does with bad input."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from banks.methods.memory_bank.bank import BadIndex, MemoryBank, NonFiniteScore, reweighted
from banks.methods.memory_bank.normaliser import Normaliser
from recipes.banks import Reweighting


def drawn(count: int, width: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)


def published_score(
    patches: torch.Tensor, bank: torch.Tensor, epsilon: float = 0.0, divisor: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Facts 6.3, word for word: nearest distances and the re-weighted image score."""
    nearest, ids = torch.cdist(patches, bank).min(dim=1)
    at = nearest.argmax()
    farthest = nearest[at] / divisor
    to_bank = torch.cdist(bank[ids[at]][None], bank)
    around = to_bank.topk(3, largest=False).indices[0, 1:]
    reach = torch.linalg.norm(patches[at] - bank[around], dim=1) / divisor
    unit = patches.shape[1] ** 0.5
    weight = 1 - torch.exp(farthest / unit) / (torch.exp(reach / unit).sum() + epsilon)
    return nearest, weight * farthest


@pytest.mark.parametrize(("epsilon", "divisor"), [(0.0, 1.0), (1e-5, 1.0), (0.0, 1000.0)])
def test_score_is_the_published_formula(epsilon: float, divisor: float) -> None:
    bank, patches = drawn(400, 48, 0), 1.2 * drawn(100, 48, 1)
    nearest, score = published_score(
        torch.tensor(patches).double(), torch.tensor(bank).double(), epsilon, divisor
    )
    got = MemoryBank.of(bank).score(patches, Reweighting(epsilon=epsilon, divisor=divisor))
    np.testing.assert_allclose(got.distances, nearest, rtol=1e-6)
    assert got.image_score == pytest.approx(score.item(), rel=1e-5)
    assert got.distances.dtype == np.float32
    assert got.ids.dtype == np.int64


def test_a_row_of_the_bank_is_at_distance_zero() -> None:
    bank = drawn(300, 64, 2) + np.float32(100)
    distances, ids = MemoryBank.of(bank).nearest(bank)
    assert not distances.any()
    np.testing.assert_array_equal(ids, np.arange(300))


def test_tensors_and_equal_rows_give_the_same_answer() -> None:
    bank, patches = MemoryBank.of(drawn(500, 40, 3)), drawn(60, 40, 4)
    repeated = patches[np.random.default_rng(0).integers(0, 30, 200)]
    distances, ids = bank.nearest(torch.from_numpy(repeated))
    for row, distance, identity in zip(repeated, distances, ids, strict=True):
        alone = bank.nearest(row[None])
        assert alone[1][0] == identity
        assert alone[0][0] == distance


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_coarse_rows_with_many_ties(count: int, width: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    rows = draw.integers(0, 3, (count, width)).astype(np.float32)
    library = draw.integers(0, 3, (7, width)).astype(np.float32)
    distances, ids = MemoryBank.of(library).nearest(rows)
    exact = np.linalg.norm(rows[:, None] - library[None], axis=2)
    np.testing.assert_allclose(distances, exact.min(axis=1), rtol=1e-6)
    np.testing.assert_allclose(exact[np.arange(count), ids], exact.min(axis=1), rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_bad_numbers_never_become_a_score(bad: float) -> None:
    library, patches = drawn(50, 8, 5), drawn(30, 8, 6)
    bank = MemoryBank.of(library)
    patches[7, 3] = bad
    with pytest.raises(NonFiniteScore, match="query 7"):
        bank.score(patches)
    library[2, 2] = bad
    with pytest.raises(NonFiniteScore, match="bank row 2"):
        MemoryBank.of(library)


def test_wrong_shapes_are_refused() -> None:
    bank = MemoryBank.of(drawn(5, 8, 7))
    for wrong in (drawn(5, 7, 0), drawn(5, 8, 0).astype(np.float64), drawn(5, 8, 0)[0]):
        with pytest.raises(ValueError, match="queries must be"):
            bank.nearest(wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="a bank needs"):
        MemoryBank.of(np.empty((0, 8), np.float32))


def test_banks_of_one_and_two_rows_have_a_score() -> None:
    patches = drawn(10, 8, 8)
    lone = MemoryBank.of(drawn(1, 8, 9)).score(patches)
    assert lone.image_score == pytest.approx(lone.distances.max())
    pair = MemoryBank.of(drawn(2, 8, 9)).score(patches)
    assert 0 <= pair.image_score <= pair.distances.max()


def test_huge_distances_do_not_overflow_the_weight() -> None:
    score = MemoryBank.of(drawn(20, 4, 10)).score(1e6 * drawn(10, 4, 11)).image_score
    assert np.isfinite(score)
    assert reweighted(1e9, np.array([1e9, 3e9]), 4) == pytest.approx(1e9)


def test_bytes_round_trip() -> None:
    bank = MemoryBank.of(drawn(200, 32, 12))
    back = MemoryBank.from_bytes(bank.to_bytes())
    np.testing.assert_array_equal(back.rows, bank.rows)
    assert back.precision == "float32"


def test_float16_halves_the_bytes_and_keeps_the_scores() -> None:
    rows, patches = drawn(200, 32, 12), drawn(40, 32, 13)
    whole, half = MemoryBank.of(rows), MemoryBank.of(rows, precision="float16")
    assert len(half.to_bytes()) == pytest.approx(len(whole.to_bytes()) / 2, rel=0.01)
    assert half.score(patches).image_score == pytest.approx(whole.score(patches).image_score, rel=1e-3)
    np.testing.assert_allclose(half.nearest(patches)[0], whole.nearest(patches)[0], rtol=1e-3)
    back = MemoryBank.from_bytes(half.to_bytes())
    assert back.precision == "float16"
    assert back.to_bytes() == half.to_bytes()
    np.testing.assert_array_equal(back.nearest(patches)[0], half.nearest(patches)[0])


def test_what_float16_cannot_hold_is_refused() -> None:
    rows = drawn(20, 4, 18)
    rows[5] = 70_000
    with pytest.raises(NonFiniteScore, match="bank row 5"):
        MemoryBank.of(rows, precision="float16")


def other_indexes() -> list[faiss.Index]:
    rows = drawn(50, 8, 14)
    inner, graph = faiss.IndexFlatIP(8), faiss.IndexHNSWFlat(8, 4)
    inner.add(rows)
    graph.add(rows)
    broken = faiss.IndexFlatL2(8)
    broken.add(np.full((3, 8), np.nan, np.float32))
    return [inner, graph, faiss.IndexFlatL2(8), broken]


@pytest.mark.parametrize("index", other_indexes(), ids=lambda index: type(index).__name__)
def test_other_indexes_are_no_banks(index: faiss.Index) -> None:
    with pytest.raises(BadIndex):
        MemoryBank.from_bytes(faiss.serialize_index(index).tobytes())


@pytest.mark.parametrize("cut", [0, 3, 20, 100, 1000])
def test_truncated_bytes_are_no_bank(cut: int) -> None:
    data = MemoryBank.of(drawn(50, 8, 15)).to_bytes()
    with pytest.raises(BadIndex):
        MemoryBank.from_bytes(data[:cut])


@pytest.mark.parametrize("pieces", [1, 3, 7])
def test_normaliser_is_torchs_mean_and_std(pieces: int) -> None:
    rows = 5 * drawn(210, 6, 16) + np.float32(1000)
    chunks = np.array_split(rows, pieces)
    exact = torch.tensor(rows).double()
    scalar = Normaliser.fit(chunks)
    assert scalar.mean == pytest.approx((exact.mean().item(),), rel=1e-12)
    assert scalar.std == pytest.approx((exact.std().item(),), rel=1e-9)
    channels = Normaliser.fit(chunks, per_channel=True)
    np.testing.assert_allclose(channels.mean, exact.mean(dim=0), rtol=1e-12)
    np.testing.assert_allclose(channels.std, exact.std(dim=0), rtol=1e-9)
    assert channels(rows).dtype == np.float32
    np.testing.assert_allclose(channels(rows).std(axis=0, ddof=1), 1, rtol=1e-4)
    for normaliser in (scalar, channels):
        np.testing.assert_array_equal(normaliser(torch.tensor(rows)), normaliser(rows))


def test_normaliser_edges() -> None:
    rows = drawn(10, 3, 17)
    np.testing.assert_array_equal(Normaliser()(rows), rows)
    assert Normaliser.fit([np.ones((5, 2), np.float32)], per_channel=True).std == (1.0, 1.0)
    mixed = Normaliser.shared(Normaliser((3.0,), (9.0,)), Normaliser((5.0,), (2.0,)))
    assert mixed == Normaliser((3.0,), (2.0,))
    with pytest.raises(ValueError, match="at least two"):
        Normaliser.fit([])
    for mean, std in [((0.0,), (0.0,)), ((np.nan,), (1.0,)), ((), ()), ((1.0,), (1.0, 2.0))]:
        with pytest.raises(ValueError):  # noqa: PT011
            Normaliser(mean, std)
