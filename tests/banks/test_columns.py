from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from banks.columns import PLACES, Columns
from banks.decision.part_scores import PartScores
from banks.decision.score_map import score_map
from banks.methods.memory_bank.bank import MemoryBank
from banks.methods.memory_bank.column import MemoryBankColumn
from banks.methods.memory_bank.normaliser import Normaliser
from banks.methods.method import Provenance
from models.features import Patches
from models.layout import GridLayout
from models.preparation.roi import COLOUR
from recipes.banks import Reweighting

SIDE = 28


def scored(sigma: float, *odd: tuple[int, int]) -> PartScores:
    """A part whose patches are the bank's one row, but for some that are 1 away from it."""
    origin = np.zeros(1, np.int32)
    bank = MemoryBankColumn(
        MemoryBank.of(np.zeros((1, 2), np.float32)),
        Normaliser(),
        Reweighting(),
        Provenance(origin, origin, origin),
    )
    rows = torch.zeros(SIDE * SIDE, 2)
    for row, column in odd:
        rows[row * SIDE + column, 0] = 1
    columns = Columns({"rgb": bank}, "gaussian", 224, sigma)
    return columns.score({"rgb": Patches(rows, GridLayout(SIDE))})


def test_a_map_is_made_when_it_is_asked_for_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(*of_one: Any) -> NDArray[np.float32]:
        made.append(len(made))
        return score_map(*of_one)

    monkeypatch.setattr("banks.columns.score_map", counted)
    part = scored(1.0, (10, 20))
    seen = np.zeros((224, 224), np.uint8)
    seen[80:88] = COLOUR
    within = part.within(seen)
    assert list(within.maps) == ["rgb"]
    assert "point" not in within.maps
    assert not made
    shown, whole = within.maps["rgb"], part.maps["rgb"]
    assert within.maps["rgb"] is shown
    assert len(made) == 1
    np.testing.assert_array_equal(shown, np.where(seen > 0, whole, 0))
    assert 0 < np.count_nonzero(shown) < np.count_nonzero(whole)


@pytest.mark.parametrize("sigma", [0.5, 1.0])
def test_the_highest_place_lies_on_the_odd_patch(sigma: float) -> None:
    places = scored(sigma, (10, 20)).places["rgb"]
    assert places.shape == (PLACES, PLACES)
    row, column = np.unravel_index(places.argmax(), places.shape)
    assert (row // 2, column // 2) == (10, 20)


def test_a_wide_gaussian_prefers_two_odd_patches_to_one() -> None:
    one, two = (10, 20), ((10, 20), (10, 21))
    gain = {
        sigma: scored(sigma, *two).places["rgb"].max() / scored(sigma, one).places["rgb"].max()
        for sigma in (0.5, 1.0)
    }
    assert gain[1.0] > gain[0.5] > 1
