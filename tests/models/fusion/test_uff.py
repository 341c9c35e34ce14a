"""The fusion network: distinct rows only, official keys, strict loading."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

import pytest
import torch

from models.features import Patches
from models.fusion.network import FusionNetwork
from models.fusion.uff import Uff, WrongWidths
from models.layout import GridLayout
from models.points.alignment import expand


@pytest.fixture
def network(recipe: ModuleType) -> FusionNetwork:
    network = FusionNetwork(6, 10)
    network.load_state_dict(recipe.fill(network.state_dict(), 1))
    return network


@pytest.fixture
def grids() -> tuple[Patches, Patches]:
    """RGB on 4 x 4 and points on 8 x 8, half of whose patches are empty."""
    rgb = torch.randn(16, 6, generator=torch.Generator().manual_seed(1))
    point = torch.randn(64, 10, generator=torch.Generator().manual_seed(2))
    point[::2] = 0
    return Patches(rgb, GridLayout(4)), Patches(point, GridLayout(8))


def test_official_keys_at_the_published_widths() -> None:
    with torch.device("meta"):
        state: Mapping[str, torch.Tensor] = FusionNetwork(768, 1152).state_dict()
    assert sum(tensor.numel() for tensor in state.values()) == 15_840_896
    assert state["xyz_mlp.fc1.weight"].shape == (4608, 1152)
    assert state["rgb_mlp.fc2.bias"].shape == (768,)
    assert state["rgb_head.weight"].shape == (256, 768)
    assert state["xyz_norm.weight"].shape == (1152,)


def test_fusion_equals_the_network_on_every_patch(
    network: FusionNetwork, grids: tuple[Patches, Patches]
) -> None:
    rgb, point = grids
    fused = Uff.from_state(network.state_dict())(rgb, point)
    from_rgb, from_point = network(expand(rgb.rows), point.rows)
    assert fused.layout == GridLayout(8)
    torch.testing.assert_close(fused.rows, torch.cat([from_point, from_rgb], 1), atol=1e-5, rtol=1e-5)


def test_grids_of_one_side_need_no_expansion(network: FusionNetwork) -> None:
    rgb, point = torch.ones(16, 6), torch.zeros(16, 10)
    fused = Uff.from_state(network.state_dict())(Patches(rgb, GridLayout(4)), Patches(point, GridLayout(4)))
    from_rgb, from_point = network(rgb, point)
    torch.testing.assert_close(fused.rows, torch.cat([from_point, from_rgb], 1), atol=1e-5, rtol=1e-5)


def test_state_round_trips_without_the_heads(network: FusionNetwork, grids: tuple[Patches, Patches]) -> None:
    fusion = Uff.from_state(network.state_dict())
    state = fusion.state()
    assert not [key for key in state if "head" in key]
    assert torch.equal(Uff.from_state(state)(*grids).rows, fusion(*grids).rows)


def test_weights_that_do_not_fit_are_named(network: FusionNetwork) -> None:
    state = network.state_dict()
    state["rgb_mlp.fc3.bias"] = state.pop("rgb_mlp.fc2.bias")
    with pytest.raises(ValueError, match=r"missing rgb_mlp.fc2.bias; unexpected rgb_mlp.fc3.bias"):
        Uff.from_state(state)
    with pytest.raises(ValueError, match=r"missing xyz_norm.weight"):
        Uff.from_state({"rgb_norm.weight": torch.ones(6)})


def test_patches_of_other_widths_are_refused(network: FusionNetwork, grids: tuple[Patches, Patches]) -> None:
    _, point = grids
    with pytest.raises(WrongWidths, match=r"\(6, 10\) channels.*\(10, 10\).*train-uff"):
        Uff.from_state(network.state_dict())(Patches(point.rows[:16], GridLayout(4)), point)
