"""Local scales: what is usual among good parts around each row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from banks.methods.memory_bank.bank import MemoryBank
from banks.methods.memory_bank.local_scale import AROUND, local_scales
from banks.methods.memory_bank.stand_ins import Remainder, remainder
from banks.methods.method import Provenance
from recipes.banks import Precision

Rows: TypeAlias = NDArray[np.float32]
PARTS, PATCHES = 6, 80
CALM, ROUGH = 0, 100  # the two places that good patches lie around


def good_part(part: int) -> NDArray[np.float32]:
    """Half of the patches vary little, half of them vary ten times as much."""
    draw = np.random.default_rng(part).standard_normal((PATCHES, 4)).astype(np.float32)
    draw[: PATCHES // 2] *= 0.1
    draw[PATCHES // 2 :, 0] += ROUGH
    return draw


@pytest.fixture(scope="module")
def bank() -> tuple[MemoryBank, NDArray[np.int32]]:
    """All patches of all parts, and the part of each row."""
    rows = np.concatenate([good_part(part) for part in range(PARTS)])
    return MemoryBank.of(rows), np.repeat(np.arange(PARTS, dtype=np.int32), PATCHES)


def left_out(
    bank: MemoryBank,
    origin: NDArray[np.int32],
    parts: Sequence[int],
    patches: Callable[[int], Rows] = good_part,
) -> Iterator[tuple[Remainder | None, Rows]]:
    return ((remainder(bank, Provenance(origin, origin, origin), part), patches(part)) for part in parts)


def scales(bank: tuple[MemoryBank, NDArray[np.int32]], power: float) -> Rows:
    return local_scales(bank[0], left_out(*bank, range(PARTS)), power)


def test_rows_where_good_parts_vary_more_have_larger_scales(
    bank: tuple[MemoryBank, NDArray[np.int32]],
) -> None:
    found = scales(bank, 1.0)
    rough = bank[0].rows[:, 0] > ROUGH / 2
    assert rough.sum() > AROUND, "rows around a row are of its own kind"
    assert found[rough].min() > 1 > found[~rough].max()
    assert 4 < np.median(found[rough]) / np.median(found[~rough]) < 10


def test_the_power_says_how_far_distances_are_evened_out(
    bank: tuple[MemoryBank, NDArray[np.int32]],
) -> None:
    np.testing.assert_array_equal(scales(bank, 0.0), 1)
    np.testing.assert_allclose(scales(bank, 0.5), np.sqrt(scales(bank, 1.0)), rtol=1e-5)


def test_a_distance_is_divided_by_the_scale_of_its_row(
    bank: tuple[MemoryBank, NDArray[np.int32]],
) -> None:
    memory, given = bank[0], scales(bank, 1.0)
    queries = good_part(PARTS)
    plain, scaled = memory.score(queries), memory.score(queries, scales=given)
    np.testing.assert_array_equal(scaled.distances, plain.distances / given[plain.ids])
    assert scaled.image_score < plain.image_score


def test_copies_and_a_single_part_have_scales_of_one() -> None:
    same = np.ones((PATCHES, 4), np.float32)
    origin = np.repeat(np.arange(2, dtype=np.int32), PATCHES)
    bank = MemoryBank.of(np.concatenate([same, same]))
    copies = local_scales(bank, left_out(bank, origin, (0, 1), lambda part: same), 1.0)
    np.testing.assert_array_equal(copies, 1)
    single = MemoryBank.of(good_part(0))
    alone = local_scales(single, left_out(single, origin[:PATCHES], (0,)), 1.0)
    np.testing.assert_array_equal(alone, 1)


def test_a_distance_to_a_stand_in_counts_for_its_row(bank: tuple[MemoryBank, NDArray[np.int32]]) -> None:
    """The calm half of the rows stands for a calm row, and the part lies near. The other half lies far."""
    memory, half = bank[0], PATCHES // 2
    calm, rough = 0, PATCHES - 1
    others = Remainder(memory.like(good_part(0)), np.repeat([calm, rough], half), Provenance(*[bank[1]] * 3))
    asked = good_part(0) + np.repeat(np.array([0.01, 2], np.float32), half)[:, None]
    found = local_scales(memory, [(others, asked)], 1.0)
    assert found[rough] > 1 > found[calm]


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_copies_say_nothing_of_how_good_parts_vary(
    bank: tuple[MemoryBank, NDArray[np.int32]], precision: Precision
) -> None:
    """Places without points have the same row in every part, and one row of the bank, rounded or not."""
    memory, origin = MemoryBank.of(bank[0].rows, precision=precision), bank[1]
    blank = np.zeros((500, 4), np.float32)
    blank[:, 0] = ROUGH / 2 + 0.01
    with_blank = MemoryBank.of(np.concatenate([blank[:1], memory.rows]), precision=precision)
    asked = left_out(
        with_blank,
        np.concatenate([[np.int32(0)], origin]),
        range(1, PARTS),
        lambda part: np.concatenate([good_part(part), blank]),
    )
    found = local_scales(with_blank, asked, 1.0)
    expected = local_scales(memory, left_out(memory, origin, range(1, PARTS)), 1.0)
    np.testing.assert_allclose(found[1:], expected, rtol=0.02)
