"""The factor of plain colour follows how much the network's channels vary on the product."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from banks.feature_store import FeatureStore
from banks.versions.colour import settled_colour
from banks.versions.good_parts import GoodParts
from models.features import Patches
from models.layout import GridLayout
from models.rgb.patch_colour import COLOUR_CHANNELS
from recipes.profiles import find_profile

SIDE = 4


def parts(folder: Path, network: torch.Tensor, *, lower_half: bool) -> GoodParts:
    """One part with these channels (16, C) and a plain colour of 1. lower_half: whether it shows no more."""
    rows = torch.cat([network, torch.ones(SIDE**2, COLOUR_CHANNELS)], 1)
    found = GoodParts(FeatureStore(folder))
    found.store.append({"rgb": Patches(rows, GridLayout(SIDE))})
    valid = np.ones((8, 8), bool)
    valid[:4] = not lower_half
    found.names.append("train/good/000")
    found.valid.append(valid)
    return found


@pytest.fixture
def network() -> torch.Tensor:
    """(16, 3) channels: the upper half of the part varies much, the lower half by 2 in each channel."""
    rows = torch.randn(SIDE**2, 3, generator=torch.manual_seed(0)) * 1000
    rows[8:] = torch.tensor([[2.0], [-2.0]]).repeat(4, 3)
    return rows


def test_the_factor_is_six_spreads_of_the_patches_that_show_the_part(
    network: torch.Tensor, tmp_path: Path
) -> None:
    train = parts(tmp_path, network, lower_half=True)
    factor = settled_colour(find_profile("embedded-three"), train)
    assert factor is not None
    assert factor == pytest.approx(6 * (3 * 4) ** 0.5, rel=1e-3)
    stored = train.store.patches("rgb", 0).rows
    assert torch.equal(stored[:, :3], network)
    assert torch.equal(stored[:, 3:], torch.full((16, COLOUR_CHANNELS), factor))


def test_without_a_cloud_all_patches_count(network: torch.Tensor, tmp_path: Path) -> None:
    train = parts(tmp_path, network, lower_half=False)
    train.valid[0][:] = False
    factor = settled_colour(find_profile("embedded-rgb"), train)
    assert factor == pytest.approx(6 * float(network.var(0, correction=0).sum().sqrt()), rel=1e-2)


def test_other_weights_give_another_factor_and_equal_patches_a_factor_of_one(
    network: torch.Tensor, tmp_path: Path
) -> None:
    profile = find_profile("embedded-three")
    first, larger, equal = (
        settled_colour(profile, parts(tmp_path / name, rows, lower_half=True))
        for name, rows in (("a", network), ("b", 10 * network), ("c", torch.zeros(16, 3)))
    )
    assert first is not None
    assert larger == pytest.approx(10 * first, rel=1e-2)
    assert equal == 1


@pytest.mark.parametrize("change", ["extraction.rgb.colour=300", "extraction.rgb.colour=0"])
def test_a_number_in_the_profile_stays(change: str, network: torch.Tensor, tmp_path: Path) -> None:
    train = parts(tmp_path, network, lower_half=True)
    assert settled_colour(find_profile("embedded-three", changes=[change]), train) is None
    assert torch.equal(train.store.patches("rgb", 0).rows[:, 3:], torch.ones(16, COLOUR_CHANNELS))
