"""The group encoder's rearranged arithmetic against the published order of operations."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch.nn import functional

from models.points.network import PointTransformer
from models.unfilled import unfilled
from recipes.points import BatchNormMode, PointKind


def published_encoder(
    weights: dict[str, torch.Tensor], offsets: torch.Tensor, mode: BatchNormMode
) -> torch.Tensor:
    """One layer at a time over all points, in float64."""
    weights = {key: tensor.double() for key, tensor in weights.items() if key.startswith("encoder.")}

    def layer(name: str, points: torch.Tensor) -> torch.Tensor:
        return functional.conv1d(points, weights[f"encoder.{name}.weight"], weights[f"encoder.{name}.bias"])

    def norm(name: str, points: torch.Tensor) -> torch.Tensor:
        weight, bias = (weights[f"encoder.{name}.{part}"] for part in ("weight", "bias"))
        mean, variance = (weights[f"encoder.{name}.running_{part}"].clone() for part in ("mean", "var"))
        return functional.batch_norm(points, mean, variance, weight, bias, training=mode == "sample").relu()

    points = offsets.double().transpose(1, 2)
    local = layer("first_conv.3", norm("first_conv.1", layer("first_conv.0", points)))
    shared = local.amax(2, keepdim=True).expand_as(local)
    mixed = norm("second_conv.1", layer("second_conv.0", torch.cat([shared, local], 1)))
    return layer("second_conv.3", mixed).amax(2)


@pytest.mark.parametrize("mode", ["sample", "running"])
@pytest.mark.parametrize("kind", ["pointmae", "pointbert"])
@pytest.mark.parametrize("groups", [1, 75])
def test_encoder_equals_the_published_one(
    recipe: ModuleType, kind: PointKind, mode: BatchNormMode, groups: int
) -> None:
    with unfilled():
        network = PointTransformer(kind, mode)
    weights = recipe.fill(network.state_dict(), 3)
    network.load_state_dict(weights, assign=True)
    offsets = torch.randn(groups, 16, 3, generator=torch.Generator().manual_seed(1)) * 0.004
    with torch.inference_mode():
        ours = network.encoder(offsets)
    expected = published_encoder(weights, offsets, mode).float()
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)


def test_one_point_alone_gives_finite_vectors(recipe: ModuleType) -> None:
    with unfilled():
        network = PointTransformer("pointmae", "sample")
    network.load_state_dict(recipe.fill(network.state_dict(), 3), assign=True)
    with torch.inference_mode():
        assert network(torch.zeros(1, 1, 3), torch.zeros(1, 3)).isfinite().all()


def test_state_dict_has_the_official_keys() -> None:
    with unfilled():
        mae = PointTransformer("pointmae", "sample").state_dict()
        bert = PointTransformer("pointbert", "sample").state_dict()
    assert bert.keys() - mae.keys() == {"reduce_dim.weight", "reduce_dim.bias", "cls_token", "cls_pos"}
    assert mae["encoder.second_conv.3.weight"].shape == (384, 512, 1)
    assert bert["encoder.second_conv.3.weight"].shape == (256, 512, 1)
    assert mae["blocks.blocks.11.attn.qkv.weight"].shape == (1152, 384)
    assert "blocks.blocks.0.attn.qkv.bias" not in mae
    assert "encoder.first_conv.1.num_batches_tracked" in mae
