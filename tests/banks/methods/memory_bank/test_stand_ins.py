"""Stand-ins: what the greedy choice of rows takes where one part's rows are taken out."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from banks.methods.memory_bank.bank import MemoryBank
from banks.methods.memory_bank.coreset import greedy
from banks.methods.memory_bank.stand_ins import StandIns, further_picks, remainder
from banks.methods.method import Provenance

PARTS, PATCHES, KEPT = 4, 60, 40
OWNER = np.repeat(np.arange(PARTS), PATCHES)


@pytest.fixture(scope="module")
def library() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((PARTS * PATCHES, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def chosen(library: NDArray[np.float32]) -> NDArray[np.int64]:
    return greedy(library, KEPT)


def farthest(library: NDArray[np.float32], rows: NDArray[np.int64], part: int = -1) -> float:
    """Of all patches but those of one part, to the nearest of some rows."""
    asked = library[part != OWNER]
    return float(np.linalg.norm(asked[:, None] - library[rows], axis=2).min(axis=1).max())


def test_without_a_part_the_picks_go_on_until_all_other_patches_are_as_near(
    library: NDArray[np.float32], chosen: NDArray[np.int64]
) -> None:
    reach = farthest(library, chosen)
    of, picks = further_picks(library, chosen, OWNER, range(PARTS), "cpu")
    for part in range(PARTS):
        own = OWNER[chosen[of]] == part
        kept = chosen[OWNER[chosen] != part]
        assert farthest(library, kept, part) > reach >= farthest(library, np.append(kept, picks[own]), part)
        assert part not in OWNER[picks[own]]
        for number in range(own.sum()):
            before = np.append(kept, picks[own][:number])
            distance = np.linalg.norm(library[before] - library[picks[own][number]], axis=1).min()
            assert distance == pytest.approx(farthest(library, before, part)), "the farthest is next"


def test_a_pick_stands_for_the_nearest_of_the_rows(
    library: NDArray[np.float32], chosen: NDArray[np.int64]
) -> None:
    of, picks = further_picks(library, chosen, OWNER, [2], "cpu")
    distances = np.linalg.norm(library[picks][:, None] - library[chosen], axis=2)
    np.testing.assert_array_equal(of, distances.argmin(axis=1))
    assert set(OWNER[chosen[of]]) == {2}


def test_the_part_has_no_say_in_what_is_picked(library: NDArray[np.float32]) -> None:
    """Part 0 has every row, so the picks without it are those of the other parts alone."""
    chosen = np.arange(PATCHES)
    _, picks = further_picks(library, chosen, OWNER, [0], "cpu")
    moved = library.copy()
    moved[:PATCHES] = moved[:PATCHES][::-1]
    _, again = further_picks(moved, chosen, OWNER, [0], "cpu")
    np.testing.assert_array_equal(picks, again)
    assert picks[0] == PATCHES, "the first patch of the others, as nothing is kept"


def test_the_remainder_has_the_stand_ins_of_the_part(
    library: NDArray[np.float32], chosen: NDArray[np.int64]
) -> None:
    of, picks = further_picks(library, chosen, OWNER, range(PARTS), "cpu")
    bank, origin = MemoryBank.of(library[chosen]), origin_of(chosen)
    left = remainder(bank, origin, 2, StandIns(of, library[picks], origin_of(picks)))
    assert left is not None
    kept, own = np.flatnonzero(origin.part != 2), origin.part[of] == 2
    np.testing.assert_array_equal(left.ids, np.append(kept, of[own]))
    patches = np.append(chosen[kept], picks[own])
    np.testing.assert_array_equal(left.bank.rows, library[patches])
    for found, expected in zip(
        (left.origin.part, left.origin.cell, left.origin.pixel), np.divmod(patches, PATCHES), strict=False
    ):
        np.testing.assert_array_equal(found, expected)


def test_where_no_row_is_left_nothing_remains(library: NDArray[np.float32]) -> None:
    own = np.arange(PATCHES)
    assert remainder(MemoryBank.of(library[own]), origin_of(own), 0) is None
    assert len(further_picks(library[own], own[:5], OWNER[own], [0], "cpu")[0]) == 0


def origin_of(patches: NDArray[np.int64]) -> Provenance:
    part, cell = np.divmod(patches, PATCHES)
    return Provenance(*np.stack([part, cell, cell]).astype(np.int32))
