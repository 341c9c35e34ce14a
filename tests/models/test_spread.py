from __future__ import annotations

import pytest
import torch

from models.spread import Spread


def test_pieces_have_the_spread_of_all_rows() -> None:
    rows = torch.randn(60, 5, generator=torch.manual_seed(0)) * torch.tensor([1.0, 2, 3, 4, 5]) + 100
    spread = Spread()
    for piece in rows.split(7):
        spread.add(piece)
    assert spread.root == pytest.approx(float(rows.double().var(0, correction=0).sum().sqrt()))


def test_nothing_varies() -> None:
    spread = Spread()
    assert spread.root == 0
    spread.add(torch.full((3, 2), 7.0))
    assert spread.root == 0
