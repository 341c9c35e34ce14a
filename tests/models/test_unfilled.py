"""Networks without values."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from models.rgb.backbones import timm
from models.unfilled import unfilled


def test_a_network_has_shapes_and_no_values_and_draws_no_random_numbers() -> None:
    before = torch.random.get_rng_state()
    with unfilled():
        layer, norm = nn.Linear(3, 5), nn.BatchNorm1d(5)
        nn.init.normal_(tensor=layer.weight)
        nn.init.ones_(norm.weight)
    network = nn.Sequential(layer, norm)
    assert {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()} == {
        "0.weight": (5, 3),
        "0.bias": (5,),
        "1.weight": (5,),
        "1.bias": (5,),
        "1.running_mean": (5,),
        "1.running_var": (5,),
        "1.num_batches_tracked": (),
    }
    assert all(tensor.is_meta for tensor in network.state_dict().values())
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not nn.Linear(3, 5).weight.is_meta


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "vit_small_patch16_dinov3", "resnet18"])
def test_shapes_are_found_without_torchs_compiler(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch._dynamo", None)  # importing it would be an error
    with unfilled():
        network = timm.create_model(name, pretrained=False)
    assert all(tensor.is_meta for tensor in network.state_dict().values())
